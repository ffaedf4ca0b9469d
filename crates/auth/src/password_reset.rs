//! Setting a new password without the old one: by a token that comes by mail.
//!
//! Nobody learns by asking whether there is an account: the answer, and all that is done before it, is the same either way. A job does what
//! remains, and one for nobody does nothing.

use std::time::Duration;

use kernel::{DateTime, Error, Origin, Result, TypedId as _, UserId};
use mail::Letter;
use serde::{Deserialize, Serialize};
use store::jobs::{Job, JobContext};
use store::query::{Expr, ExprTrait, OnConflict, Query};
use store::{Action, Change, Field as _, UnitOfWork};
use utoipa::ToSchema;
use validator::Validate;

use crate::errors::INVALID_RESET_TOKEN;
use crate::letters::recipient;
use crate::rows::UserRow;
use crate::{Auth, memberships, password, password_change, secret_text, shape, users};

/// How long a token works.
pub(crate) const WORKS: chrono::Duration = chrono::Duration::hours(1);
/// The window in which requests are counted.
const WINDOW: Duration = Duration::from_hours(1);
/// Requests from one network address in the window, whatever they ask for.
const FROM_ONE_ADDRESS: u32 = 60;

store::job_kind! {
    /// Sends a token to set a new password with; for nobody it does nothing.
    pub struct SendReset as "send_password_reset" on Email {
        /// Whose; none where the address is nobody's.
        user: Option<UserId>,
    }
}

/// The body of `POST /v1/auth/forgot-password`.
#[derive(Clone, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ForgotPassword {
    /// The account's address, without regard to case.
    #[schema(min_length = 1, max_length = 254)]
    pub email: String,
}

/// The body of `POST /v1/auth/reset-password`.
#[derive(Clone, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ResetPassword {
    /// The token from the mail.
    #[schema(min_length = 1, max_length = 200)]
    pub token: String,
    /// At least 12 characters and not easy to guess.
    #[schema(format = "password")]
    pub password: String,
}

/// What whoever asks is answered, whatever follows.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ResetAsked {
    /// In words.
    pub detail: String,
}

impl Default for ResetAsked {
    fn default() -> Self {
        Self { detail: "If there is an account of this address, a mail is on its way to it.".to_owned() }
    }
}

/// A request for a token.
#[derive(Debug)]
pub struct ResetRequest {
    user: Option<UserId>,
    /// Whether there were too many, so that nothing follows from this one.
    is_too_much: bool,
}

/// A new password that was checked and hashed.
pub struct PreparedReset {
    token_hash: String,
    password_hash: String,
}

impl std::fmt::Debug for PreparedReset {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("PreparedReset(…)")
    }
}

impl Auth {
    /// Looks whose address it is, and whether it was asked for too often.
    ///
    /// # Errors
    /// What the database says.
    pub async fn prepare_reset_request(&self, input: ForgotPassword, origin: &Origin) -> Result<ResetRequest> {
        let is_allowed = self.may_ask_for_reset("reset", &input.email, origin).await;
        let mut reader = self.store.reader(&self.installation()).await?;
        let user = users::find_by_email(&mut reader, &input.email).await?.filter(|user| user.is_active);
        reader.close().await?;
        Ok(ResetRequest { user: user.map(|user| user.id), is_too_much: !is_allowed })
    }

    /// Whether a mail to set a new password with may be asked for: for the address, and by whoever asks.
    pub(crate) async fn may_ask_for_reset(&self, door: &str, email: &str, origin: &Origin) -> bool {
        let shared = self.store.shared();
        let from = origin.ip.map(|ip| ip.to_string()).unwrap_or_default();
        let address = shared.hit(&format!("reset-from:{from}"), 1, FROM_ONE_ADDRESS, WINDOW).await;
        let key = format!("{door}:{}", shape::email_key(email));
        let account = shared.hit(&key, 1, self.config.resets_per_hour, WINDOW).await;
        address.allowed && account.allowed
    }

    /// Checks a token and a new password, and hashes it, outside any transaction.
    ///
    /// # Errors
    /// `invalid_reset_token`; `validation_failed` for a bad password; `sign_in_busy`.
    pub async fn prepare_reset(&self, input: ResetPassword) -> Result<PreparedReset> {
        let token_hash = secret_text::hash(input.token.trim());
        let mut reader = self.store.reader(&self.installation()).await?;
        let found = owner(&mut reader, &token_hash, self.store.runtime().now()).await?;
        reader.close().await?;
        let user = found.ok_or_else(|| Error::new(&INVALID_RESET_TOKEN))?;
        password::check_new("/password", &input.password, &[&user.email, &user.given_name, &user.family_name])?;
        let password_hash = self.passwords.hash(input.password).await?;
        Ok(PreparedReset { token_hash, password_hash })
    }

    pub(crate) async fn send_reset(&self, context: &JobContext, user: Option<UserId>) -> Result<()> {
        let Some(id) = user else { return Ok(()) };
        context.complete(async |uow| self.post_reset(uow, id).await).await
    }

    async fn post_reset(&self, uow: &mut UnitOfWork, id: UserId) -> Result<()> {
        let Some(user) = users::find_locked(uow, id).await?.filter(|user| user.is_active) else { return Ok(()) };
        let (token, now) = (secret_text::make("plp_", uow.random()), uow.now());
        let expires_at = now + WORKS;
        // the one before stops working
        let mut insert = Query::insert();
        insert
            .into_table("password_reset")
            .columns(["user_id", "token_hash", "expires_at", "created_at"])
            .values_panic([id.value(), secret_text::hash(&token).value(), expires_at.value(), now.value()].map(Expr::value))
            .on_conflict(OnConflict::column("user_id").update_columns(["token_hash", "expires_at", "created_at"]).to_owned());
        uow.execute(&insert).await?;
        let home = memberships::home_of(uow, Some(&user)).await?;
        uow.enter(home).await?;
        uow.record(Action::Update, "user_account", Some(id.uuid()), Change::plain().event("user.password_reset_asked"));
        self.mail.post(uow, recipient(&user, &user.given_name), &Letter::PasswordReset { token: &token, expires_at }).await?;
        uow.enter(None).await
    }
}

/// Whose token it is, if it works.
async fn owner(conn: &mut store::Conn, token_hash: &str, now: DateTime) -> Result<Option<UserRow>> {
    let mut select = Query::select();
    select
        .column("user_id")
        .from("password_reset")
        .and_where(Expr::col("token_hash").eq(token_hash))
        .and_where(Expr::col("expires_at").gt(now.value()));
    let Some(row) = conn.row(&select).await? else { return Ok(None) };
    Ok(users::find(conn, row.get(0)?).await?.filter(|user| user.is_active))
}

/// Tokens of an account that were sent stop working.
pub(crate) async fn forget(uow: &mut UnitOfWork, user: UserId) -> Result<()> {
    let mut forget = Query::delete();
    forget.from_table("password_reset").and_where(Expr::col("user_id").eq(user.uuid()));
    uow.execute(&forget).await.map(|_| ())
}

/// Has a token sent, if there is somebody to send it to. Runs as the installation.
///
/// # Errors
/// What the database says.
pub async fn ask(uow: &mut UnitOfWork, request: &ResetRequest) -> Result<()> {
    if !request.is_too_much {
        uow.enqueue(Job::of(&SendReset { user: request.user })).await?;
    }
    Ok(())
}

/// Sets a new password and ends every session of the account. Runs as the installation.
///
/// # Errors
/// `invalid_reset_token` when it was used, replaced or has expired meanwhile.
pub async fn reset(auth: &Auth, uow: &mut UnitOfWork, prepared: &PreparedReset) -> Result<()> {
    let now = uow.now();
    let found = owner(uow, &prepared.token_hash, now).await?;
    let user = found.ok_or_else(|| Error::new(&INVALID_RESET_TOKEN))?;
    let user = users::find_locked(uow, user.id).await?.filter(|user| user.is_active);
    let user = user.ok_or_else(|| Error::new(&INVALID_RESET_TOKEN))?;
    // of two who come at once one takes it
    let mut take = Query::delete();
    take.from_table("password_reset").and_where(Expr::col("token_hash").eq(prepared.token_hash.as_str()));
    if uow.execute(&take).await? != 1 {
        return Err(Error::new(&INVALID_RESET_TOKEN));
    }
    password_change::set(auth, uow, &user, &prepared.password_hash, None).await
}
