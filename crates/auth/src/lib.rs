//! Who may come in, and what they may do: workspaces, accounts, roles, memberships, invitations, sessions, tokens.
//!
//! What must always hold:
//! - An account is made by invitation, or once by the set-up code; its address is unique without regard to case.
//! - Of passwords, refresh tokens, invitation tokens, reset tokens and API tokens only digests are kept.
//! - A refresh token works once; one that comes a second time ends its session.
//! - Nobody gives a role or a scope that allows more than they have, and a token never does more than its maker may at the time.
//! - A workspace keeps at least one active super admin.
//!
//! Libraries: `argon2` (RustCrypto's, the reference in Rust), `jsonwebtoken` with `aws-lc-rs` (one crypto provider in the tree),
//! `bcrypt` and `md-5` to verify hashes that came from PHP (phpass's own scheme is a loop of MD5, and its crate is no longer kept), `zxcvbn` (the estimator that the rules name), `totp-rs` (RFC 6238, with the step that matched), `moka` for the identities that are kept for seconds.

mod address_change;
pub mod api_tokens;
pub mod colleagues;
mod command_line;
mod devices;
pub mod errors;
mod file_kinds;
pub mod identify;
pub mod invitations;
mod keys;
mod letters;
pub mod me;
pub mod memberships;
pub mod networks;
mod password;
pub mod password_change;
pub mod password_reset;
pub mod portal;
pub mod profile;
pub mod roles;
mod rows;
pub mod second_factor;
mod secret_text;
pub mod sessions;
pub mod settings;
pub mod setup;
mod shape;
pub mod staff;
pub mod teams;
mod tidy;
pub mod users;
pub mod workspaces;

use std::sync::Arc;

use kernel::error::codes;
use kernel::{Actor, Caller, Cause, Error, Origin, Result, TypedId as _, UserId};
use mail::Mail;
use store::Store;

pub use identify::Identity;
pub use keys::{Jwk, Jwks, Keys};
pub use password::{HashingCost, Passwords};
pub use password_reset::SendReset;
pub use rows::{ApiTokenId, InvitationId, MembershipId, PortalAccountId, RoleId, SessionId, SessionKind, TeamId};
pub use sessions::SendLockOut;
pub use tidy::SessionCleanup;

/// How long things last, and how many attempts there are.
#[derive(Clone, Debug)]
pub struct AuthConfig {
    /// Minutes that an access token lives.
    pub access_token_minutes: i64,
    /// Days that an app's session lasts.
    pub refresh_token_days: i64,
    /// Hours that a browser's session lasts.
    pub browser_session_hours: i64,
    /// Days that an invitation works.
    pub invitation_days: i64,
    /// Failed sign-ins in 15 minutes for one account from one address.
    pub login_attempts: u32,
    /// Passwords that are hashed at the same time.
    pub hashing_at_once: usize,
    /// What each of them costs.
    pub hashing_cost: HashingCost,
    /// Mails that set a new password, for one address in an hour.
    pub resets_per_hour: u32,
}

/// The service that knows who comes in. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Auth {
    store: Store,
    mail: Mail,
    config: Arc<AuthConfig>,
    passwords: Passwords,
    keys: Keys,
    identities: identify::Identities,
    uses: Arc<api_tokens::Uses>,
}

impl Auth {
    /// Opens it on a store: loads the keys, writes the system roles, and watches for changes.
    ///
    /// # Errors
    /// What the database says, and what [`Keys::open`] says.
    pub async fn open(store: Store, mail: Mail, config: AuthConfig) -> Result<Self> {
        roles::sync(&store).await?;
        let keys = Keys::open(store.clone()).await?;
        let passwords = Passwords::new(config.hashing_at_once, config.hashing_cost);
        let (identities, uses) = (identify::identities(), Arc::default());
        let auth = Self { store, mail, config: Arc::new(config), passwords, keys, identities, uses };
        auth.watch_changes();
        Ok(auth)
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Mail, which it writes through.
    pub fn mail(&self) -> &Mail {
        &self.mail
    }

    /// The keys that sign access tokens.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The installation itself as a caller, for what comes before anybody is known.
    pub fn installation(&self) -> Arc<Caller> {
        Arc::new(Caller::job(self.store.runtime().uuid(), None, Cause::Request))
    }

    /// The installation itself at work for a request: the journal keeps where the request came from.
    pub fn installation_for(&self, origin: &Origin) -> Arc<Caller> {
        Arc::new(Caller { origin: origin.clone(), ..Caller::job(self.store.runtime().uuid(), None, Cause::Request) })
    }
}

/// The account and the session that a caller is signed in on.
///
/// # Errors
/// `sign_in_needed` for an API token: what it may do, its scopes say, and nothing of its maker's own is theirs.
pub(crate) fn signed_in(caller: &Caller) -> Result<(UserId, SessionId)> {
    match caller.actor {
        Actor::User { user, session } => Ok((user, SessionId::from_uuid(session))),
        Actor::Anonymous => Err(Error::new(&codes::UNAUTHENTICATED)),
        _ => Err(Error::new(&errors::SIGN_IN_NEEDED)),
    }
}

/// Compares the version that a caller has seen (`If-Match`) with the one that is.
///
/// # Errors
/// `stale` when they differ.
pub fn check_seen(seen: Option<i64>, version: i64) -> Result<()> {
    match seen {
        Some(seen) if seen != version => Err(Error::new(&codes::STALE)),
        _ => Ok(()),
    }
}
