//! Many members at once, as a table names them: what is right is done, and every row that is wrong is told.

use std::collections::HashMap;

use kernel::{Result, TypedId as _, UserId};
use serde::{Deserialize, Serialize};
use store::query::{Expr, ExprTrait};
use store::{Change, OnUnique as _, Record as _, UnitOfWork};
use utoipa::ToSchema;

use super::TeamRole;
use super::members::{new_row, to_change};
use crate::rows::{TeamId, TeamMemberRow};
use crate::{shape, users};

/// Rows that a table has at most; each of them may be one that the answer tells of.
pub const MOST_ROWS: usize = 100_000;

/// A row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRow {
    /// The line that it begins in, from 1.
    pub line: u64,
    /// The address of a member of the workspace.
    pub email: String,
    /// `member` or `lead`; empty for `member`, or for what they are already.
    pub role: String,
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberProblem {
    /// The line that it begins in, from 1.
    pub line: u64,
    /// The column, where it is about one.
    pub column: Option<String>,
    /// What is wrong, as a word for programs.
    pub code: String,
    /// What is wrong, as a sentence for people.
    pub message: String,
}

/// What became of a table of members.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LoadedMembers {
    /// Who came into the team.
    pub added: u64,
    /// Who was in it and is something else now.
    pub changed: u64,
    /// Who was in it as the table says.
    pub unchanged: u64,
    /// Rows that are wrong, of which nothing was done.
    pub wrong: u64,
    /// What is wrong with each of them, by line.
    pub problems: Vec<MemberProblem>,
}

impl LoadedMembers {
    fn note(&mut self, problem: MemberProblem) {
        self.wrong += 1;
        self.problems.push(problem);
    }
}

fn problem(line: u64, column: &str, code: &str, message: &str) -> MemberProblem {
    MemberProblem { line, column: Some(column.to_owned()), code: code.to_owned(), message: message.to_owned() }
}

/// Takes members of the workspace into a team, or makes them something else in it. `unreadable` are rows that could not be read. Before it reads
/// a table, whoever calls this makes sure by [`to_change`] that it is wanted.
///
/// # Errors
/// `not_found` for whoever does not see the team; `forbidden` for one who neither leads it nor manages users.
pub async fn load_members(
    uow: &mut UnitOfWork,
    team: TeamId,
    rows: &[MemberRow],
    unreadable: Vec<MemberProblem>,
) -> Result<LoadedMembers> {
    to_change(uow, team).await?;
    let workspace = uow.workspace()?;
    let members = users::members_by_email(uow, workspace).await?;
    let mut select = TeamMemberRow::select();
    select.and_where(Expr::col(("team_member", "team_id")).eq(team.uuid()));
    let there: HashMap<UserId, TeamMemberRow> =
        uow.all::<TeamMemberRow>(&select).await?.into_iter().map(|row| (row.user_id, row)).collect();
    let mut loaded = LoadedMembers::default();
    unreadable.into_iter().for_each(|problem| loaded.note(problem));
    let (mut named, mut new, mut changed) = (HashMap::new(), Vec::new(), Vec::new());
    for row in rows {
        let (user, role) = match read(row, &members) {
            Ok(read) => read,
            Err(problem) => {
                loaded.note(problem);
                continue;
            }
        };
        if let Some(first) = named.insert(user, row.line) {
            named.insert(user, first);
            loaded.note(problem(row.line, "email", "duplicate", &format!("stands in line {first} already")));
            continue;
        }
        match (there.get(&user), role) {
            (None, role) => new.push(new_row(uow, team, user, role.unwrap_or(TeamRole::Member))?),
            (Some(before), Some(role)) if before.role != role => changed.push((before, role)),
            (Some(_), _) => loaded.unchanged += 1,
        }
    }
    loaded.added = new.len() as u64;
    loaded.changed = changed.len() as u64;
    let about = |_: &TeamMemberRow| Change::plain().about("team", team);
    uow.insert_all(&new, about).await.on_unique(|| kernel::Error::new(&store::errors::BUSY))?;
    for (before, role) in changed {
        let after = TeamMemberRow { role, ..before.clone() };
        uow.update(before, after, about(before)).await?;
    }
    loaded.problems.sort_by_key(|problem| problem.line);
    Ok(loaded)
}

/// Who a row is about, and what they are to be.
fn read(row: &MemberRow, members: &HashMap<String, UserId>) -> std::result::Result<(UserId, Option<TeamRole>), MemberProblem> {
    if row.email.is_empty() {
        return Err(problem(row.line, "email", "required", "must not be empty"));
    }
    let Some(user) = members.get(&shape::email_key(&row.email)) else {
        return Err(problem(row.line, "email", "unknown_member", "belongs to no member of the workspace"));
    };
    let role = match row.role.to_lowercase().as_str() {
        "" => None,
        "member" => Some(TeamRole::Member),
        "lead" => Some(TeamRole::Lead),
        _ => return Err(problem(row.line, "role", "unknown_role", "must be member or lead")),
    };
    Ok((*user, role))
}
