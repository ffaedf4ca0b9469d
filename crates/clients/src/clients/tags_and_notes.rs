//! What hangs on a client. Whoever may see the client may see it, whoever may edit the client may change it.

use files::files::File;
use kernel::{Caller, Page, Permission, Result, TypedId as _};
use platform::audit::AuditEntry;
use platform::notes::{self, CreateNote, Note, NoteId, NotePatch, On};
use platform::tags::{self, Tag, TagId};
use store::list::ListQuery;
use store::{Conn, UnitOfWork};
use uuid::Uuid;

use super::list;
use crate::attachable::CLIENT;
use crate::rows::ClientId;

/// The event that a client lost a tag.
const UNTAGGED: &str = "client.untagged";

pub(crate) fn on(id: ClientId) -> On {
    On { rel_type: "client", rel_id: id.uuid(), added: "client.note_added" }
}

/// The client stays locked, so that it is not purged or put away meanwhile.
async fn editable(uow: &mut UnitOfWork, id: ClientId) -> Result<()> {
    uow.caller().require(Permission::ClientsEdit)?;
    list::find_editable(uow, id).await.map(|_| ())
}

/// Deletes what hangs on clients that are purged.
pub(super) async fn forget(uow: &mut UnitOfWork, clients: &[Uuid]) -> Result<()> {
    notes::forget(uow, CLIENT, clients).await?;
    files::files::forget(uow, CLIENT, clients).await?;
    tags::forget(uow, CLIENT, clients, UNTAGGED).await
}

/// Notes on a client.
///
/// # Errors
/// `forbidden` without `clients.view_all` or `clients.view_own`; `not_found`.
pub async fn list_notes(conn: &mut Conn, caller: &Caller, id: ClientId, query: &ListQuery) -> Result<Page<Note>> {
    list::get_row(conn, caller, id).await?;
    notes::list(conn, caller, on(id), query).await
}

/// One note on a client.
///
/// # Errors
/// `forbidden` without `clients.view_all` or `clients.view_own`; `not_found`.
pub async fn get_note(conn: &mut Conn, caller: &Caller, id: ClientId, note: NoteId) -> Result<Note> {
    list::get_row(conn, caller, id).await?;
    notes::get(conn, caller, on(id), note).await
}

/// Writes a note on a client.
///
/// # Errors
/// `forbidden` without `clients.edit`; `not_found`; `archived`.
pub async fn add_note(uow: &mut UnitOfWork, id: ClientId, input: CreateNote) -> Result<Note> {
    editable(uow, id).await?;
    notes::create(uow, on(id), input).await
}

/// Changes a note on a client.
///
/// # Errors
/// `forbidden` without `clients.edit`; `not_found`; `archived`; `stale`.
pub async fn update_note(uow: &mut UnitOfWork, id: ClientId, note: NoteId, seen: Option<i64>, patch: NotePatch) -> Result<Note> {
    editable(uow, id).await?;
    notes::update(uow, on(id), note, seen, patch).await
}

/// Puts a note on a client away, or brings it back.
///
/// # Errors
/// `forbidden` without `clients.edit`; `not_found`; `archived`; `stale`.
pub async fn set_note_archived(
    uow: &mut UnitOfWork,
    id: ClientId,
    note: NoteId,
    seen: Option<i64>,
    archived: bool,
) -> Result<Note> {
    editable(uow, id).await?;
    notes::set_archived(uow, on(id), note, seen, archived).await
}

/// Puts a tag on a client.
///
/// # Errors
/// `forbidden` without `clients.edit`; `not_found`; `archived`; `validation_failed` when there is no such tag.
pub async fn tag(uow: &mut UnitOfWork, id: ClientId, tag: TagId) -> Result<Tag> {
    editable(uow, id).await?;
    tags::attach(uow, "client", id.uuid(), tag, "client.tagged").await
}

/// Takes a tag off a client.
///
/// # Errors
/// `forbidden` without `clients.edit`; `not_found`; `archived`.
pub async fn untag(uow: &mut UnitOfWork, id: ClientId, tag: TagId) -> Result<()> {
    editable(uow, id).await?;
    tags::detach(uow, "client", id.uuid(), tag, UNTAGGED).await
}

/// Files on a client.
///
/// # Errors
/// `forbidden` without `clients.view_all` or `clients.view_own`; `not_found`.
pub async fn list_files(conn: &mut Conn, caller: &Caller, id: ClientId, query: &ListQuery) -> Result<Page<File>> {
    list::get_row(conn, caller, id).await?;
    files::files::list_on(conn, caller, CLIENT, id.uuid(), query).await
}

/// What happened to a client, to what hangs on it, and to those that became part of it.
///
/// # Errors
/// `forbidden` without `admin.view_audit_log` and a right to see the client; `not_found`.
pub async fn audit(conn: &mut Conn, caller: &Caller, id: ClientId, query: &ListQuery) -> Result<Page<AuditEntry>> {
    list::get_row(conn, caller, id).await?;
    let merged = crate::merge::merged_into(conn, &[id.uuid()]).await?;
    platform::audit::of_records(conn, caller, id.uuid(), merged, query).await
}
