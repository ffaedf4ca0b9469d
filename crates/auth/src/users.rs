//! Staff accounts.

use std::collections::HashMap;

use kernel::{Caller, DateTime, Error, Page, Patch, Permission, Result, TypedId as _, UserId, WorkspaceId};
use serde::{Deserialize, Serialize};
use store::list::{ListField, ListQuery, ListSpec};
use store::query::{Expr, ExprTrait, Query, SelectStatement};
use store::{Change, Conn, Record as _, UnitOfWork};
use utoipa::ToSchema;
use validator::Validate;

use crate::errors::ROLE_TOO_HIGH;
use crate::rows::UserRow;
use crate::{Auth, address_change, api_tokens, memberships, password_reset, sessions, shape, workspaces};

/// A staff account.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// Its address, unique without regard to case.
    pub email: String,
    /// Given name.
    pub given_name: String,
    /// Family name.
    pub family_name: String,
    /// Phone.
    pub phone: Option<String>,
    /// Its time zone, of the IANA database.
    pub timezone: String,
    /// Its language.
    pub locale: String,
    /// Whether it may do everything in every workspace.
    pub is_super_admin: bool,
    /// Whether it may sign in.
    pub is_active: bool,
    /// When it last signed in.
    pub last_login_at: Option<DateTime>,
    /// When it was made.
    pub created_at: DateTime,
    /// When it last changed.
    pub updated_at: DateTime,
    /// Counts its changes; the ETag is made from it.
    #[serde(skip)]
    pub version: i64,
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        Self {
            id: row.id,
            email: row.email,
            given_name: row.given_name,
            family_name: row.family_name,
            phone: row.phone,
            timezone: row.timezone,
            locale: row.locale,
            is_super_admin: row.is_super_admin,
            is_active: row.is_active,
            last_login_at: row.last_login_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

/// What others see of an account: as an owner or author.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UserBrief {
    /// Its id.
    pub id: UserId,
    /// Given name.
    pub given_name: String,
    /// Family name.
    pub family_name: String,
    /// Whether it may sign in.
    pub is_active: bool,
}

/// The body of `PATCH /v1/users/{user_id}`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct UserPatch {
    /// The address that it signs in with, unique without regard to case. Only one who is signed in changes it; it ends every session of the
    /// account, and both addresses are told.
    #[schema(nullable = false, format = "email", max_length = 254)]
    #[validate(email(message = "must be an e-mail address"), length(max = 254))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Given name, 1 to 100 characters.
    #[schema(nullable = false, min_length = 1, max_length = 100)]
    #[validate(custom(function = shape::filled))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// Family name, 1 to 100 characters.
    #[schema(nullable = false, min_length = 1, max_length = 100)]
    #[validate(custom(function = shape::filled))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    /// Phone, at most 50 characters.
    #[schema(value_type = Option<String>, max_length = 50)]
    #[validate(length(max = 50))]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub phone: Patch<String>,
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
    /// False ends everything that the account holds.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
}

/// How accounts can be listed.
pub static USER_LIST: ListSpec = ListSpec {
    name: "users",
    table: "user_account",
    fields: &[
        ListField { column: "name_key", ..ListField::text("name").folded("name_key") },
        ListField { column: "email_key", ..ListField::text("email").folded("email_key") },
        ListField::boolean("is_active"),
        ListField::boolean("is_super_admin"),
        ListField::time("last_login_at").nullable().sorted(),
        ListField::time("created_at").sorted(),
        ListField::time("updated_at").sorted(),
    ],
    default_sort: &["name"],
    ..ListSpec::EMPTY
};

/// Accounts that are members of the caller's workspace.
pub(crate) fn visible_to(caller: &Caller) -> Result<SelectStatement> {
    let mut members = Query::select();
    members.column("user_id").from("membership").and_where(Expr::col("workspace_id").eq(caller.workspace()?.uuid()));
    let mut select = UserRow::select();
    select.and_where(Expr::col(("user_account", "id")).in_subquery(members));
    Ok(select)
}

/// Accounts of the workspace.
///
/// # Errors
/// `forbidden` without `admin.manage_users`.
pub async fn list(conn: &mut Conn, caller: &Caller, query: &ListQuery) -> Result<Page<User>> {
    caller.require(Permission::AdminManageUsers)?;
    let page = store::list::page::<UserRow>(conn, caller, visible_to(caller)?, &USER_LIST, query).await?;
    Ok(page.map(User::from))
}

/// One account of the workspace.
///
/// # Errors
/// `forbidden` without `admin.manage_users`; `not_found`.
pub async fn get(conn: &mut Conn, caller: &Caller, id: UserId) -> Result<User> {
    caller.require(Permission::AdminManageUsers)?;
    let mut select = visible_to(caller)?;
    select.and_where(Expr::col(("user_account", "id")).eq(id.uuid()));
    conn.one::<UserRow>(&select).await?.map(User::from).ok_or_else(Error::not_found)
}

/// Changes an account of the workspace. One that is switched off loses its sessions, and its tokens are switched off, which do not come back with it; one that gets another address loses
/// its sessions.
///
/// # Errors
/// `forbidden` without `admin.manage_users`; `role_too_high` for a member who may more than the caller may, and for a super admin of
/// the installation unless one is one; `shared_account` for one of other workspaces too; `last_super_admin`; `not_found`; `stale`;
/// `sign_in_needed` for a token that brings another address; `address_taken` where that is another account's.
pub async fn update(auth: &Auth, uow: &mut UnitOfWork, id: UserId, seen: Option<i64>, patch: UserPatch) -> Result<User> {
    uow.caller().require(Permission::AdminManageUsers)?;
    let workspace = uow.workspace()?;
    workspaces::lock(uow, workspace).await?;
    let before = find_to_change(uow, id).await?;
    crate::check_seen(seen, before.version)?;
    let mut after = UserRow {
        email: patch.email.map_or_else(|| before.email.clone(), |email| email.trim().to_owned()),
        given_name: patch.given_name.map_or_else(|| before.given_name.clone(), |name| name.trim().to_owned()),
        family_name: patch.family_name.map_or_else(|| before.family_name.clone(), |name| name.trim().to_owned()),
        timezone: patch.timezone.unwrap_or_else(|| before.timezone.clone()),
        locale: patch.locale.unwrap_or_else(|| before.locale.clone()),
        is_active: patch.is_active.unwrap_or(before.is_active),
        ..before.clone()
    };
    patch.phone.apply(&mut after.phone);
    after.email_key = shape::email_key(&after.email);
    after.name_key = shape::name_key(&after.given_name, &after.family_name);
    if before.is_active && !after.is_active {
        memberships::keep_a_super_admin(uow, workspace, id).await?;
        memberships::keep_a_super_admin_elsewhere(uow, workspace, id).await?;
        sessions::revoke_all(uow, id, None, "deactivated").await?;
        // what is switched on again holds nothing of what it held
        api_tokens::switch_off_of(uow, id, None).await?;
        password_reset::forget(uow, id).await?;
    }
    if after.email_key != before.email_key {
        return address_change::update(auth, uow, &before, after).await.map(User::from);
    }
    uow.update(&before, after, Change::plain()).await.map(User::from)
}

/// An account of the workspace, locked, of one who may no more than the caller may. One that belongs to other workspaces too is theirs as
/// well: its owner changes it, or the installation.
pub(crate) async fn find_to_change(uow: &mut UnitOfWork, id: UserId) -> Result<UserRow> {
    let caller = uow.caller();
    let mut select = visible_to(&caller)?;
    select.and_where(Expr::col(("user_account", "id")).eq(id.uuid()));
    let row = uow.locked::<UserRow>(select).await?.ok_or_else(Error::not_found)?;
    if row.is_super_admin && !caller.is_super_admin {
        return Err(Error::new(&ROLE_TOO_HIGH).with_detail("Only a super admin of the installation may change one."));
    }
    memberships::check_account_not_above(uow, &caller, id).await?;
    let here = uow.workspace()?;
    memberships::check_not_shared(uow, here, id).await?;
    Ok(row)
}

pub(crate) async fn find_by_email(conn: &mut Conn, email: &str) -> Result<Option<UserRow>> {
    let mut select = UserRow::select();
    select.and_where(Expr::col(("user_account", "email_key")).eq(shape::email_key(email)));
    conn.one(&select).await
}

/// Which of these addresses, in lower case, are those of staff accounts.
///
/// # Errors
/// What the database says.
pub async fn addresses_among(conn: &mut Conn, addresses: &[String]) -> Result<Vec<String>> {
    let mut select = UserRow::select();
    select.and_where(Expr::col(("user_account", "email_key")).is_in(addresses.iter().map(String::as_str)));
    Ok(conn.all::<UserRow>(&select).await?.into_iter().map(|row| row.email_key).collect())
}

/// An account, of which one at a time does something; who is put into a team meanwhile, or the like, does not wait.
pub(crate) async fn find_locked(uow: &mut UnitOfWork, id: UserId) -> Result<Option<UserRow>> {
    uow.take_turn("user_account", id.uuid()).await?;
    find(uow, id).await
}

pub(crate) async fn find(conn: &mut Conn, id: UserId) -> Result<Option<UserRow>> {
    let mut select = UserRow::select();
    select.and_where(Expr::col(("user_account", "id")).eq(id.uuid()));
    conn.one(&select).await
}

/// What others see of these accounts, in one query.
///
/// # Errors
/// What the database says.
pub async fn briefs(conn: &mut Conn, ids: impl IntoIterator<Item = UserId>) -> Result<HashMap<UserId, UserBrief>> {
    let mut ids: Vec<uuid::Uuid> = ids.into_iter().map(UserId::uuid).collect();
    ids.sort();
    ids.dedup();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut select = Query::select();
    select.columns(["id", "given_name", "family_name", "is_active"]).from("user_account").and_where(Expr::col("id").is_in(ids));
    conn.rows(&select)
        .await?
        .iter()
        .map(|row| {
            let id: UserId = row.get(0)?;
            Ok((id, UserBrief { id, given_name: row.get(1)?, family_name: row.get(2)?, is_active: row.get(3)? }))
        })
        .collect()
}

/// Whether an account is a member of a workspace: whom a record there may belong to.
///
/// # Errors
/// What the database says.
pub async fn is_member(conn: &mut Conn, workspace: WorkspaceId, user: UserId) -> Result<bool> {
    let mut select = Query::select();
    select
        .column("id")
        .from("membership")
        .and_where(Expr::col("workspace_id").eq(workspace.uuid()))
        .and_where(Expr::col("user_id").eq(user.uuid()));
    Ok(conn.row(&select).await?.is_some())
}

/// The members of a workspace by address, in lower case.
///
/// # Errors
/// What the database says.
pub async fn members_by_email(conn: &mut Conn, workspace: WorkspaceId) -> Result<HashMap<String, UserId>> {
    let mut select = Query::select();
    select
        .columns([("user_account", "email_key"), ("user_account", "id")])
        .from("user_account")
        .inner_join("membership", Expr::col(("membership", "user_id")).eq(Expr::col(("user_account", "id"))))
        .and_where(Expr::col(("membership", "workspace_id")).eq(workspace.uuid()));
    conn.rows(&select).await?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}
