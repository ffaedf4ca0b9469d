//! Passwords: what a good one is, and how it is kept.
//!
//! Hashing is argon2id, at a cost ([`HashingCost`]) that is an input, as the clock is: tests that sign in a thousand times pay little. It runs
//! off the event loop, a few at a time; when too many wait, the next one is told to come back, so that a flood of sign-ins can neither stop
//! the server nor fill its memory. They are told so after a moment rather than at once: whoever floods asks again as soon as they are
//! answered, and thousands of quick refusals a second would take the processors from everybody else (seen: the reads of others on PostgreSQL
//! at a p99 of 205 ms).

mod imported;

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use kernel::{Error, FieldError, Result};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::errors::SIGN_IN_BUSY;
use imported::Imported;

/// Characters of a password at least.
const MIN_LENGTH: usize = 12;
/// Characters of a password at most: longer ones cost time and add nothing.
const MAX_LENGTH: usize = 256;
/// How many may wait for each one that is being hashed.
const WAITING_PER_SLOT: usize = 32;
/// How long somebody hopes for a place before they are told to come back.
const PATIENCE: Duration = Duration::from_millis(500);
/// How many may hope for a place; further ones are told to come back at once.
const MOST_HOPING: usize = 1_000;

/// What it costs to hash a password with argon2id on one lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashingCost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// How often it is gone through.
    pub passes: u32,
}

impl HashingCost {
    /// 19 MiB, twice: what the OWASP Password Storage Cheat Sheet asks at least.
    pub const OWASP: Self = Self { memory_kib: 19 * 1024, passes: 2 };

    fn argon2(self) -> Result<Argon2<'static>> {
        let params = Params::new(self.memory_kib, self.passes, 1, None).map_err(|error| Error::internal(error.to_string()))?;
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }
}

/// Hashes and verifies passwords, a few at a time.
#[derive(Clone, Debug)]
pub struct Passwords {
    cost: HashingCost,
    slots: Arc<Semaphore>,
    places: Arc<Semaphore>,
    hopes: Arc<Semaphore>,
    /// Verified in place of the hash of an account that is not there, so that both take the same time.
    stand_in: Arc<std::sync::OnceLock<String>>,
}

/// A place among those who wait, given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    _permit: OwnedSemaphorePermit,
}

fn hash_now(cost: HashingCost, password: &str) -> Result<String> {
    let hash = cost.argon2()?.hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string()).map_err(|error| Error::internal(error.to_string()))
}

/// What came of comparing a password with a hash.
#[derive(Debug, PartialEq, Eq)]
pub enum Verified {
    /// It is another one.
    Wrong,
    /// It is the one.
    Right,
    /// It is the one, and this hash of it is to be kept in the place of the one that there is, which is not as ours are now.
    Replace(String),
}

fn verify_now(cost: HashingCost, password: &str, hash: &str) -> Result<Verified> {
    if let Some(kind) = Imported::of(hash) {
        let is_right = kind.verify(password, hash)?;
        // made anew where it is wrong too: that it was quick tells nobody that the account came from elsewhere
        let ours = hash_now(cost, password)?;
        return Ok(if is_right { Verified::Replace(ours) } else { Verified::Wrong });
    }
    let kept = PasswordHash::new(hash).map_err(|error| Error::internal(error.to_string()))?;
    let argon2 = cost.argon2()?;
    if argon2.verify_password(password.as_bytes(), &kept).is_err() {
        return Ok(Verified::Wrong);
    }
    let is_as_ours = Params::try_from(&kept).is_ok_and(|params| {
        let ours = argon2.params();
        // one that costs more stays
        params.m_cost() >= ours.m_cost() && params.t_cost() >= ours.t_cost()
    });
    if is_as_ours { Ok(Verified::Right) } else { hash_now(cost, password).map(Verified::Replace) }
}

/// Whether a text is a hash that sign-in can verify and that may be taken in: argon2, bcrypt, or a portable one of phpass, of which
/// those that are verified for too long are refused.
pub(crate) fn is_hash(text: &str) -> bool {
    if let Some(kind) = Imported::of(text) {
        return kind.is_soon_verified(text);
    }
    // 128 MiB and ten passes: whoever signs in must not take the memory of everybody
    let is_modest = |params: Params| params.m_cost() <= 128 * 1024 && params.t_cost() <= 10 && params.p_cost() <= 16;
    let read = PasswordHash::new(text).ok().filter(|_| text.starts_with("$argon2"));
    read.is_some_and(|hash| hash.hash.is_some() && Params::try_from(&hash).is_ok_and(is_modest))
}

impl Passwords {
    /// `at_once` is how many are hashed at the same time, at this cost each.
    pub fn new(at_once: usize, cost: HashingCost) -> Self {
        let at_once = at_once.max(1);
        Self {
            cost,
            slots: Arc::new(Semaphore::new(at_once)),
            places: Arc::new(Semaphore::new(at_once * WAITING_PER_SLOT)),
            hopes: Arc::new(Semaphore::new(MOST_HOPING)),
            stand_in: Arc::default(),
        }
    }

    /// A place among those who wait. It is taken before anything else is done, so that who is told to come back costs nothing and is not
    /// counted as one who tried.
    ///
    /// # Errors
    /// `sign_in_busy` when too many wait.
    pub async fn queue(&self) -> Result<Place> {
        let busy = || Error::new(&SIGN_IN_BUSY).with_retry_after(2);
        if let Ok(permit) = self.places.clone().try_acquire_owned() {
            return Ok(Place { _permit: permit });
        }
        let _hope = self.hopes.try_acquire().map_err(|_| busy())?;
        let place = tokio::time::timeout(PATIENCE, self.places.clone().acquire_owned()).await;
        let permit = place.map_err(|_| busy())?.map_err(Error::internal)?;
        Ok(Place { _permit: permit })
    }

    async fn run<T: Send + 'static>(&self, _place: Place, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let slot = self.slots.clone().acquire_owned().await.map_err(Error::internal)?;
        tokio::task::spawn_blocking(move || {
            let _slot = slot;
            work()
        })
        .await
        .map_err(Error::internal)?
    }

    /// The hash to keep of a password.
    ///
    /// # Errors
    /// `sign_in_busy` when too many wait.
    pub async fn hash(&self, password: String) -> Result<String> {
        let cost = self.cost;
        self.run(self.queue().await?, move || hash_now(cost, &password)).await
    }

    /// Whether the password is the one that was hashed. Where there is no hash it takes as long and says no.
    ///
    /// # Errors
    /// `internal` when the hash cannot be read.
    pub async fn verify(&self, place: Place, password: String, hash: Option<String>) -> Result<Verified> {
        let (cost, stand_in) = (self.cost, self.stand_in.clone());
        self.run(place, move || match hash {
            Some(hash) => verify_now(cost, &password, &hash),
            None => {
                let hash = match stand_in.get() {
                    Some(hash) => hash,
                    None => {
                        let made = hash_now(cost, "no account has this password")?;
                        stand_in.get_or_init(|| made)
                    }
                };
                verify_now(cost, &password, hash).map(|_| Verified::Wrong)
            }
        })
        .await
    }
}

/// Checks a new password against the rules; `about` is what it must not be made of: the address and the names.
///
/// # Errors
/// `validation_failed` under `pointer`, without the password.
pub fn check_new(pointer: &str, password: &str, about: &[&str]) -> Result<()> {
    let wrong = |code: &'static str, message: &str| Err(Error::invalid(vec![FieldError::new(pointer, code, message)]));
    let length = password.chars().count();
    if length < MIN_LENGTH {
        return wrong("too_short", "must be at least 12 characters");
    }
    if length > MAX_LENGTH {
        return wrong("too_long", "must be at most 256 characters");
    }
    let lower = password.to_lowercase();
    if about.iter().any(|word| word.chars().count() > 3 && lower == word.to_lowercase()) {
        return wrong("same_as_identity", "must not be the address or a name");
    }
    if zxcvbn::zxcvbn(password, about).score() < zxcvbn::Score::Three {
        return wrong("guessable", "is too easy to guess");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessable_passwords_are_refused_without_being_repeated() {
        for password in ["short", "password1234", "111111111111", "maria.papa@example.com"] {
            let error = check_new("/password", password, &["maria.papa@example.com", "Maria"]).unwrap_err();
            assert!(!error.to_string().contains(password), "{error}");
            assert_eq!(error.fields()[0].pointer, "/password");
        }
        assert!(check_new("/password", "πέντε-κόκκινα-καράβια", &["maria@example.com"]).is_ok());
    }

    #[tokio::test]
    async fn a_hash_verifies_its_own_password_only_and_nobody_has_none() {
        let passwords = Passwords::new(2, HashingCost::OWASP);
        let hash = passwords.hash("correct horse battery".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let verify = async |password: &str, hash: Option<String>| {
            passwords.verify(passwords.queue().await.unwrap(), password.to_owned(), hash).await.unwrap()
        };
        assert_eq!(verify("correct horse battery", Some(hash.clone())).await, Verified::Right);
        assert_eq!(verify("incorrect horse battery", Some(hash)).await, Verified::Wrong);
        assert_eq!(verify("no account has this password", None).await, Verified::Wrong);
    }

    #[test]
    fn a_hash_that_is_not_as_ours_are_now_is_to_be_replaced_by_one_that_is() {
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8 * 1024, 1, 1, None).unwrap());
        let weak = weak.hash_password(b"correct horse battery").unwrap().to_string();
        let bcrypt = bcrypt::hash("correct horse battery", 4).unwrap();
        for hash in [weak, bcrypt] {
            let Verified::Replace(ours) = verify_now(HashingCost::OWASP, "correct horse battery", &hash).unwrap() else {
                panic!("{hash}")
            };
            assert_eq!(verify_now(HashingCost::OWASP, "correct horse battery", &ours).unwrap(), Verified::Right);
            assert_eq!(verify_now(HashingCost::OWASP, "incorrect horse battery", &hash).unwrap(), Verified::Wrong);
            assert!(is_hash(&hash) && is_hash(&ours));
        }
        // one that costs more than ours stays
        let dear = HashingCost { memory_kib: 20 * 1024, passes: 3 };
        let dear = hash_now(dear, "correct horse battery").unwrap();
        assert_eq!(verify_now(HashingCost::OWASP, "correct horse battery", &dear).unwrap(), Verified::Right);
        let greedy = hash_now(HashingCost::OWASP, "correct horse battery").unwrap().replace("m=19456", "m=4194304");
        assert!(!is_hash("correct horse battery") && !is_hash("$argon2id$nonsense") && !is_hash(&greedy));
    }

    #[tokio::test]
    async fn a_flood_is_told_to_come_back() {
        let passwords = Passwords::new(1, HashingCost::OWASP);
        let places = futures::future::join_all((0..80).map(|_| passwords.queue())).await;
        let refused = places.iter().filter(|place| matches!(place, Err(error) if *error.code() == SIGN_IN_BUSY)).count();
        assert_eq!(refused, 80 - WAITING_PER_SLOT);
        assert!(matches!(passwords.hash("x".to_owned()).await, Err(error) if *error.code() == SIGN_IN_BUSY));
        drop(places);
        assert!(passwords.hash("x".to_owned()).await.is_ok(), "places are given back");
    }

    #[tokio::test]
    async fn whoever_hopes_for_a_place_gets_the_one_that_is_given_back_and_only_so_many_may_hope() {
        let passwords = Passwords::new(1, HashingCost::OWASP);
        let mut places = futures::future::join_all((0..WAITING_PER_SLOT).map(|_| passwords.queue())).await;
        let hoping = passwords.queue();
        futures::pin_mut!(hoping);
        assert!(futures::poll!(&mut hoping).is_pending());
        places.pop();
        assert!(hoping.await.is_ok());
        let full = passwords.queue().await;
        places.push(full);
        let hopes: Vec<_> = (0..MOST_HOPING).map(|_| passwords.hopes.try_acquire().unwrap()).collect();
        let further = passwords.queue();
        futures::pin_mut!(further);
        assert!(matches!(futures::poll!(&mut further), std::task::Poll::Ready(Err(error)) if *error.code() == SIGN_IN_BUSY));
        drop(hopes);
    }
}
