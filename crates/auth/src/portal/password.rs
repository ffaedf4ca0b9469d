//! Passwords of contacts: set with a token that came by mail, asked for anew, and changed by whoever is signed in.

use kernel::error::Faults;
use kernel::{Caller, Error, Origin, Result, TypedId as _};
use mail::Letter;
use serde::{Deserialize, Serialize};
use store::jobs::{Job, JobContext};
use store::{Change, UnitOfWork};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::accounts::{self, about, of_contact, of_token, recipient};
use crate::errors::INVALID_RESET_TOKEN;
use crate::letters::act;
use crate::password::{self, Verified};
use crate::password_change::ChangePassword;
use crate::password_reset::WORKS;
use crate::rows::{PortalAccountRow, SessionId};
use crate::sessions::Owner;
use crate::{Auth, secret_text, sessions};

store::job_kind! {
    /// Sends a contact a token to set a new password with; for nobody it does nothing.
    pub struct SendPortalReset as "send_portal_reset" on Email {
        /// Whose; none where the address is nobody's.
        contact: Option<Uuid>,
    }
}

/// The body of `POST /v1/portal/set-password`.
#[derive(Clone, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct NewPortalPassword {
    /// The token from the mail: the invitation, or the one that was asked for.
    #[schema(min_length = 1, max_length = 200)]
    pub token: String,
    /// At least 12 characters and not easy to guess.
    #[schema(format = "password")]
    pub password: String,
}

/// The body of `POST /v1/portal/forgot-password`.
#[derive(Clone, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ForgotPortalPassword {
    /// The workspace, by its slug or id.
    #[schema(min_length = 1, max_length = 60)]
    pub workspace: String,
    /// The address that the contact signs in with, without regard to case.
    #[schema(min_length = 1, max_length = 254)]
    pub email: String,
}

/// A request for a token.
#[derive(Debug)]
pub struct Asked {
    contact: Option<Uuid>,
    /// Whether there were too many, so that nothing follows from this one.
    is_too_much: bool,
}

/// A new password that was checked and hashed.
pub struct PreparedPortalPassword {
    token_hash: String,
    password_hash: String,
}

/// A new password of a contact's own that was checked and hashed.
pub struct PortalPasswordChange {
    account: PortalAccountRow,
    session: SessionId,
    password_hash: String,
}

impl std::fmt::Debug for PreparedPortalPassword {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("PreparedPortalPassword(…)")
    }
}

impl std::fmt::Debug for PortalPasswordChange {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "PortalPasswordChange({})", self.account.id)
    }
}

fn check_new(pointer: &str, password: &str, account: &PortalAccountRow) -> Result<()> {
    password::check_new(pointer, password, &[&account.email, &account.name])
}

impl Auth {
    /// Checks a token and a new password, and hashes it, outside any transaction.
    ///
    /// # Errors
    /// `invalid_reset_token`; `validation_failed` for a bad password; `sign_in_busy`.
    pub async fn prepare_portal_password(&self, input: NewPortalPassword) -> Result<PreparedPortalPassword> {
        let token_hash = secret_text::hash(input.token.trim());
        let mut reader = self.store.reader(&self.installation()).await?;
        let found = reader.one::<PortalAccountRow>(&of_token(&token_hash)).await?;
        reader.close().await?;
        let now = self.store.runtime().now();
        let account = found.filter(|account| account.token_works(now)).ok_or_else(|| Error::new(&INVALID_RESET_TOKEN))?;
        check_new("/password", &input.password, &account)?;
        let password_hash = self.passwords.hash(input.password).await?;
        Ok(PreparedPortalPassword { token_hash, password_hash })
    }

    /// Looks whose address it is, and whether it was asked for too often.
    ///
    /// # Errors
    /// What the database says.
    pub async fn prepare_portal_reset(&self, input: ForgotPortalPassword, origin: &Origin) -> Result<Asked> {
        let is_allowed = self.may_ask_for_reset("portal-reset", &input.email, origin).await;
        let mut reader = self.store.reader(&self.installation()).await?;
        let account = accounts::find_by_email(&mut reader, &input.workspace, &input.email).await?;
        reader.close().await?;
        let contact = account.filter(|account| account.is_active).map(|account| account.contact_id);
        Ok(Asked { contact, is_too_much: !is_allowed })
    }

    /// Checks a contact's present password and the new one, and hashes it, outside any transaction.
    ///
    /// # Errors
    /// `forbidden` for whoever is no contact; `locked_out` after too many wrong guesses; `validation_failed` for a wrong present
    /// password and a bad new one; `sign_in_busy`.
    pub async fn prepare_portal_change(&self, input: ChangePassword, caller: &Caller) -> Result<PortalPasswordChange> {
        let (contact, session) = caller.contact()?;
        let place = self.passwords.queue().await?;
        let key = format!("portal-password:{contact}");
        self.count_attempt(&key).await?;
        let mut reader = self.store.reader(&self.installation()).await?;
        let account = reader.one::<PortalAccountRow>(&of_contact(contact)).await?.ok_or_else(Error::not_found)?;
        reader.close().await?;
        let verified = self.passwords.verify(place, input.current_password, account.hash.clone()).await?;
        let mut faults = Faults::new();
        if verified == Verified::Wrong {
            faults.add("/current_password", "wrong", "is not the present password");
        } else {
            self.store.shared().forget(&key, sessions::login::ATTEMPTS_WINDOW).await;
        }
        faults.keep(check_new("/new_password", &input.new_password, &account))?;
        faults.into_result()?;
        let password_hash = self.passwords.hash(input.new_password).await?;
        Ok(PortalPasswordChange { account, session: SessionId::from_uuid(session), password_hash })
    }

    pub(crate) async fn send_portal_reset(&self, context: &JobContext, contact: Option<Uuid>) -> Result<()> {
        let Some(contact) = contact else { return Ok(()) };
        context.complete(async |uow| self.post_portal_reset(uow, contact).await).await
    }

    async fn post_portal_reset(&self, uow: &mut UnitOfWork, contact: Uuid) -> Result<()> {
        let Some(found) = accounts::find(uow, contact).await? else { return Ok(()) };
        uow.enter(Some(found.workspace_id)).await?;
        let before = uow.locked::<PortalAccountRow>(of_contact(found.contact_id)).await?;
        if let Some(before) = before.filter(|account| account.is_active) {
            let token = secret_text::make("plp_", uow.random());
            let expires_at = uow.now() + WORKS;
            // the one before stops working
            let (token_hash, token_expires_at) = (Some(secret_text::hash(&token)), Some(expires_at));
            let after = PortalAccountRow { token_hash, token_expires_at, ..before.clone() };
            let change = about(Change::plain().event("contact.portal_password_asked"), before.contact_id);
            let account = uow.update(&before, after, change).await?;
            self.mail.post(uow, recipient(&account), &Letter::PortalPasswordReset { token: &token, expires_at }).await?;
        }
        uow.enter(None).await
    }
}

/// Has a token sent, if there is somebody to send it to. Runs as the installation.
///
/// # Errors
/// What the database says.
pub async fn ask(uow: &mut UnitOfWork, asked: &Asked) -> Result<()> {
    if !asked.is_too_much {
        uow.enqueue(Job::of(&SendPortalReset { contact: asked.contact })).await?;
    }
    Ok(())
}

/// Sets a password with a token that came by mail, and ends every session of the account. Runs as the installation.
///
/// # Errors
/// `invalid_reset_token` when it was used, replaced or has expired meanwhile.
pub async fn set_password(auth: &Auth, uow: &mut UnitOfWork, prepared: &PreparedPortalPassword) -> Result<()> {
    let now = uow.now();
    let found = uow.locked::<PortalAccountRow>(of_token(&prepared.token_hash)).await?;
    let account = found.filter(|account| account.token_works(now)).ok_or_else(|| Error::new(&INVALID_RESET_TOKEN))?;
    set(auth, uow, &account, &prepared.password_hash, None).await
}

/// Changes a contact's own password, and ends every session but the one that it is done on. Runs as the installation.
///
/// # Errors
/// `invalid_credentials` when it was changed meanwhile.
pub async fn change_password(auth: &Auth, uow: &mut UnitOfWork, prepared: &PortalPasswordChange) -> Result<()> {
    let found = uow.locked::<PortalAccountRow>(of_contact(prepared.account.contact_id)).await?;
    let changed_at = prepared.account.password_changed_at;
    let account = found.filter(|account| account.signs_in() && account.password_changed_at == changed_at);
    let account = account.ok_or_else(|| Error::new(&crate::errors::INVALID_CREDENTIALS))?;
    set(auth, uow, &account, &prepared.password_hash, Some(prepared.session)).await
}

/// Sets it, and tells whoever had one before.
async fn set(auth: &Auth, uow: &mut UnitOfWork, account: &PortalAccountRow, hash: &str, keep: Option<SessionId>) -> Result<()> {
    uow.enter(Some(account.workspace_id)).await?;
    let after = PortalAccountRow {
        hash: Some(hash.to_owned()),
        password_changed_at: Some(uow.now()),
        token_hash: None,
        token_expires_at: None,
        ..account.clone()
    };
    let change = about(Change::plain().event("contact.portal_password_set"), account.contact_id);
    uow.update(account, after, change).await?;
    sessions::revoke_all(uow, Owner::Contact(account.contact_id), keep, "password_changed").await?;
    if account.hash.is_some() {
        let (caller, now) = (uow.caller(), uow.now());
        let letter = Letter::PortalPasswordChanged { act: act(&caller, now) };
        auth.mail().post(uow, recipient(account), &letter).await?;
    }
    uow.enter(None).await
}
