//! The second factor of one's own account: on, off, and new recovery codes.

use kernel::{Caller, DateTime, Error, Permission, Result, UserId};
use mail::Letter;
use serde::{Deserialize, Serialize};
use store::query::{Expr, ExprTrait, Query};
use store::{Change, Conn, UnitOfWork};
use utoipa::ToSchema;
use validator::Validate;

use super::{bare, bytes_to_hex, codes_left, context, find, find_locked, make_codes, sign_in, take_step, totp};
use crate::errors::{INVALID_SECOND_FACTOR, OWN_SECOND_FACTOR, SECOND_FACTOR_OFF, SECOND_FACTOR_ON};
use crate::identify::Identity;
use crate::rows::{SecondFactorRow, UserRow};
use crate::{Auth, letters, password_change, sessions, signed_in, users};

/// How long what was begun waits to be confirmed.
const BEGUN: chrono::Duration = chrono::Duration::minutes(15);

/// Whether signing in takes a second factor.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SecondFactor {
    /// Whether it takes one.
    pub is_on: bool,
    /// Whether a workspace that one belongs to asks for one.
    pub is_required: bool,
    /// Since when.
    pub confirmed_at: Option<DateTime>,
    /// Recovery codes that were not used.
    pub recovery_codes_left: i64,
}

/// The password that one has.
#[derive(Clone, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct OwnPassword {
    /// It.
    #[schema(min_length = 1, max_length = 256, format = "password")]
    pub password: String,
}

/// The body of `POST /v1/me/second-factor/disable`.
#[derive(Clone, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct DisableSecondFactor {
    /// The password that one has.
    #[schema(min_length = 1, max_length = 256, format = "password")]
    pub password: String,
    /// A code of the app, or a recovery code.
    #[schema(min_length = 6, max_length = 20)]
    pub code: String,
}

/// A code of the app.
#[derive(Clone, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CodeInput {
    /// Six digits.
    #[schema(min_length = 6, max_length = 20)]
    pub code: String,
}

/// What the app is to be given.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct BegunSecondFactor {
    /// The secret, to be typed (base 32).
    pub secret: String,
    /// The same as an address, to be shown as a QR code.
    pub otpauth_url: String,
}

/// Codes that each work once in the place of the app's. They are shown this once.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RecoveryCodes {
    /// They.
    pub recovery_codes: Vec<String>,
}

/// An account whose owner has said its password once more.
pub struct PreparedFactor {
    user: UserRow,
    /// Since when the password was the one that was said.
    changed_at: DateTime,
    code: Option<String>,
}

impl std::fmt::Debug for PreparedFactor {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "PreparedFactor({})", self.user.id)
    }
}

impl Auth {
    /// Makes sure that it is the owner who asks, outside any transaction.
    ///
    /// # Errors
    /// `sign_in_needed` for a token; `locked_out` after too many wrong guesses; `validation_failed` for a wrong password; `sign_in_busy`.
    pub async fn prepare_factor(&self, password: String, code: Option<String>, caller: &Caller) -> Result<PreparedFactor> {
        let (user, _) = signed_in(caller)?;
        let (user, changed_at) = self.check_own_password(password, user).await?;
        Ok(PreparedFactor { user, changed_at: changed_at.ok_or_else(wrong_password)?, code })
    }
}

fn wrong_password() -> Error {
    Error::invalid_field("/password", "wrong", "is not the present password")
}

/// The account, locked, whose password is still the one that was said.
async fn lock(uow: &mut UnitOfWork, prepared: &PreparedFactor) -> Result<UserRow> {
    password_change::lock_unchanged(uow, prepared.user.id, prepared.changed_at).await?.ok_or_else(wrong_password)
}

/// Whether one's own account takes a second factor.
///
/// # Errors
/// `sign_in_needed` for a token.
pub async fn get(conn: &mut Conn, caller: &Caller, identity: &Identity) -> Result<SecondFactor> {
    let user = signed_in(caller)?.0;
    let confirmed_at = find(conn, user).await?.and_then(|factor| factor.confirmed_at);
    Ok(SecondFactor {
        is_on: confirmed_at.is_some(),
        is_required: identity.must_have_second_factor(None),
        confirmed_at,
        recovery_codes_left: codes_left(conn, user).await?,
    })
}

/// Makes a secret, which is nothing yet until a code of it is confirmed.
///
/// # Errors
/// `second_factor_on` where there is one already; `validation_failed` where the password is another by now.
pub async fn begin(auth: &Auth, uow: &mut UnitOfWork, prepared: &PreparedFactor) -> Result<BegunSecondFactor> {
    let user = &lock(uow, prepared).await?;
    let before = find_locked(uow, user.id).await?;
    if before.as_ref().is_some_and(|factor| factor.confirmed_at.is_some()) {
        return Err(Error::new(&SECOND_FACTOR_ON));
    }
    // 160 bits, as RFC 4226 recommends
    let secret: [u8; 20] = uow.random();
    let sealed = bytes_to_hex(&auth.store().secret().seal(auth.store().runtime(), &context(user.id), &secret)?);
    let now = uow.now();
    let row = match before {
        Some(before) => {
            let after = SecondFactorRow { secret: sealed, last_step: None, ..before.clone() };
            uow.update(&before, after, Change::plain().about("user_account", user.id)).await?
        }
        None => {
            let row = SecondFactorRow {
                id: uow.id(),
                user_id: user.id,
                secret: sealed,
                confirmed_at: None,
                last_step: None,
                version: 1,
                created_at: now,
                updated_at: now,
            };
            uow.insert(&row, Change::plain().about("user_account", user.id)).await?;
            row
        }
    };
    let totp = totp(auth, &row, user)?;
    let otpauth_url = totp.to_url().map_err(|error| Error::internal(error.to_string()))?;
    Ok(BegunSecondFactor { secret: totp.secret().to_base32(), otpauth_url })
}

fn wrong_code() -> Error {
    Error::invalid_field("/code", "wrong", "is wrong or was used")
}

/// Switches it on with the first code of the app.
///
/// # Errors
/// `sign_in_needed` for a token; `second_factor_off` where nothing was begun; `second_factor_on`; `validation_failed` for a
/// wrong code.
pub async fn confirm(auth: &Auth, uow: &mut UnitOfWork, input: &CodeInput) -> Result<RecoveryCodes> {
    let (id, session) = signed_in(&uow.caller())?;
    // a sign-in that needs no code yet is before this and ends with the others, or after it and needs one
    let user = users::find_locked(uow, id).await?.ok_or_else(Error::not_found)?;
    let before =
        find_locked(uow, id).await?.filter(|factor| factor.confirmed_at.is_some() || uow.now() - factor.updated_at < BEGUN);
    let before = before.ok_or_else(|| Error::new(&SECOND_FACTOR_OFF).with_detail("Begin it first."))?;
    if before.confirmed_at.is_some() {
        return Err(Error::new(&SECOND_FACTOR_ON));
    }
    sign_in::count_try(auth, id).await?;
    if !take_step(auth, uow, &before, &user, &bare(&input.code)).await? {
        return Err(wrong_code());
    }
    sign_in::forget_tries(auth, id).await;
    let before = find(uow, id).await?.ok_or_else(Error::not_found)?;
    let after = SecondFactorRow { confirmed_at: Some(uow.now()), ..before.clone() };
    let change = Change::plain().event("user.second_factor_enabled").about("user_account", id);
    uow.update(&before, after, change).await?;
    let caller = uow.caller();
    letters::write_home(auth, uow, &user, &Letter::SecondFactorOn { act: letters::act(&caller, uow.now()) }).await?;
    // whoever came in without a code goes, and comes back with one
    sessions::revoke_all(uow, id, Some(session), "second_factor_enabled").await?;
    Ok(RecoveryCodes { recovery_codes: make_codes(uow, id).await? })
}

/// New recovery codes; those before work no more.
///
/// # Errors
/// `second_factor_off`; `validation_failed` where the password is another by now.
pub async fn renew_codes(uow: &mut UnitOfWork, prepared: &PreparedFactor) -> Result<RecoveryCodes> {
    let user = lock(uow, prepared).await?.id;
    let factor = find_locked(uow, user).await?.filter(|factor| factor.confirmed_at.is_some());
    let factor = factor.ok_or_else(|| Error::new(&SECOND_FACTOR_OFF))?;
    let change = Change::plain().event("user.recovery_codes_renewed").about("user_account", user);
    uow.record(store::Action::Update, "second_factor", Some(kernel::TypedId::uuid(factor.id)), change);
    Ok(RecoveryCodes { recovery_codes: make_codes(uow, user).await? })
}

/// Switches it off, with the password and a code.
///
/// # Errors
/// `second_factor_off`; `locked_out`; `validation_failed` for a wrong code, and where the password is another by now.
pub async fn disable(auth: &Auth, uow: &mut UnitOfWork, prepared: &PreparedFactor) -> Result<()> {
    let user = &lock(uow, prepared).await?;
    if find_locked(uow, user.id).await?.is_none_or(|factor| factor.confirmed_at.is_none()) {
        return Err(Error::new(&SECOND_FACTOR_OFF));
    }
    // one who is signed in is not told that they are not
    let accepted = sign_in::accept(auth, uow, user, prepared.code.as_deref()).await;
    accepted.map_err(|error| if *error.code() == INVALID_SECOND_FACTOR { wrong_code() } else { error })?;
    remove(uow, user.id, "user.second_factor_disabled").await?;
    let caller = uow.caller();
    letters::write_home(auth, uow, user, &Letter::SecondFactorOff { act: letters::act(&caller, uow.now()) }).await
}

/// Takes it from a member of the workspace who has lost it and the recovery codes, and ends their sessions: the telephone may be somebody
/// else's by now. An account of several workspaces is a matter of the installation's super admins, as it is with switching it off.
///
/// # Errors
/// `forbidden` without `admin.manage_users`; `sign_in_needed` for a token; `own_second_factor` for one's own, which takes the password and a
/// code; `role_too_high`; `shared_account`; `not_found`; `second_factor_off`.
pub async fn reset_of(auth: &Auth, uow: &mut UnitOfWork, user: UserId) -> Result<()> {
    let caller = uow.caller();
    caller.require(Permission::AdminManageUsers)?;
    let by = signed_in(&caller)?.0;
    if by == user {
        return Err(Error::new(&OWN_SECOND_FACTOR));
    }
    users::find_to_change(uow, user).await?;
    sessions::revoke_all(uow, user, None, "second_factor_reset").await?;
    remove(uow, user, "user.second_factor_reset").await?;
    let by = users::find(uow, by).await?.map(|by| format!("{} {}", by.given_name, by.family_name)).unwrap_or_default();
    auth.write_to(uow, user, &Letter::SecondFactorReset { actor: &by, at: uow.now() }).await
}

async fn remove(uow: &mut UnitOfWork, user: UserId, event: &'static str) -> Result<()> {
    let row = find_locked(uow, user).await?.ok_or_else(|| Error::new(&SECOND_FACTOR_OFF))?;
    let mut forget = Query::delete();
    forget.from_table("recovery_code").and_where(Expr::col("user_id").eq(kernel::TypedId::uuid(user)));
    uow.execute(&forget).await?;
    uow.delete(&row, Change::plain().event(event).about("user_account", user)).await
}
