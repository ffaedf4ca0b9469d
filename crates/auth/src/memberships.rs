//! Memberships: which account has which role in a workspace.

use std::collections::HashMap;

use kernel::{Caller, DateTime, Error, Page, Permission, Result, TypedId as _, UserId, WorkspaceId};
use serde::{Deserialize, Serialize};
use store::list::{ListField, ListQuery, ListSpec, RecordQuery};
use store::query::{Expr, ExprTrait, Order, Query, SelectStatement};
use store::{Change, Conn, Record as _, UnitOfWork};
use utoipa::ToSchema;
use validator::Validate;

use crate::errors::{LAST_SUPER_ADMIN, ROLE_TOO_HIGH, SHARED_ACCOUNT};
use crate::roles::{self, SUPER_ADMIN};
use crate::rows::{MembershipId, MembershipRow, RoleId, RoleRow, UserRow};
use crate::users::{self, UserBrief};
use crate::{api_tokens, teams, workspaces};

/// An account's role in the workspace.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Membership {
    /// Its id.
    pub id: MembershipId,
    /// The account.
    pub user_id: UserId,
    /// The role's key.
    pub role: String,
    /// When it was made.
    pub created_at: DateTime,
    /// When it last changed.
    pub updated_at: DateTime,
    /// The account; with `include=user`.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserBrief>,
    /// Counts its changes; the ETag is made from it.
    #[serde(skip)]
    pub version: i64,
}

/// The body of `PATCH /v1/memberships/{membership_id}`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct MembershipPatch {
    /// The key of the new role.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

/// How memberships can be listed.
pub static MEMBERSHIP_LIST: ListSpec = ListSpec {
    name: "memberships",
    table: "membership",
    fields: &[
        ListField::uuid("user_id"),
        ListField::uuid("role_id"),
        ListField::time("created_at").sorted(),
        ListField::time("updated_at").sorted(),
    ],
    includes: &["user"],
    ..ListSpec::EMPTY
};

fn visible_to(caller: &Caller) -> Result<SelectStatement> {
    let mut select = MembershipRow::select();
    select.and_where(Expr::col(("membership", "workspace_id")).eq(caller.workspace()?.uuid()));
    Ok(select)
}

async fn dress(conn: &mut Conn, rows: Vec<MembershipRow>, query: &RecordQuery) -> Result<Vec<Membership>> {
    let Some(workspace) = rows.first().map(|row| row.workspace_id) else { return Ok(Vec::new()) };
    let keys = roles::keys(conn, workspace).await?;
    let mut briefs =
        if query.includes("user") { users::briefs(conn, rows.iter().map(|row| row.user_id)).await? } else { HashMap::new() };
    Ok(rows
        .into_iter()
        .map(|row| Membership {
            id: row.id,
            user_id: row.user_id,
            role: keys.get(&row.role_id).cloned().unwrap_or_default(),
            created_at: row.created_at,
            updated_at: row.updated_at,
            user: briefs.remove(&row.user_id),
            version: row.version,
        })
        .collect())
}

async fn dress_one(conn: &mut Conn, row: MembershipRow, query: &RecordQuery) -> Result<Membership> {
    dress(conn, vec![row], query).await?.pop().ok_or_else(Error::not_found)
}

/// Memberships of the workspace.
///
/// # Errors
/// `forbidden` without `admin.manage_users`.
pub async fn list(conn: &mut Conn, caller: &Caller, query: &ListQuery) -> Result<Page<Membership>> {
    caller.require(Permission::AdminManageUsers)?;
    let page = store::list::page::<MembershipRow>(conn, caller, visible_to(caller)?, &MEMBERSHIP_LIST, query).await?;
    Ok(Page { data: dress(conn, page.data, &query.record).await?, page: page.page })
}

/// One membership of the workspace.
///
/// # Errors
/// `forbidden` without `admin.manage_users`; `not_found`.
pub async fn get(conn: &mut Conn, caller: &Caller, id: MembershipId, query: &RecordQuery) -> Result<Membership> {
    caller.require(Permission::AdminManageUsers)?;
    let mut select = visible_to(caller)?;
    select.and_where(Expr::col(("membership", "id")).eq(id.uuid()));
    let row = conn.one::<MembershipRow>(&select).await?.ok_or_else(Error::not_found)?;
    dress_one(conn, row, query).await
}

async fn find_locked(uow: &mut UnitOfWork, id: MembershipId, seen: Option<i64>) -> Result<MembershipRow> {
    let workspace = uow.workspace()?;
    workspaces::lock(uow, workspace).await?;
    let mut select = visible_to(&uow.caller())?;
    select.and_where(Expr::col(("membership", "id")).eq(id.uuid()));
    let row = uow.locked::<MembershipRow>(select).await?.ok_or_else(Error::not_found)?;
    crate::check_seen(seen, row.version)?;
    Ok(row)
}

/// Gives a member another role.
///
/// # Errors
/// `forbidden` without `admin.manage_users`; `role_too_high` when the old or the new role allows more than the caller may;
/// `last_super_admin`; `not_found`; `stale`; `validation_failed` for a role that is not there.
pub async fn update(uow: &mut UnitOfWork, id: MembershipId, seen: Option<i64>, patch: MembershipPatch) -> Result<Membership> {
    let caller = uow.caller();
    caller.require(Permission::AdminManageUsers)?;
    let before = find_locked(uow, id, seen).await?;
    let Some(key) = patch.role else {
        return dress_one(uow, before, &RecordQuery::default()).await;
    };
    let role = role_to_give(uow, &caller, &key).await?;
    check_not_above(uow, &caller, before.workspace_id, before.role_id).await?;
    if role.id != before.role_id {
        keep_a_super_admin(uow, before.workspace_id, before.user_id).await?;
    }
    let after = MembershipRow { role_id: role.id, ..before.clone() };
    let change = Change::plain().about("user_account", before.user_id);
    let after = uow.update(&before, after, change).await?;
    dress_one(uow, after, &RecordQuery::default()).await
}

/// Takes a member out of the workspace.
///
/// # Errors
/// `forbidden` without `admin.manage_users`; `role_too_high`; `last_super_admin`; `not_found`; `stale`.
pub async fn delete(uow: &mut UnitOfWork, id: MembershipId, seen: Option<i64>) -> Result<()> {
    let caller = uow.caller();
    caller.require(Permission::AdminManageUsers)?;
    let row = find_locked(uow, id, seen).await?;
    check_not_above(uow, &caller, row.workspace_id, row.role_id).await?;
    keep_a_super_admin(uow, row.workspace_id, row.user_id).await?;
    teams::leave_all(uow, row.user_id).await?;
    api_tokens::switch_off_of(uow, row.user_id, Some(row.workspace_id)).await?;
    let change = Change::plain().about("user_account", row.user_id);
    uow.delete(&row, change).await
}

pub(crate) async fn insert(uow: &mut UnitOfWork, workspace: WorkspaceId, user: UserId, role: RoleId) -> Result<()> {
    let now = uow.now();
    let row = MembershipRow {
        id: uow.id(),
        workspace_id: workspace,
        user_id: user,
        role_id: role,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    uow.insert(&row, Change::plain().about("user_account", user)).await
}

/// The role of this key, if the caller may give it: nobody gives more than they have.
pub(crate) async fn role_to_give(uow: &mut UnitOfWork, caller: &Caller, key: &str) -> Result<RoleRow> {
    let workspace = caller.workspace()?;
    let Some(role) = roles::find_by_key(uow, workspace, key).await? else {
        let mut known: Vec<String> = roles::keys(uow, workspace).await?.into_values().collect();
        known.sort();
        let message = format!("there is no such role; there are {}", known.join(", "));
        return Err(Error::invalid_field("/role", "unknown_role", message));
    };
    if !role.permissions.difference(&caller.permissions).is_empty() {
        return Err(Error::new(&ROLE_TOO_HIGH));
    }
    Ok(role.row)
}

/// Nobody changes the membership of one who may more than they may.
async fn check_not_above(uow: &mut UnitOfWork, caller: &Caller, workspace: WorkspaceId, role: RoleId) -> Result<()> {
    let role = roles::find(uow, workspace, role).await?.ok_or_else(Error::not_found)?;
    if role.permissions.difference(&caller.permissions).is_empty() {
        return Ok(());
    }
    Err(Error::new(&ROLE_TOO_HIGH).with_detail("The member may do more than you may."))
}

/// Nobody changes the account of a member of the workspace who may more than they may.
pub(crate) async fn check_account_not_above(uow: &mut UnitOfWork, caller: &Caller, user: UserId) -> Result<()> {
    let mut select = visible_to(caller)?;
    select.and_where(Expr::col(("membership", "user_id")).eq(user.uuid()));
    match uow.one::<MembershipRow>(&select).await? {
        Some(row) => check_not_above(uow, caller, row.workspace_id, row.role_id).await,
        None => Ok(()),
    }
}

/// Fails when `leaving` is the last active super admin of the workspace. The workspace is locked by the caller of this, so that
/// two who leave at once are asked one after the other.
pub(crate) async fn keep_a_super_admin(uow: &mut UnitOfWork, workspace: WorkspaceId, leaving: UserId) -> Result<()> {
    let rows = uow.rows(&admins_of(workspace)).await?;
    let admins: Vec<UserId> = rows.iter().map(|row| row.get(0)).collect::<Result<_>>()?;
    if admins == [leaving] { Err(Error::new(&LAST_SUPER_ADMIN)) } else { Ok(()) }
}

fn admins_of(workspace: WorkspaceId) -> SelectStatement {
    let mut admins = Query::select();
    admins
        .column(("membership", "user_id"))
        .from("membership")
        .inner_join("role", Expr::col(("role", "id")).eq(Expr::col(("membership", "role_id"))))
        .inner_join("user_account", Expr::col(("user_account", "id")).eq(Expr::col(("membership", "user_id"))))
        .and_where(Expr::col(("membership", "workspace_id")).eq(workspace.uuid()))
        .and_where(Expr::col(("role", "key")).eq(SUPER_ADMIN))
        .and_where(Expr::col(("role", "is_system")).eq(true))
        .and_where(Expr::col(("user_account", "is_active")).eq(true));
    admins
}

/// Fails when an account belongs to other workspaces too, unless the caller may decide for them.
pub(crate) async fn check_not_shared(uow: &mut UnitOfWork, here: WorkspaceId, user: UserId) -> Result<()> {
    let shared = uow.as_installation(async |conn| Ok(!elsewhere_of(conn, here, user).await?.is_empty())).await?;
    if shared && !uow.caller().is_super_admin {
        return Err(Error::new(&SHARED_ACCOUNT).with_detail("Take it out of this workspace instead."));
    }
    Ok(())
}

/// Where an account is at home: in the workspace that is its own by default, if it belongs there, or where it has belonged for longest. Its
/// trail stands there; nobody belongs anywhere by calling it theirs. For an address that is nobody's the same is looked for.
pub(crate) async fn home_of(conn: &mut Conn, user: Option<&UserRow>) -> Result<Option<WorkspaceId>> {
    let id = user.map_or(uuid::Uuid::nil(), |user| user.id.uuid());
    let mut select = Query::select();
    select
        .column("workspace_id")
        .from("membership")
        .and_where(Expr::col("user_id").eq(id))
        .order_by("created_at", Order::Asc)
        .order_by("id", Order::Asc);
    let rows = conn.rows(&select).await?;
    let places: Vec<WorkspaceId> = rows.iter().map(|row| row.get(0)).collect::<Result<_>>()?;
    let belongs = |user: &UserRow| user.default_workspace_id.filter(|chosen| user.is_super_admin || places.contains(chosen));
    let chosen = user.and_then(belongs);
    Ok(chosen.or_else(|| places.first().copied()))
}

/// The other workspaces that an account belongs to. Row security hides them, so the installation looks.
async fn elsewhere_of(conn: &mut Conn, here: WorkspaceId, user: UserId) -> Result<Vec<WorkspaceId>> {
    let mut select = Query::select();
    select
        .column("workspace_id")
        .from("membership")
        .and_where(Expr::col("user_id").eq(user.uuid()))
        .and_where(Expr::col("workspace_id").ne(here.uuid()));
    conn.rows(&select).await?.iter().map(|row| row.get(0)).collect()
}

/// Fails when another workspace would lose its last super admin with an account that is to be switched off. Row security hides other
/// workspaces, so the installation looks.
pub(crate) async fn keep_a_super_admin_elsewhere(uow: &mut UnitOfWork, here: WorkspaceId, leaving: UserId) -> Result<()> {
    let is_last = async |conn: &mut Conn| {
        for workspace in elsewhere_of(conn, here, leaving).await? {
            let rows = conn.rows(&admins_of(workspace)).await?;
            let admins: Vec<UserId> = rows.iter().map(|row| row.get(0)).collect::<Result<_>>()?;
            if admins == [leaving] {
                return Ok(true);
            }
        }
        Ok(false)
    };
    if uow.as_installation(is_last).await? {
        return Err(Error::new(&LAST_SUPER_ADMIN).with_detail("It is the last one of another workspace."));
    }
    Ok(())
}
