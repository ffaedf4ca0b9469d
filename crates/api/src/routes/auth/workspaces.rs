//! `/v1/workspaces`.

use auth::workspaces::{self, CreateWorkspace, WORKSPACE_LIST, Workspace, WorkspacePatch};
use kernel::WorkspaceId;

use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;
use crate::routes::page_schema;

page_schema! {
    /// A page of workspaces.
    WorkspacePage of Workspace
}

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_list_workspaces, _, _>(list_workspaces).list(&WORKSPACE_LIST);
    registry.add::<__path_create_workspace, _, _>(create_workspace);
    registry.add::<__path_get_workspace, _, _>(get_workspace).record(&WORKSPACE_LIST);
    registry.add::<__path_update_workspace, _, _>(update_workspace);
}

/// List workspaces
///
/// Those that the caller belongs to.
#[utoipa::path(get, path = "/v1/workspaces", tag = "workspaces",
    responses((status = 200, description = "A page of workspaces", body = WorkspacePage)))]
async fn list_workspaces(context: Context) -> ApiResult {
    let query = context.list_query(&WORKSPACE_LIST)?;
    let page = context.read(async |conn, caller| workspaces::list(conn, caller, &query).await).await?;
    context.page(&page, &query)
}

/// Create a workspace
///
/// The caller becomes its first super admin.
#[utoipa::path(post, path = "/v1/workspaces", tag = "workspaces", request_body = CreateWorkspace,
    responses((status = 201, description = "The workspace", body = Workspace)))]
async fn create_workspace(context: Context, body: Body) -> ApiResult {
    let work = async |uow: &mut store::UnitOfWork, input| {
        let workspace = workspaces::create(uow, input).await?;
        clients::stages::provide(uow, workspace.id, &workspace.locale).await?;
        Ok(Answer::created(format!("/v1/workspaces/{}", workspace.id), &workspace)?.version(workspace.version))
    };
    context.post::<CreateWorkspace>(body, work).await
}

/// Get a workspace
#[utoipa::path(get, path = "/v1/workspaces/{workspace_id}", tag = "workspaces",
    responses((status = 200, description = "The workspace", body = Workspace)))]
async fn get_workspace(context: Context) -> ApiResult {
    let id: WorkspaceId = context.id("workspace_id")?;
    let query = context.record_query(&WORKSPACE_LIST)?;
    let workspace = context.read(async |conn, caller| workspaces::get(conn, caller, id).await).await?;
    // the installation may change what holds in it
    context.living_record(&workspace, workspace.version, &query)
}

/// Change a workspace
///
/// The one that the caller is in.
#[utoipa::path(patch, path = "/v1/workspaces/{workspace_id}", tag = "workspaces", request_body = WorkspacePatch,
    responses((status = 200, description = "The workspace", body = Workspace)))]
async fn update_workspace(context: Context, body: Body) -> ApiResult {
    let id: WorkspaceId = context.id("workspace_id")?;
    let work = async |uow: &mut store::UnitOfWork, seen, patch| {
        let workspace = workspaces::update(uow, id, seen, patch).await?;
        Ok(Answer::ok(&workspace)?.version(workspace.version))
    };
    context.patch::<WorkspacePatch>(body, work).await
}
