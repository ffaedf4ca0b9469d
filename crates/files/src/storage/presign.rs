//! Links into S3, signed by its version 4 (AWS Signature Version 4, authenticating requests by query parameters). `object_store` signs
//! links too, but none that say under which name the file is to be saved.

use std::fmt::Write as _;

use aws_lc_rs::hmac;
use kernel::percent::encoded;
use kernel::{Error, Result};
use object_store::aws::AwsCredential;

use super::Linked;

/// Where the object is.
pub(super) struct Place<'a> {
    /// Scheme and host.
    pub endpoint: &'a str,
    /// The bucket, where it is part of the path.
    pub bucket: Option<&'a str>,
    pub region: &'a str,
}

fn sign(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

/// A link that lets whoever has it read the object, for a while.
pub(super) fn presigned(place: &Place<'_>, credential: &AwsCredential, linked: &Linked<'_>) -> Result<String> {
    let (_, host) = place.endpoint.split_once("://").ok_or_else(|| Error::internal("the endpoint of S3 has no scheme"))?;
    let path: String = place.bucket.into_iter().chain(linked.key.split('/')).fold(String::new(), |mut path, part| {
        path.push('/');
        path.push_str(&encoded(part));
        path
    });
    let (day, moment) = (linked.now.format("%Y%m%d").to_string(), linked.now.format("%Y%m%dT%H%M%SZ").to_string());
    let scope = format!("{day}/{}/s3/aws4_request", place.region);
    // in the order of their names, which is the order in which they are signed
    let mut parameters = vec![
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA256".to_owned()),
        ("X-Amz-Credential", format!("{}/{scope}", credential.key_id)),
        ("X-Amz-Date", moment.clone()),
        ("X-Amz-Expires", linked.seconds.to_string()),
    ];
    if let Some(token) = &credential.token {
        parameters.push(("X-Amz-Security-Token", token.clone()));
    }
    parameters.push(("X-Amz-SignedHeaders", "host".to_owned()));
    if !linked.disposition.is_empty() {
        parameters.push(("response-content-disposition", linked.disposition.to_owned()));
        parameters.push(("response-content-type", linked.mime_type.to_owned()));
    }
    let mut query = String::new();
    for (name, value) in &parameters {
        let separator = if query.is_empty() { "" } else { "&" };
        write!(query, "{separator}{name}={}", encoded(value)).map_err(Error::internal)?;
    }
    let request = format!("GET\n{path}\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD");
    let text = format!("AWS4-HMAC-SHA256\n{moment}\n{scope}\n{}", store::digest(request.as_bytes()));
    let steps = [day.as_str(), place.region, "s3", "aws4_request", text.as_str()];
    let first = format!("AWS4{}", credential.secret_key).into_bytes();
    let signature = steps.into_iter().fold(first, |key, step| sign(&key, step));
    let digits: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{}{path}?{query}&X-Amz-Signature={digits}", place.endpoint))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the manual of S3, "Authenticating Requests: Using Query Parameters".
    #[test]
    fn a_link_is_signed_as_the_manual_of_s3_has_it() {
        let credential = AwsCredential {
            key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
            token: None,
        };
        let place = Place { endpoint: "https://examplebucket.s3.amazonaws.com", bucket: None, region: "us-east-1" };
        let now = "2013-05-24T00:00:00Z".parse().unwrap();
        let linked = Linked { key: "test.txt", disposition: "", mime_type: "", now, seconds: 86400 };
        let link = presigned(&place, &credential, &linked).unwrap();
        assert!(link.ends_with("&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"), "{link}");
    }
}
