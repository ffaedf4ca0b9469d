//! What becomes of links where a client or a contact goes or comes back, and who is the primary one then.

use std::collections::{BTreeSet, HashSet};

use kernel::{Result, TypedId as _};
use store::UnitOfWork;
use store::query::{ExprTrait, Order};
use uuid::Uuid;

use super::{away, change, column, links, of_client, set_primary};
use crate::rows::{ClientContactRow, ClientId, ContactId};
use crate::{clients, contacts};

/// Contacts in one statement: an engine takes only so many parameters.
const AT_ONCE: usize = 500;

/// Makes the longest-standing contact that is there the primary one of a client, which is locked, where none is it or the one that is
/// it was put away.
async fn settle_primary(uow: &mut UnitOfWork, client: ClientId) -> Result<()> {
    let existing = of_client(uow, client).await?;
    let contacts: Vec<ContactId> = existing.iter().map(|row| row.contact_id).collect();
    if contacts.is_empty() {
        return Ok(());
    }
    let away = away(uow, &contacts).await?;
    let present = |row: &&ClientContactRow| !away.contains(&row.contact_id);
    let primary = existing.iter().find(|row| row.is_primary);
    if primary.is_some_and(|row| present(&row)) {
        return Ok(());
    }
    let next = existing.iter().find(present).or_else(|| existing.first().filter(|_| primary.is_none()));
    if let Some(next) = next {
        if let Some(primary) = primary {
            set_primary(uow, primary, false).await?;
        }
        set_primary(uow, next, true).await?;
    }
    Ok(())
}

/// The links of a contact, each client locked in the order of ids, so that two who come this way cannot block each other.
async fn of_contact_locked(uow: &mut UnitOfWork, contact: ContactId) -> Result<Vec<ClientContactRow>> {
    let mut select = links(&uow.caller())?;
    select.and_where(column("contact_id").eq(contact.uuid())).order_by(("client_contact", "client_id"), Order::Asc);
    for row in uow.all::<ClientContactRow>(&select).await? {
        clients::lock_all(uow, &[row.client_id.uuid()]).await?;
    }
    // as they are now that nobody else changes them
    uow.all(&select).await
}

/// Takes a contact that is purged out of every client.
pub(crate) async fn remove_everywhere(uow: &mut UnitOfWork, contact: ContactId) -> Result<()> {
    let rows = of_contact_locked(uow, contact).await?;
    remove_all(uow, &rows, |_| true).await
}

/// Sees to the primary contact of every client of a contact that was put away or brought back.
pub(crate) async fn settle_everywhere(uow: &mut UnitOfWork, contact: ContactId) -> Result<()> {
    for row in of_contact_locked(uow, contact).await? {
        settle_primary(uow, row.client_id).await?;
    }
    Ok(())
}

/// Takes every contact out of clients that are purged.
pub(crate) async fn forget(uow: &mut UnitOfWork, clients: &[Uuid]) -> Result<()> {
    let mut select = links(&uow.caller())?;
    select.and_where(column("client_id").is_in(clients.iter().copied())).order_by(("client_contact", "id"), Order::Asc);
    let rows = uow.all(&select).await?;
    delete(uow, &rows).await
}

async fn delete(uow: &mut UnitOfWork, rows: &[ClientContactRow]) -> Result<()> {
    // who does not belong to a client any more does not come into its portal
    let pairs: Vec<(Uuid, Uuid)> = rows.iter().map(|row| (row.contact_id.uuid(), row.client_id.uuid())).collect();
    auth::portal::take_access(uow, &pairs).await?;
    uow.delete_all(rows, |row| change(row).event("client.contact_removed")).await
}

/// Takes contacts out of clients, which are locked, and sees to the primary ones of those that stay.
pub(crate) async fn remove_all(uow: &mut UnitOfWork, rows: &[ClientContactRow], stays: impl Fn(ClientId) -> bool) -> Result<()> {
    delete(uow, rows).await?;
    let clients: BTreeSet<ClientId> = rows.iter().map(|row| row.client_id).filter(|client| stays(*client)).collect();
    for client in clients {
        settle_primary(uow, client).await?;
    }
    Ok(())
}

/// Makes contacts belong to a client that comes back once more, as far as they are still there. Returns the links whose contacts are not.
pub(crate) async fn bring_back(uow: &mut UnitOfWork, had: &[ClientContactRow]) -> Result<Vec<ClientContactRow>> {
    let mut there = HashSet::new();
    for some in had.chunks(AT_ONCE) {
        let ids: Vec<Uuid> = some.iter().map(|row| row.contact_id.uuid()).collect();
        there.extend(contacts::find_all_locked(uow, &ids).await?.into_iter().map(|row| row.id));
    }
    let (back, missing): (Vec<_>, Vec<_>) = had.iter().cloned().partition(|row| there.contains(&row.contact_id));
    for row in back {
        let change = change(&row).event("client.contact_added");
        uow.bring_back(row, change).await?;
    }
    if let Some(row) = had.first() {
        settle_primary(uow, row.client_id).await?;
    }
    Ok(missing)
}
