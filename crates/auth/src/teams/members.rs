//! Who is in a team.

use std::collections::HashMap;

use kernel::error::codes;
use kernel::{Caller, DateTime, Error, Page, Permission, Result, TypedId as _, UserId};
use serde::{Deserialize, Serialize};
use store::list::{ListField, ListQuery, ListSpec, RecordQuery};
use store::query::{Expr, ExprTrait, Order, SelectStatement};
use store::{Change, Conn, OnUnique as _, Record as _, UnitOfWork};
use utoipa::ToSchema;
use validator::Validate;

use super::{TeamRole, find, person};
use crate::errors::ALREADY_IN_TEAM;
use crate::rows::{TeamId, TeamMemberRow};
use crate::users::{self, UserBrief};
use crate::workspaces;

/// Somebody in a team.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TeamMember {
    /// The account.
    pub user_id: UserId,
    /// What they are in it.
    pub role: TeamRole,
    /// When they came.
    pub created_at: DateTime,
    /// When this last changed.
    pub updated_at: DateTime,
    /// The account; with `include=user`.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserBrief>,
    /// Counts its changes; the ETag is made from it.
    #[serde(skip)]
    pub version: i64,
}

/// The body of `POST /v1/teams/{team_id}/members`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct AddTeamMember {
    /// The account of a member of the workspace.
    pub user_id: UserId,
    /// What they are in it: `member` unless given.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<TeamRole>,
}

/// The body of `PATCH /v1/teams/{team_id}/members/{user_id}`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct TeamMemberPatch {
    /// What they are in it.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<TeamRole>,
}

/// How the members of a team can be listed.
pub static MEMBER_LIST: ListSpec = ListSpec {
    name: "team_members",
    table: "team_member",
    fields: &[
        ListField::uuid("user_id"),
        ListField::word("role", &["member", "lead"]),
        ListField::time("created_at").sorted(),
        ListField::time("updated_at").sorted(),
    ],
    includes: &["user"],
    default_sort: &["created_at"],
    ..ListSpec::EMPTY
};

fn of_team(team: TeamId) -> SelectStatement {
    let mut select = TeamMemberRow::select();
    select.and_where(Expr::col(("team_member", "team_id")).eq(team.uuid()));
    select
}

async fn dress(conn: &mut Conn, rows: Vec<TeamMemberRow>, query: &RecordQuery) -> Result<Vec<TeamMember>> {
    let mut briefs =
        if query.includes("user") { users::briefs(conn, rows.iter().map(|row| row.user_id)).await? } else { HashMap::new() };
    let wire = |row: TeamMemberRow| TeamMember {
        user_id: row.user_id,
        role: row.role,
        created_at: row.created_at,
        updated_at: row.updated_at,
        user: briefs.remove(&row.user_id),
        version: row.version,
    };
    Ok(rows.into_iter().map(wire).collect())
}

async fn dress_one(conn: &mut Conn, row: TeamMemberRow, query: &RecordQuery) -> Result<TeamMember> {
    dress(conn, vec![row], query).await?.pop().ok_or_else(Error::not_found)
}

/// Who is in a team that the caller sees.
///
/// # Errors
/// `not_found`.
pub async fn list_members(conn: &mut Conn, caller: &Caller, team: TeamId, query: &ListQuery) -> Result<Page<TeamMember>> {
    find(conn, caller, team).await?;
    let query = query.within(team.uuid());
    let page = store::list::page::<TeamMemberRow>(conn, caller, of_team(team), &MEMBER_LIST, &query).await?;
    Ok(Page { data: dress(conn, page.data, &query.record).await?, page: page.page })
}

/// One who is in a team that the caller sees.
///
/// # Errors
/// `not_found`.
pub async fn get_member(conn: &mut Conn, caller: &Caller, team: TeamId, user: UserId, query: &RecordQuery) -> Result<TeamMember> {
    find(conn, caller, team).await?;
    let mut select = of_team(team);
    select.and_where(Expr::col(("team_member", "user_id")).eq(user.uuid()));
    let row = conn.one::<TeamMemberRow>(&select).await?.ok_or_else(Error::not_found)?;
    dress_one(conn, row, query).await
}

/// Locks the workspace, so that whoever is taken out of it meanwhile comes into no team of it, and makes sure that the caller may say who
/// is in the team.
///
/// # Errors
/// `not_found` for whoever does not see the team; `forbidden` for one who neither leads it nor manages users.
pub async fn to_change(uow: &mut UnitOfWork, team: TeamId) -> Result<()> {
    let caller = uow.caller();
    let workspace = uow.workspace()?;
    workspaces::lock(uow, workspace).await?;
    find(uow, &caller, team).await?;
    if caller.can(Permission::AdminManageUsers) {
        return Ok(());
    }
    let mut select = of_team(team);
    select.and_where(Expr::col(("team_member", "user_id")).eq(person(&caller).map(UserId::uuid)));
    match uow.one::<TeamMemberRow>(&select).await? {
        Some(row) if row.role == TeamRole::Lead => Ok(()),
        _ => Err(Error::new(&codes::FORBIDDEN).with_detail("Only a lead of the team, or one who manages users, may.")),
    }
}

/// Takes a member of the workspace into a team.
///
/// # Errors
/// `not_found` and `forbidden` as for whoever may change the team; `already_in_team`; `validation_failed` for one who is no member of the
/// workspace.
pub async fn add_member(uow: &mut UnitOfWork, team: TeamId, input: AddTeamMember) -> Result<TeamMember> {
    to_change(uow, team).await?;
    let workspace = uow.workspace()?;
    if !users::is_member(uow, workspace, input.user_id).await? {
        return Err(Error::invalid_field("/user_id", "not_found", "is no member of the workspace"));
    }
    let row = new_row(uow, team, input.user_id, input.role.unwrap_or(TeamRole::Member))?;
    let change = Change::plain().about("team", team);
    uow.insert(&row, change).await.on_unique(|| Error::new(&ALREADY_IN_TEAM))?;
    dress_one(uow, row, &RecordQuery::default()).await
}

pub(super) fn new_row(uow: &mut UnitOfWork, team: TeamId, user: UserId, role: TeamRole) -> Result<TeamMemberRow> {
    let now = uow.now();
    Ok(TeamMemberRow {
        id: uow.id(),
        workspace_id: uow.workspace()?,
        team_id: team,
        user_id: user,
        role,
        version: 1,
        created_at: now,
        updated_at: now,
    })
}

async fn find_locked(uow: &mut UnitOfWork, team: TeamId, user: UserId, seen: Option<i64>) -> Result<TeamMemberRow> {
    to_change(uow, team).await?;
    let mut select = of_team(team);
    select.and_where(Expr::col(("team_member", "user_id")).eq(user.uuid()));
    let row = uow.locked::<TeamMemberRow>(select).await?.ok_or_else(Error::not_found)?;
    crate::check_seen(seen, row.version)?;
    Ok(row)
}

/// Makes a member of a team its lead, or a lead a member.
///
/// # Errors
/// As [`add_member`]; `stale`.
pub async fn change_member(
    uow: &mut UnitOfWork,
    team: TeamId,
    user: UserId,
    seen: Option<i64>,
    patch: TeamMemberPatch,
) -> Result<TeamMember> {
    let before = find_locked(uow, team, user, seen).await?;
    let after = TeamMemberRow { role: patch.role.unwrap_or(before.role), ..before.clone() };
    let after = uow.update(&before, after, Change::plain().about("team", team)).await?;
    dress_one(uow, after, &RecordQuery::default()).await
}

/// Takes somebody out of a team.
///
/// # Errors
/// As [`add_member`]; `stale`.
pub async fn remove_member(uow: &mut UnitOfWork, team: TeamId, user: UserId, seen: Option<i64>) -> Result<()> {
    let row = find_locked(uow, team, user, seen).await?;
    uow.delete(&row, Change::plain().about("team", team)).await
}

/// Takes one who leaves the workspace, which is locked, out of its teams.
pub(crate) async fn leave_all(uow: &mut UnitOfWork, user: UserId) -> Result<()> {
    let mut select = TeamMemberRow::select();
    select
        .and_where(Expr::col(("team_member", "workspace_id")).eq(uow.workspace()?.uuid()))
        .and_where(Expr::col(("team_member", "user_id")).eq(user.uuid()))
        .order_by(("team_member", "id"), Order::Asc);
    let rows = uow.all::<TeamMemberRow>(&select).await?;
    uow.delete_all(&rows, |row| Change::plain().about("team", row.team_id)).await
}
