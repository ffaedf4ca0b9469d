//! Notes: text on any record. The domain of the record has seen to it that the caller may see or edit the record; this crate keeps the
//! notes.

use std::collections::HashMap;

use kernel::{Caller, DateTime, Error, Page, Result, TypedId as _, UserId};
use serde::{Deserialize, Serialize};
use store::dialect::unindexed;
use store::list::{ListField, ListQuery, ListSpec};
use store::query::{Expr, ExprTrait, Order, Query, SelectStatement};
use store::{Action, Change, Conn, Record as _, UnitOfWork};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

kernel::typed_id! {
    /// Names a note.
    pub NoteId
}
store::id_fields!(NoteId);

store::record! {
    pub(crate) struct NoteRow in "note" of workspace {
        id: NoteId;
        rel_type: String,
        rel_id: Uuid,
        author_id: Option<UserId>,
        body: String => Personal,
        is_private: bool,
        archived_at: Option<DateTime>,
    }
}

/// Text on a record.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Note {
    /// Its id.
    pub id: NoteId,
    /// The type of the record it is on.
    pub rel_type: String,
    /// The record it is on.
    pub rel_id: Uuid,
    /// Who wrote it.
    pub author_id: Option<UserId>,
    /// The text.
    pub body: String,
    /// Whether only staff sees it.
    pub is_private: bool,
    /// When it was put away.
    pub archived_at: Option<DateTime>,
    /// When it was written.
    pub created_at: DateTime,
    /// When it last changed.
    pub updated_at: DateTime,
    /// Counts its changes; the ETag is made from it.
    #[serde(skip)]
    pub version: i64,
}

impl From<NoteRow> for Note {
    fn from(row: NoteRow) -> Self {
        Self {
            id: row.id,
            rel_type: row.rel_type,
            rel_id: row.rel_id,
            author_id: row.author_id,
            body: row.body,
            is_private: row.is_private,
            archived_at: row.archived_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

/// The body of a request that writes a note.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CreateNote {
    /// 1 to 20,000 characters.
    #[schema(min_length = 1, max_length = 20000)]
    #[validate(custom(function = kernel::shape::filled))]
    pub body: String,
    /// Whether only staff sees it; it does unless given.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_private: Option<bool>,
}

/// The body of a request that changes a note.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct NotePatch {
    /// 1 to 20,000 characters.
    #[schema(nullable = false, min_length = 1, max_length = 20000)]
    #[validate(custom(function = kernel::shape::filled))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Whether only staff sees it.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_private: Option<bool>,
}

/// How notes can be listed.
pub static NOTE_LIST: ListSpec = ListSpec {
    name: "notes",
    table: "note",
    fields: &[
        ListField::uuid("author_id").nullable(),
        ListField::boolean("is_private"),
        ListField::time("created_at").sorted(),
        ListField::time("updated_at").sorted(),
    ],
    archived: true,
    ..ListSpec::EMPTY
};

/// The record that notes are on, which the caller may see.
#[derive(Clone, Copy, Debug)]
pub struct On {
    /// Its type.
    pub rel_type: &'static str,
    /// Its id.
    pub rel_id: Uuid,
    /// The event when a note is added to it, such as `client.note_added`.
    pub added: &'static str,
}

fn notes_on(caller: &Caller, on: On) -> Result<SelectStatement> {
    let mut select = NoteRow::select();
    select
        .and_where(Expr::col(("note", "workspace_id")).eq(caller.workspace()?.uuid()))
        .and_where(Expr::col(("note", "rel_type")).eq(on.rel_type))
        .and_where(Expr::col(("note", "rel_id")).eq(on.rel_id));
    Ok(select)
}

/// Notes on a record.
///
/// # Errors
/// What the database says.
pub async fn list(conn: &mut Conn, caller: &Caller, on: On, query: &ListQuery) -> Result<Page<Note>> {
    let query = query.within(on.rel_id);
    let page = store::list::page::<NoteRow>(conn, caller, notes_on(caller, on)?, &NOTE_LIST, &query).await?;
    Ok(page.map(Note::from))
}

/// One note on a record.
///
/// # Errors
/// `not_found`.
pub async fn get(conn: &mut Conn, caller: &Caller, on: On, id: NoteId) -> Result<Note> {
    let mut select = notes_on(caller, on)?;
    select.and_where(Expr::col(("note", "id")).eq(id.uuid()));
    conn.one::<NoteRow>(&select).await?.map(Note::from).ok_or_else(Error::not_found)
}

/// When the notes on a record were written: `id` is their place in a stream of all that happened, `at` and `record_id` what they are. The
/// domain of the record has seen to it that the caller may see the record.
///
/// # Errors
/// What stands against asking.
pub fn moments_of(caller: &Caller, rel_id: Uuid) -> Result<SelectStatement> {
    let column = |name: &'static str| Expr::col(("note", name));
    let mut select = Query::select();
    select
        .expr_as(column("id"), "id")
        .expr_as(column("created_at"), "at")
        .expr_as(column("id"), "record_id")
        .from("note")
        .and_where(column("rel_id").eq(rel_id))
        .and_where(column("workspace_id").eq(caller.workspace()?.uuid()))
        .and_where(column("archived_at").is_null());
    Ok(select)
}

/// These notes. The domain of their records has seen to it that the caller may see the records.
///
/// # Errors
/// What the database says.
pub async fn all_of(conn: &mut Conn, caller: &Caller, ids: Vec<Uuid>) -> Result<HashMap<Uuid, Note>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut select = NoteRow::select();
    select
        .and_where(unindexed(conn.dialect(), "note", "workspace_id").eq(caller.workspace()?.uuid()))
        .and_where(Expr::col(("note", "id")).is_in(ids));
    Ok(conn.all::<NoteRow>(&select).await?.into_iter().map(|row| (row.id.uuid(), row.into())).collect())
}

/// Writes a note on a record.
///
/// # Errors
/// What the database says.
pub async fn create(uow: &mut UnitOfWork, on: On, input: CreateNote) -> Result<Note> {
    let now = uow.now();
    let row = NoteRow {
        id: uow.id(),
        workspace_id: uow.workspace()?,
        rel_type: on.rel_type.to_owned(),
        rel_id: on.rel_id,
        author_id: uow.caller().actor.user(),
        body: input.body,
        is_private: input.is_private.unwrap_or(true),
        archived_at: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    uow.insert(&row, about(on).event(on.added)).await?;
    Ok(row.into())
}

fn about(on: On) -> Change {
    Change::plain().about(on.rel_type, NoteId::from_uuid(on.rel_id))
}

async fn find_locked(uow: &mut UnitOfWork, on: On, id: NoteId, seen: Option<i64>) -> Result<NoteRow> {
    let mut select = notes_on(&uow.caller(), on)?;
    select.and_where(Expr::col(("note", "id")).eq(id.uuid()));
    let row = uow.locked::<NoteRow>(select).await?.ok_or_else(Error::not_found)?;
    auth::check_seen(seen, row.version)?;
    Ok(row)
}

/// Changes a note.
///
/// # Errors
/// `not_found`; `stale`.
pub async fn update(uow: &mut UnitOfWork, on: On, id: NoteId, seen: Option<i64>, patch: NotePatch) -> Result<Note> {
    let before = find_locked(uow, on, id, seen).await?;
    let after = NoteRow {
        body: patch.body.unwrap_or_else(|| before.body.clone()),
        is_private: patch.is_private.unwrap_or(before.is_private),
        ..before.clone()
    };
    uow.update(&before, after, about(on)).await.map(Note::from)
}

/// Puts a note away, or brings it back.
///
/// # Errors
/// `not_found`; `stale`.
pub async fn set_archived(uow: &mut UnitOfWork, on: On, id: NoteId, seen: Option<i64>, archived: bool) -> Result<Note> {
    let before = find_locked(uow, on, id, seen).await?;
    if before.archived_at.is_some() == archived {
        return Ok(before.into());
    }
    let (action, archived_at) = if archived { (Action::Archive, Some(uow.now())) } else { (Action::Restore, None) };
    let after = NoteRow { archived_at, ..before.clone() };
    let change = Change::of(action).about(on.rel_type, NoteId::from_uuid(on.rel_id));
    uow.update(&before, after, change).await.map(Note::from)
}

/// Deletes every note on records of one type that are purged, and what the journal holds of their text.
///
/// # Errors
/// What the database says.
pub async fn forget(uow: &mut UnitOfWork, rel_type: &'static str, records: &[Uuid]) -> Result<()> {
    let mut select = NoteRow::select();
    select.and_where(Expr::col(("note", "rel_id")).is_in(records.iter().copied())).order_by(("note", "id"), Order::Asc);
    let notes = uow.all::<NoteRow>(&select).await?;
    if notes.is_empty() {
        return Ok(());
    }
    store::journal::erase(uow, notes.iter().map(|note| note.id.uuid())).await?;
    uow.delete_and_forget_all(&notes, |note| Change::plain().about(rel_type, NoteId::from_uuid(note.rel_id))).await
}

/// The notes that a record had when it was backed up.
#[derive(Clone, Debug)]
pub struct HadNotes(Vec<NoteRow>);

impl HadNotes {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<HadNotes> for Vec<Note> {
    fn from(had: HadNotes) -> Self {
        had.0.into_iter().map(Note::from).collect()
    }
}

/// What notes a record has, also those that are put away, the oldest first; or had, read from the database of a backup.
///
/// # Errors
/// What the database says.
pub async fn had(conn: &mut Conn, caller: &Caller, on: On) -> Result<HadNotes> {
    let mut select = notes_on(caller, on)?;
    select.order_by(("note", "id"), Order::Asc);
    conn.all(&select).await.map(HadNotes)
}

/// Writes the notes of a record that comes back once more.
///
/// # Errors
/// `already_exists` where one of them is there.
pub async fn bring_back(uow: &mut UnitOfWork, on: On, had: &HadNotes) -> Result<()> {
    for row in &had.0 {
        uow.bring_back(row.clone(), about(on)).await?;
    }
    Ok(())
}
