//! Inviting a contact to the portal.

use kernel::{Error, FieldError, Result};
use mail::Letter;
use store::{Change, OnUnique as _, UnitOfWork};
use uuid::Uuid;

use super::accounts::{about, of_contact, recipient};
use crate::errors::{PORTAL_ADDRESS_TAKEN, PORTAL_SWITCHED_OFF};
use crate::rows::PortalAccountRow;
use crate::{Auth, secret_text, shape, users};

/// Whom to invite.
#[derive(Clone, Copy, Debug)]
pub struct Invited<'a> {
    /// The contact.
    pub contact: Uuid,
    /// The address that they will sign in with.
    pub email: &'a str,
    /// Their name.
    pub name: &'a str,
    /// Their language.
    pub locale: &'a str,
}

/// Sends a contact the mail with which they set a password; the one before stops working. Whoever is invited once more keeps the password
/// that they have until they set another. Whoever calls has seen to it that the caller may do it, and holds the contact locked.
///
/// # Errors
/// `portal_address_taken` when another contact of the workspace signs in with the address; `portal_switched_off`.
pub async fn invite(auth: &Auth, uow: &mut UnitOfWork, invited: Invited<'_>) -> Result<()> {
    let (workspace, now) = (uow.workspace()?, uow.now());
    let token = secret_text::make("pli_", uow.random());
    let expires_at = now + chrono::Duration::days(auth.config.invitation_days);
    let taken = || {
        let field = FieldError::new("/email", "portal_address_taken", "is the address of another contact in the portal");
        Error::new(&PORTAL_ADDRESS_TAKEN).with_field(field)
    };
    let email = invited.email.trim().to_owned();
    let email_key = shape::email_key(&email);
    let change = || about(Change::plain().event("contact.portal_invited"), invited.contact);
    let account = match uow.locked::<PortalAccountRow>(of_contact(invited.contact)).await? {
        Some(before) if !before.is_active => return Err(Error::new(&PORTAL_SWITCHED_OFF)),
        Some(before) => {
            let after = PortalAccountRow {
                email,
                email_key,
                name: invited.name.to_owned(),
                locale: invited.locale.to_owned(),
                token_hash: Some(secret_text::hash(&token)),
                token_expires_at: Some(expires_at),
                invited_at: Some(now),
                ..before.clone()
            };
            uow.update(&before, after, change()).await.on_unique(taken)?
        }
        None => {
            let row = PortalAccountRow {
                id: uow.id(),
                workspace_id: workspace,
                contact_id: invited.contact,
                email,
                email_key,
                name: invited.name.to_owned(),
                locale: invited.locale.to_owned(),
                is_active: true,
                hash: None,
                password_changed_at: None,
                token_hash: Some(secret_text::hash(&token)),
                token_expires_at: Some(expires_at),
                invited_at: Some(now),
                last_login_at: None,
                version: 1,
                created_at: now,
                updated_at: now,
            };
            uow.insert(&row, change()).await.on_unique(taken)?;
            row
        }
    };
    let inviter = match uow.caller().actor.user() {
        Some(user) => users::find(uow, user).await?.map(|user| format!("{} {}", user.given_name, user.family_name)),
        None => None,
    };
    let inviter = inviter.unwrap_or_default();
    let letter = Letter::PortalInvitation { inviter: &inviter, token: &token, expires_at };
    auth.mail().post(uow, recipient(&account), &letter).await.map(|_| ())
}
