//! Opaque secrets: 256 random bits as text, of which only a SHA-256 digest is kept. A digest without salt and work is enough for
//! what cannot be guessed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A new secret with a prefix by which scanners find it.
pub(crate) fn make(prefix: &str, random: [u8; 32]) -> String {
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(random))
}

/// What is kept of a secret.
pub(crate) fn hash(secret: &str) -> String {
    store::digest(secret.as_bytes())
}
