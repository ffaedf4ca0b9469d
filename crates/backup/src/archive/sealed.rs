//! Encryption, for archives that lie where others may look.

use std::io::{self, Read, Write};
use std::str::FromStr;

use age::x25519::{Identity, Recipient};
use kernel::{Error, Result};

/// The first bytes of what age wrote.
const MARK: &[u8] = b"age-encryption.org/v1";

/// Who can open an archive: public keys of age, `age1…`. With none, everybody can.
#[derive(Clone, Debug, Default)]
pub struct Recipients(Vec<String>);

impl Recipients {
    /// Takes public keys.
    ///
    /// # Errors
    /// `validation_failed` with each that is not one.
    pub fn parse(keys: &[String]) -> Result<Self> {
        for key in keys {
            if !Self::is_key(key) {
                return Err(Error::invalid_field("recipients", "invalid", "must be public keys of age, age1…"));
            }
        }
        Ok(Self(keys.to_vec()))
    }

    /// Whether this is a public key of age.
    pub fn is_key(text: &str) -> bool {
        Recipient::from_str(text).is_ok()
    }

    /// Whether anybody can open it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn seal<W: Write>(&self, into: W) -> io::Result<Sealing<W>> {
        if self.0.is_empty() {
            return Ok(Sealing::Open(into));
        }
        let keys: Vec<Recipient> =
            self.0.iter().map(|key| Recipient::from_str(key).map_err(io::Error::other)).collect::<io::Result<_>>()?;
        let encryptor =
            age::Encryptor::with_recipients(keys.iter().map(|key| key as &dyn age::Recipient)).map_err(io::Error::other)?;
        Ok(Sealing::Closed(Box::new(encryptor.wrap_output(into)?)))
    }
}

/// What is written to, encrypted or as it is.
pub(super) enum Sealing<W: Write> {
    Open(W),
    Closed(Box<age::stream::StreamWriter<W>>),
}

impl<W: Write> Sealing<W> {
    /// Writes what is still held back.
    pub fn finish(self) -> io::Result<W> {
        match self {
            Self::Open(into) => Ok(into),
            Self::Closed(closed) => closed.finish(),
        }
    }
}

impl<W: Write> Write for Sealing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Open(into) => into.write(bytes),
            Self::Closed(closed) => closed.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Open(into) => into.flush(),
            Self::Closed(closed) => closed.flush(),
        }
    }
}

/// Private keys that may open an archive. They print as nothing.
#[derive(Clone, Default)]
pub struct Identities(Vec<Identity>);

impl std::fmt::Debug for Identities {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} identities", self.0.len())
    }
}

impl Identities {
    /// Reads a file of age: a key on each line, lines with `#` are comments.
    ///
    /// # Errors
    /// `validation_failed` when a line is no key, or there is none.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = || Error::invalid_field("identity", "invalid", "must hold private keys of age, AGE-SECRET-KEY-…");
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let keys: Vec<Identity> = lines.map(|line| Identity::from_str(line).map_err(|_| wrong())).collect::<Result<_>>()?;
        if keys.is_empty() { Err(wrong()) } else { Ok(Self(keys)) }
    }

    /// Reads what [`Recipients`] sealed, or what nobody did.
    pub(super) fn open<'a>(&self, mut from: impl Read + Send + 'a) -> io::Result<Box<dyn Read + Send + 'a>> {
        let mut first = Vec::with_capacity(MARK.len());
        from.by_ref().take(MARK.len() as u64).read_to_end(&mut first)?;
        let is_closed = first == MARK;
        let whole = io::Cursor::new(first).chain(from);
        if !is_closed {
            return Ok(Box::new(whole));
        }
        let decryptor = age::Decryptor::new(whole).map_err(io::Error::other)?;
        let keys = self.0.iter().map(|key| key as &dyn age::Identity);
        Ok(Box::new(decryptor.decrypt(keys).map_err(io::Error::other)?))
    }
}
