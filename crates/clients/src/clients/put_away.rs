//! Archiving, restoring and purging clients.

use kernel::{Error, Permission, Result, TypedId as _};
use platform::custom_fields::keep;
use store::{Action, Change, UnitOfWork, journal};
use uuid::Uuid;

use super::wire::Client;
use super::{list, tags_and_notes};
use crate::errors::NOT_ARCHIVED;
use crate::rows::{ClientId, ClientRow};
use crate::{admins, duplicates, groups, interactions, links, merge, relationships};

/// Clients in one statement.
const AT_ONCE: usize = 500;

/// Puts a client away. One that is away stays so.
///
/// # Errors
/// `forbidden` without `clients.delete`; `not_found`; `stale`.
pub async fn archive(uow: &mut UnitOfWork, id: ClientId, seen: Option<i64>) -> Result<()> {
    set_archived(uow, id, seen, true).await.map(|_| ())
}

/// Brings a client back. One that is there stays so.
///
/// # Errors
/// `forbidden` without `clients.delete`; `not_found`; `stale`.
pub async fn restore(uow: &mut UnitOfWork, id: ClientId, seen: Option<i64>) -> Result<Client> {
    set_archived(uow, id, seen, false).await
}

async fn set_archived(uow: &mut UnitOfWork, id: ClientId, seen: Option<i64>, archived: bool) -> Result<Client> {
    uow.caller().require(Permission::ClientsDelete)?;
    let before = list::find_locked(uow, id, seen).await?;
    if before.archived_at.is_some() == archived {
        return Ok(before.into());
    }
    let (action, archived_at) = if archived { (Action::Archive, Some(uow.now())) } else { (Action::Restore, None) };
    let after = ClientRow { archived_at, ..before.clone() };
    let after = uow.update(&before, after, Change::of(action)).await?;
    duplicates::settle(uow, &before, &after).await?;
    Ok(after.into())
}

/// Deletes an archived client for ever, with its notes, interactions, relationships, files and tags, and erases the personal values that the journal holds of it. Its
/// contacts stay.
///
/// # Errors
/// `forbidden` without `clients.purge`; `not_found`; `stale`; `not_archived`; `in_use` when it stands above other clients.
pub async fn purge(uow: &mut UnitOfWork, id: ClientId, seen: Option<i64>) -> Result<()> {
    uow.caller().require(Permission::ClientsPurge)?;
    let row = list::find_locked(uow, id, seen).await?;
    if row.archived_at.is_none() {
        return Err(Error::new(&NOT_ARCHIVED).with_detail("Archive it first."));
    }
    platform::imports::forget(uow, id.uuid()).await?;
    forget(uow, &[row], Change::plain).await
}

/// The event of a client that was a person, and was erased.
pub(crate) const ERASED: &str = "client.erased";

/// Deletes clients for ever, with all that hangs on them.
pub(crate) async fn forget(uow: &mut UnitOfWork, rows: &[ClientRow], change: impl Fn() -> Change) -> Result<()> {
    let named: Vec<Uuid> = rows.iter().map(|row| row.id.uuid()).collect();
    // what became part of a client goes with it
    let merged = merge::merged_into(uow, &named).await?;
    let mut rows = rows.to_vec();
    for some in merged.chunks(AT_ONCE) {
        rows.extend(list::lock_all(uow, some).await?.into_iter().filter(|row| !named.contains(&row.id.uuid())));
    }
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id.uuid()).collect();
    links::forget(uow, &ids).await?;
    admins::forget(uow, &ids).await?;
    groups::forget(uow, &ids).await?;
    relationships::forget(uow, &ids).await?;
    interactions::forget_of_clients(uow, &ids).await?;
    tags_and_notes::forget(uow, &ids).await?;
    keep::forget(uow, &ids).await?;
    duplicates::forget(uow, &rows).await?;
    merge::forget(uow, &ids).await?;
    journal::erase(uow, ids).await?;
    uow.delete_and_forget_all(&rows, |_| change()).await
}
