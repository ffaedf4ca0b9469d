//! Tags: words with a colour, on any record that takes them.

mod merge;

use std::collections::{HashMap, HashSet};

use kernel::{Caller, DateTime, Error, FieldError, Page, Patch, Permission, Result, TypedId as _, WorkspaceId, text};
use serde::{Deserialize, Serialize};
use store::list::{ListField, ListQuery, ListSpec};
use store::query::{Expr, ExprTrait, Order, Query, SelectStatement, Value};
use store::{Action, Change, Conn, OnUnique as _, Record as _, UnitOfWork};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::errors::TAG_NAME_TAKEN;

pub use merge::{MergeTag, RECORDS_HAD_BOTH, merge};

kernel::typed_id! {
    /// Names a tag.
    pub TagId
}
kernel::typed_id! {
    /// Names a tagging: one tag on one record.
    pub TaggingId
}
store::id_fields!(TagId, TaggingId);

store::record! {
    pub(crate) struct TagRow in "tag" of workspace {
        id: TagId;
        name: String,
        name_key: String => Derived,
        colour: Option<String>,
    }
}

store::record! {
    pub(crate) struct TaggingRow in "tagging" of workspace {
        id: TaggingId;
        tag_id: TagId,
        rel_type: String,
        rel_id: Uuid,
    }
}

/// A word with a colour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Tag {
    /// Its id.
    pub id: TagId,
    /// Its name, unique in the workspace without regard to case and accents.
    pub name: String,
    /// Its colour, as `#rrggbb`.
    pub colour: Option<String>,
    /// When it was made.
    pub created_at: DateTime,
    /// When it last changed.
    pub updated_at: DateTime,
    /// Counts its changes; the ETag is made from it.
    #[serde(skip)]
    pub version: i64,
}

impl From<TagRow> for Tag {
    fn from(row: TagRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            colour: row.colour,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

/// The body of `POST /v1/tags`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CreateTag {
    /// 1 to 60 characters.
    #[schema(min_length = 1, max_length = 60)]
    #[validate(custom(function = kernel::shape::filled))]
    pub name: String,
    /// As `#rrggbb`.
    #[schema(pattern = "^#[0-9a-fA-F]{6}$")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colour: Option<String>,
}

/// The body of `PATCH /v1/tags/{tag_id}`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct TagPatch {
    /// 1 to 60 characters.
    #[schema(nullable = false, min_length = 1, max_length = 60)]
    #[validate(custom(function = kernel::shape::filled))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// As `#rrggbb`; null takes it away.
    #[schema(value_type = Option<String>, pattern = "^#[0-9a-fA-F]{6}$")]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub colour: Patch<String>,
}

/// How tags can be listed.
pub static TAG_LIST: ListSpec = ListSpec {
    name: "tags",
    table: "tag",
    fields: &[
        ListField::text("name").folded("name_key"),
        ListField::text("colour").nullable(),
        ListField::time("created_at").sorted(),
        ListField::time("updated_at").sorted(),
    ],
    default_sort: &["name"],
    ..ListSpec::EMPTY
};

/// Whoever sees records that carry tags sees the tags.
const VIEW: [Permission; 4] =
    [Permission::ClientsViewAll, Permission::ClientsViewOwn, Permission::ContactsView, Permission::AdminManageTags];

fn visible_to(caller: &Caller) -> Result<SelectStatement> {
    caller.require_any(&VIEW)?;
    let mut select = TagRow::select();
    select.and_where(Expr::col(("tag", "workspace_id")).eq(caller.workspace()?.uuid()));
    Ok(select)
}

/// Tags of the workspace.
///
/// # Errors
/// `forbidden` to whoever sees no records that carry tags.
pub async fn list(conn: &mut Conn, caller: &Caller, query: &ListQuery) -> Result<Page<Tag>> {
    let page = store::list::page::<TagRow>(conn, caller, visible_to(caller)?, &TAG_LIST, query).await?;
    Ok(page.map(Tag::from))
}

/// One tag.
///
/// # Errors
/// `forbidden` to whoever sees no records that carry tags; `not_found`.
pub async fn get(conn: &mut Conn, caller: &Caller, id: TagId) -> Result<Tag> {
    let mut select = visible_to(caller)?;
    select.and_where(Expr::col(("tag", "id")).eq(id.uuid()));
    conn.one::<TagRow>(&select).await?.map(Tag::from).ok_or_else(Error::not_found)
}

fn name_taken() -> Error {
    Error::new(&TAG_NAME_TAKEN).with_field(FieldError::new("/name", "taken", "belongs to another tag"))
}

/// Makes a tag.
///
/// # Errors
/// `forbidden` without `admin.manage_tags`; `tag_name_taken`.
pub async fn create(uow: &mut UnitOfWork, input: CreateTag) -> Result<Tag> {
    uow.caller().require(Permission::AdminManageTags)?;
    let now = uow.now();
    let row = TagRow {
        id: uow.id(),
        workspace_id: uow.workspace()?,
        name_key: text::fold(input.name.trim()),
        name: input.name.trim().to_owned(),
        colour: input.colour,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    uow.insert(&row, Change::plain()).await.on_unique(name_taken)?;
    Ok(row.into())
}

async fn find_locked(uow: &mut UnitOfWork, id: TagId, seen: Option<i64>) -> Result<TagRow> {
    let mut select = visible_to(&uow.caller())?;
    select.and_where(Expr::col(("tag", "id")).eq(id.uuid()));
    let row = uow.locked::<TagRow>(select).await?.ok_or_else(Error::not_found)?;
    auth::check_seen(seen, row.version)?;
    Ok(row)
}

/// Changes a tag.
///
/// # Errors
/// `forbidden` without `admin.manage_tags`; `not_found`; `stale`; `tag_name_taken`.
pub async fn update(uow: &mut UnitOfWork, id: TagId, seen: Option<i64>, patch: TagPatch) -> Result<Tag> {
    uow.caller().require(Permission::AdminManageTags)?;
    let before = find_locked(uow, id, seen).await?;
    let mut after = before.clone();
    if let Some(name) = patch.name {
        after.name = name.trim().to_owned();
        after.name_key = text::fold(&after.name);
    }
    patch.colour.apply(&mut after.colour);
    uow.update(&before, after, Change::plain()).await.on_unique(name_taken).map(Tag::from)
}

/// Deletes a tag, and takes it off every record. The journal names them all.
///
/// # Errors
/// `forbidden` without `admin.manage_tags`; `not_found`; `stale`.
pub async fn delete(uow: &mut UnitOfWork, id: TagId, seen: Option<i64>) -> Result<()> {
    uow.caller().require(Permission::AdminManageTags)?;
    let row = find_locked(uow, id, seen).await?;
    let carried = merge::take_off_all(uow, &row).await?;
    merge::tell(uow, &row, Action::Delete, &carried, || Change::plain().event("tag.records_taken_off"));
    uow.delete(&row, Change::plain().detail("taken_off", merge::count(&carried))).await
}

/// Puts a tag on a record that the caller may edit: the domain of the record has seen to that. Once is enough.
///
/// # Errors
/// `validation_failed` when there is no such tag.
pub async fn attach(
    uow: &mut UnitOfWork,
    rel_type: &'static str,
    rel_id: Uuid,
    tag_id: TagId,
    event: &'static str,
) -> Result<Tag> {
    let (workspace, now) = (uow.workspace()?, uow.now());
    let mut select = TagRow::select();
    select
        .and_where(Expr::col(("tag", "workspace_id")).eq(workspace.uuid()))
        .and_where(Expr::col(("tag", "id")).eq(tag_id.uuid()));
    let missing = || Error::invalid_field("/tag_id", "not_found", "there is no such tag");
    let tag = uow.one::<TagRow>(&select).await?.ok_or_else(missing)?;
    if find_tagging(uow, rel_id, tag_id).await?.is_none() {
        let row = TaggingRow {
            id: uow.id(),
            workspace_id: workspace,
            tag_id,
            rel_type: rel_type.to_owned(),
            rel_id,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        let change = Change::plain().event(event).about(rel_type, TaggingId::from_uuid(rel_id)).detail("tag", tag.name.as_str());
        uow.insert(&row, change).await.on_unique(|| Error::new(&store::errors::BUSY)).map_err(|error| {
            // the tag went meanwhile: looked for once more, it is not there
            if *error.code() == store::errors::IN_USE { Error::new(&store::errors::BUSY).with_source(error) } else { error }
        })?;
    }
    Ok(tag.into())
}

/// Takes a tag off a record that the caller may edit.
///
/// # Errors
/// `not_found` when it is not on it.
pub async fn detach(
    uow: &mut UnitOfWork,
    rel_type: &'static str,
    rel_id: Uuid,
    tag_id: TagId,
    event: &'static str,
) -> Result<()> {
    let row = find_tagging(uow, rel_id, tag_id).await?.ok_or_else(Error::not_found)?;
    let change = Change::plain().event(event).about(rel_type, TaggingId::from_uuid(rel_id));
    uow.delete(&row, change).await
}

async fn find_tagging(conn: &mut Conn, rel_id: Uuid, tag_id: TagId) -> Result<Option<TaggingRow>> {
    let mut select = TaggingRow::select();
    select.and_where(Expr::col(("tagging", "rel_id")).eq(rel_id)).and_where(Expr::col(("tagging", "tag_id")).eq(tag_id.uuid()));
    conn.one(&select).await
}

/// The tags of these records, in one query.
///
/// # Errors
/// What the database says.
pub async fn of(conn: &mut Conn, workspace: WorkspaceId, ids: Vec<Uuid>) -> Result<HashMap<Uuid, Vec<Tag>>> {
    let mut found: HashMap<Uuid, Vec<Tag>> = HashMap::new();
    if ids.is_empty() {
        return Ok(found);
    }
    let mut select = TagRow::select();
    select
        .column(("tagging", "rel_id"))
        .inner_join("tagging", Expr::col(("tagging", "tag_id")).eq(Expr::col(("tag", "id"))))
        .and_where(Expr::col(("tagging", "workspace_id")).eq(workspace.uuid()))
        .and_where(Expr::col(("tagging", "rel_id")).is_in(ids))
        .order_by(("tag", "name_key"), Order::Asc);
    for row in conn.rows(&select).await? {
        let tag = TagRow::read(&row, 0)?;
        found.entry(row.get(TagRow::COLUMNS.len())?).or_default().push(tag.into());
    }
    Ok(found)
}

/// The ids of the records that carry a tag: for filters.
pub fn carriers(tag: Value) -> SelectStatement {
    let mut carriers = Query::select();
    carriers.expr_as(Expr::col("rel_id"), "found").from("tagging").and_where(Expr::col("tag_id").eq(tag));
    carriers
}

/// Takes every tag off records of one type that are purged.
///
/// # Errors
/// What the database says.
pub async fn forget(uow: &mut UnitOfWork, rel_type: &'static str, records: &[Uuid], event: &'static str) -> Result<()> {
    let mut select = TaggingRow::select();
    select.and_where(Expr::col(("tagging", "rel_id")).is_in(records.iter().copied())).order_by(("tagging", "id"), Order::Asc);
    let rows = uow.all::<TaggingRow>(&select).await?;
    uow.delete_all(&rows, |row| Change::plain().event(event).about(rel_type, TaggingId::from_uuid(row.rel_id))).await
}

/// Puts the tags that a record had on it once more, as far as there are still such tags: the same ones, or others of the same name. Returns
/// how many are on it now, and the names of those that there are not.
///
/// # Errors
/// What the database says.
pub async fn bring_back(
    uow: &mut UnitOfWork,
    rel_type: &'static str,
    rel_id: Uuid,
    had: &[Tag],
    event: &'static str,
) -> Result<(usize, Vec<String>)> {
    let (mut on_it, mut missing) = (HashSet::new(), Vec::new());
    for tag in had {
        let mut select = TagRow::select();
        let same = Expr::col(("tag", "id")).eq(tag.id.uuid()).or(Expr::col(("tag", "name_key")).eq(text::fold(&tag.name)));
        select.and_where(Expr::col(("tag", "workspace_id")).eq(uow.workspace()?.uuid())).and_where(same);
        let found = uow.all::<TagRow>(&select).await?;
        match found.iter().find(|row| row.id == tag.id).or(found.first()) {
            Some(row) => {
                attach(uow, rel_type, rel_id, row.id, event).await?;
                on_it.insert(row.id);
            }
            None => missing.push(tag.name.clone()),
        }
    }
    Ok((on_it.len(), missing))
}
