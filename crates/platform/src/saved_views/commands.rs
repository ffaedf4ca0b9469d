//! Saved views, made, changed and deleted.

use auth::TeamId;
use kernel::error::{Faults, codes};
use kernel::{Caller, Error, FieldError, Permission, Result, TypedId as _, UserId, text};
use serde::{Deserialize, Serialize};
use store::query::{ExprTrait, SelectStatement};
use store::{Change, Json, OnUnique as _, Record as _, UnitOfWork};
use utoipa::ToSchema;
use validator::Validate;

use super::defaults::{self, Defaults};
use super::{SavedView, SavedViewId, SavedViewRow, Sharing, ViewQuery, ViewQueryPatch, Viewables, column, person, visible_to};
use crate::custom_fields::Fields;
use crate::errors::VIEW_NAME_TAKEN;

/// The body of `POST /v1/saved-views`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CreateSavedView {
    /// The list: `clients` or `contacts`.
    #[schema(max_length = 60)]
    pub list: String,
    /// 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    #[validate(custom(function = kernel::shape::filled))]
    pub name: String,
    /// Who sees it besides oneself; nobody unless given.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sharing: Option<Sharing>,
    /// The team that sees it, one of one's own; with `sharing` `team`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_id: Option<TeamId>,
    /// Whether it is what one wants to see first of this list; the one that was is it no more.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_default: Option<bool>,
    /// What it asks; everything unless given.
    #[schema(nullable = false)]
    #[validate(nested)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<ViewQuery>,
}

/// The body of `PATCH /v1/saved-views/{view_id}`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct SavedViewPatch {
    /// 1 to 100 characters.
    #[schema(nullable = false, min_length = 1, max_length = 100)]
    #[validate(custom(function = kernel::shape::filled))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who sees it besides its owner, who alone says so.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sharing: Option<Sharing>,
    /// The team that sees it, one of one's own.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team_id: Option<TeamId>,
    /// Whether it is what one wants to see first of this list, instead of the one that was. Whoever sees the view says so, for themselves.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_default: Option<bool>,
    /// What it asks.
    #[schema(nullable = false)]
    #[validate(nested)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<ViewQueryPatch>,
}

impl SavedViewPatch {
    /// Whether nothing is said of the view itself.
    fn is_of_the_default_alone(&self) -> bool {
        let Self { name, sharing, team_id, is_default, query } = self;
        is_default.is_some() && name.is_none() && sharing.is_none() && team_id.is_none() && query.is_none()
    }
}

fn name_taken() -> Error {
    Error::new(&VIEW_NAME_TAKEN).with_field(FieldError::new("/name", "taken", "belongs to another view of this list"))
}

fn not_its_owner(detail: &'static str) -> Error {
    Error::new(&codes::FORBIDDEN).with_detail(detail)
}

/// The one who is signed in.
fn owner(caller: &Caller) -> Result<UserId> {
    person(caller).ok_or_else(|| not_its_owner("Only one who is signed in has views."))
}

/// The team that sees a view which is shared so.
async fn team_of(uow: &mut UnitOfWork, user: UserId, sharing: Sharing, team: Option<TeamId>) -> Result<Option<TeamId>> {
    match (sharing, team) {
        (Sharing::Team, None) => Err(Error::invalid_field("/team_id", "required", "is missing")),
        (Sharing::Team, Some(team)) => {
            let workspace = uow.workspace()?;
            if auth::teams::is_in(uow, workspace, user, team).await? {
                return Ok(Some(team));
            }
            Err(Error::invalid_field("/team_id", "not_found", "you are in no such team"))
        }
        (_, Some(_)) => Err(Error::invalid_field("/team_id", "unexpected", "is for views that a team sees")),
        (_, None) => Ok(None),
    }
}

/// Makes a view.
///
/// # Errors
/// `forbidden` for whoever does not see the list, and for an API token; `validation_failed` for a list that there is none of, for what the
/// list cannot be asked, and for a team that the caller is not in; `view_name_taken`.
pub async fn create(uow: &mut UnitOfWork, lists: Viewables, input: CreateSavedView) -> Result<SavedView> {
    let caller = uow.caller();
    let user = owner(&caller)?;
    let mut query = input.query.unwrap_or_default();
    let mut faults = Faults::new();
    let list = faults.keep(lists.find(&caller, &input.list))?.map(|viewable| viewable.list);
    if let Some(list) = list {
        let workspace = uow.workspace()?;
        let fields = Fields::of(uow, workspace, list.table).await?;
        faults.keep(query.check(list, &fields))?;
        query.name_options(&fields);
    }
    let sharing = input.sharing.unwrap_or(Sharing::Private);
    let team = faults.keep(team_of(uow, user, sharing, input.team_id).await)?;
    faults.into_result()?;
    let (Some(list), Some(team)) = (list, team) else { return Err(Error::internal("a fault was not told")) };
    let now = uow.now();
    let row = SavedViewRow {
        id: uow.id(),
        workspace_id: uow.workspace()?,
        user_id: user,
        list: list.name.to_owned(),
        name_key: text::fold(input.name.trim()),
        name: input.name.trim().to_owned(),
        team_id: team,
        is_shared: sharing == Sharing::Workspace,
        query: Json(query),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    check_name(uow, &row).await?;
    uow.insert(&row, Change::plain()).await.on_unique(raced)?;
    if input.is_default == Some(true) {
        defaults::settle(uow, user, &row, true).await?;
    }
    Ok(SavedView::shown(row, &Defaults::of(uow, &caller).await?))
}

/// Somebody was faster: there is another view of this name, or another default, and the unit of work runs again and sees it.
pub(super) fn raced() -> Error {
    Error::new(&store::errors::BUSY).with_retry_after(1)
}

/// Refuses a name that another view of the same owner and list has.
async fn check_name(uow: &mut UnitOfWork, row: &SavedViewRow) -> Result<()> {
    let mut select = of_owner(row);
    select.and_where(column("name_key").eq(row.name_key.as_str()));
    match uow.one::<SavedViewRow>(&select).await? {
        Some(_) => Err(name_taken()),
        None => Ok(()),
    }
}

/// The other views of the same owner and list.
fn of_owner(row: &SavedViewRow) -> SelectStatement {
    let mut select = SavedViewRow::select();
    select
        .and_where(column("workspace_id").eq(row.workspace_id.uuid()))
        .and_where(column("user_id").eq(row.user_id.uuid()))
        .and_where(column("list").eq(row.list.as_str()))
        .and_where(column("id").ne(row.id.uuid()));
    select
}

/// A view that the caller sees, at the version that they have seen, and whether it is their own.
async fn find(uow: &mut UnitOfWork, lists: Viewables, id: SavedViewId, seen: Option<i64>) -> Result<(SavedViewRow, bool)> {
    let caller = uow.caller();
    let row = uow.one::<SavedViewRow>(&this(&caller, lists, id)?).await?.ok_or_else(Error::not_found)?;
    auth::check_seen(seen, row.version)?;
    let is_own = person(&caller) == Some(row.user_id);
    Ok((row, is_own))
}

fn this(caller: &Caller, lists: Viewables, id: SavedViewId) -> Result<SelectStatement> {
    let mut select = visible_to(caller, lists)?;
    select.and_where(column("id").eq(id.uuid()));
    Ok(select)
}

/// A view that the caller may change, locked, as [`find`] finds it.
async fn find_own(uow: &mut UnitOfWork, lists: Viewables, id: SavedViewId, seen: Option<i64>) -> Result<(SavedViewRow, bool)> {
    let caller = uow.caller();
    // whoever may not change it may not lock it either
    let (row, is_own) = find(uow, lists, id, None).await?;
    let may_change = is_own || (row.is_shared_with_others() && caller.can(Permission::AdminManageSettings));
    if !may_change {
        return Err(not_its_owner("Only its owner changes a view."));
    }
    let row = uow.locked::<SavedViewRow>(this(&caller, lists, id)?).await?.ok_or_else(Error::not_found)?;
    auth::check_seen(seen, row.version)?;
    Ok((row, is_own))
}

/// Changes a view, and whether it is the caller's default, which everybody says who sees it.
///
/// # Errors
/// `not_found`; `forbidden` for whoever does not own it, but for one that is shared with `admin.manage_settings`, who leaves it shared,
/// and for a token that would have a default; `stale`; `validation_failed` as [`create`]; `view_name_taken`.
pub async fn update(
    uow: &mut UnitOfWork,
    lists: Viewables,
    id: SavedViewId,
    seen: Option<i64>,
    patch: SavedViewPatch,
) -> Result<SavedView> {
    let caller = uow.caller();
    let is_default = patch.is_default;
    let row = if patch.is_of_the_default_alone() {
        find(uow, lists, id, seen).await?.0
    } else {
        change(uow, lists, id, seen, patch).await?
    };
    if let Some(is_default) = is_default {
        defaults::settle(uow, owner(&caller)?, &row, is_default).await?;
    }
    Ok(SavedView::shown(row, &Defaults::of(uow, &caller).await?))
}

/// Changes what a view is, for all who see it.
async fn change(
    uow: &mut UnitOfWork,
    lists: Viewables,
    id: SavedViewId,
    seen: Option<i64>,
    patch: SavedViewPatch,
) -> Result<SavedViewRow> {
    let caller = uow.caller();
    let (before, is_own) = find_own(uow, lists, id, seen).await?;
    let list = lists.find(&caller, &before.list)?.list;
    if !is_own && (patch.sharing.is_some() || patch.team_id.is_some()) {
        return Err(not_its_owner("Only its owner says who sees a view."));
    }
    let mut after = before.clone();
    if let Some(name) = patch.name {
        name.trim().clone_into(&mut after.name);
        after.name_key = text::fold(&after.name);
    }
    let mut faults = Faults::new();
    if let Some(query) = patch.query {
        query.apply(&mut after.query.0);
        let fields = Fields::of(uow, before.workspace_id, list.table).await?;
        faults.keep(after.query.0.check(list, &fields))?;
        after.query.0.name_options(&fields);
    }
    if patch.sharing.is_some() || patch.team_id.is_some() {
        let now = if before.team_id.is_some() { Sharing::Team } else { Sharing::Private };
        let sharing = patch.sharing.unwrap_or(if before.is_shared { Sharing::Workspace } else { now });
        let team = patch.team_id.or(before.team_id.filter(|_| sharing == Sharing::Team));
        if let Some(team) = faults.keep(team_of(uow, before.user_id, sharing, team).await)? {
            (after.team_id, after.is_shared) = (team, sharing == Sharing::Workspace);
        }
    }
    faults.into_result()?;
    if after.name_key != before.name_key && is_own {
        check_name(uow, &after).await?;
    }
    uow.update(&before, after, Change::plain()).await.on_unique(if is_own { raced } else { name_taken })
}

/// Deletes a view, and what the journal holds of its name and its query.
///
/// # Errors
/// `not_found`; `forbidden` for whoever does not own it, but for one that is shared with `admin.manage_settings`; `stale`.
pub async fn delete(uow: &mut UnitOfWork, lists: Viewables, id: SavedViewId, seen: Option<i64>) -> Result<()> {
    let (row, _) = find_own(uow, lists, id, seen).await?;
    defaults::forget(uow, row.id).await?;
    // whom it looked for is nobody's to know any more
    store::journal::erase(uow, [row.id.uuid()]).await?;
    uow.delete_and_forget(&row, Change::plain()).await
}
