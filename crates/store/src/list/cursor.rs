//! Cursors: the key of the last row, signed, and bound to the list that it came from.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::{Error, Result};

use crate::errors::INVALID_CURSOR;

/// Bytes of the signature that are kept: 128 bits.
const TAG: usize = 16;

/// A cursor for the row with these keys. `bound_to` names list, workspace, filter and sort.
pub(super) fn seal(key: &hmac::Key, bound_to: &str, keys: &[String]) -> String {
    let payload = serde_json::to_vec(keys).unwrap_or_default();
    let mut bytes = tag(key, bound_to, &payload);
    bytes.extend_from_slice(&payload);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The keys in a cursor.
///
/// # Errors
/// `invalid_cursor` when it was not made here for this list, filter and sort.
pub(super) fn open(key: &hmac::Key, bound_to: &str, cursor: &str) -> Result<Vec<String>> {
    let refused = || {
        Error::new(&INVALID_CURSOR)
            .with_detail("Take the cursor from page.next_cursor of the same list with the same filter and sort.")
            .with_field(kernel::FieldError::new("?cursor", "invalid_cursor", "does not belong to this list, filter and sort"))
    };
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| refused())?;
    let (sent, payload) = bytes.split_at_checked(TAG).ok_or_else(refused)?;
    aws_lc_rs::constant_time::verify_slices_are_equal(sent, &tag(key, bound_to, payload)).map_err(|_| refused())?;
    serde_json::from_slice(payload).map_err(|_| refused())
}

fn tag(key: &hmac::Key, bound_to: &str, payload: &[u8]) -> Vec<u8> {
    let mut context = hmac::Context::with_key(key);
    // the length first, so that no part of the one can pass for part of the other
    context.update(&(bound_to.len() as u64).to_be_bytes());
    context.update(bound_to.as_bytes());
    context.update(payload);
    context.sign().as_ref().iter().copied().take(TAG).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_opens_only_for_what_it_was_made_for() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &[1; 32]);
        let cursor = seal(&key, "clients?name", &["Παπάς".to_owned(), "1".to_owned()]);
        assert_eq!(open(&key, "clients?name", &cursor).unwrap(), ["Παπάς", "1"]);
        assert!(open(&key, "clients?city", &cursor).is_err());
        assert!(open(&hmac::Key::new(hmac::HMAC_SHA256, &[2; 32]), "clients?name", &cursor).is_err());
        let mut forged = cursor.into_bytes();
        let last = forged.len() - 1;
        forged[last] = if forged[last] == b'A' { b'E' } else { b'A' };
        assert!(open(&key, "clients?name", std::str::from_utf8(&forged).unwrap()).is_err());
        for text in ["", "AAAA", "!!", "ÿ"] {
            assert!(open(&key, "clients?name", text).is_err());
        }
    }
}
