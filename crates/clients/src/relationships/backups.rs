//! The relationships of a client that comes back from a backup.

use std::collections::HashSet;

use kernel::{Caller, Result, TypedId as _};
use store::query::{ExprTrait, Order};
use store::{Action, Conn, Record as _, UnitOfWork};
use uuid::Uuid;

use super::commands::{ADDED, about, check_overlap, lacks_role, tell_the_other};
use super::{ClientRelationshipRow, column};
use crate::clients;
use crate::errors::RELATIONSHIP_OVERLAP;
use crate::rows::ClientId;

/// The relationships that a client has; or had, read from the database of a backup.
pub(crate) async fn had(conn: &mut Conn, caller: &Caller, client: ClientId) -> Result<Vec<ClientRelationshipRow>> {
    let mut select = ClientRelationshipRow::select();
    select
        .and_where(column("workspace_id").eq(caller.workspace()?.uuid()))
        .and_where(column("from_client_id").eq(client.uuid()).or(column("to_client_id").eq(client.uuid())))
        .order_by(("client_relationship", "id"), Order::Asc);
    conn.all(&select).await
}

/// Writes the relationships of a client that comes back once more: those whose other end is there and has its role, and for whose time none was
/// written down since. Returns how many.
pub(crate) async fn bring_back(uow: &mut UnitOfWork, client: ClientId, had: &[ClientRelationshipRow]) -> Result<usize> {
    let (mut back, today) = (0, uow.now().date_naive());
    let ends = had.iter().flat_map(|row| [row.from_client_id.uuid(), row.to_client_id.uuid()]);
    let ends: HashSet<Uuid> = ends.chain([client.uuid()]).collect();
    let ends = clients::lock_all(uow, &ends.into_iter().collect::<Vec<_>>()).await?;
    for row in had {
        let is_there = |id| ends.iter().any(|client| client.id == id);
        if !is_there(row.from_client_id) || !is_there(row.to_client_id) || lacks_role(row, &ends, today).is_some() {
            continue;
        }
        match check_overlap(uow, row).await {
            Ok(()) => {}
            Err(error) if *error.code() == RELATIONSHIP_OVERLAP => continue,
            Err(error) => return Err(error),
        }
        uow.bring_back(row.clone(), about(row).event(ADDED)).await?;
        tell_the_other(uow, row, Action::Restore, ADDED);
        back += 1;
    }
    Ok(back)
}
