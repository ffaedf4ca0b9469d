//! The relationships of a client that comes back from a backup.

use kernel::{Caller, Result, TypedId as _};
use store::query::{ExprTrait, Order};
use store::{Conn, Record as _, UnitOfWork};

use super::commands::{about, check_overlap};
use super::{ClientRelationshipRow, column};
use crate::clients;
use crate::errors::RELATIONSHIP_OVERLAP;
use crate::rows::ClientId;

/// The relationships that a client had, read from the database of a backup.
pub(crate) async fn had(conn: &mut Conn, caller: &Caller, client: ClientId) -> Result<Vec<ClientRelationshipRow>> {
    let mut select = ClientRelationshipRow::select();
    select
        .and_where(column("workspace_id").eq(caller.workspace()?.uuid()))
        .and_where(column("from_client_id").eq(client.uuid()).or(column("to_client_id").eq(client.uuid())))
        .order_by(("client_relationship", "id"), Order::Asc);
    conn.all(&select).await
}

/// Writes the relationships of a client that comes back once more: those whose other end is there, and for whose time none was written
/// down since. Returns how many.
pub(crate) async fn bring_back(uow: &mut UnitOfWork, client: ClientId, had: &[ClientRelationshipRow]) -> Result<usize> {
    let mut back = 0;
    for row in had {
        let other = if row.from_client_id == client { row.to_client_id } else { row.from_client_id };
        if clients::lock_all(uow, &[other.uuid()]).await?.is_empty() {
            continue;
        }
        match check_overlap(uow, row).await {
            Ok(()) => {}
            Err(error) if *error.code() == RELATIONSHIP_OVERLAP => continue,
            Err(error) => return Err(error),
        }
        uow.bring_back(row.clone(), about(row)).await?;
        back += 1;
    }
    Ok(back)
}
