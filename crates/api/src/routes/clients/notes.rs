//! `/v1/clients/{client_id}/notes`.

use clients::ClientId;
use clients::clients as commands;
use platform::notes::{CreateNote, NOTE_LIST, Note, NoteId, NotePatch};

use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;
use crate::routes::page_schema;

page_schema! {
    /// A page of notes.
    NotePage of Note
}

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_list_client_notes, _, _>(list_client_notes).list(&NOTE_LIST);
    registry.add::<__path_create_client_note, _, _>(create_client_note);
    registry.add::<__path_get_client_note, _, _>(get_client_note).record(&NOTE_LIST);
    registry.add::<__path_update_client_note, _, _>(update_client_note);
    registry.add::<__path_archive_client_note, _, _>(archive_client_note);
    registry.add::<__path_restore_client_note, _, _>(restore_client_note);
}

/// List the notes on a client
#[utoipa::path(get, path = "/v1/clients/{client_id}/notes", tag = "notes",
    responses((status = 200, description = "A page of notes", body = NotePage)))]
async fn list_client_notes(context: Context) -> ApiResult {
    let id: ClientId = context.id("client_id")?;
    let query = context.list_query(&NOTE_LIST)?;
    let page = context.read(async |conn, caller| commands::list_notes(conn, caller, id, &query).await).await?;
    context.page(&page, &query)
}

/// Write a note on a client
#[utoipa::path(post, path = "/v1/clients/{client_id}/notes", tag = "notes", request_body = CreateNote,
    responses((status = 201, description = "The note", body = Note)))]
async fn create_client_note(context: Context, body: Body) -> ApiResult {
    let id: ClientId = context.id("client_id")?;
    let work = async |uow: &mut store::UnitOfWork, input| {
        let note = commands::add_note(uow, id, input).await?;
        Ok(Answer::created(format!("/v1/clients/{id}/notes/{}", note.id), &note)?.version(note.version))
    };
    context.post::<CreateNote>(body, work).await
}

/// Get a note on a client
#[utoipa::path(get, path = "/v1/clients/{client_id}/notes/{note_id}", tag = "notes",
    responses((status = 200, description = "The note", body = Note)))]
async fn get_client_note(context: Context) -> ApiResult {
    let (id, note): (ClientId, NoteId) = (context.id("client_id")?, context.id("note_id")?);
    let query = context.record_query(&NOTE_LIST)?;
    let note = context.read(async |conn, caller| commands::get_note(conn, caller, id, note).await).await?;
    context.record(&note, note.version, &query)
}

/// Change a note on a client
#[utoipa::path(patch, path = "/v1/clients/{client_id}/notes/{note_id}", tag = "notes", request_body = NotePatch,
    responses((status = 200, description = "The note", body = Note)))]
async fn update_client_note(context: Context, body: Body) -> ApiResult {
    let (id, note): (ClientId, NoteId) = (context.id("client_id")?, context.id("note_id")?);
    let work = async |uow: &mut store::UnitOfWork, seen, patch| {
        let note = commands::update_note(uow, id, note, seen, patch).await?;
        Ok(Answer::ok(&note)?.version(note.version))
    };
    context.patch::<NotePatch>(body, work).await
}

/// Archive a note on a client
#[utoipa::path(delete, path = "/v1/clients/{client_id}/notes/{note_id}", tag = "notes",
    responses((status = 204, description = "Archived")))]
async fn archive_client_note(context: Context) -> ApiResult {
    let (id, note): (ClientId, NoteId) = (context.id("client_id")?, context.id("note_id")?);
    context.delete(async |uow, seen| commands::set_note_archived(uow, id, note, seen, true).await.map(|_| ())).await
}

/// Restore a note on a client
#[utoipa::path(post, path = "/v1/clients/{client_id}/notes/{note_id}/restore", tag = "notes",
    responses((status = 200, description = "The note", body = Note)))]
async fn restore_client_note(context: Context, body: Body) -> ApiResult {
    let (id, note): (ClientId, NoteId) = (context.id("client_id")?, context.id("note_id")?);
    let work = async |uow: &mut store::UnitOfWork, seen| {
        let note = commands::set_note_archived(uow, id, note, seen, false).await?;
        Ok(Answer::ok(&note)?.version(note.version))
    };
    context.act(body, work).await
}
