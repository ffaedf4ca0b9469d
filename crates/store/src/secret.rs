//! The installation's secret, from which every key that is not published is derived (HKDF, RFC 5869).

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::hmac;
use kernel::{Error, Result, Runtime};

/// 32 random bytes that belong to one installation: in `data/keys/secret.key`, or given by the environment where several
/// nodes share a database. It prints as nothing.
#[derive(Clone)]
pub struct Secret([u8; 32]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Secret(…)")
    }
}

struct Length;

impl KeyType for Length {
    fn len(&self) -> usize {
        32
    }
}

impl Secret {
    /// Takes the bytes of a secret.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A key for one purpose.
    ///
    /// # Errors
    /// `internal` when the library refuses, which it has no reason to.
    pub fn derive(&self, purpose: &str) -> Result<[u8; 32]> {
        let refused = |_| Error::internal("key derivation failed");
        let mut key = [0; 32];
        Salt::new(HKDF_SHA256, b"pelatis")
            .extract(&self.0)
            .expand(&[purpose.as_bytes()], Length)
            .and_then(|material| material.fill(&mut key))
            .map_err(refused)?;
        Ok(key)
    }

    /// A key that signs for one purpose.
    ///
    /// # Errors
    /// As [`derive`](Self::derive).
    pub fn signer(&self, purpose: &str) -> Result<hmac::Key> {
        Ok(hmac::Key::new(hmac::HMAC_SHA256, &self.derive(purpose)?))
    }

    /// Encrypts with AES-256-GCM, the nonce in front, bound to `context`. The nonce is a random one.
    ///
    /// # Errors
    /// `internal` when the library refuses.
    pub fn seal(&self, runtime: &Runtime, context: &str, clear: &[u8]) -> Result<Vec<u8>> {
        let nonce: [u8; NONCE_LEN] = runtime.random();
        let mut sealed = clear.to_vec();
        self.sealing()?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context.as_bytes()), &mut sealed)
            .map_err(|_| Error::internal("sealing failed"))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    fn sealing(&self) -> Result<LessSafeKey> {
        let key = UnboundKey::new(&AES_256_GCM, &self.derive("seal")?).map_err(|_| Error::internal("sealing failed"))?;
        Ok(LessSafeKey::new(key))
    }

    /// Decrypts what [`seal`](Self::seal) made.
    ///
    /// # Errors
    /// `internal` when it was sealed with another secret or for another context, or was changed.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        let refused = || Error::internal("this was not sealed with the installation's secret");
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN).ok_or_else(refused)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| refused())?;
        let mut body = body.to_vec();
        let clear = self.sealing()?.open_in_place(nonce, Aad::from(context.as_bytes()), &mut body).map_err(|_| refused())?;
        Ok(clear.to_vec())
    }
}

/// The SHA-256 digest of something, in hexadecimal digits.
pub fn digest(content: &[u8]) -> String {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, content).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_the_same_secret_and_context_only() {
        let secret = Secret::new([7; 32]);
        let runtime = Runtime::system();
        let sealed = secret.seal(&runtime, "a", b"words").unwrap();
        assert_ne!(sealed, secret.seal(&runtime, "a", b"words").unwrap());
        assert_eq!(secret.open("a", &sealed).unwrap(), b"words");
        assert!(secret.open("b", &sealed).is_err());
        assert!(Secret::new([8; 32]).open("a", &sealed).is_err());
        assert!(secret.open("a", &sealed[..10]).is_err());
        assert_ne!(secret.derive("x").unwrap(), secret.derive("y").unwrap());
    }
}
