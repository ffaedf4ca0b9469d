//! The query string: decoded into pairs, in order.

use kernel::error::codes;
use kernel::{Error, Result};

/// Pairs of a query string at most.
const MOST_PAIRS: usize = 100;

/// The pairs of a query string.
///
/// # Errors
/// `unreadable` when it is not UTF-8 after decoding, or holds too many pairs.
pub fn pairs(query: &str) -> Result<Vec<(String, String)>> {
    let unreadable = |detail: &str| Error::new(&codes::UNREADABLE).with_detail(detail);
    let mut pairs = Vec::new();
    for part in query.split('&').filter(|part| !part.is_empty()) {
        if pairs.len() == MOST_PAIRS {
            return Err(unreadable("The query string has too many parameters."));
        }
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let decoded = decode(name).zip(decode(value));
        pairs.push(decoded.ok_or_else(|| unreadable("The query string is not UTF-8 in percent-encoding."))?);
    }
    Ok(pairs)
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
                bytes.push(u8::try_from(high * 16 + low).ok()?);
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded_in_order_and_nonsense_is_refused() {
        let decoded = pairs("q=%CE%A0%CE%B1+x&created_at[gte]=2026-01-01&created_at%5Blt%5D=2027&flag").unwrap();
        let expected = [("q", "Πα x"), ("created_at[gte]", "2026-01-01"), ("created_at[lt]", "2027"), ("flag", "")];
        assert_eq!(decoded, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        for wrong in ["q=%", "q=%zz", "q=%ff", "%80=1"] {
            assert!(pairs(wrong).is_err(), "{wrong}");
        }
        assert!(pairs(&"a&".repeat(101)).is_err());
    }
}
