//! Who am I: what a frontend needs to draw its menu.

use kernel::{Caller, Currency, Result, WorkspaceId};
use serde::{Deserialize, Serialize};
use store::Conn;
use utoipa::ToSchema;

use crate::Auth;
use crate::identify::Identity;
use crate::rows::TeamId;
use crate::teams::{self, TeamRole};
use crate::users::{self, User};

/// A workspace that one belongs to.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MyWorkspace {
    /// Its id.
    pub id: WorkspaceId,
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// The key of one's role there.
    pub role: String,
    /// What one may do there, each as `area.action`.
    pub permissions: Vec<String>,
    /// Its currency, where nothing else is said.
    #[schema(value_type = String)]
    pub default_currency: Currency,
    /// Its time zone, of the IANA database.
    pub timezone: String,
    /// Its language.
    pub locale: String,
    /// The teams that one is in there.
    pub teams: Vec<MyTeam>,
    /// Whether one is there when `X-Workspace` is not sent.
    pub is_default: bool,
}

/// A team that one is in.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MyTeam {
    /// Its id.
    pub id: TeamId,
    /// Its name.
    pub name: String,
    /// What one is in it.
    pub role: TeamRole,
}

/// Who one is.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Me {
    /// `user` or `token`.
    pub kind: String,
    /// The account, or the one that the token acts for.
    pub user: User,
    /// Where one belongs.
    pub workspaces: Vec<MyWorkspace>,
}

/// Who the caller is.
///
/// # Errors
/// `unauthenticated` for anybody without an account.
pub async fn get(auth: &Auth, conn: &mut Conn, caller: &Caller, identity: &Identity) -> Result<Me> {
    let user = users::find(conn, caller.user()?).await?.ok_or_else(kernel::Error::not_found)?;
    let mut teams = teams::of_person(auth, caller).await?;
    let workspaces = identity
        .places
        .iter()
        .map(|place| MyWorkspace {
            id: place.id,
            slug: place.slug.clone(),
            name: place.name.clone(),
            role: place.role.clone(),
            permissions: place.permissions.iter().map(|permission| permission.to_string()).collect(),
            default_currency: place.defaults.currency,
            timezone: place.timezone.clone(),
            locale: place.defaults.locale.clone(),
            teams: teams.remove(&place.id).unwrap_or_default(),
            is_default: identity.default_workspace == Some(place.id),
        })
        .collect();
    Ok(Me { kind: caller.actor.kind().to_owned(), user: user.into(), workspaces })
}
