//! `/v1/teams`.

use auth::TeamId;
use auth::teams::{
    self, AddTeamMember, CreateTeam, LoadedMembers, MEMBER_LIST, MemberProblem, MemberRow, TEAM_LIST, Team, TeamMember,
    TeamMemberPatch, TeamPatch,
};
use kernel::{Result, UserId};
use platform::csv_source::{NamedRow, RowProblem, read_named};
use serde::Serialize;
use store::UnitOfWork;
use utoipa::ToSchema;

use crate::answer::Answer;
use crate::body::{Body, TableBody};
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;
use crate::routes::page_schema;

page_schema! {
    /// A page of teams.
    TeamPage of Team
}

page_schema! {
    /// A page of who is in a team.
    TeamMemberPage of TeamMember
}

/// A table of members: a header with `email`, and `role` where it is wanted.
#[derive(Serialize, ToSchema)]
#[schema(value_type = String)]
pub(crate) struct MemberTable(String);

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_list_teams, _, _>(list_teams).list(&TEAM_LIST);
    registry.add::<__path_create_team, _, _>(create_team);
    registry.add::<__path_get_team, _, _>(get_team).record(&TEAM_LIST);
    registry.add::<__path_update_team, _, _>(update_team);
    registry.add::<__path_delete_team, _, _>(delete_team);
    registry.add::<__path_list_team_members, _, _>(list_team_members).list(&MEMBER_LIST);
    registry.add::<__path_add_team_member, _, _>(add_team_member);
    registry.add::<__path_load_team_members, _, _>(load_team_members);
    registry.add::<__path_get_team_member, _, _>(get_team_member).record(&MEMBER_LIST);
    registry.add::<__path_update_team_member, _, _>(update_team_member);
    registry.add::<__path_remove_team_member, _, _>(remove_team_member);
}

/// List teams
///
/// All of the workspace for whoever manages users; for others those that they are in.
#[utoipa::path(get, path = "/v1/teams", tag = "teams",
    responses((status = 200, description = "A page of teams", body = TeamPage)))]
async fn list_teams(context: Context) -> ApiResult {
    let query = context.list_query(&TEAM_LIST)?;
    let page = context.read(async |conn, caller| teams::list(conn, caller, &query).await).await?;
    context.page(&page, &query)
}

/// Make a team
#[utoipa::path(post, path = "/v1/teams", tag = "teams", request_body = CreateTeam,
    responses((status = 201, description = "The team", body = Team)))]
async fn create_team(context: Context, body: Body) -> ApiResult {
    let work = async |uow: &mut UnitOfWork, input| {
        let team = teams::create(uow, input).await?;
        Ok(Answer::created(format!("/v1/teams/{}", team.id), &team)?.version(team.version))
    };
    context.post::<CreateTeam>(body, work).await
}

/// Get a team
#[utoipa::path(get, path = "/v1/teams/{team_id}", tag = "teams", responses((status = 200, description = "The team", body = Team)))]
async fn get_team(context: Context) -> ApiResult {
    let id: TeamId = context.id("team_id")?;
    let query = context.record_query(&TEAM_LIST)?;
    let team = context.read(async |conn, caller| teams::get(conn, caller, id).await).await?;
    context.record(&team, team.version, &query)
}

/// Change a team
#[utoipa::path(patch, path = "/v1/teams/{team_id}", tag = "teams", request_body = TeamPatch,
    responses((status = 200, description = "The team", body = Team)))]
async fn update_team(context: Context, body: Body) -> ApiResult {
    let id: TeamId = context.id("team_id")?;
    let work = async |uow: &mut UnitOfWork, seen, patch| {
        let team = teams::update(uow, id, seen, patch).await?;
        Ok(Answer::ok(&team)?.version(team.version))
    };
    context.patch::<TeamPatch>(body, work).await
}

/// Delete a team
///
/// Who was in it stays in the workspace.
#[utoipa::path(delete, path = "/v1/teams/{team_id}", tag = "teams", responses((status = 204, description = "Deleted")))]
async fn delete_team(context: Context) -> ApiResult {
    let id: TeamId = context.id("team_id")?;
    context.delete(async |uow, seen| teams::delete(uow, id, seen).await).await
}

/// List who is in a team
#[utoipa::path(get, path = "/v1/teams/{team_id}/members", tag = "teams",
    responses((status = 200, description = "A page of who is in it", body = TeamMemberPage)))]
async fn list_team_members(context: Context) -> ApiResult {
    let id: TeamId = context.id("team_id")?;
    let query = context.list_query(&MEMBER_LIST)?;
    let page = context.read(async |conn, caller| teams::list_members(conn, caller, id, &query).await).await?;
    context.page(&page, &query)
}

/// Take somebody into a team
///
/// A member of the workspace. Its leads may, and whoever manages users.
#[utoipa::path(post, path = "/v1/teams/{team_id}/members", tag = "teams", request_body = AddTeamMember,
    responses((status = 201, description = "Who is in it", body = TeamMember)))]
async fn add_team_member(context: Context, body: Body) -> ApiResult {
    let id: TeamId = context.id("team_id")?;
    let work = async |uow: &mut UnitOfWork, input| {
        let member = teams::add_member(uow, id, input).await?;
        Ok(Answer::created(format!("/v1/teams/{id}/members/{}", member.user_id), &member)?.version(member.version))
    };
    context.post::<AddTeamMember>(body, work).await
}

/// Take many into a team
///
/// CSV, as any spreadsheet writes it: a header with `email`, and `role` (`member` or `lead`) where it is wanted. What is right is done; each
/// row that is wrong is told with its line, and nothing is done of it. At most 100,000 rows in 8 MiB. Whoever is in the team and not in the table stays.
#[utoipa::path(post, path = "/v1/teams/{team_id}/members/load", tag = "teams",
    request_body(content = MemberTable, content_type = "text/csv"),
    responses((status = 200, description = "What became of it", body = LoadedMembers)))]
async fn load_team_members(context: Context, TableBody(body): TableBody) -> ApiResult {
    let id: TeamId = context.id("team_id")?;
    let work = async |uow: &mut UnitOfWork, bytes: &[u8]| {
        // of a table that nobody wants nothing is said
        teams::to_change(uow, id).await?;
        let (rows, unreadable) = table_of(bytes)?;
        Answer::ok(&teams::load_members(uow, id, &rows, unreadable).await?)
    };
    context.post_bytes(body, "text/csv", work).await
}

/// The rows of a table of members, and those that cannot be read.
fn table_of(bytes: &[u8]) -> Result<(Vec<MemberRow>, Vec<MemberProblem>)> {
    let (rows, problems) = read_named(bytes, ["email", "role"], 1, teams::MOST_ROWS)?;
    let row = |row: NamedRow<2>| {
        let [email, role] = row.values;
        MemberRow { line: row.line, email, role }
    };
    let problem = |problem: RowProblem| MemberProblem {
        line: problem.line,
        column: problem.column,
        code: problem.code.to_owned(),
        message: problem.reason,
    };
    Ok((rows.into_iter().map(row).collect(), problems.into_iter().map(problem).collect()))
}

/// Get one who is in a team
#[utoipa::path(get, path = "/v1/teams/{team_id}/members/{user_id}", tag = "teams",
    responses((status = 200, description = "Who is in it", body = TeamMember)))]
async fn get_team_member(context: Context) -> ApiResult {
    let (id, user): (TeamId, UserId) = (context.id("team_id")?, context.id("user_id")?);
    let query = context.record_query(&MEMBER_LIST)?;
    let member = context.read(async |conn, caller| teams::get_member(conn, caller, id, user, &query).await).await?;
    context.record(&member, member.version, &query)
}

/// Make a member of a team its lead, or a lead a member
#[utoipa::path(patch, path = "/v1/teams/{team_id}/members/{user_id}", tag = "teams", request_body = TeamMemberPatch,
    responses((status = 200, description = "Who is in it", body = TeamMember)))]
async fn update_team_member(context: Context, body: Body) -> ApiResult {
    let (id, user): (TeamId, UserId) = (context.id("team_id")?, context.id("user_id")?);
    let work = async |uow: &mut UnitOfWork, seen, patch| {
        let member = teams::change_member(uow, id, user, seen, patch).await?;
        Ok(Answer::ok(&member)?.version(member.version))
    };
    context.patch::<TeamMemberPatch>(body, work).await
}

/// Take somebody out of a team
///
/// They stay in the workspace.
#[utoipa::path(delete, path = "/v1/teams/{team_id}/members/{user_id}", tag = "teams",
    responses((status = 204, description = "Taken out")))]
async fn remove_team_member(context: Context) -> ApiResult {
    let (id, user): (TeamId, UserId) = (context.id("team_id")?, context.id("user_id")?);
    context.delete(async |uow, seen| teams::remove_member(uow, id, user, seen).await).await
}
