//! Teams: members of a workspace who work together, some of them as its leads.
//!
//! Whoever manages users sees and changes every team. Everybody else sees the teams that they are in; a lead changes who is in theirs. An API
//! token has what its scopes say and nothing of its maker's place in a team.

mod commands;
mod load;
mod members;

use std::collections::HashMap;

use kernel::{Actor, Caller, DateTime, Error, Page, Permission, Result, TypedId as _, UserId, WorkspaceId};
use serde::{Deserialize, Serialize};
use store::list::{ListField, ListQuery, ListSpec};
use store::query::{Expr, ExprTrait, Order, Query, SelectStatement};
use store::{Conn, Record as _};
use utoipa::ToSchema;

use crate::Auth;
use crate::me::MyTeam;
use crate::rows::{TeamId, TeamRow};

pub use commands::{CreateTeam, TeamPatch, create, delete, update};
pub use load::{LoadedMembers, MOST_ROWS, MemberProblem, MemberRow, load_members};
pub(crate) use members::leave_all;
pub use members::{
    AddTeamMember, MEMBER_LIST, TeamMember, TeamMemberPatch, add_member, change_member, get_member, list_members, remove_member,
    to_change,
};

store::text_enum! {
    /// What somebody is in a team.
    pub enum TeamRole {
        /// One of it.
        Member = "member",
        /// One who says who is in it.
        Lead = "lead",
    }
}

/// A team.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Team {
    /// Its id.
    pub id: TeamId,
    /// Its name, unique in the workspace without regard to case and accents.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// When it was made.
    pub created_at: DateTime,
    /// When it last changed.
    pub updated_at: DateTime,
    /// Counts its changes; the ETag is made from it.
    #[serde(skip)]
    pub version: i64,
}

impl From<TeamRow> for Team {
    fn from(row: TeamRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            description: row.description,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

/// How teams can be listed.
pub static TEAM_LIST: ListSpec = ListSpec {
    name: "teams",
    table: "team",
    fields: &[
        ListField::text("name").folded("name_key"),
        ListField::time("created_at").sorted(),
        ListField::time("updated_at").sorted(),
    ],
    default_sort: &["name"],
    ..ListSpec::EMPTY
};

/// The teams that the caller sees: all of the workspace, or those that they are in.
fn visible_to(caller: &Caller) -> Result<SelectStatement> {
    let mut select = TeamRow::select();
    select.and_where(Expr::col(("team", "workspace_id")).eq(caller.workspace()?.uuid()));
    if !caller.can(Permission::AdminManageUsers) {
        let mut own = Query::select();
        own.column("team_id").from("team_member").and_where(Expr::col("user_id").eq(person(caller).map(UserId::uuid)));
        select.and_where(Expr::col(("team", "id")).in_subquery(own));
    }
    Ok(select)
}

/// Who the caller is in teams: an account that is signed in.
fn person(caller: &Caller) -> Option<UserId> {
    match caller.actor {
        Actor::User { user, .. } => Some(user),
        _ => None,
    }
}

/// Teams of the workspace, as far as the caller sees them.
///
/// # Errors
/// `no_workspace`.
pub async fn list(conn: &mut Conn, caller: &Caller, query: &ListQuery) -> Result<Page<Team>> {
    let page = store::list::page::<TeamRow>(conn, caller, visible_to(caller)?, &TEAM_LIST, query).await?;
    Ok(page.map(Team::from))
}

/// One team.
///
/// # Errors
/// `not_found`.
pub async fn get(conn: &mut Conn, caller: &Caller, id: TeamId) -> Result<Team> {
    find(conn, caller, id).await.map(Team::from)
}

/// The teams of the one who is signed in, by workspace. The installation looks, as row security shows one workspace at a time.
pub(crate) async fn of_person(auth: &Auth, caller: &Caller) -> Result<HashMap<WorkspaceId, Vec<MyTeam>>> {
    let mut found: HashMap<WorkspaceId, Vec<MyTeam>> = HashMap::new();
    let Some(user) = person(caller) else { return Ok(found) };
    let mut select = Query::select();
    select
        .columns([("team", "workspace_id"), ("team", "id"), ("team", "name"), ("team_member", "role")])
        .from("team")
        .inner_join("team_member", Expr::col(("team_member", "team_id")).eq(Expr::col(("team", "id"))))
        .and_where(Expr::col(("team_member", "user_id")).eq(user.uuid()))
        .order_by(("team", "name_key"), Order::Asc);
    let mut reader = auth.store().reader(&auth.installation()).await?;
    for row in reader.rows(&select).await? {
        found.entry(row.get(0)?).or_default().push(MyTeam { id: row.get(1)?, name: row.get(2)?, role: row.get(3)? });
    }
    reader.close().await?;
    Ok(found)
}

/// The ids of the teams that an account is in: for conditions of what a team sees.
pub fn ids_of(user: UserId) -> SelectStatement {
    let mut ids = Query::select();
    ids.column("team_id").from("team_member").and_where(Expr::col("user_id").eq(user.uuid()));
    ids
}

/// Whether an account is in a team of a workspace.
///
/// # Errors
/// What the database says.
pub async fn is_in(conn: &mut Conn, workspace: WorkspaceId, user: UserId, team: TeamId) -> Result<bool> {
    let mut select = ids_of(user);
    select.and_where(Expr::col("workspace_id").eq(workspace.uuid())).and_where(Expr::col("team_id").eq(team.uuid()));
    Ok(conn.row(&select).await?.is_some())
}

async fn find(conn: &mut Conn, caller: &Caller, id: TeamId) -> Result<TeamRow> {
    let mut select = visible_to(caller)?;
    select.and_where(Expr::col(("team", "id")).eq(id.uuid()));
    conn.one::<TeamRow>(&select).await?.ok_or_else(Error::not_found)
}
