//! Workspaces.

use kernel::{Caller, Currency, DateTime, Defaults, Error, Page, Permission, Result, WorkspaceId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::list::{ListField, ListQuery, ListSpec};
use store::query::{Expr, ExprTrait, Query, SelectStatement};
use store::{Change, Conn, Json, OnUnique as _, Record as _, UnitOfWork};
use utoipa::ToSchema;
use validator::Validate;

use crate::errors::SLUG_TAKEN;
pub use crate::file_kinds::{FileKind, FileKinds};
use crate::rows::WorkspaceRow;
pub use crate::settings::WorkspaceSettings;
use crate::settings::{self, SettingValues};
use crate::{memberships, roles, shape};

/// A change of some [`WorkspaceSettings`]; all of them are changed by `PATCH /v1/settings`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct WorkspaceSettingsPatch {
    /// Whether a change or deletion of a record must name by `If-Match` the state that it is meant for.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub require_if_match: Option<bool>,
    /// The kinds of file that are taken: all but `zip` unless said.
    #[schema(value_type = Vec<FileKind>, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_kinds: Option<FileKinds>,
    /// The keys of the roles whose members must have a second factor.
    #[schema(nullable = false, max_items = 100)]
    #[validate(length(max = 100))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_factor_roles: Option<Vec<String>>,
    /// The face of its mail; what is left out stays.
    #[schema(nullable = false)]
    #[validate(nested)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail: Option<mail::FaceSettingsPatch>,
}

impl WorkspaceSettingsPatch {
    /// The values that it gives, by key; null where it takes one away.
    fn by_key(self) -> Map<String, Value> {
        let mut given = Map::new();
        let mut give = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                given.insert(key.to_owned(), value);
            }
        };
        give("require_if_match", self.require_if_match.map(Value::from));
        give("file_kinds", self.file_kinds.map(|kinds| kinds.iter().map(FileKind::as_str).collect()));
        give("second_factor_roles", self.second_factor_roles.map(Value::from));
        let face = self.mail.unwrap_or_default();
        let members =
            [("mail.accent_color", face.accent_color), ("mail.tagline", face.tagline), ("mail.reply_to", face.reply_to)];
        for (key, member) in members {
            give(key, (!member.is_absent()).then(|| member.value().map_or(Value::Null, |text| text.as_str().into())));
        }
        given
    }
}

/// A company or site whose data is apart from all others.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Workspace {
    /// Its id.
    pub id: WorkspaceId,
    /// Its short name, unique in the installation; good for `X-Workspace`.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// The currency of new records.
    #[schema(value_type = String)]
    pub default_currency: Currency,
    /// Its time zone, of the IANA database.
    pub timezone: String,
    /// Its language.
    pub locale: String,
    /// How it works: what it says itself, and where it says nothing what the installation says, or the default.
    pub settings: WorkspaceSettings,
    /// Whether it is in use.
    pub is_active: bool,
    /// When it was made.
    pub created_at: DateTime,
    /// When it last changed.
    pub updated_at: DateTime,
    /// Counts its changes; the ETag is made from it.
    #[serde(skip)]
    pub version: i64,
}

impl Workspace {
    /// The row as it is where the installation gives these values.
    fn of(row: WorkspaceRow, installation: &SettingValues) -> Result<Self> {
        Ok(Self {
            id: row.id,
            slug: row.slug,
            name: row.name,
            default_currency: row.default_currency,
            timezone: row.timezone,
            locale: row.locale,
            settings: WorkspaceSettings::of(&row.settings.0, installation)?,
            is_active: row.is_active,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        })
    }
}

/// The body of `POST /v1/workspaces`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CreateWorkspace {
    /// 2 to 60 lower-case letters, digits and hyphens; unique in the installation.
    #[validate(custom(function = shape::slug))]
    pub slug: String,
    /// 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    #[validate(custom(function = shape::filled))]
    pub name: String,
    /// ISO 4217; the euro unless given.
    #[schema(nullable = false, pattern = "^[A-Z]{3}$")]
    #[validate(custom(function = shape::currency))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_currency: Option<String>,
    /// Of the IANA database; `Europe/Athens` unless given.
    #[schema(nullable = false)]
    #[validate(custom(function = shape::timezone))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// A language such as `el` or `en-GB`; `el` unless given.
    #[schema(nullable = false)]
    #[validate(custom(function = shape::locale))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
}

/// The body of `PATCH /v1/workspaces/{workspace_id}`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct WorkspacePatch {
    /// 2 to 60 lower-case letters, digits and hyphens; unique in the installation.
    #[schema(nullable = false)]
    #[validate(custom(function = shape::slug))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// 1 to 200 characters.
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    #[validate(custom(function = shape::filled))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// ISO 4217.
    #[schema(nullable = false, pattern = "^[A-Z]{3}$")]
    #[validate(custom(function = shape::currency))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_currency: Option<String>,
    /// Of the IANA database.
    #[schema(nullable = false)]
    #[validate(custom(function = shape::timezone))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// A language such as `el` or `en-GB`.
    #[schema(nullable = false)]
    #[validate(custom(function = shape::locale))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// How it works; what is left out stays.
    #[schema(nullable = false)]
    #[validate(nested)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings: Option<WorkspaceSettingsPatch>,
    /// Whether it is in use.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
}

/// How workspaces can be listed.
pub static WORKSPACE_LIST: ListSpec = ListSpec {
    name: "workspaces",
    table: "workspace",
    fields: &[
        ListField::text("slug").sorted(),
        ListField::text("name").sorted(),
        ListField::boolean("is_active"),
        ListField::time("created_at").sorted(),
        ListField::time("updated_at").sorted(),
    ],
    default_sort: &["name"],
    ..ListSpec::EMPTY
};

/// Workspaces that the caller belongs to; a super admin of the installation belongs to all.
fn visible_to(caller: &Caller) -> Result<SelectStatement> {
    let mut select = WorkspaceRow::select();
    if let (kernel::Actor::Token { .. }, Some(workspace)) = (caller.actor, caller.workspace) {
        select.and_where(Expr::col(("workspace", "id")).eq(kernel::TypedId::uuid(workspace)));
    } else if !caller.is_super_admin {
        let user = kernel::TypedId::uuid(caller.user()?);
        let mut mine = Query::select();
        mine.column("workspace_id").from("membership").and_where(Expr::col("user_id").eq(user));
        select.and_where(Expr::col(("workspace", "id")).in_subquery(mine));
    }
    Ok(select)
}

/// Workspaces that the caller belongs to.
///
/// # Errors
/// `unauthenticated` for nobody.
pub async fn list(conn: &mut Conn, caller: &Caller, query: &ListQuery) -> Result<Page<Workspace>> {
    let base = visible_to(caller)?;
    let page = store::list::page::<WorkspaceRow>(conn, caller, base, &WORKSPACE_LIST, query).await?;
    let installation = settings::of_installation(conn).await?;
    let data = page.data.into_iter().map(|row| Workspace::of(row, &installation)).collect::<Result<_>>()?;
    Ok(Page { data, page: page.page })
}

/// One workspace.
///
/// # Errors
/// `not_found` when the caller does not belong to it.
pub async fn get(conn: &mut Conn, caller: &Caller, id: WorkspaceId) -> Result<Workspace> {
    let mut select = visible_to(caller)?;
    select.and_where(Expr::col(("workspace", "id")).eq(kernel::TypedId::uuid(id)));
    let row = conn.one::<WorkspaceRow>(&select).await?.ok_or_else(Error::not_found)?;
    Workspace::of(row, &settings::of_installation(conn).await?)
}

/// Makes a workspace, in which the caller becomes the first super admin.
///
/// # Errors
/// `forbidden` without `admin.manage_workspaces`; `slug_taken`.
pub async fn create(uow: &mut UnitOfWork, input: CreateWorkspace) -> Result<Workspace> {
    let caller = uow.caller();
    caller.require(Permission::AdminManageWorkspaces)?;
    let user = caller.user()?;
    let workspace = insert(uow, input).await?;
    let role = roles::super_admin(uow).await?;
    memberships::insert(uow, workspace.id, user, role.id).await?;
    uow.enter(caller.workspace).await?;
    Ok(workspace)
}

/// Inserts a workspace and goes on in it.
pub(crate) async fn insert(uow: &mut UnitOfWork, input: CreateWorkspace) -> Result<Workspace> {
    let (id, now) = (uow.id(), uow.now());
    let currency = input.default_currency.as_deref().map(str::parse).transpose().map_err(Error::internal)?;
    let row = WorkspaceRow {
        id,
        slug: input.slug,
        name: input.name.trim().to_owned(),
        default_currency: currency.unwrap_or(Currency::EUR),
        timezone: input.timezone.unwrap_or_else(|| "Europe/Athens".to_owned()),
        locale: input.locale.unwrap_or_else(|| "el".to_owned()),
        settings: Json(SettingValues::default()),
        is_active: true,
        has_custom_fields: false,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    uow.enter(Some(id)).await?;
    uow.insert(&row, Change::plain()).await.on_unique(slug_taken)?;
    Workspace::of(row, &settings::of_installation(uow).await?)
}

fn slug_taken() -> Error {
    Error::new(&SLUG_TAKEN).with_field(kernel::FieldError::new("/slug", "taken", "belongs to another workspace"))
}

/// Changes the workspace that the caller is in.
///
/// # Errors
/// `forbidden` without `admin.manage_workspaces`; `not_found` for any other workspace; `stale`; `slug_taken`.
pub async fn update(uow: &mut UnitOfWork, id: WorkspaceId, seen: Option<i64>, patch: WorkspacePatch) -> Result<Workspace> {
    let caller = uow.caller();
    caller.require(Permission::AdminManageWorkspaces)?;
    if uow.workspace()? != id {
        return Err(Error::not_found());
    }
    let mut select = visible_to(&caller)?;
    select.and_where(Expr::col(("workspace", "id")).eq(kernel::TypedId::uuid(id)));
    let before = uow.locked::<WorkspaceRow>(select).await?.ok_or_else(Error::not_found)?;
    crate::check_seen(seen, before.version)?;
    let currency = patch.default_currency.as_deref().map(str::parse).transpose().map_err(Error::internal)?;
    let given = patch.settings.map(WorkspaceSettingsPatch::by_key).unwrap_or_default();
    let settings = settings::given(uow, id, &before.settings.0, given, "/settings").await?;
    let after = WorkspaceRow {
        slug: patch.slug.unwrap_or_else(|| before.slug.clone()),
        name: patch.name.map_or_else(|| before.name.clone(), |name| name.trim().to_owned()),
        default_currency: currency.unwrap_or(before.default_currency),
        timezone: patch.timezone.unwrap_or_else(|| before.timezone.clone()),
        locale: patch.locale.unwrap_or_else(|| before.locale.clone()),
        settings: Json(settings),
        is_active: patch.is_active.unwrap_or(before.is_active),
        ..before.clone()
    };
    let after = uow.update(&before, after, Change::plain()).await.on_unique(slug_taken)?;
    Workspace::of(after, &settings::of_installation(uow).await?)
}

/// Locks the workspace as [`lock`] does, and notes that it has custom fields: where it has none, making a record asks for none.
///
/// # Errors
/// What the database says.
pub async fn lock_with_custom_fields(uow: &mut UnitOfWork, id: WorkspaceId) -> Result<()> {
    let mut select = WorkspaceRow::select();
    select.and_where(Expr::col(("workspace", "id")).eq(kernel::TypedId::uuid(id)));
    let before = uow.locked::<WorkspaceRow>(select).await?.ok_or_else(Error::not_found)?;
    uow.update(&before, WorkspaceRow { has_custom_fields: true, ..before.clone() }, Change::plain()).await.map(|_| ())
}

/// Locks the workspace, so that what concerns all of it is decided by one at a time.
///
/// # Errors
/// What the database says.
pub async fn lock(uow: &mut UnitOfWork, id: WorkspaceId) -> Result<()> {
    let mut select = WorkspaceRow::select();
    select.and_where(Expr::col(("workspace", "id")).eq(kernel::TypedId::uuid(id)));
    uow.locked::<WorkspaceRow>(select).await.map(|_| ())
}

/// How the caller's workspace works.
///
/// # Errors
/// `no_workspace` when the caller is in none; `not_found` when it is gone.
pub async fn settings(conn: &mut Conn, caller: &Caller) -> Result<WorkspaceSettings> {
    settings::of_workspace(conn, caller.workspace()?).await
}

/// What new records are given in the caller's workspace: known with the caller, or read.
///
/// # Errors
/// `no_workspace` when the caller is in none; `not_found` when it is gone.
pub async fn defaults(conn: &mut Conn, caller: &Caller) -> Result<Defaults> {
    if let Some(defaults) = &caller.defaults {
        return Ok(defaults.clone());
    }
    let id = kernel::TypedId::uuid(caller.workspace()?);
    let mut select = Query::select();
    select.columns(["default_currency", "locale", "has_custom_fields"]).from("workspace").and_where(Expr::col("id").eq(id));
    let row = conn.row(&select).await?.ok_or_else(Error::not_found)?;
    let settings = settings::of_workspace(conn, caller.workspace()?).await?;
    Ok(Defaults {
        currency: row.get(0)?,
        locale: row.get(1)?,
        country: settings.phones.default_country,
        has_custom_fields: row.get(2)?,
        on_duplicate: settings.duplicates.on_create,
    })
}
