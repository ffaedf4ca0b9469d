//! API tokens: for integrators. A token acts for the account that made it, with the permissions that it was given and its maker still
//! has. Its secret can be changed for another while it stays what it is ([`rotate`]), and how often it is used is counted ([`usage`]).

mod rotate;
mod usage;
mod uses;

use std::collections::HashSet;

use chrono::Duration;
use ipnet::IpNet;
use kernel::error::Faults;
use kernel::{Caller, DateTime, Error, Page, Permission, PermissionSet, Result, TypedId as _, UserId, WorkspaceId};
use serde::{Deserialize, Serialize};
use store::list::{ListField, ListQuery, ListSpec};
use store::query::{Expr, ExprTrait, SelectStatement};
use store::{Change, Conn, Json, Record as _, UnitOfWork};
use utoipa::ToSchema;
use validator::Validate;

use crate::rows::{ApiTokenId, ApiTokenRow};
use crate::{secret_text, settings, shape, users};

pub use rotate::{RotateApiToken, rotate};
pub(crate) use usage::first_day;
pub use usage::{DayOfUse, TokenUsage, usage};
pub(crate) use uses::Uses;

/// Before every API token, so that secret scanners find it.
pub const PREFIX: &str = "plt_";
/// Characters of a token that are shown.
const SHOWN: usize = 12;

/// An API token; the secret itself is shown once, when it is made.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ApiToken {
    /// Its id.
    pub id: ApiTokenId,
    /// Its name.
    pub name: String,
    /// How the secret begins.
    pub prefix: String,
    /// Until when the secret goes on that there was before the last rotation; null where it ended at once or there was none.
    pub old_secret_ends_at: Option<DateTime>,
    /// The account it acts for.
    pub user_id: UserId,
    /// What it may do, each as `area.action`; never more than its maker may at the time of use.
    pub scopes: Vec<String>,
    /// Networks it is allowed from; any where there are none.
    pub networks: Vec<String>,
    /// When it stops working; never where this is null.
    pub expires_at: Option<DateTime>,
    /// When it was last used, within a minute.
    pub last_used_at: Option<DateTime>,
    /// Whether it works.
    pub is_active: bool,
    /// When it was made.
    pub created_at: DateTime,
    /// When it last changed.
    pub updated_at: DateTime,
    /// Counts its changes; the ETag is made from it.
    #[serde(skip)]
    pub version: i64,
}

/// A new API token with its secret.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct NewApiToken {
    /// The token.
    #[serde(flatten)]
    pub token: ApiToken,
    /// The secret: send it as `Authorization: Bearer …`. It is shown this once.
    pub secret: String,
}

impl From<ApiTokenRow> for ApiToken {
    fn from(row: ApiTokenRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            prefix: row.prefix,
            old_secret_ends_at: row.old_ends_at,
            user_id: row.user_id,
            scopes: row.scopes.0.iter().map(|permission| permission.to_string()).collect(),
            networks: row.networks.0.iter().map(ToString::to_string).collect(),
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
            is_active: row.is_active,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

/// The body of `POST /v1/tokens`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CreateApiToken {
    /// 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    #[validate(custom(function = shape::filled))]
    pub name: String,
    /// What it may do, each as `area.action`; at least one, and none that the maker lacks.
    #[schema(min_items = 1, max_items = 200)]
    pub scopes: Vec<String>,
    /// Networks it is allowed from, such as `192.0.2.0/24`; any where there are none.
    #[schema(nullable = false, max_items = 50)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub networks: Option<Vec<String>>,
    /// When it stops working; as late as the setting `tokens.max_days` lets it, unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime>,
}

/// The body of `PATCH /v1/tokens/{token_id}`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct ApiTokenPatch {
    /// 1 to 100 characters.
    #[schema(nullable = false, min_length = 1, max_length = 100)]
    #[validate(custom(function = shape::filled))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether it works.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
}

/// How API tokens can be listed.
pub static TOKEN_LIST: ListSpec = ListSpec {
    name: "tokens",
    table: "api_token",
    fields: &[
        ListField::text("name"),
        ListField::uuid("user_id"),
        ListField::boolean("is_active"),
        ListField::time("expires_at").nullable().sorted(),
        ListField::time("last_used_at").nullable().sorted(),
        ListField::time("created_at").sorted(),
    ],
    ..ListSpec::EMPTY
};

/// One's own tokens; all of the workspace with `admin.manage_tokens`.
fn visible_to(caller: &Caller) -> Result<SelectStatement> {
    caller.require_any(&[Permission::AdminManageTokens, Permission::TokensManageOwn])?;
    let mut select = ApiTokenRow::select();
    select.and_where(Expr::col(("api_token", "workspace_id")).eq(caller.workspace()?.uuid()));
    if !caller.can(Permission::AdminManageTokens) {
        select.and_where(Expr::col(("api_token", "user_id")).eq(caller.user()?.uuid()));
    }
    Ok(select)
}

/// One's own tokens; all of the workspace with `admin.manage_tokens`.
///
/// # Errors
/// `forbidden` without `tokens.manage_own` or `admin.manage_tokens`.
pub async fn list(conn: &mut Conn, caller: &Caller, query: &ListQuery) -> Result<Page<ApiToken>> {
    let page = store::list::page::<ApiTokenRow>(conn, caller, visible_to(caller)?, &TOKEN_LIST, query).await?;
    Ok(page.map(ApiToken::from))
}

/// One token.
///
/// # Errors
/// `forbidden` without `tokens.manage_own` or `admin.manage_tokens`; `not_found`.
pub async fn get(conn: &mut Conn, caller: &Caller, id: ApiTokenId) -> Result<ApiToken> {
    let mut select = visible_to(caller)?;
    select.and_where(Expr::col(("api_token", "id")).eq(id.uuid()));
    conn.one::<ApiTokenRow>(&select).await?.map(ApiToken::from).ok_or_else(Error::not_found)
}

/// Makes a token for oneself.
///
/// # Errors
/// `forbidden` without `tokens.manage_own` or `admin.manage_tokens`; `validation_failed` for scopes that are unknown or that
/// the maker lacks, for networks that are none, and for an expiry in the past. A token that makes another gives it no more than it
/// has itself: its networks and its expiry where none are named, and none beyond them. Nor does any live longer than the setting
/// `tokens.max_days` says, and it lives as long where nothing is said.
pub async fn create(uow: &mut UnitOfWork, input: CreateApiToken) -> Result<NewApiToken> {
    let caller = uow.caller();
    caller.require_any(&[Permission::TokensManageOwn, Permission::AdminManageTokens])?;
    let (workspace, user, now) = (uow.workspace()?, caller.user()?, uow.now());
    // an account that is switched off meanwhile is so before, or takes this one along
    if !users::find_locked(uow, user).await?.is_some_and(|user| user.is_active) {
        return Err(Error::new(&kernel::error::codes::UNAUTHENTICATED));
    }
    let maker = maker(uow, &caller).await?;
    let wanted = settings::of_workspace(uow, workspace).await?.tokens;
    let longest = wanted.max_days.and_then(Duration::try_days).and_then(|days| now.checked_add_signed(days));
    let latest = maker.as_ref().and_then(|maker| maker.expires_at).into_iter().chain(longest).min();
    let (scopes, networks) = checked(&caller, maker.as_ref(), &input, (wanted.require_networks, latest), now)?;
    let secret = secret_text::make(PREFIX, uow.random());
    let row = ApiTokenRow {
        id: uow.id(),
        workspace_id: workspace,
        user_id: user,
        name: input.name.trim().to_owned(),
        prefix: shown(&secret),
        hash: secret_text::hash(&secret),
        old_hash: None,
        old_ends_at: None,
        scopes: Json(scopes),
        networks: Json(networks),
        expires_at: input.expires_at.or(latest),
        last_used_at: None,
        last_used_from: None,
        is_active: true,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    uow.insert(&row, Change::plain()).await?;
    Ok(NewApiToken { token: row.into(), secret })
}

/// What is shown of a secret.
fn shown(secret: &str) -> String {
    secret.chars().take(SHOWN).collect()
}

/// The token with which the caller asks, if with one.
async fn maker(uow: &mut UnitOfWork, caller: &Caller) -> Result<Option<ApiTokenRow>> {
    let kernel::Actor::Token { token, .. } = caller.actor else { return Ok(None) };
    let mut select = ApiTokenRow::select();
    select.and_where(Expr::col(("api_token", "id")).eq(token));
    uow.one(&select).await
}

fn checked(
    caller: &Caller,
    maker: Option<&ApiTokenRow>,
    input: &CreateApiToken,
    (networks_required, latest): (bool, Option<DateTime>),
    now: DateTime,
) -> Result<(PermissionSet, Vec<IpNet>)> {
    let mut faults = Faults::new();
    let mut scopes = PermissionSet::none();
    let mut seen = HashSet::new();
    if input.scopes.is_empty() {
        faults.add("/scopes", "too_few_items", "must name at least one permission");
    }
    for (place, scope) in input.scopes.iter().enumerate() {
        let pointer = format!("/scopes/{place}");
        match scope.parse::<Permission>() {
            Err(_) => faults.add(pointer, "unknown_permission", "there is no such permission"),
            Ok(permission) if !caller.can(permission) => {
                faults.add(pointer, "scope_not_held", "is more than you may do yourself")
            }
            Ok(permission) if !seen.insert(permission) => faults.add(pointer, "repeated", "is named twice"),
            Ok(permission) => scopes.insert(permission),
        }
    }
    let held = maker.map(|maker| maker.networks.0.as_slice()).unwrap_or_default();
    let mut networks = Vec::new();
    for (place, text) in input.networks.iter().flatten().enumerate() {
        let network = text.parse::<IpNet>().or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from));
        match network {
            Ok(network) if !held.is_empty() && !held.iter().any(|wider| wider.contains(&network)) => {
                faults.add(format!("/networks/{place}"), "network_not_held", "is beyond the networks of the token that asks")
            }
            Ok(network) => networks.push(network),
            Err(_) => faults.add(
                format!("/networks/{place}"),
                "invalid_network",
                "must be an address or a network such as 192.0.2.0/24",
            ),
        }
    }
    if networks_required && held.is_empty() && input.networks.as_ref().is_none_or(Vec::is_empty) {
        faults.add("/networks", "required", "must name at least one: `tokens.require_networks` wants it so");
    }
    if input.expires_at.is_some_and(|at| at <= now) {
        faults.add("/expires_at", "in_the_past", "must be in the future");
    }
    if input.expires_at.zip(latest).is_some_and(|(at, latest)| at > latest) {
        faults.add(
            "/expires_at",
            "too_late",
            "must not be after the expiry of the token that asks, nor beyond `tokens.max_days`",
        );
    }
    faults.into_result()?;
    if networks.is_empty() {
        networks.extend_from_slice(held);
    }
    Ok((scopes, networks))
}

/// Switches off the tokens of an account that is switched off, or those that it has in a workspace which it leaves: they do not come back
/// with it. The caller may not manage tokens, and some may be of other workspaces.
pub(crate) async fn switch_off_of(uow: &mut UnitOfWork, user: UserId, workspace: Option<WorkspaceId>) -> Result<()> {
    let mut select = ApiTokenRow::select();
    select
        .and_where(Expr::col(("api_token", "user_id")).eq(user.uuid()))
        .and_where(Expr::col(("api_token", "is_active")).eq(true));
    if let Some(workspace) = workspace {
        select.and_where(Expr::col(("api_token", "workspace_id")).eq(workspace.uuid()));
    }
    uow.beyond_walls(async |uow| {
        for before in uow.locked_all::<ApiTokenRow>(select).await? {
            uow.update(&before, ApiTokenRow { is_active: false, ..before.clone() }, Change::plain()).await?;
        }
        Ok(())
    })
    .await
}

async fn find_locked(uow: &mut UnitOfWork, id: ApiTokenId, seen: Option<i64>) -> Result<ApiTokenRow> {
    let mut select = visible_to(&uow.caller())?;
    select.and_where(Expr::col(("api_token", "id")).eq(id.uuid()));
    let row = uow.locked::<ApiTokenRow>(select).await?.ok_or_else(Error::not_found)?;
    crate::check_seen(seen, row.version)?;
    Ok(row)
}

/// Renames a token, or switches it off or on.
///
/// # Errors
/// `forbidden` without `tokens.manage_own` or `admin.manage_tokens`; `not_found`; `stale`.
pub async fn update(uow: &mut UnitOfWork, id: ApiTokenId, seen: Option<i64>, patch: ApiTokenPatch) -> Result<ApiToken> {
    let before = find_locked(uow, id, seen).await?;
    let after = ApiTokenRow {
        name: patch.name.map_or_else(|| before.name.clone(), |name| name.trim().to_owned()),
        is_active: patch.is_active.unwrap_or(before.is_active),
        ..before.clone()
    };
    uow.update(&before, after, Change::plain()).await.map(ApiToken::from)
}

/// Deletes a token; it stops working at once.
///
/// # Errors
/// `forbidden` without `tokens.manage_own` or `admin.manage_tokens`; `not_found`; `stale`.
pub async fn delete(uow: &mut UnitOfWork, id: ApiTokenId, seen: Option<i64>) -> Result<()> {
    let row = find_locked(uow, id, seen).await?;
    uow.delete(&row, Change::plain()).await
}
