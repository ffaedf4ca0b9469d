//! Who belongs to whom: contacts of clients. A client that has contacts has exactly one primary one, whoever writes at the same
//! time: every change locks the client first, and a unique index stands behind it. A contact that is put away is the primary one only
//! where there is no other: whoever is asked for the one to speak to is told of somebody who is there.

mod settle;
mod wire;

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use kernel::{Caller, Error, Permission, Result, TypedId as _};
use store::query::{Expr, ExprTrait, Order, Query, SelectStatement, Value};
use store::{Change, Conn, OnUnique as _, Record as _, UnitOfWork};

use crate::clients;
use crate::contacts::{self, ContactBrief};
use crate::errors::{ALREADY_LINKED, ARCHIVED, PRIMARY_REQUIRED};
use crate::rows::{ClientContactRow, ClientId, ContactId, ContactRow, Influence};

pub(crate) use settle::{bring_back, forget, remove_all, remove_everywhere, settle_everywhere};
pub use wire::{LinkContact, LinkPatch, LinkedContact};

fn column(name: &'static str) -> Expr {
    Expr::col(("client_contact", name))
}

/// The ids of the clients that a contact belongs to: for filters.
pub(crate) fn clients_with(contact: Value) -> SelectStatement {
    let mut having = Query::select();
    having.expr_as(Expr::col("client_id"), "found").from("client_contact").and_where(Expr::col("contact_id").eq(contact));
    having
}

/// The ids of the contacts of a client: for filters.
pub(crate) fn contacts_with(client: Value) -> SelectStatement {
    let mut members = Query::select();
    members.expr_as(Expr::col("contact_id"), "found").from("client_contact").and_where(Expr::col("client_id").eq(client));
    members
}

fn links(caller: &Caller) -> Result<SelectStatement> {
    let mut select = ClientContactRow::select();
    select.and_where(column("workspace_id").eq(caller.workspace()?.uuid()));
    Ok(select)
}

fn change(row: &ClientContactRow) -> Change {
    Change::plain().about("client", row.client_id)
}

fn told(row: ClientContactRow, contact: ContactBrief) -> LinkedContact {
    LinkedContact {
        client_id: row.client_id,
        contact,
        role: row.role,
        is_primary: row.is_primary,
        influence: row.influence,
        since: row.since,
        until: row.until,
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    }
}

/// The contacts of these clients that the caller may see, the primary one first, in one query.
pub(crate) async fn contacts_of(
    conn: &mut Conn,
    caller: &Caller,
    clients: Vec<uuid::Uuid>,
) -> Result<HashMap<ClientId, Vec<LinkedContact>>> {
    let mut found: HashMap<ClientId, Vec<LinkedContact>> = HashMap::new();
    if !caller.can(Permission::ContactsView) {
        return Ok(found);
    }
    let mut select = links(caller)?;
    select
        .columns(ContactRow::COLUMNS.iter().map(|column| ("contact", column.name)))
        .inner_join("contact", Expr::col(("contact", "id")).eq(column("contact_id")))
        .and_where(column("client_id").is_in(clients))
        .and_where(Expr::col(("contact", "archived_at")).is_null())
        .order_by(("client_contact", "is_primary"), Order::Desc)
        .order_by(("contact", "name_key"), Order::Asc)
        .order_by(("contact", "id"), Order::Asc);
    for row in conn.rows(&select).await? {
        let link = ClientContactRow::read(&row, 0)?;
        let contact = ContactRow::read(&row, ClientContactRow::COLUMNS.len())?;
        found.entry(link.client_id).or_default().push(told(link, contact.into()));
    }
    Ok(found)
}

/// The contacts of one client, the primary one first.
///
/// # Errors
/// `forbidden` without a right to see clients and `contacts.view`; `not_found`.
pub async fn list(conn: &mut Conn, caller: &Caller, client: ClientId) -> Result<Vec<LinkedContact>> {
    caller.require(Permission::ContactsView)?;
    clients::get_row(conn, caller, client).await?;
    Ok(contacts_of(conn, caller, vec![client.uuid()]).await?.remove(&client).unwrap_or_default())
}

/// One contact of a client.
///
/// # Errors
/// `forbidden` without a right to see clients and `contacts.view`; `not_found`.
pub async fn get(conn: &mut Conn, caller: &Caller, client: ClientId, contact: ContactId) -> Result<LinkedContact> {
    caller.require(Permission::ContactsView)?;
    clients::get_row(conn, caller, client).await?;
    let contact = contacts::get_row(conn, caller, contact).await?;
    let mut select = links(caller)?;
    select.and_where(column("client_id").eq(client.uuid())).and_where(column("contact_id").eq(contact.id.uuid()));
    let row = conn.one::<ClientContactRow>(&select).await?.ok_or_else(Error::not_found)?;
    Ok(told(row, contact.into()))
}

async fn of_client(uow: &mut UnitOfWork, client: ClientId) -> Result<Vec<ClientContactRow>> {
    let mut select = links(&uow.caller())?;
    select
        .and_where(column("client_id").eq(client.uuid()))
        .order_by(("client_contact", "created_at"), Order::Asc)
        .order_by(("client_contact", "id"), Order::Asc);
    uow.all(&select).await
}

/// The rights that every change here needs, the client locked, and its links.
async fn open(uow: &mut UnitOfWork, client: ClientId) -> Result<Vec<ClientContactRow>> {
    let caller = uow.caller();
    caller.require(Permission::ClientsEdit)?;
    caller.require(Permission::ContactsView)?;
    clients::find_editable(uow, client).await?;
    of_client(uow, client).await
}

fn check_period(since: Option<NaiveDate>, until: Option<NaiveDate>) -> Result<()> {
    match (since, until) {
        (Some(since), Some(until)) if until < since => {
            Err(Error::invalid_field("/until", "before_since", "must not be before since"))
        }
        _ => Ok(()),
    }
}

async fn set_primary(uow: &mut UnitOfWork, row: &ClientContactRow, is_primary: bool) -> Result<()> {
    let after = ClientContactRow { is_primary, ..row.clone() };
    uow.update(row, after, change(row)).await.map(|_| ())
}

/// Makes a contact belong to a client.
///
/// # Errors
/// `forbidden` without `clients.edit` and `contacts.view`; `not_found`; `archived`; `validation_failed` when there is no such contact,
/// it is archived, or the period is none; `already_linked`.
pub async fn link(uow: &mut UnitOfWork, client: ClientId, input: LinkContact) -> Result<LinkedContact> {
    let existing = open(uow, client).await?;
    check_period(input.since, input.until)?;
    // locked, so that it is not put away meanwhile
    let contact = contacts::find_locked(uow, input.contact_id, None).await.map_err(|error| match error.kind() {
        kernel::Kind::NotFound => Error::invalid_field("/contact_id", "not_found", "there is no such contact"),
        _ => error,
    })?;
    if contact.archived_at.is_some() {
        return Err(Error::invalid_field("/contact_id", "archived", "is archived; restore it first"));
    }
    if existing.iter().any(|row| row.contact_id == contact.id) {
        return Err(Error::new(&ALREADY_LINKED));
    }
    let row = insert(uow, client, &existing, input).await?;
    Ok(told(row, contact.into()))
}

/// Inserts a link beside those that the client has, which the caller of this holds locked.
pub(crate) async fn insert(
    uow: &mut UnitOfWork,
    client: ClientId,
    existing: &[ClientContactRow],
    input: LinkContact,
) -> Result<ClientContactRow> {
    let current = existing.iter().find(|row| row.is_primary);
    let is_needed = match current {
        Some(primary) => away(uow, &[primary.contact_id]).await?.contains(&primary.contact_id),
        None => true,
    };
    let is_primary = is_needed || input.is_primary.unwrap_or(false);
    if is_primary && let Some(primary) = current {
        set_primary(uow, primary, false).await?;
    }
    let row = new_row(uow, client, is_primary, input)?;
    uow.insert(&row, change(&row).event("client.contact_added")).await.on_unique(|| Error::new(&ALREADY_LINKED))?;
    Ok(row)
}

/// A link that is not inserted yet.
pub(crate) fn new_row(uow: &UnitOfWork, client: ClientId, is_primary: bool, input: LinkContact) -> Result<ClientContactRow> {
    let now = uow.now();
    Ok(ClientContactRow {
        id: uow.id(),
        workspace_id: uow.workspace()?,
        client_id: client,
        contact_id: input.contact_id,
        role: input.role,
        is_primary,
        influence: input.influence.unwrap_or(Influence::Unknown),
        since: input.since,
        until: input.until,
        version: 1,
        created_at: now,
        updated_at: now,
    })
}

/// Changes how a contact belongs to a client.
///
/// # Errors
/// `forbidden` without `clients.edit` and `contacts.view`; `not_found`; `archived`; `stale`; `primary_required` when the primary one
/// would step down without another in its place; `validation_failed` when the period is none.
pub async fn update(
    uow: &mut UnitOfWork,
    client: ClientId,
    contact: ContactId,
    seen: Option<i64>,
    patch: LinkPatch,
) -> Result<LinkedContact> {
    let existing = open(uow, client).await?;
    let caller = uow.caller();
    let before = existing.iter().find(|row| row.contact_id == contact).ok_or_else(Error::not_found)?;
    auth::check_seen(seen, before.version)?;
    let contact = contacts::get_row(uow, &caller, contact).await?;
    let mut after = before.clone();
    patch.role.apply(&mut after.role);
    after.influence = patch.influence.unwrap_or(after.influence);
    patch.since.apply(&mut after.since);
    patch.until.apply(&mut after.until);
    check_period(after.since, after.until)?;
    match patch.is_primary {
        Some(false) if before.is_primary => return Err(Error::new(&PRIMARY_REQUIRED)),
        Some(true) if !before.is_primary => {
            if contact.archived_at.is_some() {
                return Err(Error::new(&ARCHIVED).with_detail("Restore the contact first."));
            }
            if let Some(primary) = existing.iter().find(|row| row.is_primary) {
                set_primary(uow, primary, false).await?;
            }
            after.is_primary = true;
        }
        _ => {}
    }
    let row = uow.update(before, after, change(before)).await?;
    Ok(told(row, contact.into()))
}

/// Makes a contact no longer belong to a client. Where it was the primary one, the longest-standing of the others becomes it.
///
/// # Errors
/// `forbidden` without `clients.edit` and `contacts.view`; `not_found`; `stale`.
pub async fn unlink(uow: &mut UnitOfWork, client: ClientId, contact: ContactId, seen: Option<i64>) -> Result<()> {
    let existing = open(uow, client).await?;
    let row = existing.iter().find(|row| row.contact_id == contact).ok_or_else(Error::not_found)?;
    auth::check_seen(seen, row.version)?;
    remove_all(uow, std::slice::from_ref(row), |_| true).await
}

/// Which of these contacts are put away.
async fn away(uow: &mut UnitOfWork, contacts: &[ContactId]) -> Result<HashSet<ContactId>> {
    let mut select = Query::select();
    select
        .column("id")
        .from("contact")
        .and_where(Expr::col("id").is_in(contacts.iter().map(|id| id.uuid())))
        .and_where(Expr::col("archived_at").is_not_null());
    uow.rows(&select).await?.iter().map(|row| row.get(0)).collect()
}

/// The links of a contact, locked, so that none of them goes meanwhile.
pub(crate) async fn of_contact_locked(uow: &mut UnitOfWork, contact: ContactId) -> Result<Vec<ClientContactRow>> {
    let mut select = links(&uow.caller())?;
    select.and_where(column("contact_id").eq(contact.uuid()));
    uow.locked_all(select).await
}

/// The links of these clients, and those of these contacts, each once.
pub(crate) async fn rows_of_either(
    uow: &mut UnitOfWork,
    clients: &[uuid::Uuid],
    contacts: &[uuid::Uuid],
) -> Result<Vec<ClientContactRow>> {
    let mut select = links(&uow.caller())?;
    let of_contacts = column("contact_id").is_in(contacts.iter().copied());
    select
        .and_where(column("client_id").is_in(clients.iter().copied()).or(of_contacts))
        .order_by(("client_contact", "id"), Order::Asc);
    uow.all(&select).await
}

/// The links of these clients, by client.
pub(crate) async fn rows_of(
    conn: &mut Conn,
    caller: &Caller,
    clients: Vec<uuid::Uuid>,
) -> Result<HashMap<ClientId, Vec<ClientContactRow>>> {
    let mut found: HashMap<ClientId, Vec<ClientContactRow>> = HashMap::new();
    if clients.is_empty() {
        return Ok(found);
    }
    let mut select = links(caller)?;
    select.and_where(column("client_id").is_in(clients)).order_by(("client_contact", "id"), Order::Asc);
    for row in conn.all::<ClientContactRow>(&select).await? {
        found.entry(row.client_id).or_default().push(row);
    }
    Ok(found)
}
