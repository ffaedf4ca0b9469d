//! ETags. A record's is made from its version; where `include` or `fields` change what is shown, a digest of what is shown is
//! added. `If-Match` compares the version alone, so an ETag from any representation guards a change; `If-None-Match` compares
//! the whole. A list's is a digest of what is shown.

use actix_web::http::header::{HeaderMap, HeaderName, IF_MATCH, IF_NONE_MATCH};

/// The ETag of a record in its plain form.
pub fn of_version(version: i64) -> String {
    format!("\"v{version}\"")
}

/// The ETag of a record with something included or left out.
pub fn of_version_and_body(version: i64, body: &[u8]) -> String {
    format!("\"v{version}-{:016x}\"", xxhash_rust::xxh3::xxh3_64(body))
}

/// The ETag of anything else; weak, because two lists that show the same may differ in bytes one day.
pub fn of_body(body: &[u8]) -> String {
    format!("W/\"{:016x}\"", xxhash_rust::xxh3::xxh3_64(body))
}

fn tags<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<Vec<&'a str>> {
    let mut values = headers.get_all(name).peekable();
    values.peek()?;
    Some(values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).map(str::trim).collect())
}

/// The version that `If-Match` names: none where the header is missing or `*`, and one that no record has where it names none.
/// Of several the one that is newest is meant, since only it can match.
pub fn seen(headers: &HeaderMap) -> Option<i64> {
    seen_among(&tags(headers, &IF_MATCH)?)
}

/// As [`seen`], for the `if_match` of an operation in a bulk.
pub fn seen_in(text: &str) -> Option<i64> {
    seen_among(&text.split(',').map(str::trim).collect::<Vec<_>>())
}

fn seen_among(tags: &[&str]) -> Option<i64> {
    if tags.contains(&"*") {
        return None;
    }
    let version = |tag: &str| {
        let inner = tag.strip_prefix("\"v")?.strip_suffix('"')?;
        inner.split('-').next()?.parse::<i64>().ok().filter(|version| *version > 0)
    };
    Some(tags.iter().copied().filter_map(version).max().unwrap_or(-1))
}

/// Whether `If-None-Match` names this ETag (weak comparison, RFC 9110, 13.1.2).
pub fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let plain = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
    tags(headers, &IF_NONE_MATCH).is_some_and(|tags| tags.iter().any(|tag| *tag == "*" || plain(tag) == plain(etag)))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn headers(name: HeaderName, value: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        headers
    }

    #[test]
    fn if_match_compares_versions_whatever_was_shown() {
        assert_eq!(seen(&HeaderMap::new()), None);
        assert_eq!(seen(&headers(IF_MATCH, "*")), None);
        assert_eq!(seen(&headers(IF_MATCH, "\"v3\"")), Some(3));
        assert_eq!(seen(&headers(IF_MATCH, "\"v3-0011223344556677\"")), Some(3));
        assert_eq!(seen(&headers(IF_MATCH, "\"v1\", \"v4\"")), Some(4));
        for wrong in ["v3", "\"3\"", "\"v-3\"", "W/\"v3\"", ""] {
            assert_eq!(seen(&headers(IF_MATCH, wrong)), Some(-1), "{wrong}");
        }
    }

    #[test]
    fn if_none_match_compares_the_whole_weakly() {
        assert!(is_known(&headers(IF_NONE_MATCH, "\"v3\""), "\"v3\""));
        assert!(is_known(&headers(IF_NONE_MATCH, "W/\"aa\", W/\"bb\""), "W/\"bb\""));
        assert!(!is_known(&headers(IF_NONE_MATCH, "\"v3\""), "\"v3-00\""));
        assert!(!is_known(&HeaderMap::new(), "\"v3\""));
    }
}
