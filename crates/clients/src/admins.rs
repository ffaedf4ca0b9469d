//! The staff responsible for a client, beside its owner: whoever sees their own clients sees these too.
//!
//! As with an owner, leaving the workspace ends nothing of it: whoever left sees no client, and whoever comes back sees theirs again.

use std::collections::HashMap;

use auth::users::UserBrief;
use kernel::{Caller, DateTime, Error, Permission, Result, TypedId as _, UserId};
use serde::{Deserialize, Serialize};
use store::query::{Expr, ExprTrait, Order, Query, SelectStatement, Value};
use store::{Change, Conn, OnUnique as _, Record as _, UnitOfWork};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::clients;
use crate::errors::ALREADY_RESPONSIBLE;
use crate::rows::ClientId;

kernel::typed_id! {
    /// Names somebody's being responsible for a client.
    pub ClientAdminId
}
store::id_fields!(ClientAdminId);

store::record! {
    pub(crate) struct ClientAdminRow in "client_admin" of workspace {
        id: ClientAdminId;
        client_id: ClientId,
        user_id: UserId,
        assigned_by: Option<UserId>,
    }
}

/// Somebody who is responsible for a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClientAdmin {
    /// The client.
    pub client_id: ClientId,
    /// The staff account.
    pub user_id: UserId,
    /// Who they are.
    pub user: Option<UserBrief>,
    /// Who made them responsible.
    pub assigned_by: Option<UserId>,
    /// Since when they are.
    pub created_at: DateTime,
}

/// The body of `POST /v1/clients/{client_id}/admins`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct AddClientAdmin {
    /// A member of the workspace.
    pub user_id: UserId,
}

fn column(name: &'static str) -> Expr {
    Expr::col(("client_admin", name))
}

/// The ids of the clients that somebody is responsible for: for filters.
pub(crate) fn clients_with(user: Value) -> SelectStatement {
    let mut ids = Query::select();
    ids.expr_as(column("client_id"), "found").from("client_admin").and_where(column("user_id").eq(user));
    ids
}

fn told(row: &ClientAdminRow, users: &HashMap<UserId, UserBrief>) -> ClientAdmin {
    ClientAdmin {
        client_id: row.client_id,
        user_id: row.user_id,
        user: users.get(&row.user_id).cloned(),
        assigned_by: row.assigned_by,
        created_at: row.created_at,
    }
}

fn change(row: &ClientAdminRow) -> Change {
    Change::plain().about("client", row.client_id)
}

/// Who is responsible for these clients, the longest-standing first, in two queries.
pub(crate) async fn of(conn: &mut Conn, caller: &Caller, clients: &[Uuid]) -> Result<HashMap<ClientId, Vec<ClientAdmin>>> {
    let mut select = ClientAdminRow::select();
    select
        .and_where(column("workspace_id").eq(caller.workspace()?.uuid()))
        .and_where(column("client_id").is_in(clients.iter().copied()))
        .order_by(("client_admin", "created_at"), Order::Asc)
        .order_by(("client_admin", "id"), Order::Asc);
    let rows = conn.all::<ClientAdminRow>(&select).await?;
    let users = auth::users::briefs(conn, rows.iter().map(|row| row.user_id)).await?;
    let mut found: HashMap<ClientId, Vec<ClientAdmin>> = HashMap::new();
    for row in rows {
        found.entry(row.client_id).or_default().push(told(&row, &users));
    }
    Ok(found)
}

/// Who is responsible for a client, the longest-standing first.
///
/// # Errors
/// `forbidden` without `clients.view_all` or `clients.view_own`; `not_found`.
pub async fn list(conn: &mut Conn, caller: &Caller, client: ClientId) -> Result<Vec<ClientAdmin>> {
    clients::get_row(conn, caller, client).await?;
    Ok(of(conn, caller, &[client.uuid()]).await?.remove(&client).unwrap_or_default())
}

async fn find(uow: &mut UnitOfWork, client: ClientId, user: UserId) -> Result<Option<ClientAdminRow>> {
    let mut select = ClientAdminRow::select();
    select.and_where(column("client_id").eq(client.uuid())).and_where(column("user_id").eq(user.uuid()));
    uow.one(&select).await
}

/// Makes somebody responsible for a client.
///
/// # Errors
/// `forbidden` without `clients.edit`; `not_found`; `archived`; `validation_failed` when they are no member of the workspace;
/// `already_responsible`.
pub async fn add(uow: &mut UnitOfWork, client: ClientId, input: &AddClientAdmin) -> Result<ClientAdmin> {
    let caller = uow.caller();
    caller.require(Permission::ClientsEdit)?;
    clients::find_editable(uow, client).await?;
    let (workspace, now) = (uow.workspace()?, uow.now());
    if !auth::users::is_member(uow, workspace, input.user_id).await? {
        return Err(Error::invalid_field("/user_id", "not_a_member", "must be a member of the workspace"));
    }
    if find(uow, client, input.user_id).await?.is_some() {
        return Err(Error::new(&ALREADY_RESPONSIBLE));
    }
    let row = ClientAdminRow {
        id: uow.id(),
        workspace_id: workspace,
        client_id: client,
        user_id: input.user_id,
        assigned_by: caller.actor.user(),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    uow.insert(&row, change(&row).event("client.admin_added")).await.on_unique(|| Error::new(&ALREADY_RESPONSIBLE))?;
    let users = auth::users::briefs(uow, [row.user_id]).await?;
    Ok(told(&row, &users))
}

/// Makes somebody no longer responsible for a client.
///
/// # Errors
/// `forbidden` without `clients.edit`; `not_found` also when they are not; `archived`.
pub async fn remove(uow: &mut UnitOfWork, client: ClientId, user: UserId) -> Result<()> {
    uow.caller().require(Permission::ClientsEdit)?;
    clients::find_editable(uow, client).await?;
    let row = find(uow, client, user).await?.ok_or_else(Error::not_found)?;
    uow.delete(&row, change(&row).event("client.admin_removed")).await
}

async fn rows_of(conn: &mut Conn, clients: &[Uuid]) -> Result<Vec<ClientAdminRow>> {
    let mut select = ClientAdminRow::select();
    select.and_where(column("client_id").is_in(clients.iter().copied())).order_by(("client_admin", "id"), Order::Asc);
    conn.all(&select).await
}

/// Nobody is responsible any more for clients that are purged.
pub(crate) async fn forget(uow: &mut UnitOfWork, clients: &[Uuid]) -> Result<()> {
    let rows = rows_of(uow, clients).await?;
    uow.delete_all(&rows, |row| change(row).event("client.admin_removed")).await
}

/// Who was responsible for a client, read from the database of a backup.
pub(crate) async fn had(conn: &mut Conn, client: ClientId) -> Result<Vec<ClientAdminRow>> {
    rows_of(conn, &[client.uuid()]).await
}

/// Makes those responsible again for a client that comes back who are still members. Returns how many.
pub(crate) async fn bring_back(uow: &mut UnitOfWork, had: &[ClientAdminRow]) -> Result<usize> {
    let workspace = uow.workspace()?;
    let mut back = 0;
    for row in had {
        if auth::users::is_member(uow, workspace, row.user_id).await? {
            uow.bring_back(row.clone(), change(row).event("client.admin_added")).await?;
            back += 1;
        }
    }
    Ok(back)
}
