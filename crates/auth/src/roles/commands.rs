//! Roles of a workspace's own: made, changed and deleted.

use kernel::{Caller, Error, FieldError, Permission, PermissionSet, Result, TypedId as _};
use serde::{Deserialize, Serialize};
use store::query::{Expr, ExprTrait, Order, Query};
use store::{Change, Json, OnUnique as _, Record as _, UnitOfWork};
use utoipa::ToSchema;
use validator::Validate;

use super::{Effective, Role, effective, find};
use crate::errors::{OWN_LAST_RIGHT, ROLE_IN_USE, ROLE_IS_FIXED, ROLE_KEY_TAKEN, ROLE_TOO_HIGH};
use crate::rows::{InvitationRow, RoleId, RoleRow};
use crate::{shape, workspaces};

/// The body of `POST /v1/roles`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CreateRole {
    /// Its stable name: 2 to 60 lower-case letters, digits and underscores, beginning with a letter.
    #[schema(min_length = 2, max_length = 60, pattern = "^[a-z][a-z0-9_]{1,59}$")]
    #[validate(custom(function = shape::key))]
    pub key: String,
    /// Its name for people, 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    #[validate(custom(function = shape::filled))]
    pub name: String,
    /// What it allows, each as `area.action`; none that the caller lacks.
    #[schema(max_items = 200)]
    #[validate(length(max = 200))]
    pub permissions: Vec<String>,
}

/// The body of `PATCH /v1/roles/{role_id}`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct RolePatch {
    /// Its name for people, 1 to 100 characters.
    #[schema(nullable = false, min_length = 1, max_length = 100)]
    #[validate(custom(function = shape::filled))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it allows from now on, each as `area.action`; none that the caller lacks.
    #[schema(nullable = false, max_items = 200)]
    #[validate(length(max = 200))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
}

/// Reads names of permissions; everything that is none is told.
fn permissions_of(names: &[String]) -> Result<PermissionSet> {
    let (mut set, mut wrong) = (PermissionSet::none(), Vec::new());
    for (place, name) in names.iter().enumerate() {
        match name.parse::<Permission>() {
            Ok(permission) => set.insert(permission),
            Err(unknown) => {
                wrong.push(FieldError::new(format!("/permissions/{place}"), "unknown_permission", unknown.to_string()));
            }
        }
    }
    if wrong.is_empty() { Ok(set) } else { Err(Error::invalid(wrong)) }
}

fn key_taken() -> Error {
    Error::new(&ROLE_KEY_TAKEN).with_field(FieldError::new("/key", "taken", "belongs to another role"))
}

/// Nobody gives what they do not have, nor takes it from others.
pub(super) fn check_change(caller: &Caller, before: PermissionSet, after: PermissionSet) -> Result<()> {
    let [given, taken] = [after.difference(&before), before.difference(&after)].map(|set| set.difference(&caller.permissions));
    if given.is_empty() && taken.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = given.iter().chain(taken.iter()).map(|permission| permission.to_string()).collect();
    Err(Error::new(&ROLE_TOO_HIGH).with_detail(format!("You have no {} yourself.", names.join(", "))))
}

/// Nobody takes the right to manage roles from themselves: another must do it.
pub(super) async fn check_own_right(uow: &mut UnitOfWork, role: RoleId, after: PermissionSet) -> Result<()> {
    let caller = uow.caller();
    let kept = after.contains(Permission::AdminManageRoles) || caller.is_super_admin;
    let Some(user) = caller.actor.user().filter(|_| !kept) else { return Ok(()) };
    let mut own = Query::select();
    own.column("id")
        .from("membership")
        .and_where(Expr::col("workspace_id").eq(uow.workspace()?.uuid()))
        .and_where(Expr::col("user_id").eq(user.uuid()))
        .and_where(Expr::col("role_id").eq(role.uuid()));
    if uow.row(&own).await?.is_some() { Err(Error::new(&OWN_LAST_RIGHT)) } else { Ok(()) }
}

/// The role, locked with its workspace, so that nobody gives it meanwhile.
pub(super) async fn find_locked(uow: &mut UnitOfWork, id: RoleId) -> Result<Effective> {
    let workspace = uow.workspace()?;
    workspaces::lock(uow, workspace).await?;
    find(uow, workspace, id).await?.ok_or_else(Error::not_found)
}

async fn find_own(uow: &mut UnitOfWork, id: RoleId, seen: Option<i64>) -> Result<RoleRow> {
    uow.caller().require(Permission::AdminManageRoles)?;
    let role = find_locked(uow, id).await?;
    crate::check_seen(seen, role.row.version)?;
    if role.row.is_system {
        return Err(Error::new(&ROLE_IS_FIXED).with_detail("It came with the installation: lay an override over it."));
    }
    Ok(role.row)
}

/// Makes a role.
///
/// # Errors
/// `forbidden` without `admin.manage_roles`; `role_too_high`; `role_key_taken`; `validation_failed`.
pub async fn create(uow: &mut UnitOfWork, input: CreateRole) -> Result<Role> {
    let caller = uow.caller();
    caller.require(Permission::AdminManageRoles)?;
    let (workspace, now) = (uow.workspace()?, uow.now());
    let permissions = permissions_of(&input.permissions)?;
    check_change(&caller, PermissionSet::none(), permissions)?;
    if super::system_role_keys().any(|key| key == input.key) {
        return Err(key_taken());
    }
    let row = RoleRow {
        id: uow.id(),
        workspace_id: Some(workspace),
        key: input.key,
        name: input.name.trim().to_owned(),
        is_system: false,
        permissions: Json(permissions.iter().map(|permission| permission.to_string()).collect()),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    uow.insert(&row, Change::plain()).await.on_unique(key_taken)?;
    Ok(Effective::new(row, None).into())
}

/// Changes a role of the workspace's own. Whoever has it may from now on what it says now.
///
/// # Errors
/// `forbidden` without `admin.manage_roles`; `role_is_fixed` for one of the installation; `role_too_high`; `own_last_right`; `not_found`;
/// `stale`; `validation_failed`.
pub async fn update(uow: &mut UnitOfWork, id: RoleId, seen: Option<i64>, patch: RolePatch) -> Result<Role> {
    let before = find_own(uow, id, seen).await?;
    let mut after = before.clone();
    if let Some(name) = patch.name {
        name.trim().clone_into(&mut after.name);
    }
    if let Some(names) = patch.permissions {
        let permissions = permissions_of(&names)?;
        check_change(&uow.caller(), before.permission_set(), permissions)?;
        check_own_right(uow, id, permissions).await?;
        after.permissions = Json(permissions.iter().map(|permission| permission.to_string()).collect());
    }
    let after = uow.update(&before, after, Change::plain()).await?;
    let workspace = uow.workspace()?;
    effective(uow, workspace, after).await.map(Role::from)
}

/// Deletes a role of the workspace's own that nobody has and nobody is invited to. Invitations to it that are over go with it; the journal
/// keeps them.
///
/// # Errors
/// `forbidden` without `admin.manage_roles`; `role_is_fixed` for one of the installation; `role_in_use`; `not_found`; `stale`.
pub async fn delete(uow: &mut UnitOfWork, id: RoleId, seen: Option<i64>) -> Result<()> {
    let row = find_own(uow, id, seen).await?;
    let mut members = Query::select();
    members.column("id").from("membership").and_where(Expr::col("role_id").eq(id.uuid())).limit(1);
    if uow.row(&members).await?.is_some() {
        return Err(Error::new(&ROLE_IN_USE).with_detail("A member has it."));
    }
    let mut select = InvitationRow::select();
    select.and_where(Expr::col(("invitation", "role_id")).eq(id.uuid())).order_by(("invitation", "id"), Order::Asc);
    let invitations = uow.all::<InvitationRow>(&select).await?;
    let now = uow.now();
    let is_open = |row: &InvitationRow| row.accepted_at.is_none() && row.revoked_at.is_none() && row.expires_at > now;
    if invitations.iter().any(is_open) {
        return Err(Error::new(&ROLE_IN_USE).with_detail("Somebody is invited to it."));
    }
    uow.delete_all(&invitations, |_| Change::plain().about("role", id)).await?;
    uow.delete(&row, Change::plain()).await
}
