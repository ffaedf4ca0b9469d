//! Groups of clients: wholesale, retail, those of a campaign. A client is in as many as one likes.

mod members;

use kernel::{Caller, DateTime, Error, FieldError, Page, Patch, Permission, Result, TypedId as _, text};
use serde::{Deserialize, Serialize};
use store::list::{ListField, ListQuery, ListSpec};
use store::query::{Expr, ExprTrait, SelectStatement};
use store::{Change, Conn, OnUnique as _, Record as _, UnitOfWork};
use utoipa::ToSchema;
use validator::Validate;

use crate::errors::GROUP_NAME_TAKEN;

pub use members::{AddToGroup, add, remove};
pub(crate) use members::{ClientGroupMemberRow, bring_back, clients_in, forget, had, of};

kernel::typed_id! {
    /// Names a group of clients.
    pub ClientGroupId
}
store::id_fields!(ClientGroupId);

store::record! {
    pub(crate) struct ClientGroupRow in "client_group" of workspace {
        id: ClientGroupId;
        name: String,
        name_key: String => Derived,
        description: Option<String>,
    }
}

/// A group of clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClientGroup {
    /// Its id.
    pub id: ClientGroupId,
    /// Its name, unique in the workspace without regard to case and accents.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// When it was made.
    pub created_at: DateTime,
    /// When it last changed.
    pub updated_at: DateTime,
    /// Counts its changes; the ETag is made from it.
    #[serde(skip)]
    pub version: i64,
}

impl From<ClientGroupRow> for ClientGroup {
    fn from(row: ClientGroupRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            description: row.description,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

/// The body of `POST /v1/client-groups`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CreateClientGroup {
    /// 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    #[validate(custom(function = kernel::shape::filled), length(max = 100))]
    pub name: String,
    /// At most 500 characters.
    #[schema(max_length = 500)]
    #[validate(length(max = 500))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// The body of `PATCH /v1/client-groups/{client_group_id}`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct ClientGroupPatch {
    /// 1 to 100 characters.
    #[schema(nullable = false, min_length = 1, max_length = 100)]
    #[validate(custom(function = kernel::shape::filled), length(max = 100))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// At most 500 characters.
    #[schema(value_type = Option<String>, max_length = 500)]
    #[validate(length(max = 500))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub description: Patch<String>,
}

/// How groups can be listed.
pub static GROUP_LIST: ListSpec = ListSpec {
    name: "client_groups",
    table: "client_group",
    fields: &[
        ListField::text("name").folded("name_key"),
        ListField::time("created_at").sorted(),
        ListField::time("updated_at").sorted(),
    ],
    default_sort: &["name"],
    ..ListSpec::EMPTY
};

/// Whoever sees clients sees their groups, and whoever names the words of the workspace names these.
const VIEW: [Permission; 3] = [Permission::ClientsViewAll, Permission::ClientsViewOwn, Permission::AdminManageTags];

fn column(name: &'static str) -> Expr {
    Expr::col(("client_group", name))
}

fn visible_to(caller: &Caller) -> Result<SelectStatement> {
    caller.require_any(&VIEW)?;
    let mut select = ClientGroupRow::select();
    select.and_where(column("workspace_id").eq(caller.workspace()?.uuid()));
    Ok(select)
}

/// Groups of the workspace.
///
/// # Errors
/// `forbidden` for whoever sees no clients and does not manage tags.
pub async fn list(conn: &mut Conn, caller: &Caller, query: &ListQuery) -> Result<Page<ClientGroup>> {
    let page = store::list::page::<ClientGroupRow>(conn, caller, visible_to(caller)?, &GROUP_LIST, query).await?;
    Ok(page.map(ClientGroup::from))
}

/// One group.
///
/// # Errors
/// As [`list`]; `not_found`.
pub async fn get(conn: &mut Conn, caller: &Caller, id: ClientGroupId) -> Result<ClientGroup> {
    let mut select = visible_to(caller)?;
    select.and_where(column("id").eq(id.uuid()));
    conn.one::<ClientGroupRow>(&select).await?.map(ClientGroup::from).ok_or_else(Error::not_found)
}

fn name_taken() -> Error {
    Error::new(&GROUP_NAME_TAKEN).with_field(FieldError::new("/name", "taken", "belongs to another group"))
}

/// Makes a group.
///
/// # Errors
/// `forbidden` without `admin.manage_tags`; `client_group_name_taken`.
pub async fn create(uow: &mut UnitOfWork, input: CreateClientGroup) -> Result<ClientGroup> {
    uow.caller().require(Permission::AdminManageTags)?;
    let (now, name) = (uow.now(), input.name.trim().to_owned());
    let row = ClientGroupRow {
        id: uow.id(),
        workspace_id: uow.workspace()?,
        name_key: text::fold(&name),
        name,
        description: input.description,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    uow.insert(&row, Change::plain()).await.on_unique(name_taken)?;
    Ok(row.into())
}

async fn find_locked(uow: &mut UnitOfWork, id: ClientGroupId, seen: Option<i64>) -> Result<ClientGroupRow> {
    let mut select = visible_to(&uow.caller())?;
    select.and_where(column("id").eq(id.uuid()));
    let row = uow.locked::<ClientGroupRow>(select).await?.ok_or_else(Error::not_found)?;
    auth::check_seen(seen, row.version)?;
    Ok(row)
}

/// Changes a group.
///
/// # Errors
/// `forbidden` without `admin.manage_tags`; `not_found`; `stale`; `client_group_name_taken`.
pub async fn update(uow: &mut UnitOfWork, id: ClientGroupId, seen: Option<i64>, patch: ClientGroupPatch) -> Result<ClientGroup> {
    uow.caller().require(Permission::AdminManageTags)?;
    let before = find_locked(uow, id, seen).await?;
    let mut after = before.clone();
    if let Some(name) = patch.name {
        after.name = name.trim().to_owned();
        after.name_key = text::fold(&after.name);
    }
    patch.description.apply(&mut after.description);
    uow.update(&before, after, Change::plain()).await.on_unique(name_taken).map(ClientGroup::from)
}

/// Deletes a group; its clients are in it no more.
///
/// # Errors
/// `forbidden` without `admin.manage_tags`; `not_found`; `stale`.
pub async fn delete(uow: &mut UnitOfWork, id: ClientGroupId, seen: Option<i64>) -> Result<()> {
    uow.caller().require(Permission::AdminManageTags)?;
    let row = find_locked(uow, id, seen).await?;
    members::leave(uow, id).await?;
    uow.delete(&row, Change::plain()).await
}
