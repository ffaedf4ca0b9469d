//! The query string: decoded into pairs, in order.

use kernel::error::{Faults, codes};
use kernel::percent::decoded;
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
        let pair = decode(name).zip(decode(value));
        pairs.push(pair.ok_or_else(|| unreadable("The query string is not UTF-8 in percent-encoding."))?);
    }
    Ok(pairs)
}

/// The values of these parameters, each of which may be there once, and no other.
///
/// # Errors
/// `validation_failed` with everything that is wrong.
pub fn named<const N: usize>(pairs: Vec<(String, String)>, names: [&str; N]) -> Result<[Option<String>; N]> {
    let mut faults = Faults::new();
    let mut values = [const { None }; N];
    for (name, value) in pairs {
        let here = format!("?{name}");
        match names.iter().position(|known| *known == name).and_then(|place| values.get_mut(place)) {
            None => faults.add(here, "unknown_parameter", format!("there is no such parameter; there are {}", names.join(", "))),
            Some(Some(_)) => faults.add(here, "repeated", "is there twice"),
            Some(place) => *place = Some(value),
        }
    }
    faults.into_result().map(|()| values)
}

/// As forms are encoded: a blank is a `+`.
fn decode(text: &str) -> Option<String> {
    decoded(&text.replace('+', " "))
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
