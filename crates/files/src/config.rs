//! How files are kept: which storages there are, and what is asked of what comes in.

use std::path::PathBuf;
use std::time::Duration;

use kernel::percent::decoded;

/// How files are kept.
#[derive(Clone, Debug)]
pub struct FilesConfig {
    /// Where new files go.
    pub storage: StorageUrl,
    /// Storages that files were put in before, to read from.
    pub further: Vec<StorageUrl>,
    /// Where what comes in lies until it is known to be whole and harmless.
    pub spool: PathBuf,
    /// How long a storage may take over one step: an answer, a part, the next piece of a download.
    pub storage_timeout: Duration,
    /// Bytes of an upload at most.
    pub most_bytes: u64,
    /// Where clamd listens; none where nothing is scanned.
    pub scanner: Option<Scanner>,
    /// Where people reach this server, for links.
    pub public_url: String,
}

/// Where clamd listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scanner {
    /// On a port.
    Tcp(String),
    /// On a socket.
    Unix(PathBuf),
}

impl Scanner {
    /// Reads `tcp://host:port` or `unix:<path>`.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(path) = text.strip_prefix("unix:") {
            return path.starts_with('/').then(|| Self::Unix(path.into()));
        }
        let address = text.strip_prefix("tcp://")?;
        let (host, port) = address.rsplit_once(':')?;
        (!host.is_empty() && port.parse::<u16>().is_ok()).then(|| Self::Tcp(address.to_owned()))
    }
}

/// A storage, as it is configured. It may hold a secret, so it prints its name alone.
#[derive(Clone, PartialEq, Eq)]
pub struct StorageUrl {
    /// What `storage_bucket` calls it.
    pub name: String,
    pub(crate) place: PlaceUrl,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum PlaceUrl {
    Folder(PathBuf),
    S3(S3Url),
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct S3Url {
    /// `http` or `https`, host and port.
    pub endpoint: String,
    pub bucket: String,
    pub region: String,
    /// Key and secret; none where the machine has credentials of its own.
    pub credentials: Option<(String, String)>,
    /// Whether the bucket is part of the host's name.
    pub virtual_hosted: bool,
}

impl std::fmt::Debug for StorageUrl {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "StorageUrl({})", self.name)
    }
}

/// What a bucket may be called, in S3 and in `storage_bucket`.
fn is_name(text: &str) -> bool {
    (1..=63).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

impl StorageUrl {
    /// Reads `file:<path>`, or `s3://key:secret@host:port/bucket` (`s3+http://` without TLS), with `?name=` for what files remember it by,
    /// and for S3 `region=` and `style=virtual`. The path, the key and the secret may be
    /// percent-encoded.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, query) = text.split_once('?').map_or((text, ""), |(address, query)| (address, query));
        let mut name = None;
        let (mut region, mut virtual_hosted) = ("us-east-1".to_owned(), false);
        let is_file = address.starts_with("file:");
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=')? {
                ("name", given) if is_name(given) => name = Some(given.to_owned()),
                ("region", given) if !is_file && is_name(given) => region = given.to_owned(),
                ("style", "virtual") if !is_file => virtual_hosted = true,
                ("style", "path") if !is_file => virtual_hosted = false,
                _ => return None,
            }
        }
        if let Some(path) = address.strip_prefix("file:") {
            let path = decoded(path.strip_prefix("//").unwrap_or(path))?;
            let name = name.unwrap_or_else(|| "local".to_owned());
            return (!path.is_empty()).then(|| Self { name, place: PlaceUrl::Folder(path.into()) });
        }
        let (scheme, rest) = match (address.strip_prefix("s3://"), address.strip_prefix("s3+http://")) {
            (Some(rest), _) => ("https", rest),
            (_, Some(rest)) => ("http", rest),
            _ => return None,
        };
        let (credentials, place) = match rest.rsplit_once('@') {
            Some((credentials, place)) => {
                let (key, secret) = credentials.split_once(':')?;
                let both = (decoded(key)?, decoded(secret)?);
                (Some(both).filter(|(key, secret)| !key.is_empty() && !secret.is_empty()), place)
            }
            None => (None, rest),
        };
        if rest.contains('@') && credentials.is_none() {
            return None;
        }
        let (host, bucket) = place.split_once('/')?;
        let unwanted = |letter: char| letter.is_whitespace() || letter.is_control() || "#\\\"<>*/".contains(letter);
        let bucket = bucket.trim_end_matches('/');
        if host.is_empty() || host.starts_with(':') || host.contains(unwanted) || !is_name(bucket) {
            return None;
        }
        let s3 = S3Url { endpoint: format!("{scheme}://{host}"), bucket: bucket.to_owned(), region, credentials, virtual_hosted };
        Some(Self { name: name.unwrap_or_else(|| bucket.to_owned()), place: PlaceUrl::S3(s3) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn storages_are_read_with_what_files_remember_them_by() {
        let folder = StorageUrl::parse("file:./data/files").unwrap();
        assert_eq!(folder.name, "local");
        let s3 = StorageUrl::parse("s3://key:se%2Fcret%40@s3.example.com:9000/papers?region=eu-central-1&name=old").unwrap();
        assert_eq!(s3.name, "old");
        let PlaceUrl::S3(place) = s3.place else { panic!("it is S3") };
        assert_eq!(place.endpoint, "https://s3.example.com:9000");
        assert_eq!(place.credentials, Some(("key".to_owned(), "se/cret@".to_owned())));
        assert_eq!(place.region, "eu-central-1");
        assert_eq!(StorageUrl::parse("s3+http://127.0.0.1:1/b").unwrap().name, "b");
        for wrong in [
            "",
            "file:",
            "ftp://x/y",
            "s3://host",
            "s3://host/",
            "s3://:9000/bucket",
            "s3://key@host/bucket",
            "s3://key:@host/bucket",
            "s3://host/a/b",
            "s3://host/bucket?reg=x",
            "file:x?region=y",
            "file:x?name=",
        ] {
            assert!(StorageUrl::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_secret_is_not_printed() {
        let url = StorageUrl::parse("s3://key:hidden@host/bucket").unwrap();
        assert_eq!(format!("{url:?}"), "StorageUrl(bucket)");
    }

    #[test]
    fn scanners_are_on_a_port_or_a_socket() {
        assert_eq!(Scanner::parse("tcp://clam:3310"), Some(Scanner::Tcp("clam:3310".to_owned())));
        assert_eq!(Scanner::parse("unix:/run/clamd.ctl"), Some(Scanner::Unix("/run/clamd.ctl".into())));
        for wrong in ["", "clam:3310", "tcp://clam", "tcp://:1", "unix:x"] {
            assert_eq!(Scanner::parse(wrong), None, "{wrong}");
        }
    }
}
