//! Signing in with address and password.

use std::net::IpAddr;
use std::time::Duration;

use kernel::{DateTime, Error, Origin, Result, TypedId as _, UserId};
use mail::{Act, Letter};
use serde::{Deserialize, Serialize};
use store::jobs::{Job, JobContext};
use store::query::{Expr, ExprTrait, Query};
use store::shared::Decision;
use store::{Action, Change, Field as _, UnitOfWork};
use utoipa::ToSchema;
use validator::Validate;

use super::Tokens;
use crate::errors::{INVALID_CREDENTIALS, INVALID_SECOND_FACTOR, LOCKED_OUT};
use crate::letters::{act, recipient};
use crate::password::Verified;
use crate::rows::{SessionKind, UserRow};
use crate::users::{self, User};
use crate::{Auth, devices, memberships, password_change, second_factor, shape};

/// The window in which failed attempts are counted.
pub(crate) const ATTEMPTS_WINDOW: Duration = Duration::from_mins(15);
/// How often the owner of an account is told that it is locked out: once in so long.
const TOLD_ONCE_IN: Duration = Duration::from_hours(1);

store::job_kind! {
    /// Tells the owner of an account that it is locked out; for nobody it does nothing.
    pub struct SendLockOut as "send_lock_out" on Email {
        /// Whose; none where the address is nobody's.
        user: Option<UserId>,
        /// When it was locked out.
        at: DateTime,
    }
}

/// The body of `POST /v1/auth/login`.
#[derive(Clone, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The account's address, without regard to case.
    #[schema(min_length = 1, max_length = 254)]
    pub email: String,
    /// The password.
    #[schema(min_length = 1, max_length = 256, format = "password")]
    pub password: String,
    /// Where the account takes a second factor: a code of its authenticator app, or a recovery code.
    #[schema(nullable = false, min_length = 6, max_length = 20)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What the session is for: `browser` (a day at most) unless given, or `app` (thirty days).
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<SessionKind>,
}

/// Somebody whose password was right.
pub struct SignedIn {
    user: UserRow,
    kind: SessionKind,
    code: Option<String>,
    /// What counts the attempts, until the sign-in is whole.
    attempts: String,
    /// Since when the password was the one that was compared.
    changed_at: DateTime,
    /// The hash that there was, and the one to keep in its place.
    replaced: Option<(String, String)>,
}

impl std::fmt::Debug for SignedIn {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "SignedIn({})", self.user.id)
    }
}

impl Auth {
    /// Checks address and password, outside any transaction. Takes as long, and says the same, whether the account is there or
    /// not.
    ///
    /// # Errors
    /// `sign_in_busy`; `locked_out` after too many failures for this account from this address; `invalid_credentials`.
    pub async fn check_password(&self, input: Login, origin: &Origin) -> Result<SignedIn> {
        let place = self.passwords.queue().await?;
        let key = attempts_key("login", &input.email, origin.ip);
        let decision = self.count_attempt(&key).await?;
        let mut reader = self.store.reader(&self.installation()).await?;
        let user = users::find_by_email(&mut reader, &input.email).await?.filter(|user| user.is_active);
        let credential = match &user {
            None => None,
            Some(user) => password_change::credential_of(&mut reader, user).await?,
        };
        reader.close().await?;
        let hash = credential.as_ref().map(|(hash, _)| hash.clone());
        let verified = self.passwords.verify(place, input.password, hash).await?;
        match (user, credential) {
            (Some(user), Some((hash, changed_at))) if verified != Verified::Wrong => {
                let replaced = match verified {
                    Verified::Replace(ours) => Some((hash, ours)),
                    _ => None,
                };
                Ok(SignedIn {
                    user,
                    kind: input.kind.unwrap_or(SessionKind::Browser),
                    code: input.code,
                    attempts: key,
                    changed_at,
                    replaced,
                })
            }
            (user, _) => {
                metrics::counter!("pelatis_login_failures_total", "reason" => "wrong").increment(1);
                self.note_failure(&input.email, user, origin, decision.remaining == 0).await?;
                Err(Error::new(&INVALID_CREDENTIALS))
            }
        }
    }

    /// Counts an attempt to sign in.
    ///
    /// # Errors
    /// `locked_out` after too many.
    pub(crate) async fn count_attempt(&self, key: &str) -> Result<Decision> {
        let decision = self.store.shared().hit(key, 1, self.config.login_attempts, ATTEMPTS_WINDOW).await;
        if !decision.allowed {
            metrics::counter!("pelatis_login_failures_total", "reason" => "locked_out").increment(1);
            return Err(Error::new(&LOCKED_OUT).with_retry_after(decision.reset));
        }
        Ok(decision)
    }

    /// Whether a failed attempt from this address is journaled: a flood of them is counted, not written.
    pub(crate) async fn is_noted(&self, origin: &Origin) -> bool {
        let address = origin.ip.map(|ip| ip.to_string()).unwrap_or_default();
        self.store.shared().hit(&format!("noted-login:{address}"), 1, 30, Duration::from_mins(1)).await.allowed
    }

    /// Journals a failed attempt, and has the owner told where it was the last one that is allowed. Attempts are limited before this, so a
    /// flood of them cannot fill the journal. For an account that is not there the same is done, and nobody is told.
    async fn note_failure(&self, email: &str, user: Option<UserRow>, origin: &Origin, is_last: bool) -> Result<()> {
        let is_noted = self.is_noted(origin).await;
        // whoever tries from many addresses locks an account out many times; its owner is told once
        let key = format!("lock-out-mail:{}", shape::email_key(email));
        let is_told = is_last && self.store.shared().hit(&key, 1, 1, TOLD_ONCE_IN).await.allowed;
        if !is_noted && !is_told {
            return Ok(());
        }
        self.store
            .write(&self.installation_for(origin), async |uow| {
                let home = memberships::home_of(uow, user.as_ref()).await?;
                uow.enter(home).await?;
                let change = Change::plain().event("user.sign_in_failed").personal_detail("email", email);
                uow.record(Action::Login, "user_account", user.as_ref().map(|user| user.id.uuid()), change);
                if is_told {
                    uow.enter(None).await?;
                    uow.enqueue(Job::of(&SendLockOut { user: user.as_ref().map(|user| user.id), at: uow.now() })).await?;
                }
                Ok(())
            })
            .await
    }

    pub(crate) async fn send_lock_out(&self, context: &JobContext, job: &SendLockOut) -> Result<()> {
        let Some(id) = job.user else { return Ok(()) };
        context
            .complete(async |uow| {
                let Some(user) = users::find(uow, id).await?.filter(|user| user.is_active) else { return Ok(()) };
                let home = memberships::home_of(uow, Some(&user)).await?;
                uow.enter(home).await?;
                // where it came from is personal, and a job holds nothing of that kind
                let act = Act { at: job.at, address: None, device: None };
                let letter = Letter::LockOut { act, minutes: ATTEMPTS_WINDOW.as_secs().div_euclid(60).cast_signed() };
                self.mail.post(uow, recipient(&user, &user.given_name), &letter).await?;
                uow.enter(None).await
            })
            .await
    }
}

/// What counts the attempts at an address from a network address.
pub(crate) fn attempts_key(door: &str, email: &str, ip: Option<IpAddr>) -> String {
    format!("{door}:{}:{}", shape::email_key(email), ip.map(|ip| ip.to_string()).unwrap_or_default())
}

/// Opens a session for one whose password was right, or tells that the code was wrong: no error here, because that it was tried is
/// journaled. Runs as the installation.
///
/// # Errors
/// `invalid_credentials` when the account was switched off meanwhile; `second_factor_required` where the account takes one; `locked_out`
/// after too many codes.
pub async fn sign_in(auth: &Auth, uow: &mut UnitOfWork, signed_in: &SignedIn) -> Result<Result<Tokens>> {
    let now = uow.now();
    // a password that was changed while this one waited to be compared lets nobody in; and whatever ends all sessions of the account locks
    // it, so that it ends this one too, or has been before
    let before = password_change::lock_unchanged(uow, signed_in.user.id, signed_in.changed_at).await?;
    let before = before.ok_or_else(|| Error::new(&INVALID_CREDENTIALS))?;
    let home = memberships::home_of(uow, Some(&before)).await?;
    let accepted = match second_factor::accept(auth, uow, &before, signed_in.code.as_deref()).await {
        Err(error) if *error.code() == INVALID_SECOND_FACTOR => {
            let change = Change::plain().event("user.sign_in_failed").detail("reason", "second_factor");
            uow.enter(home).await?;
            uow.record(Action::Login, "user_account", Some(before.id.uuid()), change);
            uow.enter(None).await?;
            return Ok(Err(error));
        }
        accepted => accepted?,
    };
    auth.store.shared().forget(&signed_in.attempts, ATTEMPTS_WINDOW).await;
    // a session is its account's and nobody's workspace's, though its trail may be
    let mut change = Change::of(Action::Login).event("user.signed_in").about("user_account", before.id);
    if let Some(accepted) = accepted {
        // whoever reads it sees where a recovery code was used up
        change = change.detail("second_factor", accepted.as_str());
    }
    let session = auth.open_session(uow, before.id.into(), signed_in.kind, None, change.in_trail_of(home)).await?;
    uow.enter(home).await?;
    if devices::OF_STAFF.meet(uow, before.id.uuid(), before.last_login_at).await? {
        let caller = uow.caller();
        let letter = Letter::NewDevice { act: act(&caller, now) };
        auth.mail().post(uow, recipient(&before, &before.given_name), &letter).await?;
    }
    uow.enter(None).await?;
    if let Some((there, ours)) = &signed_in.replaced {
        let mut replace = Query::update();
        replace
            .table("credential")
            .value("hash", ours.as_str())
            .and_where(Expr::col("user_id").eq(before.id.uuid()))
            .and_where(Expr::col("hash").eq(there.as_str()));
        uow.execute(&replace).await?;
    }
    let mut seen = Query::update();
    seen.table("user_account").value("last_login_at", now.value()).and_where(Expr::col("id").eq(before.id.uuid()));
    uow.execute(&seen).await?;
    let user = User::from(UserRow { last_login_at: Some(now), ..before });
    let pair = auth.issue(uow, &session).await?;
    Ok(Ok(Tokens::of(pair, &session, user)))
}
