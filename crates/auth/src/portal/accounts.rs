//! The accounts that contacts sign in with.

use kernel::{DateTime, Error, Result, TypedId as _, WorkspaceId};
use mail::Recipient;
use store::query::{Expr, ExprTrait, SelectStatement};
use store::{Change, Conn, Record as _, UnitOfWork, journal};
use uuid::Uuid;

use super::{PortalState, PortalStatus};
use crate::rows::{PortalAccountId, PortalAccountRow, WorkspaceRow};
use crate::sessions::{Owner, Session};
use crate::{sessions, shape};

pub(super) fn column(name: &'static str) -> Expr {
    Expr::col(("portal_account", name))
}

/// Writes a change into the trail of the contact, too.
pub(crate) fn about(change: Change, contact: Uuid) -> Change {
    // a contact's id is of a type that this crate does not know
    change.about("contact", PortalAccountId::from_uuid(contact))
}

/// A contact as somebody who gets a mail.
pub(super) fn recipient(account: &PortalAccountRow) -> Recipient<'_> {
    Recipient { address: &account.email, name: Some(&account.name), locale: Some(&account.locale), timezone: None }
}

pub(super) fn of_contact(contact: Uuid) -> SelectStatement {
    let mut select = PortalAccountRow::select();
    select.and_where(column("contact_id").eq(contact));
    select
}

pub(super) async fn find(conn: &mut Conn, contact: Uuid) -> Result<Option<PortalAccountRow>> {
    conn.one(&of_contact(contact)).await
}

/// The account of an address in a workspace that is named by its slug or id.
pub(super) async fn find_by_email(conn: &mut Conn, workspace: &str, email: &str) -> Result<Option<PortalAccountRow>> {
    let mut select = WorkspaceRow::select();
    let place = |name: &'static str| Expr::col(("workspace", name));
    let named = match workspace.parse::<WorkspaceId>() {
        Ok(id) => place("id").eq(id.uuid()).or(place("slug").eq(workspace)),
        Err(_) => place("slug").eq(workspace),
    };
    select.and_where(named).and_where(place("is_active").eq(true));
    let Some(workspace) = conn.one::<WorkspaceRow>(&select).await? else { return Ok(None) };
    let mut select = PortalAccountRow::select();
    select.and_where(column("workspace_id").eq(workspace.id.uuid())).and_where(column("email_key").eq(shape::email_key(email)));
    conn.one(&select).await
}

/// The account that a token was sent to, whether it still works or not.
pub(super) fn of_token(token_hash: &str) -> SelectStatement {
    let mut select = PortalAccountRow::select();
    select.and_where(column("token_hash").eq(token_hash));
    select
}

impl PortalAccountRow {
    /// Whether the token that was sent last still works.
    pub(super) fn token_works(&self, now: DateTime) -> bool {
        self.is_active && self.token_hash.is_some() && self.token_expires_at.is_some_and(|at| at > now)
    }

    /// Whether it signs in: it is switched on, and has a password.
    pub(super) fn signs_in(&self) -> bool {
        self.is_active && self.hash.is_some()
    }

    fn state(&self) -> PortalState {
        match (self.is_active, self.hash.is_some()) {
            (false, _) => PortalState::Disabled,
            (true, true) => PortalState::Active,
            (true, false) => PortalState::Invited,
        }
    }
}

fn wire(row: PortalAccountRow, now: DateTime) -> PortalStatus {
    PortalStatus {
        state: row.state(),
        token_expires_at: row.token_expires_at.filter(|_| row.token_works(now)),
        email: Some(row.email),
        invited_at: row.invited_at,
        last_login_at: row.last_login_at,
        version: row.version,
    }
}

/// Which of these addresses, in lower case, others than these contacts sign in with.
///
/// # Errors
/// What the database says.
pub async fn addresses_among(
    conn: &mut Conn,
    workspace: WorkspaceId,
    addresses: &[String],
    contacts: &[Uuid],
) -> Result<Vec<String>> {
    let mut select = PortalAccountRow::select();
    select
        .and_where(column("workspace_id").eq(workspace.uuid()))
        .and_where(column("email_key").is_in(addresses.iter().map(String::as_str)))
        .and_where(column("contact_id").is_not_in(contacts.iter().copied()));
    Ok(conn.all::<PortalAccountRow>(&select).await?.into_iter().map(|row| row.email_key).collect())
}

/// How far a contact has come. Whoever calls has seen to it that the caller may know.
///
/// # Errors
/// What the database says.
pub async fn status_of(conn: &mut Conn, contact: Uuid, now: DateTime) -> Result<PortalStatus> {
    let none = PortalStatus {
        state: PortalState::None,
        email: None,
        invited_at: None,
        token_expires_at: None,
        last_login_at: None,
        version: 0,
    };
    Ok(conn.one::<PortalAccountRow>(&of_contact(contact)).await?.map_or(none, |row| wire(row, now)))
}

/// The sessions that are known of a contact, also those that have ended. Whoever calls has seen to it that the caller may know.
///
/// # Errors
/// What the database says.
pub async fn sessions_of(conn: &mut Conn, contact: Uuid) -> Result<Vec<Session>> {
    sessions::manage::of_contact(conn, contact).await
}

/// Switches the account of a contact on or off. One that is switched off ends its sessions, and what was sent by mail stops working.
/// Whoever calls has seen to it that the caller may do it.
///
/// # Errors
/// `not_found` where there is none; `stale`.
pub async fn set_active(uow: &mut UnitOfWork, contact: Uuid, seen: Option<i64>, is_active: bool) -> Result<()> {
    let before = uow.locked::<PortalAccountRow>(of_contact(contact)).await?;
    let before = before.ok_or_else(|| Error::not_found().with_detail("The contact was never invited to the portal."))?;
    crate::check_seen(seen, before.version)?;
    switch(uow, &before, is_active).await
}

/// Switches the account of a contact off who is put away. Bringing the contact back does not switch it on.
///
/// # Errors
/// What the database says.
pub async fn close(uow: &mut UnitOfWork, contact: Uuid) -> Result<()> {
    match uow.locked::<PortalAccountRow>(of_contact(contact)).await? {
        Some(before) => switch(uow, &before, false).await,
        None => Ok(()),
    }
}

/// The account of a contact goes by the name and the language that the contact has now: mails are written by them, and a password may not be the name.
///
/// # Errors
/// What the database says.
pub async fn rename(uow: &mut UnitOfWork, contact: Uuid, name: &str, locale: &str) -> Result<()> {
    let Some(before) = uow.locked::<PortalAccountRow>(of_contact(contact)).await? else { return Ok(()) };
    let after = PortalAccountRow { name: name.to_owned(), locale: locale.to_owned(), ..before.clone() };
    uow.update(&before, after, about(Change::plain().event("contact.portal_renamed"), contact)).await.map(|_| ())
}

async fn switch(uow: &mut UnitOfWork, before: &PortalAccountRow, is_active: bool) -> Result<()> {
    if before.is_active == is_active {
        return Ok(());
    }
    let mut after = PortalAccountRow { is_active, ..before.clone() };
    let event = if is_active { "contact.portal_switched_on" } else { "contact.portal_switched_off" };
    if !is_active {
        (after.token_hash, after.token_expires_at) = (None, None);
    }
    uow.update(before, after, about(Change::plain().event(event), before.contact_id)).await?;
    if !is_active {
        sessions::revoke_all(uow, Owner::Contact(before.contact_id), None, "portal_switched_off").await?;
    }
    Ok(())
}

/// Forgets the accounts of contacts who are purged, with their sessions, and erases the personal values that the journal holds of them.
///
/// # Errors
/// What the database says.
pub async fn forget_account(uow: &mut UnitOfWork, contacts: &[Uuid]) -> Result<()> {
    let mut select = PortalAccountRow::select();
    select.and_where(column("contact_id").is_in(contacts.iter().copied()));
    let rows = uow.locked_all::<PortalAccountRow>(select).await?;
    // failed attempts, and the sessions that are gone
    for record_type in ["portal_account", "session"] {
        journal::erase_about(uow, record_type, contacts).await?;
    }
    for row in rows {
        sessions::revoke_all(uow, Owner::Contact(row.contact_id), None, "contact_purged").await?;
        uow.delete_and_forget(&row, about(Change::plain(), row.contact_id)).await?;
    }
    Ok(())
}
