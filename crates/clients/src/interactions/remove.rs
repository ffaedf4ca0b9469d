//! Interactions that a contact is named in, and what becomes of them where their client or contact is purged.

use kernel::{Caller, Result, TypedId as _};
use store::query::{ExprTrait, Order, SimpleExpr};
use store::{Conn, Record as _, UnitOfWork};
use uuid::Uuid;

use super::commands::about;
use super::{Interaction, InteractionRow, column, participants};
use crate::rows::ContactId;

async fn rows(uow: &mut UnitOfWork, which: SimpleExpr) -> Result<Vec<InteractionRow>> {
    let mut select = InteractionRow::select();
    select.and_where(which);
    uow.locked_all(select).await
}

/// Deletes rows, and what the journal holds of their text.
async fn delete(uow: &mut UnitOfWork, rows: &[InteractionRow]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    store::journal::erase(uow, rows.iter().map(|row| row.id.uuid())).await?;
    uow.delete_and_forget_all(rows, about).await
}

/// Every interaction that a contact is named in.
pub(crate) async fn all_with(conn: &mut Conn, caller: &Caller, contact: Uuid) -> Result<Vec<Interaction>> {
    let mut select = InteractionRow::select();
    let took_part = column("id").in_subquery(participants::interactions_with(&[contact]));
    select
        .and_where(column("workspace_id").eq(caller.workspace()?.uuid()))
        .and_where(column("contact_id").eq(contact).or(took_part))
        .order_by(("interaction", "id"), Order::Asc);
    Ok(conn.all::<InteractionRow>(&select).await?.into_iter().map(Interaction::from).collect())
}

/// Deletes every interaction of clients that are purged.
pub(crate) async fn forget_of_clients(uow: &mut UnitOfWork, clients: &[Uuid]) -> Result<()> {
    let rows = rows(uow, column("client_id").is_in(clients.iter().copied())).await?;
    delete(uow, &rows).await
}

/// Deletes every interaction of contacts that are purged; those that are of a client too, and those in which they only took part, stay and
/// name them no more.
pub(crate) async fn forget_of_contacts(uow: &mut UnitOfWork, contacts: &[Uuid]) -> Result<()> {
    let with_them = column("id").in_subquery(participants::interactions_with(contacts));
    let rows = rows(uow, column("contact_id").is_in(contacts.iter().copied()).or(with_them)).await?;
    let is_one = |id: Option<ContactId>| id.is_some_and(|id| contacts.contains(&id.uuid()));
    let (own, others): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.client_id.is_none() && is_one(row.contact_id));
    delete(uow, &own).await?;
    for before in others {
        let contact_id = before.contact_id.filter(|id| !is_one(Some(*id)));
        let mut after = InteractionRow { contact_id, ..before.clone() };
        after.participants.0.retain(|participant| !is_one(participant.contact_id));
        let change = about(&before);
        let after = uow.update(&before, after, change).await?;
        participants::write(uow, Some(&before), &after).await?;
    }
    Ok(())
}
