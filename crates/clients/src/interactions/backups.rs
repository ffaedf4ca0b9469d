//! The interactions of a client that comes back from a backup.

use std::collections::{BTreeSet, HashSet};

use kernel::{Caller, Result, TypedId as _};
use store::query::{ExprTrait, Order};
use store::{Conn, Record as _, UnitOfWork};
use uuid::Uuid;

use super::commands::about;
use super::{InteractionRow, column, participants};
use crate::contacts;
use crate::rows::{ClientId, ContactId};

/// Contacts in one statement: an engine takes only so many parameters.
const AT_ONCE: usize = 500;

/// The interactions that a client has; or had, read from the database of a backup.
pub(crate) async fn had(conn: &mut Conn, caller: &Caller, client: ClientId) -> Result<Vec<InteractionRow>> {
    let mut select = InteractionRow::select();
    select
        .and_where(column("workspace_id").eq(caller.workspace()?.uuid()))
        .and_where(column("client_id").eq(client.uuid()))
        .order_by(("interaction", "id"), Order::Asc);
    conn.all(&select).await
}

/// Writes the interactions of a client that comes back once more. Contacts that are not there any more
/// are not named.
pub(crate) async fn bring_back(uow: &mut UnitOfWork, had: &[InteractionRow]) -> Result<()> {
    let of_row = |row: &InteractionRow| {
        let taking_part = row.participants.0.iter().filter_map(|participant| participant.contact_id);
        row.contact_id.into_iter().chain(taking_part).map(ContactId::uuid).collect::<Vec<_>>()
    };
    let named: BTreeSet<Uuid> = had.iter().flat_map(of_row).collect();
    let named: Vec<Uuid> = named.into_iter().collect();
    let mut there = HashSet::new();
    for some in named.chunks(AT_ONCE) {
        there.extend(contacts::find_all_locked(uow, some).await?.into_iter().map(|row| row.id));
    }
    for row in had {
        let contact_id = row.contact_id.filter(|contact| there.contains(contact));
        let mut row = InteractionRow { contact_id, ..row.clone() };
        row.participants.0.retain(|participant| participant.contact_id.is_none_or(|contact| there.contains(&contact)));
        let change = about(&row);
        let row = uow.bring_back(row, change).await?;
        participants::write(uow, None, &row).await?;
    }
    Ok(())
}
