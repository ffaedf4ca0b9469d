//! Who a bearer token belongs to, and the Caller that they are in a workspace.
//!
//! What is found out is kept for a few seconds, so that most requests cost no query and no signature check. It is dropped on every
//! node when a membership, role, account, session, token or workspace changes.

use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use kernel::error::codes;
use kernel::{
    Actor, Caller, Company, DateTime, Defaults, Error, Origin, PermissionSet, Result, TypedId as _, UserId, WorkspaceId,
};
use moka::sync::Cache;
use serde_json::json;
use store::query::{Expr, ExprTrait, Order, Query};
use store::{Conn, Json, Record as _};

use crate::api_tokens::PREFIX;
use crate::errors::NETWORK_NOT_ALLOWED;
use crate::keys::PORTAL;
use crate::rows::{ApiTokenId, ApiTokenRow, SessionId};
use crate::settings::{self, SettingValues, WorkspaceSettings};
use crate::{Auth, roles, second_factor, secret_text, sessions, users};

/// How long what was found out is kept at most.
const KEPT_FOR: Duration = Duration::from_secs(5);
/// Identities that are kept at most.
const KEPT: u64 = 20_000;
/// Record types whose changes drop what is kept.
const DEPENDS_ON: [&str; 11] = [
    "membership",
    "second_factor",
    "role",
    "role_override",
    "user_account",
    "session",
    "portal_account",
    "portal_access",
    "api_token",
    "workspace",
    "installation_settings",
];
/// The topic under which nodes tell each other.
const TOPIC: &str = "identities";

/// A workspace that somebody belongs to.
#[derive(Clone, Debug)]
pub struct Place {
    /// The workspace.
    pub id: WorkspaceId,
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// The key of the role there.
    pub role: String,
    /// What they may do there.
    pub permissions: PermissionSet,
    /// Its time zone.
    pub timezone: String,
    /// What new records are given there.
    pub defaults: Defaults,
    /// How it works there.
    pub settings: WorkspaceSettings,
}

/// Somebody whose token is good.
#[derive(Debug)]
pub struct Identity {
    /// Who.
    pub actor: Actor,
    /// Whether the account is a super admin of the installation.
    pub is_super_admin: bool,
    /// Where they belong.
    pub places: Vec<Place>,
    /// Where they are when they do not say.
    pub default_workspace: Option<WorkspaceId>,
    /// Whose portal a contact is in.
    pub(crate) company: Option<Company>,
    /// Whether they have a second factor, or need none: an API token signs in to nothing.
    pub(crate) has_second_factor: bool,
    /// Networks they may come from; any where there are none.
    pub(crate) networks: Vec<IpNet>,
    /// When the token expires.
    pub(crate) expires_at: Option<DateTime>,
}

/// Kept identities, by the whole token.
pub(crate) type Identities = Cache<String, Arc<Identity>>;

pub(crate) fn identities() -> Identities {
    Cache::builder().time_to_live(KEPT_FOR).max_capacity(KEPT).build()
}

impl Auth {
    /// Drops what is kept when it changes, here or on another node.
    pub(crate) fn watch_changes(&self) {
        let shared = self.store.shared().clone();
        self.store.on_commit(Arc::new(move |touched| {
            if touched.iter().any(|record| DEPENDS_ON.contains(&record.record_type)) {
                shared.publish(TOPIC);
            }
        }));
        let kept = self.identities.clone();
        self.store.shared().on_topic(Arc::new(move |topic| {
            if topic == TOPIC || topic == "*" {
                kept.invalidate_all();
            }
        }));
    }

    /// Who a bearer token belongs to.
    ///
    /// # Errors
    /// `unauthenticated` when it is not good; `network_not_allowed`.
    pub async fn identify(&self, bearer: &str, origin: &Origin) -> Result<Arc<Identity>> {
        let now = self.store.runtime().now();
        let identity = match self.identities.get(bearer) {
            Some(identity) => {
                metrics::counter!("pelatis_cache_total", "cache" => "identity", "outcome" => "hit").increment(1);
                identity
            }
            None => {
                metrics::counter!("pelatis_cache_total", "cache" => "identity", "outcome" => "miss").increment(1);
                let found =
                    Box::pin(self.find_identity(bearer, now)).await?.ok_or_else(|| Error::new(&codes::UNAUTHENTICATED))?;
                let identity = Arc::new(found);
                self.identities.insert(bearer.to_owned(), identity.clone());
                identity
            }
        };
        if identity.expires_at.is_some_and(|at| at <= now) {
            return Err(Error::new(&codes::UNAUTHENTICATED).with_detail("The token has expired."));
        }
        if !identity.networks.is_empty()
            && !origin.ip.is_some_and(|ip| identity.networks.iter().any(|network| crate::networks::holds(network, ip)))
        {
            return Err(Error::new(&NETWORK_NOT_ALLOWED));
        }
        if let (Actor::Token { token, .. }, Some(workspace)) = (identity.actor, identity.default_workspace) {
            self.note_use(ApiTokenId::from_uuid(token), workspace, now, origin.ip).await;
        }
        Ok(identity)
    }

    async fn find_identity(&self, bearer: &str, now: DateTime) -> Result<Option<Identity>> {
        if bearer.starts_with(PREFIX) {
            return self.find_token(bearer, now).await;
        }
        let Some(claims) = self.keys.verify(bearer, now).await else { return Ok(None) };
        if claims.aud == PORTAL {
            return self.find_contact(&claims, now).await;
        }
        let user_id = UserId::from_uuid(claims.sub);
        let mut reader = self.store.reader(&self.installation()).await?;
        let session = sessions::find(&mut reader, SessionId::from_uuid(claims.sid)).await?;
        let user = users::find(&mut reader, user_id).await?;
        let (Some(session), Some(user)) = (session, user) else { return Ok(None) };
        if session.revoked_at.is_some() || session.expires_at <= now || session.user_id != Some(user_id) || !user.is_active {
            return Ok(None);
        }
        let places = places(&mut reader, user_id, user.is_super_admin).await?;
        let has_second_factor = second_factor::is_on(&mut reader, user_id).await?;
        reader.close().await?;
        let actor = Actor::User { user: user_id, session: claims.sid };
        let identity = Identity::of_account(actor, user.is_super_admin, places, user.default_workspace_id);
        Ok(Some(Identity { expires_at: DateTime::from_timestamp(claims.exp, 0), has_second_factor, ..identity }))
    }

    async fn find_token(&self, secret: &str, now: DateTime) -> Result<Option<Identity>> {
        let mut reader = self.store.reader(&self.installation()).await?;
        let mut select = ApiTokenRow::select();
        let hash = secret_text::hash(secret);
        let is = |column| Expr::col(("api_token", column)).eq(hash.as_str());
        select.and_where(is("hash").or(is("old_hash")));
        let Some(token) = reader.one::<ApiTokenRow>(&select).await? else { return Ok(None) };
        let maker = users::find(&mut reader, token.user_id).await?.filter(|user| user.is_active);
        let ends_at = if token.hash == hash {
            token.expires_at
        } else {
            // the secret that there was before goes on for a while, and never longer than the token
            token.expires_at.into_iter().chain(token.old_ends_at).min()
        };
        let expired = ends_at.is_some_and(|at| at <= now);
        let Some(maker) = maker.filter(|_| token.is_active && !expired) else { return Ok(None) };
        let place = place_in(&mut reader, maker.id, maker.is_super_admin, token.workspace_id).await?;
        reader.close().await?;
        let Some(mut place) = place else { return Ok(None) };
        place.permissions = place.permissions.intersection(&token.scopes.0);
        Ok(Some(Identity {
            actor: Actor::Token { token: token.id.uuid(), user: maker.id },
            is_super_admin: false,
            default_workspace: Some(token.workspace_id),
            places: vec![place],
            company: None,
            has_second_factor: true,
            networks: token.networks.0,
            expires_at: ends_at,
        }))
    }
}

/// Where an account belongs; a super admin of the installation belongs everywhere, with everything allowed.
pub(crate) async fn places(conn: &mut Conn, user: UserId, is_super_admin: bool) -> Result<Vec<Place>> {
    places_among(conn, user, is_super_admin, None).await
}

/// One of [`places`], however many there are.
pub(crate) async fn place_in(
    conn: &mut Conn,
    user: UserId,
    is_super_admin: bool,
    workspace: WorkspaceId,
) -> Result<Option<Place>> {
    Ok(places_among(conn, user, is_super_admin, Some(workspace)).await?.pop())
}

async fn places_among(conn: &mut Conn, user: UserId, is_super_admin: bool, only: Option<WorkspaceId>) -> Result<Vec<Place>> {
    let mut select = Query::select();
    select
        .columns([("workspace", "id"), ("workspace", "slug"), ("workspace", "name")])
        .columns([("role", "key"), ("role", "permissions")])
        .columns([("workspace", "default_currency"), ("workspace", "locale"), ("workspace", "settings")])
        .column(("role_override", "permissions"))
        .columns([("workspace", "timezone"), ("workspace", "has_custom_fields")])
        .from("workspace")
        .and_where(Expr::col(("workspace", "is_active")).eq(true))
        .order_by(("workspace", "slug"), Order::Asc)
        .limit(1000);
    if let Some(workspace) = only {
        select.and_where(Expr::col(("workspace", "id")).eq(workspace.uuid()));
    }
    let mine = Expr::col(("membership", "workspace_id"))
        .eq(Expr::col(("workspace", "id")))
        .and(Expr::col(("membership", "user_id")).eq(user.uuid()));
    let role = Expr::col(("role", "id")).eq(Expr::col(("membership", "role_id")));
    if is_super_admin {
        select.left_join("membership", mine).left_join("role", role);
    } else {
        select.inner_join("membership", mine).inner_join("role", role);
    }
    let over = Expr::col(("role_override", "role_id"))
        .eq(Expr::col(("role", "id")))
        .and(Expr::col(("role_override", "workspace_id")).eq(Expr::col(("workspace", "id"))));
    select.left_join("role_override", over);
    let installation = settings::of_installation(conn).await?;
    conn.rows(&select)
        .await?
        .iter()
        .map(|row| {
            let names = row.get::<Option<Json<Vec<String>>>>(4)?.map(|json| json.0).unwrap_or_default();
            let over = row.get::<Option<Json<roles::Laid>>>(8)?.map(|json| json.0).unwrap_or_default();
            let of_role: PermissionSet = names.iter().filter_map(|name| name.parse().ok()).collect();
            let permissions = if is_super_admin { PermissionSet::all() } else { roles::laid_over(of_role, &over) };
            let role: Option<String> = row.get(3)?;
            let settings = WorkspaceSettings::of(&row.get::<Json<SettingValues>>(7)?.0, &installation)?;
            Ok(Place {
                id: row.get(0)?,
                slug: row.get(1)?,
                name: row.get(2)?,
                role: role.unwrap_or_else(|| roles::SUPER_ADMIN.to_owned()),
                permissions,
                timezone: row.get(9)?,
                defaults: Defaults {
                    currency: row.get(5)?,
                    locale: row.get(6)?,
                    country: settings.phones.default_country.clone(),
                    has_custom_fields: row.get(10)?,
                    on_duplicate: settings.duplicates.on_create,
                },
                settings,
            })
        })
        .collect()
}

fn default_of(places: &[Place], chosen: Option<WorkspaceId>) -> Option<WorkspaceId> {
    match places {
        [only] => Some(only.id),
        _ => chosen.filter(|chosen| places.iter().any(|place| place.id == *chosen)),
    }
}

impl Identity {
    /// An account where it belongs.
    pub(crate) fn of_account(actor: Actor, is_super_admin: bool, places: Vec<Place>, chosen: Option<WorkspaceId>) -> Self {
        let default_workspace = default_of(&places, chosen);
        Self {
            actor,
            is_super_admin,
            places,
            default_workspace,
            company: None,
            has_second_factor: true,
            networks: Vec::new(),
            expires_at: None,
        }
    }

    /// The Caller that they are in the workspace that they name (by slug or id), or in their own.
    ///
    /// # Errors
    /// `not_found` for a workspace that they do not belong to; `no_workspace` when they belong to none; `workspace_required` when
    /// they belong to several and none is theirs by default.
    pub fn caller_in(&self, wanted: Option<&str>, origin: Origin) -> Result<Caller> {
        let place = match wanted {
            Some(wanted) => {
                let id = wanted.parse::<WorkspaceId>().ok();
                let found = self.places.iter().find(|place| place.slug == wanted || Some(place.id) == id);
                Some(found.ok_or_else(|| Error::not_found().with_detail("There is no such workspace."))?)
            }
            None => self.places.iter().find(|place| Some(place.id) == self.default_workspace),
        };
        let Some(place) = place else {
            if self.places.is_empty() {
                return Err(Error::new(&codes::NO_WORKSPACE));
            }
            let choices: Vec<_> =
                self.places.iter().map(|place| json!({ "id": place.id, "slug": place.slug, "name": place.name })).collect();
            return Err(Error::new(&codes::WORKSPACE_REQUIRED).with_extra("choices", choices));
        };
        let defaults = Some(place.defaults.clone());
        Ok(Caller { workspace: Some(place.id), defaults, permissions: place.permissions, ..self.caller_outside(origin) })
    }

    /// Whether a workspace asks of them a second factor that they do not have; without one, whether any does that they belong to.
    pub fn lacks_second_factor(&self, workspace: Option<WorkspaceId>) -> bool {
        !self.has_second_factor && self.must_have_second_factor(workspace)
    }

    /// Whether a workspace asks a second factor of them; without one, whether any does that they belong to.
    pub(crate) fn must_have_second_factor(&self, workspace: Option<WorkspaceId>) -> bool {
        let asks = |place: &Place| {
            let of_role = place.settings.requires_second_factor(&place.role);
            // whoever may everything everywhere is one of those who may everything
            of_role || (self.is_super_admin && place.settings.requires_second_factor(roles::SUPER_ADMIN))
        };
        let here = |place: &&Place| workspace.is_none_or(|workspace| place.id == workspace);
        self.places.iter().filter(here).any(asks)
    }

    /// How a workspace works that they belong to.
    pub fn settings_in(&self, workspace: WorkspaceId) -> WorkspaceSettings {
        self.places.iter().find(|place| place.id == workspace).map(|place| place.settings.clone()).unwrap_or_default()
    }

    /// The Caller that they are outside any workspace.
    pub fn caller_outside(&self, origin: Origin) -> Caller {
        Caller {
            actor: self.actor,
            workspace: None,
            defaults: None,
            permissions: PermissionSet::none(),
            is_super_admin: self.is_super_admin,
            company: self.company.clone(),
            origin,
        }
    }
}
