//! Teams themselves: made, changed and deleted.

use kernel::{Error, FieldError, Patch, Permission, Result, TypedId as _, text};
use serde::{Deserialize, Serialize};
use store::query::{Expr, ExprTrait, Order};
use store::{Change, OnUnique as _, Record as _, UnitOfWork};
use utoipa::ToSchema;
use validator::Validate;

use super::{Team, visible_to};
use crate::errors::TEAM_NAME_TAKEN;
use crate::rows::{TeamId, TeamMemberRow, TeamRow};
use crate::{shape, workspaces};

/// The body of `POST /v1/teams`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CreateTeam {
    /// 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    #[validate(custom(function = shape::filled))]
    pub name: String,
    /// What it is for, at most 1,000 characters.
    #[schema(max_length = 1000)]
    #[validate(length(max = 1000))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// The body of `PATCH /v1/teams/{team_id}`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct TeamPatch {
    /// 1 to 100 characters.
    #[schema(nullable = false, min_length = 1, max_length = 100)]
    #[validate(custom(function = shape::filled))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is for, at most 1,000 characters.
    #[schema(value_type = Option<String>, max_length = 1000)]
    #[validate(length(max = 1000))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub description: Patch<String>,
}

fn name_taken() -> Error {
    Error::new(&TEAM_NAME_TAKEN).with_field(FieldError::new("/name", "taken", "belongs to another team"))
}

/// Makes a team.
///
/// # Errors
/// `forbidden` without `admin.manage_users`; `team_name_taken`.
pub async fn create(uow: &mut UnitOfWork, input: CreateTeam) -> Result<Team> {
    uow.caller().require(Permission::AdminManageUsers)?;
    let now = uow.now();
    let row = TeamRow {
        id: uow.id(),
        workspace_id: uow.workspace()?,
        name_key: text::fold(input.name.trim()),
        name: input.name.trim().to_owned(),
        description: input.description,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    uow.insert(&row, Change::plain()).await.on_unique(name_taken)?;
    Ok(row.into())
}

async fn find_locked(uow: &mut UnitOfWork, id: TeamId, seen: Option<i64>) -> Result<TeamRow> {
    let caller = uow.caller();
    caller.require(Permission::AdminManageUsers)?;
    // whoever is put into it holds the lock of the workspace: it goes before, or with them in it
    workspaces::lock(uow, caller.workspace()?).await?;
    let mut select = visible_to(&caller)?;
    select.and_where(Expr::col(("team", "id")).eq(id.uuid()));
    let row = uow.locked::<TeamRow>(select).await?.ok_or_else(Error::not_found)?;
    crate::check_seen(seen, row.version)?;
    Ok(row)
}

/// Changes a team.
///
/// # Errors
/// `forbidden` without `admin.manage_users`; `not_found`; `stale`; `team_name_taken`.
pub async fn update(uow: &mut UnitOfWork, id: TeamId, seen: Option<i64>, patch: TeamPatch) -> Result<Team> {
    let before = find_locked(uow, id, seen).await?;
    let mut after = before.clone();
    if let Some(name) = patch.name {
        name.trim().clone_into(&mut after.name);
        after.name_key = text::fold(&after.name);
    }
    patch.description.apply(&mut after.description);
    uow.update(&before, after, Change::plain()).await.on_unique(name_taken).map(Team::from)
}

/// Deletes a team; who was in it stays in the workspace.
///
/// # Errors
/// `forbidden` without `admin.manage_users`; `not_found`; `stale`.
pub async fn delete(uow: &mut UnitOfWork, id: TeamId, seen: Option<i64>) -> Result<()> {
    let row = find_locked(uow, id, seen).await?;
    let mut select = TeamMemberRow::select();
    select.and_where(Expr::col(("team_member", "team_id")).eq(id.uuid())).order_by(("team_member", "id"), Order::Asc);
    let members = uow.all::<TeamMemberRow>(&select).await?;
    uow.delete_all(&members, |_| Change::plain().about("team", id)).await?;
    uow.delete(&row, Change::plain()).await
}
