//! Roles: the seven of the installation, which are the same everywhere, and those that a workspace makes for itself.
//!
//! What a role allows in a workspace is what stands in it, with the workspace's override laid over it ([`Effective`]). Nobody gives by
//! a role, or takes by one, what they may not do themselves.

mod commands;
mod overrides;
mod system;

use std::collections::HashMap;

use kernel::{Caller, DateTime, Error, Permission, PermissionSet, Result, TypedId as _, WorkspaceId};
use serde::{Deserialize, Serialize};
use store::query::{Expr, ExprTrait, Order, SelectStatement};
use store::{Conn, Record as _};
use utoipa::ToSchema;

use crate::rows::{RoleId, RoleOverrideRow, RoleRow};

pub use commands::{CreateRole, RolePatch, create, delete, update};
pub(crate) use overrides::{Laid, laid_over};
pub use overrides::{RoleOverride, RoleOverridePatch, change_override, clear_override, get_override};
pub(crate) use system::super_admin;
pub use system::{SUPER_ADMIN, sync, system_role_keys, system_role_permissions};

/// A role.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Role {
    /// Its id.
    pub id: RoleId,
    /// Its stable name, such as `sales_agent`.
    pub key: String,
    /// Its name for people.
    pub name: String,
    /// Whether it came with the installation and cannot be deleted.
    pub is_system: bool,
    /// What it allows in this workspace, its override included, each as `area.action`.
    pub permissions: Vec<String>,
    /// Whether the workspace has laid an override over it.
    pub is_overridden: bool,
    /// When it was made.
    pub created_at: DateTime,
    /// When it last changed.
    pub updated_at: DateTime,
    /// Counts its changes; the ETag is made from it.
    #[serde(skip)]
    pub version: i64,
}

/// A role as it is in a workspace.
pub(crate) struct Effective {
    pub row: RoleRow,
    pub permissions: PermissionSet,
    over: Option<RoleOverrideRow>,
}

impl Effective {
    fn new(row: RoleRow, over: Option<RoleOverrideRow>) -> Self {
        let own = row.permission_set();
        let permissions = over.as_ref().map_or(own, |over| laid_over(own, &over.permissions.0));
        Self { row, permissions, over }
    }
}

impl From<Effective> for Role {
    fn from(role: Effective) -> Self {
        let row = role.row;
        Self {
            id: row.id,
            key: row.key,
            name: row.name,
            is_system: row.is_system,
            permissions: role.permissions.iter().map(|permission| permission.to_string()).collect(),
            is_overridden: role.over.is_some(),
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

/// Whoever manages roles or gives them sees them.
const VIEW: [Permission; 2] = [Permission::AdminManageUsers, Permission::AdminManageRoles];

/// Those of the installation, and the workspace's own.
fn of_workspace(workspace: WorkspaceId) -> SelectStatement {
    let mut select = RoleRow::select();
    let place = Expr::col(("role", "workspace_id"));
    select.and_where(place.clone().is_null().or(place.eq(workspace.uuid())));
    select
}

async fn override_of(conn: &mut Conn, workspace: WorkspaceId, role: RoleId) -> Result<Option<RoleOverrideRow>> {
    let mut select = RoleOverrideRow::select();
    select
        .and_where(Expr::col(("role_override", "workspace_id")).eq(workspace.uuid()))
        .and_where(Expr::col(("role_override", "role_id")).eq(role.uuid()));
    conn.one(&select).await
}

async fn effective(conn: &mut Conn, workspace: WorkspaceId, row: RoleRow) -> Result<Effective> {
    let over = override_of(conn, workspace, row.id).await?;
    Ok(Effective::new(row, over))
}

/// All roles that there are in the workspace, by key.
///
/// # Errors
/// `forbidden` without `admin.manage_users` or `admin.manage_roles`.
pub async fn list(conn: &mut Conn, caller: &Caller) -> Result<Vec<Role>> {
    caller.require_any(&VIEW)?;
    let workspace = caller.workspace()?;
    let mut select = of_workspace(workspace);
    select.order_by(("role", "key"), Order::Asc);
    let roles = conn.all::<RoleRow>(&select).await?;
    let mut select = RoleOverrideRow::select();
    select.and_where(Expr::col(("role_override", "workspace_id")).eq(workspace.uuid()));
    let mut overrides: HashMap<RoleId, RoleOverrideRow> =
        conn.all::<RoleOverrideRow>(&select).await?.into_iter().map(|over| (over.role_id, over)).collect();
    let dress = |role: RoleRow| {
        let over = overrides.remove(&role.id);
        Effective::new(role, over).into()
    };
    Ok(roles.into_iter().map(dress).collect())
}

/// One role.
///
/// # Errors
/// `forbidden` without `admin.manage_users` or `admin.manage_roles`; `not_found`.
pub async fn get(conn: &mut Conn, caller: &Caller, id: RoleId) -> Result<Role> {
    caller.require_any(&VIEW)?;
    find(conn, caller.workspace()?, id).await?.map(Role::from).ok_or_else(Error::not_found)
}

/// A role that there is in a workspace, as it is there.
pub(crate) async fn find(conn: &mut Conn, workspace: WorkspaceId, id: RoleId) -> Result<Option<Effective>> {
    let mut select = of_workspace(workspace);
    select.and_where(Expr::col(("role", "id")).eq(id.uuid()));
    match conn.one::<RoleRow>(&select).await? {
        Some(row) => effective(conn, workspace, row).await.map(Some),
        None => Ok(None),
    }
}

/// A role by its key. Where a workspace made one before the installation had one of the same key, it means its own.
pub(crate) async fn find_by_key(conn: &mut Conn, workspace: WorkspaceId, key: &str) -> Result<Option<Effective>> {
    let mut select = of_workspace(workspace);
    select.and_where(Expr::col(("role", "key")).eq(key)).order_by(("role", "is_system"), Order::Asc).limit(1);
    match conn.one::<RoleRow>(&select).await? {
        Some(row) => effective(conn, workspace, row).await.map(Some),
        None => Ok(None),
    }
}

/// The keys of the roles that there are in a workspace.
pub(crate) async fn keys(conn: &mut Conn, workspace: WorkspaceId) -> Result<HashMap<RoleId, String>> {
    Ok(conn.all::<RoleRow>(&of_workspace(workspace)).await?.into_iter().map(|role| (role.id, role.key)).collect())
}
