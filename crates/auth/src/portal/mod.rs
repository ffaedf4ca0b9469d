//! How contacts sign in to the portal: accounts of their own population, in one workspace each. Who a contact is, and which clients they
//! belong to, is known to whoever keeps contacts; here a contact and a client are ids.
//!
//! - An account is made by an invitation, which is sent by mail. Whoever follows it sets a password; so does whoever has forgotten theirs.
//! - What a contact may do, they may for each client apart; a session is in the portal of one client at a time.
//! - An account that is switched off ends its sessions in the same transaction.

mod access;
mod accounts;
mod identity;
mod invite;
mod password;
mod sign_in;

use kernel::{DateTime, PortalPermission, Result};
use serde::{Deserialize, Serialize};
use store::{Change, Conn};
use utoipa::ToSchema;
use uuid::Uuid;

pub use access::{AccessPatch, PortalAccess, access_of, set_access, take_access};
pub(crate) use accounts::about;
pub use accounts::{addresses_among, close, forget_account, rename, sessions_of, set_active, status_of};
pub use identity::{choose_client, current};
pub use invite::{Invited, invite};
pub use password::{
    Asked, ForgotPortalPassword, NewPortalPassword, PortalPasswordChange, PreparedPortalPassword, SendPortalReset, ask,
    change_password, set_password,
};
pub use sign_in::{BeginsAt, PortalLogin, PortalRefresh, PortalSignedIn, PortalTokens, refresh, sign_in};

store::text_enum! {
    /// How far a contact has come in the portal.
    pub enum PortalState {
        /// They were never invited.
        None = "none",
        /// They were invited, and have no password yet.
        Invited = "invited",
        /// They can sign in.
        Active = "active",
        /// Their account is switched off.
        Disabled = "disabled",
    }
}

/// The portal account of a contact.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PortalStatus {
    /// How far it has come.
    pub state: PortalState,
    /// The address that they sign in with.
    pub email: Option<String>,
    /// When they were last invited.
    pub invited_at: Option<DateTime>,
    /// When the invitation, or the mail to set a new password with, stops working; none where there is none that works.
    pub token_expires_at: Option<DateTime>,
    /// When they last signed in.
    pub last_login_at: Option<DateTime>,
    /// Counts its changes; the ETag is made from it.
    #[serde(skip)]
    pub version: i64,
}

/// Writes a change of a contact's session into the trail of the contact, in their workspace.
pub(crate) async fn in_trail(conn: &mut Conn, change: Change, contact: Uuid) -> Result<Change> {
    let account = accounts::find(conn, contact).await?;
    Ok(accounts::about(change, contact).in_trail_of(account.map(|account| account.workspace_id)))
}

/// Each permission once, in the order of the menu.
pub(crate) fn in_order(permissions: &[PortalPermission]) -> Vec<PortalPermission> {
    PortalPermission::ALL.into_iter().filter(|permission| permissions.contains(permission)).collect()
}
