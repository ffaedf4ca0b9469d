//! The content of files: `/v1/files/{file_id}/content`, `/v1/files/{file_id}/thumbnail`, links to it, and `/public/v1/files/{file_id}`, where ours lead.

use files::FileId;
use files::files as commands;
use files::links::{self, FileLink, LinkRequest, Shown, Signed};
use files::thumbnails;
use kernel::error::Faults;
use kernel::{Error, Result, WorkspaceId};
use utoipa::ToSchema;

use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::problem::{ApiResult, Failure};
use crate::registry::Registry;

/// The content of a file.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "it names the content of files in the document")]
pub(crate) struct FileContent(Vec<u8>);

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_get_file_content, _, _>(get_file_content).content();
    registry.add::<__path_get_file_thumbnail, _, _>(get_file_thumbnail).content();
    registry.add::<__path_create_file_link, _, _>(create_file_link);
    registry.add::<__path_follow_file_link, _, _>(follow_file_link).content();
}

fn shown(given: Option<&str>, faults: &mut Faults) -> Result<Shown> {
    let Some(given) = given else { return Ok(Shown::Attachment) };
    let found = given.parse();
    if found.is_err() {
        faults.add("?disposition", "unknown_value", format!("must be one of {}", Shown::TEXTS.join(", ")));
    }
    Ok(found.unwrap_or(Shown::Attachment))
}

/// Which file is asked for, and how a browser is to take it.
fn asked(context: &Context) -> Result<(FileId, Shown), Failure> {
    let id: FileId = context.id("file_id")?;
    let [disposition] = context.parameters(["disposition"])?;
    let mut faults = Faults::new();
    let shown = shown(disposition.as_deref(), &mut faults).and_then(|shown| faults.into_result().map(|()| shown));
    Ok((id, shown.map_err(|error| context.fail(error))?))
}

/// Download a file
///
/// With its type, as told from its content, or a part of it. A browser saves it, or shows an image or a PDF document in its own window
/// where `disposition=inline` asks for that.
#[utoipa::path(get, path = "/v1/files/{file_id}/content", tag = "files", responses(
    (status = 200, description = "The content, of the type that it was found to be", body = FileContent, content_type = "*/*"),
    (status = 206, description = "The part that `Range` asked for", body = FileContent, content_type = "*/*")))]
async fn get_file_content(context: Context) -> ApiResult {
    let (id, shown) = asked(&context)?;
    let files = &context.state.files;
    let readable = context.read(async |conn, caller| commands::readable(conn, caller, files, id).await).await?;
    context.content(&readable, shown).await
}

/// Get the thumbnail of a file
///
/// A small picture of an image, at most 320 pixels wide and high: a PNG where it can be seen through, else a JPEG. It is made soon after the
/// upload; the file's `thumbnail` says whether it is there. Until then the answer is 404 `thumbnail_pending`, and for what has none 404
/// `no_thumbnail`.
#[utoipa::path(get, path = "/v1/files/{file_id}/thumbnail", tag = "files", responses(
    (status = 200, description = "The picture", body = FileContent, content_type = "*/*"),
    (status = 206, description = "The part that `Range` asked for", body = FileContent, content_type = "*/*")))]
async fn get_file_thumbnail(context: Context) -> ApiResult {
    let (id, shown) = asked(&context)?;
    let files = &context.state.files;
    let readable = context.read(async |conn, caller| thumbnails::thumbnail(conn, caller, files, id).await).await?;
    context.content(&readable, shown).await
}

/// Make a link to a file
///
/// Whoever has it can download the file for 15 minutes, without a token. It leads to the storage itself where that has links of its own.
#[utoipa::path(post, path = "/v1/files/{file_id}/links", tag = "files", request_body = LinkRequest,
    responses((status = 201, description = "The link", body = FileLink)))]
async fn create_file_link(context: Context, body: Body) -> ApiResult {
    let id: FileId = context.id("file_id")?;
    let files = &context.state.files;
    let work = async |uow: &mut store::UnitOfWork, request: LinkRequest| {
        let caller = uow.caller();
        let link = links::create(uow, &caller, files, id, &request).await?;
        Ok(Answer::created(link.url.clone(), &link)?.unkept())
    };
    context.post::<LinkRequest>(body, work).await
}

/// Follow a link to a file
///
/// The address is made by `POST /v1/files/{file_id}/links`.
#[utoipa::path(get, path = "/public/v1/files/{file_id}", tag = "files", responses(
    (status = 200, description = "The content, of the type that it was found to be", body = FileContent, content_type = "*/*"),
    (status = 206, description = "The part that `Range` asked for", body = FileContent, content_type = "*/*")))]
async fn follow_file_link(context: Context) -> ApiResult {
    let id: FileId = context.id("file_id")?;
    let given = context.parameters(["workspace", "expires", "disposition", "signature"])?;
    let (signed, signature) = signed(id, given).map_err(|error| context.fail(error))?;
    let readable = links::follow(&context.state.files, &signed, &signature).await.map_err(|error| context.fail(error))?;
    context.content(&readable, signed.shown).await
}

fn signed(id: FileId, given: [Option<String>; 4]) -> Result<(Signed, String)> {
    let [workspace, expires, disposition, signature] = given;
    let mut faults = Faults::new();
    let (workspace, expires) = (
        number::<WorkspaceId>("?workspace", workspace.as_deref(), &mut faults),
        number::<i64>("?expires", expires.as_deref(), &mut faults),
    );
    let shown = shown(disposition.as_deref(), &mut faults)?;
    if signature.is_none() {
        faults.add("?signature", "required", "is missing");
    }
    faults.into_result()?;
    let all = workspace.zip(expires).zip(signature);
    let ((workspace, expires), signature) = all.ok_or_else(|| Error::internal("a link that lacks something was not refused"))?;
    Ok((Signed { id, workspace, expires, shown }, signature))
}

fn number<T: std::str::FromStr>(at: &str, given: Option<&str>, faults: &mut Faults) -> Option<T> {
    match given {
        None => faults.add(at, "required", "is missing"),
        Some(given) => match given.parse() {
            Ok(found) => return Some(found),
            Err(_) => faults.add(at, "invalid_value", "is not what a link has there"),
        },
    }
    None
}
