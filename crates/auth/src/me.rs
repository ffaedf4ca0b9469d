//! Who am I: what a frontend needs to draw its menu.

use kernel::{Caller, Result, WorkspaceId};
use serde::{Deserialize, Serialize};
use store::Conn;
use utoipa::ToSchema;

use crate::identify::Identity;
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
    /// Whether one is there when `X-Workspace` is not sent.
    pub is_default: bool,
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
pub async fn get(conn: &mut Conn, caller: &Caller, identity: &Identity) -> Result<Me> {
    let user = users::find(conn, caller.user()?).await?.ok_or_else(kernel::Error::not_found)?;
    let workspaces = identity
        .places
        .iter()
        .map(|place| MyWorkspace {
            id: place.id,
            slug: place.slug.clone(),
            name: place.name.clone(),
            role: place.role.clone(),
            permissions: place.permissions.iter().map(|permission| permission.to_string()).collect(),
            is_default: identity.default_workspace == Some(place.id),
        })
        .collect();
    Ok(Me { kind: caller.actor.kind().to_owned(), user: user.into(), workspaces })
}
