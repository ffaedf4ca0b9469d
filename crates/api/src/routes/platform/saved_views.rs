//! `/v1/saved-views`.

use platform::saved_views::{self, CreateSavedView, SAVED_VIEW_LIST, SavedView, SavedViewId, SavedViewPatch};

use crate::VIEWABLES;
use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;
use crate::routes::page_schema;

page_schema! {
    /// A page of saved views.
    SavedViewPage of SavedView
}

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_list_saved_views, _, _>(list_saved_views).list(&SAVED_VIEW_LIST);
    registry.add::<__path_create_saved_view, _, _>(create_saved_view);
    registry.add::<__path_get_saved_view, _, _>(get_saved_view).record(&SAVED_VIEW_LIST);
    registry.add::<__path_update_saved_view, _, _>(update_saved_view);
    registry.add::<__path_delete_saved_view, _, _>(delete_saved_view);
}

/// List saved views
///
/// One's own, those of one's teams and those of the workspace, of lists that one sees. Whoever may `admin.manage_settings` sees those of all teams.
#[utoipa::path(get, path = "/v1/saved-views", tag = "saved views",
    responses((status = 200, description = "A page of views", body = SavedViewPage)))]
async fn list_saved_views(context: Context) -> ApiResult {
    let query = context.list_query(&SAVED_VIEW_LIST)?;
    let page = context.read(async |conn, caller| saved_views::list(conn, caller, VIEWABLES, &query).await).await?;
    context.page(&page, &query)
}

/// Create a saved view
///
/// What it asks is checked as the list checks it.
#[utoipa::path(post, path = "/v1/saved-views", tag = "saved views", request_body = CreateSavedView,
    responses((status = 201, description = "The view", body = SavedView)))]
async fn create_saved_view(context: Context, body: Body) -> ApiResult {
    let work = async |uow: &mut store::UnitOfWork, input| {
        let view = saved_views::create(uow, VIEWABLES, input).await?;
        Ok(Answer::created(format!("/v1/saved-views/{}", view.id), &view)?.version(view.version))
    };
    context.post::<CreateSavedView>(body, work).await
}

/// Get a saved view
///
/// What it asks comes as an object, and as a query string that is ready to be sent to the list.
#[utoipa::path(get, path = "/v1/saved-views/{view_id}", tag = "saved views",
    responses((status = 200, description = "The view", body = SavedView)))]
async fn get_saved_view(context: Context) -> ApiResult {
    let id: SavedViewId = context.id("view_id")?;
    let query = context.record_query(&SAVED_VIEW_LIST)?;
    let view = context.read(async |conn, caller| saved_views::get(conn, caller, VIEWABLES, id).await).await?;
    // whose default it is, is not the same for everybody
    context.living_record(&view, view.version, &query)
}

/// Change a saved view
///
/// Its owner does; whoever may `admin.manage_settings` changes the name and the query of one that is shared. Whether it is one's default,
/// everybody says for themselves who sees it.
#[utoipa::path(patch, path = "/v1/saved-views/{view_id}", tag = "saved views", request_body = SavedViewPatch,
    responses((status = 200, description = "The view", body = SavedView)))]
async fn update_saved_view(context: Context, body: Body) -> ApiResult {
    let id: SavedViewId = context.id("view_id")?;
    let work = async |uow: &mut store::UnitOfWork, seen, patch| {
        let view = saved_views::update(uow, VIEWABLES, id, seen, patch).await?;
        Ok(Answer::ok(&view)?.version(view.version))
    };
    context.patch::<SavedViewPatch>(body, work).await
}

/// Delete a saved view
///
/// Its owner does; of one that is shared, also whoever may `admin.manage_settings`.
#[utoipa::path(delete, path = "/v1/saved-views/{view_id}", tag = "saved views",
    responses((status = 204, description = "Deleted")))]
async fn delete_saved_view(context: Context) -> ApiResult {
    let id: SavedViewId = context.id("view_id")?;
    context.delete(async |uow, seen| saved_views::delete(uow, VIEWABLES, id, seen).await).await
}
