//! Percent-encoding (RFC 3986, 2.1), by the crate `percent-encoding`. That one lets a `%` pass that encodes nothing; here it is a fault.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Everything but what is never reserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The text with everything encoded but what is never reserved.
pub fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// A query string of these parameters.
pub fn query_string(pairs: &[(String, String)]) -> String {
    pairs.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect::<Vec<_>>().join("&")
}

/// The text as it was before it was encoded; none where it is not encoded rightly, or was not UTF-8.
pub fn decoded(text: &str) -> Option<String> {
    let is_right = |after: &str| after.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    if !text.split('%').skip(1).all(is_right) {
        return None;
    }
    percent_decode_str(text).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_not_encoded_rightly_is_refused() {
        assert_eq!(encoded("a b/Π~"), "a%20b%2F%CE%A0~");
        assert_eq!(decoded("a+%CE%a0%2f"), Some("a+Π/".to_owned()));
        for wrong in ["%", "%2", "a%zz", "%%20", "%C3", "%2%30"] {
            assert_eq!(decoded(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in any::<String>()) {
            prop_assert_eq!(decoded(&encoded(&text)), Some(text));
        }
    }
}
