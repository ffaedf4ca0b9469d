//! What becomes of interactions where their client or contact is purged.

use kernel::{Result, TypedId as _};
use store::query::{ExprTrait, Order, SimpleExpr};
use store::{Record as _, UnitOfWork};
use uuid::Uuid;

use super::commands::about;
use super::{InteractionRow, column};
use crate::rows::ContactId;

async fn rows(uow: &mut UnitOfWork, which: SimpleExpr) -> Result<Vec<InteractionRow>> {
    let mut select = InteractionRow::select();
    select.and_where(which).order_by(("interaction", "id"), Order::Asc);
    uow.all(&select).await
}

/// Deletes rows, and what the journal holds of their text.
async fn delete(uow: &mut UnitOfWork, rows: &[InteractionRow]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    store::journal::erase(uow, rows.iter().map(|row| row.id.uuid())).await?;
    uow.delete_and_forget_all(rows, about).await
}

/// Deletes every interaction of clients that are purged.
pub(crate) async fn forget_of_clients(uow: &mut UnitOfWork, clients: &[Uuid]) -> Result<()> {
    let rows = rows(uow, column("client_id").is_in(clients.iter().copied())).await?;
    delete(uow, &rows).await
}

/// Deletes every interaction of contacts that are purged; those that are of a client too stay with the client, and name the contact no more.
pub(crate) async fn forget_of_contacts(uow: &mut UnitOfWork, contacts: &[Uuid]) -> Result<()> {
    let rows = rows(uow, column("contact_id").is_in(contacts.iter().copied())).await?;
    let (of_client, own): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.client_id.is_some());
    delete(uow, &own).await?;
    for row in of_client {
        let gone = |id: &ContactId| contacts.contains(&id.uuid());
        let mut after = InteractionRow { contact_id: None, ..row.clone() };
        after.participants.0.retain(|participant| !participant.contact_id.as_ref().is_some_and(gone));
        let change = about(&row);
        uow.update(&row, after, change).await?;
    }
    Ok(())
}
