//! `/v1/files`.

use files::FileId;
use files::files::{self as commands, FILE_LIST, File, FilePatch, UploadFile};

use crate::answer::Answer;
use crate::body::Body;
use crate::context::{Context, Parts};
use crate::problem::ApiResult;
use crate::registry::Registry;
use crate::routes::page_schema;

page_schema! {
    /// A page of files.
    FilePage of File
}

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_list_files, _, _>(list_files).list(&FILE_LIST);
    registry.add::<__path_upload_file, _, _>(upload_file);
    registry.add::<__path_get_file, _, _>(get_file).record(&FILE_LIST);
    registry.add::<__path_update_file, _, _>(update_file);
    registry.add::<__path_archive_file, _, _>(archive_file);
    registry.add::<__path_restore_file, _, _>(restore_file);
    registry.add::<__path_purge_file, _, _>(purge_file);
}

/// List files
///
/// Those on records that the caller may see; with `files.view` those on none too.
#[utoipa::path(get, path = "/v1/files", tag = "files",
    responses((status = 200, description = "A page of files", body = FilePage)))]
async fn list_files(context: Context) -> ApiResult {
    let query = context.list_query(&FILE_LIST)?;
    let files = &context.state.files;
    let page = context.read(async |conn, caller| commands::list(conn, caller, files, &query).await).await?;
    context.page(&page, &query)
}

/// Upload a file
///
/// As a form with the part `file` and what is said of it. What it is, its content says; the workspace's `file_kinds` says what is
/// taken. On a record it needs the right to edit the record, on none `files.upload`. All of it is there afterwards, or nothing.
#[utoipa::path(post, path = "/v1/files", tag = "files",
    request_body(content = UploadFile, content_type = "multipart/form-data"),
    responses((status = 201, description = "The file", body = File)))]
async fn upload_file(context: Context, parts: Parts) -> ApiResult {
    let files = &context.state.files;
    let work = async |uow: &mut store::UnitOfWork, input: &UploadFile, filename: &str, stored: &_| {
        commands::create(uow, files, input, filename, stored).await
    };
    context.upload(parts, work).await
}

/// Get a file
///
/// What is known of it. Its content is at `/v1/files/{file_id}/content`.
#[utoipa::path(get, path = "/v1/files/{file_id}", tag = "files",
    responses((status = 200, description = "The file", body = File)))]
async fn get_file(context: Context) -> ApiResult {
    let id: FileId = context.id("file_id")?;
    let query = context.record_query(&FILE_LIST)?;
    let files = &context.state.files;
    let file = context.read(async |conn, caller| commands::get(conn, caller, files, id).await).await?;
    // its thumbnail comes without a change
    context.living_record(&file, file.version, &query)
}

/// Change a file
///
/// What is said of it. Its content stays: put in another file instead.
#[utoipa::path(patch, path = "/v1/files/{file_id}", tag = "files", request_body = FilePatch,
    responses((status = 200, description = "The file", body = File)))]
async fn update_file(context: Context, body: Body) -> ApiResult {
    let id: FileId = context.id("file_id")?;
    let files = &context.state.files;
    let work = async |uow: &mut store::UnitOfWork, seen, patch| {
        let file = commands::update(uow, files, id, seen, patch).await?;
        Ok(Answer::ok(&file)?.version(file.version))
    };
    context.patch::<FilePatch>(body, work).await
}

/// Archive a file
///
/// It is left out of lists, links to it lead nowhere, and it can be restored.
#[utoipa::path(delete, path = "/v1/files/{file_id}", tag = "files", responses((status = 204, description = "Archived")))]
async fn archive_file(context: Context) -> ApiResult {
    let id: FileId = context.id("file_id")?;
    let files = &context.state.files;
    context.delete(async |uow, seen| commands::archive(uow, files, id, seen).await).await
}

/// Restore a file
#[utoipa::path(post, path = "/v1/files/{file_id}/restore", tag = "files",
    responses((status = 200, description = "The file", body = File)))]
async fn restore_file(context: Context, body: Body) -> ApiResult {
    let id: FileId = context.id("file_id")?;
    let files = &context.state.files;
    let work = async |uow: &mut store::UnitOfWork, seen| {
        let file = commands::restore(uow, files, id, seen).await?;
        Ok(Answer::ok(&file)?.version(file.version))
    };
    context.act(body, work).await
}

/// Purge a file
///
/// Deletes an archived file and its content for ever.
#[utoipa::path(post, path = "/v1/files/{file_id}/purge", tag = "files", responses((status = 204, description = "Gone")))]
async fn purge_file(context: Context, body: Body) -> ApiResult {
    let id: FileId = context.id("file_id")?;
    let files = &context.state.files;
    let work = async |uow: &mut store::UnitOfWork, seen| {
        commands::purge(uow, files, id, seen).await?;
        Ok(Answer::nothing())
    };
    let answered = context.act(body, work).await;
    context.remove_objects();
    answered
}
