//! The content of a file on its way out: whole or a part of it (RFC 9110, 14), streamed, and harmless in a browser.

use std::ops::Range;

use actix_web::body::SizedStream;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};
use files::files::Readable;
use files::{Files, Shown};
use futures::TryStreamExt as _;
use kernel::{Error, Result};

use crate::errors::RANGE_NOT_SATISFIABLE;
use crate::{etag, problem};

/// Nothing in it runs, whatever it is taken for.
const POLICY: &str = "sandbox; default-src 'none'; frame-ancestors 'none'";
/// Kept by the reader alone, and asked for each time whether it is still the same.
const CACHE: &str = "private, no-cache";

/// What of a file is asked for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Whole,
    Part(Range<u64>),
    /// A part that it does not have.
    Nothing,
}

/// Reads `Range` against a file of this length. Several ranges at once, and other units, are as good as none.
fn asked(headers: &HeaderMap, tag: &str, length: u64) -> Asked {
    let Some(spec) = headers.get(header::RANGE).and_then(|value| value.to_str().ok()?.trim().strip_prefix("bytes=")) else {
        return Asked::Whole;
    };
    // a part of what has changed since is of no use
    if headers.get(header::IF_RANGE).is_some_and(|seen| seen.as_bytes() != tag.as_bytes()) {
        return Asked::Whole;
    }
    let Some((first, last)) = spec.split_once('-') else { return Asked::Whole };
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // what is too large for a number is larger than any file
        digits.then(|| text.parse::<u64>().unwrap_or(u64::MAX))
    };
    let range = match (first.is_empty(), number(first), last.is_empty(), number(last)) {
        // the last so many
        (true, _, _, Some(count)) => length.saturating_sub(count)..if count == 0 { 0 } else { length },
        (_, Some(first), true, _) => first..length,
        (_, Some(first), _, Some(last)) if first <= last => first..length.min(last.saturating_add(1)),
        _ => return Asked::Whole,
    };
    if range.is_empty() { Asked::Nothing } else { Asked::Part(range) }
}

/// Answers with the content of a file.
///
/// # Errors
/// `storage_unavailable`.
pub(crate) async fn send(request: &HttpRequest, files: &Files, readable: &Readable, shown: Shown) -> Result<HttpResponse> {
    let tag = format!("\"{}\"", readable.sha256);
    if etag::is_known(request.headers(), &tag) {
        let mut same = HttpResponse::NotModified();
        return Ok(same.insert_header((header::ETAG, tag)).insert_header((header::CACHE_CONTROL, CACHE)).finish());
    }
    let is_head = *request.method() == Method::HEAD;
    // a range of a head is that of the whole (RFC 9110, 14.2)
    let asked = if is_head { Asked::Whole } else { asked(request.headers(), &tag, readable.length) };
    let range = match asked {
        Asked::Whole => None,
        Asked::Part(range) => Some(range),
        Asked::Nothing => {
            let mut refusal = problem::respond(&Error::new(&RANGE_NOT_SATISFIABLE), request);
            let value = HeaderValue::try_from(format!("bytes */{}", readable.length)).map_err(Error::internal)?;
            refusal.headers_mut().insert(header::CONTENT_RANGE, value);
            return Ok(refusal);
        }
    };
    let mut response = HttpResponse::build(if range.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK });
    response
        .content_type(readable.mime_type.as_str())
        .insert_header((header::ETAG, tag))
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        .insert_header((header::CACHE_CONTROL, CACHE))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::CONTENT_DISPOSITION, readable.disposition(shown)))
        // lengths and parts are those of the file itself
        .insert_header((header::CONTENT_ENCODING, "identity"));
    if let Some(range) = &range {
        let value = format!("bytes {}-{}/{}", range.start, range.end - 1, readable.length);
        response.insert_header((header::CONTENT_RANGE, value));
    }
    let length = range.as_ref().map_or(readable.length, |range| range.end - range.start);
    if is_head {
        return Ok(response.body(SizedStream::new(length, futures::stream::pending::<Result<_>>())));
    }
    let content = readable.open(files, range).await?;
    let told = content.inspect_err(|error| tracing::warn!(?error, "a download was cut off"));
    Ok(response.body(SizedStream::new(length, told)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(range: &'static str, seen: Option<&'static str>) -> Asked {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_static(range));
        if let Some(seen) = seen {
            headers.insert(header::IF_RANGE, HeaderValue::from_static(seen));
        }
        asked(&headers, "\"a\"", 100)
    }

    #[test]
    fn one_range_of_bytes_is_read_and_everything_else_is_the_whole() {
        assert_eq!(asked(&HeaderMap::new(), "\"a\"", 100), Asked::Whole);
        for (text, range) in [
            ("bytes=0-0", 0..1),
            ("bytes=10-19", 10..20),
            ("bytes=90-", 90..100),
            ("bytes=90-500", 90..100),
            ("bytes=-5", 95..100),
            ("bytes=-500", 0..100),
            ("bytes=0-99999999999999999999999", 0..100),
        ] {
            assert_eq!(part(text, None), Asked::Part(range), "{text}");
        }
        for text in ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=99999999999999999999999-"] {
            assert_eq!(part(text, None), Asked::Nothing, "{text}");
        }
        for text in ["bytes=2-1", "bytes=", "bytes=-", "bytes=a-b", "bytes=0-1,3-4", "lines=0-1", "bytes=+1-2"] {
            assert_eq!(part(text, None), Asked::Whole, "{text}");
        }
        assert_eq!(part("bytes=0-0", Some("\"a\"")), Asked::Part(0..1));
        for seen in ["\"b\"", "W/\"a\"", "Sun, 06 Nov 1994 08:49:37 GMT"] {
            assert_eq!(part("bytes=0-0", Some(seen)), Asked::Whole, "{seen}");
        }
    }
}
