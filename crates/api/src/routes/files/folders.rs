//! `/v1/folders`.

use files::FolderId;
use files::folders::{self as commands, CreateFolder, FOLDER_LIST, Folder, FolderPatch};

use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;
use crate::routes::page_schema;

page_schema! {
    /// A page of folders.
    FolderPage of Folder
}

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_list_folders, _, _>(list_folders).list(&FOLDER_LIST);
    registry.add::<__path_create_folder, _, _>(create_folder);
    registry.add::<__path_get_folder, _, _>(get_folder).record(&FOLDER_LIST);
    registry.add::<__path_update_folder, _, _>(update_folder);
    registry.add::<__path_delete_folder, _, _>(delete_folder);
}

/// List folders
///
/// Those on records that the caller may see; with `files.view` those of the workspace too.
#[utoipa::path(get, path = "/v1/folders", tag = "files",
    responses((status = 200, description = "A page of folders", body = FolderPage)))]
async fn list_folders(context: Context) -> ApiResult {
    let query = context.list_query(&FOLDER_LIST)?;
    let files = &context.state.files;
    let page = context.read(async |conn, caller| commands::list(conn, caller, files, &query).await).await?;
    context.page(&page, &query)
}

/// Create a folder
///
/// In another one, on a record, or in the workspace. On a record it needs the right to edit the record, else `files.manage_folders`.
#[utoipa::path(post, path = "/v1/folders", tag = "files", request_body = CreateFolder,
    responses((status = 201, description = "The folder", body = Folder)))]
async fn create_folder(context: Context, body: Body) -> ApiResult {
    let files = &context.state.files;
    let work = async |uow: &mut store::UnitOfWork, input| {
        let folder = commands::create(uow, files, input).await?;
        Ok(Answer::created(format!("/v1/folders/{}", folder.id), &folder)?.version(folder.version))
    };
    context.post::<CreateFolder>(body, work).await
}

/// Get a folder
#[utoipa::path(get, path = "/v1/folders/{folder_id}", tag = "files",
    responses((status = 200, description = "The folder", body = Folder)))]
async fn get_folder(context: Context) -> ApiResult {
    let id: FolderId = context.id("folder_id")?;
    let query = context.record_query(&FOLDER_LIST)?;
    let files = &context.state.files;
    let folder = context.read(async |conn, caller| commands::get(conn, caller, files, id).await).await?;
    context.record(&folder, folder.version, &query)
}

/// Rename or move a folder
///
/// With all that lies in it; never into itself, nor to another record.
#[utoipa::path(patch, path = "/v1/folders/{folder_id}", tag = "files", request_body = FolderPatch,
    responses((status = 200, description = "The folder", body = Folder)))]
async fn update_folder(context: Context, body: Body) -> ApiResult {
    let id: FolderId = context.id("folder_id")?;
    let files = &context.state.files;
    let work = async |uow: &mut store::UnitOfWork, seen, patch| {
        let folder = commands::update(uow, files, id, seen, patch).await?;
        Ok(Answer::ok(&folder)?.version(folder.version))
    };
    context.patch::<FolderPatch>(body, work).await
}

/// Delete a folder
///
/// One that is empty.
#[utoipa::path(delete, path = "/v1/folders/{folder_id}", tag = "files", responses((status = 204, description = "Deleted")))]
async fn delete_folder(context: Context) -> ApiResult {
    let id: FolderId = context.id("folder_id")?;
    let files = &context.state.files;
    context.delete(async |uow, seen| commands::delete(uow, files, id, seen).await).await
}
