//! Changing a password, and what follows from it.

use std::time::Duration;

use kernel::{Actor, Caller, DateTime, Error, Result, TypedId as _, UserId};
use mail::{Act, Letter};
use serde::{Deserialize, Serialize};
use store::query::{Expr, ExprTrait, OnConflict, Query};
use store::{Action, Change, Conn, Field as _, UnitOfWork};
use utoipa::ToSchema;
use validator::Validate;

use crate::errors::{LOCKED_OUT, NO_SESSION};
use crate::letters::recipient;
use crate::password::Verified;
use crate::rows::{SessionId, UserRow};
use crate::{Auth, memberships, password, password_reset, sessions, users};

/// The window in which wrong guesses at the present password are counted.
const WINDOW: Duration = Duration::from_mins(15);

/// The body of `POST /v1/me/password`.
#[derive(Clone, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    /// The password that one has.
    #[schema(min_length = 1, max_length = 256, format = "password")]
    pub current_password: String,
    /// The one that one wants: at least 12 characters and not easy to guess.
    #[schema(format = "password")]
    pub new_password: String,
}

/// A new password of one's own that was checked and hashed.
pub struct PreparedChange {
    user: UserRow,
    session: SessionId,
    /// Since when the password was the one that was compared.
    changed_at: DateTime,
    password_hash: String,
}

impl std::fmt::Debug for PreparedChange {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "PreparedChange({})", self.user.id)
    }
}

impl Auth {
    /// Checks the present password and the new one, and hashes it, outside any transaction.
    ///
    /// # Errors
    /// `no_session` for a token, which has no password; `locked_out` after too many wrong guesses; `validation_failed` for a wrong present
    /// password and a bad new one; `sign_in_busy`.
    pub async fn prepare_password_change(&self, input: ChangePassword, caller: &Caller) -> Result<PreparedChange> {
        let Actor::User { user, session } = caller.actor else {
            return Err(Error::new(&NO_SESSION).with_detail("A token has no password; sign in with one."));
        };
        let session = SessionId::from_uuid(session);
        let (user, changed_at) = self.check_own_password(input.current_password, user).await?;
        let mut faults = kernel::error::Faults::new();
        let changed_at = faults.keep(changed_at.ok_or_else(not_the_present_one))?;
        let about = [user.email.as_str(), user.given_name.as_str(), user.family_name.as_str()];
        faults.keep(password::check_new("/new_password", &input.new_password, &about))?;
        faults.into_result()?;
        let changed_at = changed_at.ok_or_else(not_the_present_one)?;
        let password_hash = self.passwords.hash(input.new_password).await?;
        Ok(PreparedChange { user, session, changed_at, password_hash })
    }

    /// Since when a password is the one of an account whose owner is signed in; nothing where it is another.
    ///
    /// # Errors
    /// `locked_out` after too many wrong guesses; `sign_in_busy`.
    pub(crate) async fn check_own_password(&self, password: String, user: UserId) -> Result<(UserRow, Option<DateTime>)> {
        let place = self.passwords.queue().await?;
        let key = format!("password:{user}");
        let decision = self.store.shared().hit(&key, 1, self.config.login_attempts, WINDOW).await;
        if !decision.allowed {
            return Err(Error::new(&LOCKED_OUT).with_retry_after(decision.reset));
        }
        let mut reader = self.store.reader(&self.installation()).await?;
        let user = users::find(&mut reader, user).await?.ok_or_else(Error::not_found)?;
        let (hash, changed_at) = credential_of(&mut reader, &user).await?.unzip();
        reader.close().await?;
        if self.passwords.verify(place, password, hash).await? == Verified::Wrong {
            return Ok((user, None));
        }
        self.store.shared().forget(&key, WINDOW).await;
        Ok((user, changed_at))
    }
}

fn not_the_present_one() -> Error {
    Error::invalid_field("/current_password", "wrong", "is not the present password")
}

/// The account, locked, where its password is still the one that was compared. Another may have been set while it was compared, by
/// whoever reads the mail of the account, and then what was asked with the old one is not done.
pub(crate) async fn lock_unchanged(uow: &mut UnitOfWork, user: UserId, changed_at: DateTime) -> Result<Option<UserRow>> {
    let Some(user) = users::find_locked(uow, user).await? else { return Ok(None) };
    let now = credential_of(uow, &user).await?.map(|(_, changed_at)| changed_at);
    Ok((now == Some(changed_at) && user.is_active).then_some(user))
}

/// The hash of an account's password, and when the password was last changed: another hash of the same does not count.
pub(crate) async fn credential_of(conn: &mut Conn, user: &UserRow) -> Result<Option<(String, DateTime)>> {
    let mut select = Query::select();
    select.columns(["hash", "changed_at"]).from("credential").and_where(Expr::col("user_id").eq(user.id.uuid()));
    conn.row(&select).await?.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
}

/// Changes one's own password, and ends every session but the one that it is done on. Runs as the installation.
///
/// # Errors
/// `validation_failed` where the password is another by now; `unauthenticated` where the session has ended.
pub async fn change(auth: &Auth, uow: &mut UnitOfWork, prepared: &PreparedChange) -> Result<()> {
    let user = lock_unchanged(uow, prepared.user.id, prepared.changed_at).await?.ok_or_else(not_the_present_one)?;
    if sessions::find(uow, prepared.session).await?.is_none_or(|session| session.revoked_at.is_some()) {
        return Err(Error::new(&kernel::error::codes::UNAUTHENTICATED));
    }
    set(auth, uow, &user, &prepared.password_hash, Some(prepared.session)).await
}

/// Sets a password of an account that is locked: a sign-in that compared the one before waits, and lets nobody in. Sessions end but one, tokens
/// that were sent to set a new one stop working, and the owner is told.
pub(crate) async fn set(
    auth: &Auth,
    uow: &mut UnitOfWork,
    user: &UserRow,
    password_hash: &str,
    keep: Option<SessionId>,
) -> Result<()> {
    let now = uow.now();
    let mut keep_hash = Query::insert();
    // an account that came from elsewhere may have none
    keep_hash
        .into_table("credential")
        .columns(["user_id", "hash", "changed_at"])
        .values_panic([user.id.value(), password_hash.to_owned().value(), now.value()].map(Expr::value))
        .on_conflict(OnConflict::column("user_id").update_columns(["hash", "changed_at"]).to_owned());
    uow.execute(&keep_hash).await?;
    password_reset::forget(uow, user.id).await?;
    sessions::revoke_all(uow, user.id, keep, "password_changed").await?;
    let home = memberships::home_of(uow, Some(user)).await?;
    uow.enter(home).await?;
    uow.record(Action::Update, "user_account", Some(user.id.uuid()), Change::plain().event("user.password_changed"));
    let caller = uow.caller();
    let act = Act { at: now, address: caller.origin.ip, device: caller.origin.user_agent.as_deref() };
    auth.mail().post(uow, recipient(user, &user.given_name), &Letter::PasswordChanged { act }).await?;
    uow.enter(None).await
}
