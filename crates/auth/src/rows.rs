//! The tables of this crate. A row never leaves it; what leaves are the wire types beside each operation.

use kernel::{Currency, DateTime, Permission, PermissionSet, PortalPermission, UserId, WorkspaceId};
use serde_json::{Map, Value};
use store::Json;
use uuid::Uuid;

use crate::roles::Laid;
use crate::settings::SettingValues;
use crate::teams::TeamRole;

kernel::typed_id! {
    /// Names a role.
    pub RoleId
}
kernel::typed_id! {
    /// Names what a workspace has laid over a role.
    pub RoleOverrideId
}
kernel::typed_id! {
    /// Names a team.
    pub TeamId
}
kernel::typed_id! {
    /// Names somebody's place in a team.
    pub TeamMemberId
}
kernel::typed_id! {
    /// Names a membership: an account's role in a workspace.
    pub MembershipId
}
kernel::typed_id! {
    /// Names an invitation.
    pub InvitationId
}
kernel::typed_id! {
    /// Names a session: one sign-in on one device.
    pub SessionId
}
kernel::typed_id! {
    /// Names a portal account: how a contact signs in.
    pub PortalAccountId
}
kernel::typed_id! {
    /// Names what a contact may do in the portal for a client.
    pub PortalAccessId
}
kernel::typed_id! {
    /// Names a second factor.
    pub SecondFactorId
}
kernel::typed_id! {
    /// Names an API token.
    pub ApiTokenId
}

kernel::typed_id! {
    /// Names the settings of the installation, of which there is one row.
    pub InstallationSettingsId
}

store::id_fields!(
    RoleId,
    RoleOverrideId,
    TeamId,
    TeamMemberId,
    MembershipId,
    InvitationId,
    SessionId,
    PortalAccountId,
    PortalAccessId,
    SecondFactorId,
    ApiTokenId,
    InstallationSettingsId
);

store::text_enum! {
    /// What a session is for, which decides how long it lasts.
    pub enum SessionKind {
        /// A browser: a day at most.
        Browser = "browser",
        /// An app on a device: thirty days.
        App = "app",
    }
}

store::record! {
    pub(crate) struct WorkspaceRow in "workspace" of installation {
        id: WorkspaceId;
        slug: String,
        name: String,
        default_currency: Currency,
        timezone: String,
        locale: String,
        settings: Json<SettingValues>,
        is_active: bool,
        has_custom_fields: bool,
    }
}

store::record! {
    pub(crate) struct InstallationSettingsRow in "installation_settings" of installation {
        id: InstallationSettingsId;
        settings: Json<SettingValues>,
    }
}

store::record! {
    pub(crate) struct UserRow in "user_account" of installation {
        id: UserId;
        email: String => Personal,
        email_key: String => Derived,
        given_name: String => Personal,
        family_name: String => Personal,
        name_key: String => Derived,
        phone: Option<String> => Personal,
        signature: Option<String> => Personal,
        timezone: String,
        locale: String,
        is_super_admin: bool,
        is_active: bool,
        last_login_at: Option<DateTime> => Derived,
        default_workspace_id: Option<WorkspaceId>,
        preferences: Json<Map<String, Value>> => Personal,
    }
}

store::record! {
    pub(crate) struct RoleRow in "role" of installation {
        id: RoleId;
        workspace_id: Option<WorkspaceId> => Derived,
        key: String,
        name: String,
        is_system: bool,
        permissions: Json<Vec<String>>,
    }
}

impl RoleRow {
    /// What the role allows. A name that this build does not know allows nothing.
    pub fn permission_set(&self) -> PermissionSet {
        self.permissions.0.iter().filter_map(|name| name.parse::<Permission>().ok()).collect()
    }
}

store::record! {
    pub(crate) struct RoleOverrideRow in "role_override" of workspace {
        id: RoleOverrideId;
        role_id: RoleId,
        permissions: Json<Laid>,
    }
}

store::record! {
    pub(crate) struct MembershipRow in "membership" of workspace {
        id: MembershipId;
        user_id: UserId,
        role_id: RoleId,
    }
}

store::record! {
    pub(crate) struct TeamRow in "team" of workspace {
        id: TeamId;
        name: String,
        name_key: String => Derived,
        description: Option<String>,
    }
}

store::record! {
    pub(crate) struct TeamMemberRow in "team_member" of workspace {
        id: TeamMemberId;
        team_id: TeamId,
        user_id: UserId,
        role: TeamRole,
    }
}

store::record! {
    pub(crate) struct InvitationRow in "invitation" of workspace {
        id: InvitationId;
        email: String => Personal,
        email_key: String => Derived,
        given_name: Option<String> => Personal,
        family_name: Option<String> => Personal,
        role_id: RoleId,
        invited_by: UserId,
        token_hash: String => Secret,
        expires_at: DateTime,
        accepted_at: Option<DateTime>,
        revoked_at: Option<DateTime>,
    }
}

store::record! {
    pub(crate) struct SessionRow in "session" of installation {
        id: SessionId;
        /// The staff account; none for a contact's.
        user_id: Option<UserId>,
        /// The contact; none for a staff account's.
        contact_id: Option<Uuid>,
        /// The client whose portal a contact is in: the first that lets them in, until they choose.
        client_id: Option<Uuid>,
        kind: SessionKind,
        ip: Option<String> => Personal,
        user_agent: Option<String> => Personal,
        expires_at: DateTime,
        last_used_at: Option<DateTime> => Derived,
        revoked_at: Option<DateTime>,
        revoked_because: Option<String>,
    }
}

store::record! {
    /// How a contact signs in. The contact itself is known to whoever keeps contacts; here it is an id.
    pub(crate) struct PortalAccountRow in "portal_account" of workspace {
        id: PortalAccountId;
        contact_id: Uuid,
        email: String => Personal,
        email_key: String => Derived,
        /// As it was when they were last invited: for letters, and for what a password must not be.
        name: String => Personal,
        /// As it was when they were last invited.
        locale: String,
        is_active: bool,
        hash: Option<String> => Secret,
        password_changed_at: Option<DateTime> => Derived,
        token_hash: Option<String> => Secret,
        token_expires_at: Option<DateTime>,
        invited_at: Option<DateTime>,
        last_login_at: Option<DateTime> => Derived,
    }
}

store::record! {
    pub(crate) struct PortalAccessRow in "portal_access" of workspace {
        id: PortalAccessId;
        contact_id: Uuid,
        client_id: Uuid,
        permissions: Json<Vec<PortalPermission>>,
    }
}

store::record! {
    pub(crate) struct SecondFactorRow in "second_factor" of installation {
        id: SecondFactorId;
        user_id: UserId,
        secret: String => Secret,
        confirmed_at: Option<DateTime>,
        last_step: Option<i64> => Derived,
    }
}

store::record! {
    pub(crate) struct ApiTokenRow in "api_token" of workspace {
        id: ApiTokenId;
        user_id: UserId,
        name: String,
        prefix: String,
        hash: String => Secret,
        old_hash: Option<String> => Secret,
        old_ends_at: Option<DateTime>,
        scopes: Json<PermissionSet>,
        networks: Json<Vec<ipnet::IpNet>>,
        expires_at: Option<DateTime>,
        last_used_at: Option<DateTime> => Derived,
        last_used_from: Option<String> => Derived,
        is_active: bool,
    }
}
