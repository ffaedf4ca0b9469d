//! Hashes that were made elsewhere: bcrypt, as PHP's `password_hash` and phpass make it, and phpass's portable hashes. They are verified as
//! they are, and replaced by one of ours when their owner signs in.

use kernel::{Error, Result};
use md5::{Digest as _, Md5};

/// The letters of phpass, each for six bits.
const ITOA64: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Rounds of a portable hash, as a power of two (phpass accepts these).
const PORTABLE_ROUNDS: std::ops::RangeInclusive<usize> = 7..=30;
/// Rounds of a bcrypt hash, as a power of two.
const BCRYPT_COSTS: std::ops::RangeInclusive<u32> = 4..=31;
/// The letters that a bcrypt hash is written with.
const BCRYPT_LENGTH: usize = 60;

/// Rounds that a hash may have to be taken in, as powers of two: some seconds of a processor. More would let anybody who tries to sign in to
/// that account keep one busy for hours.
const MOST_TO_TAKE_IN: (u32, usize) = (16, 22);

/// A hash of a kind that is not ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Imported {
    /// `$2a$`, `$2b$` or `$2y$`.
    Bcrypt,
    /// `$P$` or `$H$`.
    Portable,
}

impl Imported {
    /// What kind of hash a text is; none for ours, and for what is none.
    pub fn of(hash: &str) -> Option<Self> {
        match hash.get(..3) {
            Some("$2a" | "$2b" | "$2y") if hash.len() == BCRYPT_LENGTH => {
                let parts = hash.parse::<bcrypt::HashParts>().ok()?;
                BCRYPT_COSTS.contains(&parts.get_cost()).then_some(Self::Bcrypt)
            }
            Some("$P$" | "$H$") if Portable::read(hash).is_some() => Some(Self::Portable),
            _ => None,
        }
    }

    /// Whether a hash of this kind takes no longer than what is taken in may take.
    pub fn is_soon_verified(self, hash: &str) -> bool {
        let (bcrypt, portable) = MOST_TO_TAKE_IN;
        match self {
            Self::Bcrypt => hash.parse::<bcrypt::HashParts>().is_ok_and(|parts| parts.get_cost() <= bcrypt),
            Self::Portable => Portable::read(hash).is_some_and(|read| read.rounds <= portable),
        }
    }

    /// Whether the password is the one that was hashed.
    ///
    /// # Errors
    /// `internal` when the hash cannot be read.
    pub fn verify(self, password: &str, hash: &str) -> Result<bool> {
        match self {
            // bcrypt hears the first 72 bytes and no more, in PHP as here
            Self::Bcrypt => bcrypt::verify(password, hash).map_err(|error| Error::internal(error.to_string())),
            Self::Portable => {
                let read = Portable::read(hash).ok_or_else(|| Error::internal("a portable hash that cannot be read"))?;
                Ok(is_same(read.digest(password).as_bytes(), read.digest))
            }
        }
    }
}

/// Compares without telling by its time where two differ.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

/// A portable hash: `$P$`, a letter for the rounds, eight of salt, 22 of digest.
struct Portable<'a> {
    rounds: usize,
    salt: &'a [u8],
    digest: &'a [u8],
}

impl<'a> Portable<'a> {
    fn read(hash: &'a str) -> Option<Self> {
        let bytes = hash.as_bytes();
        let (head, digest) = bytes.split_at_checked(12)?;
        let (letter, salt) = (head.get(3)?, head.get(4..)?);
        let rounds = ITOA64.iter().position(|known| known == letter)?;
        let fits = digest.len() == 22 && digest.iter().all(|letter| ITOA64.contains(letter));
        (fits && PORTABLE_ROUNDS.contains(&rounds)).then_some(Self { rounds, salt, digest })
    }

    /// The digest of a password with this salt and these rounds, as phpass writes it.
    fn digest(&self, password: &str) -> String {
        let mut hash = Md5::new().chain_update(self.salt).chain_update(password).finalize();
        for _ in 0..1_u64 << self.rounds {
            hash = Md5::new().chain_update(hash).chain_update(password).finalize();
        }
        encode(&hash)
    }
}

/// Bytes as phpass writes them: three at a time, the lowest six bits first, and nothing for what is missing.
fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let value = three.iter().rev().fold(0_usize, |value, byte| value << 8 | usize::from(*byte));
        for place in 0..=three.len() {
            let letter = ITOA64.get(value >> (6 * place) & 0x3f).copied().unwrap_or(b'.');
            text.push(char::from(letter));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Passwords and hashes that others made: the portable one stands in phpass's own test, the others in crypt_blowfish's and from libxcrypt.
    const KNOWN: [(&str, &str, Imported); 8] = [
        ("test12345", "$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0", Imported::Portable),
        ("test12345", "$H$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0", Imported::Portable),
        ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", Imported::Bcrypt),
        ("U*U", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", Imported::Bcrypt),
        ("U*U", "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", Imported::Bcrypt),
        ("τρία άλογα", "$2a$08$abcdefghijklmnopqrstuuSj.cz8SsTJ26tbCYjxEp60b3Z0evqB.", Imported::Bcrypt),
        ("τρία άλογα", "$2y$10$abcdefghijklmnopqrstuu0TAt9y36DC4x/1lww9F6tfS2NrIIpqe", Imported::Bcrypt),
        ("", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy", Imported::Bcrypt),
    ];

    #[test]
    fn hashes_from_php_verify_their_own_password_only() {
        for (password, hash, kind) in KNOWN {
            assert_eq!(Imported::of(hash), Some(kind), "{hash}");
            assert!(kind.verify(password, hash).unwrap(), "{hash}");
            assert!(!kind.verify("test12346", hash).unwrap(), "{hash}");
        }
    }

    #[test]
    fn what_would_keep_a_processor_busy_is_told_from_the_rest() {
        for (_, hash, kind) in KNOWN {
            assert!(kind.is_soon_verified(hash), "{hash}");
        }
        let slow = "$2y$17$abcdefghijklmnopqrstuu0TAt9y36DC4x/1lww9F6tfS2NrIIpqe";
        assert!(Imported::of(slow).is_some_and(|kind| !kind.is_soon_verified(slow)));
        let slow = "$P$LIQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0";
        assert!(Imported::of(slow).is_some_and(|kind| !kind.is_soon_verified(slow)));
    }

    #[test]
    fn what_is_no_hash_is_none() {
        let wrong = [
            "",
            "secret",
            "$argon2id$v=19$m=19456,t=2,p=1$AAAA$AAAA",
            "$2a$05$short",
            "$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$2a$03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$2a$99$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L",
            "$P$.IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0",
            "$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r!L0",
            "$P$9IQRaTwmféRo7ud9Fh4E2PdI0S3r.L0",
        ];
        for hash in wrong {
            assert_eq!(Imported::of(hash), None, "{hash}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_odd_to_be_looked_at(text in ".{0,70}", head in "\\$(2a|2b|2y|P|H)\\$") {
            let _ = Imported::of(&text);
            let _ = Imported::of(&format!("{head}{text}"));
        }
    }
}
