//! Which clients are in which groups.

use std::collections::HashMap;

use kernel::{Caller, Error, Permission, Result, TypedId as _};
use serde::{Deserialize, Serialize};
use store::query::{Expr, ExprTrait, Order, Query, SelectStatement, Value};
use store::{Change, Conn, OnUnique as _, Record as _, UnitOfWork};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::{ClientGroup, ClientGroupId, ClientGroupRow};
use crate::clients;
use crate::rows::ClientId;

kernel::typed_id! {
    /// Names a client's being in a group.
    pub ClientGroupMemberId
}
store::id_fields!(ClientGroupMemberId);

store::record! {
    pub(crate) struct ClientGroupMemberRow in "client_group_member" of workspace {
        id: ClientGroupMemberId;
        client_id: ClientId,
        client_group_id: ClientGroupId,
    }
}

/// The body of `POST /v1/clients/{client_id}/groups`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct AddToGroup {
    /// The group.
    pub client_group_id: ClientGroupId,
}

fn column(name: &'static str) -> Expr {
    Expr::col(("client_group_member", name))
}

/// The ids of the clients in a group: for filters.
pub(crate) fn clients_in(group: Value) -> SelectStatement {
    let mut ids = Query::select();
    ids.expr_as(column("client_id"), "found").from("client_group_member").and_where(column("client_group_id").eq(group));
    ids
}

fn change(row: &ClientGroupMemberRow, event: &'static str) -> Change {
    Change::plain().about("client", row.client_id).event(event)
}

const ADDED: &str = "client.group_added";
const REMOVED: &str = "client.group_removed";

/// The groups of these clients by name, in one query.
pub(crate) async fn of(conn: &mut Conn, caller: &Caller, clients: &[Uuid]) -> Result<HashMap<ClientId, Vec<ClientGroup>>> {
    let mut select = ClientGroupRow::select();
    select
        .column(("client_group_member", "client_id"))
        .inner_join("client_group_member", column("client_group_id").eq(Expr::col(("client_group", "id"))))
        .and_where(column("workspace_id").eq(caller.workspace()?.uuid()))
        .and_where(column("client_id").is_in(clients.iter().copied()))
        .order_by(("client_group", "name_key"), Order::Asc);
    let mut found: HashMap<ClientId, Vec<ClientGroup>> = HashMap::new();
    for row in conn.rows(&select).await? {
        let group = ClientGroupRow::read(&row, 0)?;
        found.entry(row.get(ClientGroupRow::COLUMNS.len())?).or_default().push(group.into());
    }
    Ok(found)
}

async fn find(uow: &mut UnitOfWork, client: ClientId, group: ClientGroupId) -> Result<Option<ClientGroupMemberRow>> {
    let mut select = ClientGroupMemberRow::select();
    select.and_where(column("client_id").eq(client.uuid())).and_where(column("client_group_id").eq(group.uuid()));
    uow.one(&select).await
}

async fn find_group(uow: &mut UnitOfWork, id: ClientGroupId) -> Result<Option<ClientGroupRow>> {
    let mut select = ClientGroupRow::select();
    select
        .and_where(Expr::col(("client_group", "workspace_id")).eq(uow.workspace()?.uuid()))
        .and_where(Expr::col(("client_group", "id")).eq(id.uuid()));
    // locked, so that it is not deleted meanwhile
    uow.locked(select).await
}

/// Puts a client into a group. Once is enough.
///
/// # Errors
/// `forbidden` without `clients.edit`; `not_found`; `archived`; `validation_failed` when there is no such group.
pub async fn add(uow: &mut UnitOfWork, client: ClientId, input: &AddToGroup) -> Result<ClientGroup> {
    uow.caller().require(Permission::ClientsEdit)?;
    clients::find_editable(uow, client).await?;
    let missing = || Error::invalid_field("/client_group_id", "not_found", "there is no such group");
    let group = find_group(uow, input.client_group_id).await?.ok_or_else(missing)?;
    if find(uow, client, group.id).await?.is_none() {
        let now = uow.now();
        let row = ClientGroupMemberRow {
            id: uow.id(),
            workspace_id: uow.workspace()?,
            client_id: client,
            client_group_id: group.id,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        let change = change(&row, ADDED).detail("group", group.name.as_str());
        uow.insert(&row, change).await.on_unique(|| Error::new(&store::errors::BUSY))?;
    }
    Ok(group.into())
}

/// Takes a client out of a group.
///
/// # Errors
/// `forbidden` without `clients.edit`; `not_found` also when it is not in it; `archived`.
pub async fn remove(uow: &mut UnitOfWork, client: ClientId, group: ClientGroupId) -> Result<()> {
    uow.caller().require(Permission::ClientsEdit)?;
    clients::find_editable(uow, client).await?;
    let row = find(uow, client, group).await?.ok_or_else(Error::not_found)?;
    uow.delete(&row, change(&row, REMOVED)).await
}

async fn rows_of(conn: &mut Conn, clients: &[Uuid]) -> Result<Vec<ClientGroupMemberRow>> {
    let mut select = ClientGroupMemberRow::select();
    select.and_where(column("client_id").is_in(clients.iter().copied())).order_by(("client_group_member", "id"), Order::Asc);
    conn.all(&select).await
}

/// Takes clients that are purged out of every group.
pub(crate) async fn forget(uow: &mut UnitOfWork, clients: &[Uuid]) -> Result<()> {
    let rows = rows_of(uow, clients).await?;
    uow.delete_all(&rows, |row| change(row, REMOVED)).await
}

/// Takes every client out of a group that is deleted, which is locked.
pub(super) async fn leave(uow: &mut UnitOfWork, group: ClientGroupId) -> Result<()> {
    let mut select = ClientGroupMemberRow::select();
    select.and_where(column("client_group_id").eq(group.uuid()));
    let rows = uow.locked_all::<ClientGroupMemberRow>(select).await?;
    uow.delete_all(&rows, |row| change(row, REMOVED)).await
}

/// The groups that a client was in, read from the database of a backup.
pub(crate) async fn had(conn: &mut Conn, client: ClientId) -> Result<Vec<ClientGroupMemberRow>> {
    rows_of(conn, &[client.uuid()]).await
}

/// Puts a client that comes back into its groups once more, as far as there are still such. Returns how many.
pub(crate) async fn bring_back(uow: &mut UnitOfWork, had: &[ClientGroupMemberRow]) -> Result<usize> {
    let mut back = 0;
    for row in had {
        if find_group(uow, row.client_group_id).await?.is_some() {
            uow.bring_back(row.clone(), change(row, ADDED)).await?;
            back += 1;
        }
    }
    Ok(back)
}
