//! The permission table: what each operation needs. The gate, the OpenAPI document's `x-permission` and the permission matrix
//! are all made from it, and an operation without a row does not start the server.

use kernel::Permission as P;
use kernel::{Permission, PortalPermission};

use crate::deprecation::Deprecation;

/// Who may call an operation at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// Whoever has signed in or has a token, in a workspace or in none.
    SignedIn,
    /// Whoever belongs to a workspace, whichever.
    Member,
    /// A super admin of the installation, signed in and not through a token: what it is about belongs to no workspace.
    SuperAdmin,
    /// A contact, signed in to the portal.
    Contact,
    /// A contact who may do this for the client whose portal they are in.
    Portal(PortalPermission),
    /// Whoever has one of these in the workspace.
    AnyOf(&'static [Permission]),
    /// Whoever has all of these in the workspace.
    AllOf(&'static [Permission]),
}

/// Which records an operation reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// None.
    Nothing,
    /// The caller's own.
    Own,
    /// Those of the workspace.
    Workspace,
    /// Those of the workspace, or those the caller owns or made, as the permission says.
    WorkspaceOrOwn,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// The operation's id.
    pub id: &'static str,
    /// Who may call it.
    pub access: Access,
    /// Which records it reaches.
    pub reach: Reach,
    /// Whether it is counted as a bulk call too.
    pub is_bulk: bool,
    /// Whether it is counted as an upload too, and takes as long as its body comes.
    pub is_upload: bool,
    /// Whether it goes by itself, and what comes in its place. Names of many are in [`OLD_NAMES`](crate::deprecation::OLD_NAMES).
    pub deprecation: Option<Deprecation>,
}

impl Operation {
    const fn new(id: &'static str, access: Access, reach: Reach) -> Self {
        Self { id, access, reach, is_bulk: false, is_upload: false, deprecation: None }
    }

    const fn bulk(mut self) -> Self {
        self.is_bulk = true;
        self
    }

    const fn upload(mut self) -> Self {
        self.is_upload = true;
        self
    }

    /// What it needs, in words.
    pub fn permission(&self) -> String {
        let names =
            |list: &[Permission], word: &str| list.iter().map(|permission| permission.as_str()).collect::<Vec<_>>().join(word);
        match self.access {
            Access::Public => "public".to_owned(),
            Access::SignedIn => "signed_in".to_owned(),
            Access::Member => "member".to_owned(),
            Access::SuperAdmin => "super_admin".to_owned(),
            Access::Contact => "contact".to_owned(),
            Access::Portal(permission) => format!("portal.{permission}"),
            Access::AnyOf(list) => names(list, " | "),
            Access::AllOf(list) => names(list, " & "),
        }
    }
}

const SEE_CLIENTS: Access = Access::AnyOf(&[P::ClientsViewAll, P::ClientsViewOwn]);
const EDIT_CLIENTS: Access = Access::AllOf(&[P::ClientsEdit]);
const MANAGE_PORTAL: Access = Access::AllOf(&[P::ContactsManagePortal, P::ContactsView]);
const EDIT_LINKS: Access = Access::AllOf(&[P::ClientsEdit, P::ContactsView]);
const EDIT_INTERACTIONS: Access = Access::AnyOf(&[P::ClientsEdit, P::ContactsEdit]);
const SEE_STAGES: Access = Access::AnyOf(&[P::ClientsViewAll, P::ClientsViewOwn, P::AdminManageSettings]);
const SEE_GROUPS: Access = Access::AnyOf(&[P::ClientsViewAll, P::ClientsViewOwn, P::AdminManageTags]);
const SEE_TAGS: Access = Access::AnyOf(&[P::ClientsViewAll, P::ClientsViewOwn, P::ContactsView, P::AdminManageTags]);
const MANAGE_TAGS: Access = Access::AllOf(&[P::AdminManageTags]);
const MANAGE_USERS: Access = Access::AllOf(&[P::AdminManageUsers]);
const SEE_ROLES: Access = Access::AnyOf(&[P::AdminManageUsers, P::AdminManageRoles]);
const MANAGE_TOKENS: Access = Access::AnyOf(&[P::TokensManageOwn, P::AdminManageTokens]);

const SEE_CUSTOM_FIELDS: Access =
    Access::AnyOf(&[P::ClientsViewAll, P::ClientsViewOwn, P::ContactsView, P::AdminManageCustomFields]);
const SEE_LISTS: Access = Access::AnyOf(&[P::ClientsViewAll, P::ClientsViewOwn, P::ContactsView]);

// clients are all that can be imported; each importer names its own once more
const UNDO_IMPORT_OF_CLIENTS: &[Permission] =
    &[P::AdminImport, P::ClientsEdit, P::ClientsDelete, P::ContactsEdit, P::ContactsDelete];
const IMPORT_CLIENTS: &[Permission] = &[P::AdminImport, P::ClientsCreate, P::ClientsEdit, P::ContactsCreate, P::ContactsEdit];

const SEE_FILES: Access =
    Access::AnyOf(&[P::FilesView, P::ClientsViewAll, P::ClientsViewOwn, P::ContactsView, P::AdminManageBrands]);
const PUT_FILES: Access = Access::AnyOf(&[P::FilesUpload, P::ClientsEdit, P::ContactsEdit, P::AdminManageBrands]);
const PUT_FILES_AWAY: Access = Access::AnyOf(&[P::FilesDelete, P::ClientsEdit, P::ContactsEdit, P::AdminManageBrands]);
const MANAGE_FOLDERS: Access = Access::AnyOf(&[P::FilesManageFolders, P::ClientsEdit, P::ContactsEdit]);

const fn one(id: &'static str, permission: &'static [Permission], reach: Reach) -> Operation {
    Operation::new(id, Access::AllOf(permission), reach)
}

use Operation as O;
use Reach::{Nothing, Own, Workspace, WorkspaceOrOwn};

/// The table.
pub static OPERATIONS: &[Operation] = &[
    O::new("health_live", Access::Public, Nothing),
    O::new("health_ready", Access::Public, Nothing),
    O::new("metrics", Access::Public, Nothing),
    O::new("jwks", Access::Public, Nothing),
    O::new("openapi", Access::Public, Nothing),
    O::new("set_up", Access::Public, Nothing),
    O::new("login", Access::Public, Nothing),
    O::new("refresh", Access::Public, Nothing),
    O::new("accept_invitation", Access::Public, Nothing),
    O::new("forgot_password", Access::Public, Nothing),
    O::new("reset_password", Access::Public, Nothing),
    O::new("logout", Access::SignedIn, Own),
    O::new("get_me", Access::SignedIn, Own),
    O::new("change_my_password", Access::SignedIn, Own),
    O::new("get_my_profile", Access::SignedIn, Own),
    O::new("update_my_profile", Access::SignedIn, Own),
    O::new("get_my_second_factor", Access::SignedIn, Own),
    O::new("begin_my_second_factor", Access::SignedIn, Own),
    O::new("confirm_my_second_factor", Access::SignedIn, Own),
    O::new("renew_my_recovery_codes", Access::SignedIn, Own),
    O::new("disable_my_second_factor", Access::SignedIn, Own),
    O::new("reset_user_second_factor", MANAGE_USERS, Workspace),
    O::new("list_my_sessions", Access::SignedIn, Own),
    O::new("end_my_sessions", Access::SignedIn, Own),
    O::new("end_my_session", Access::SignedIn, Own),
    O::new("list_user_sessions", MANAGE_USERS, Workspace),
    O::new("end_user_sessions", MANAGE_USERS, Workspace),
    O::new("end_user_session", MANAGE_USERS, Workspace),
    O::new("list_my_audit", Access::Member, Own),
    O::new("list_workspaces", Access::Member, Own),
    O::new("get_workspace", Access::Member, Own),
    one("create_workspace", &[P::AdminManageWorkspaces], Workspace),
    one("update_workspace", &[P::AdminManageWorkspaces], Workspace),
    O::new("get_settings", Access::Member, Workspace),
    one("update_settings", &[P::AdminManageSettings], Workspace),
    O::new("get_installation_settings", Access::SuperAdmin, Nothing),
    O::new("update_installation_settings", Access::SuperAdmin, Nothing),
    O::new("list_users", MANAGE_USERS, Workspace),
    O::new("get_user", MANAGE_USERS, Workspace),
    O::new("update_user", MANAGE_USERS, Workspace),
    O::new("list_colleagues", Access::Member, Workspace),
    O::new("list_roles", SEE_ROLES, Workspace),
    O::new("get_role", SEE_ROLES, Workspace),
    one("create_role", &[P::AdminManageRoles], Workspace),
    one("update_role", &[P::AdminManageRoles], Workspace),
    one("delete_role", &[P::AdminManageRoles], Workspace),
    O::new("get_role_override", SEE_ROLES, Workspace),
    one("update_role_override", &[P::AdminManageRoles], Workspace),
    one("delete_role_override", &[P::AdminManageRoles], Workspace),
    O::new("list_memberships", MANAGE_USERS, Workspace),
    O::new("get_membership", MANAGE_USERS, Workspace),
    O::new("update_membership", MANAGE_USERS, Workspace),
    O::new("delete_membership", MANAGE_USERS, Workspace),
    O::new("list_invitations", MANAGE_USERS, Workspace),
    O::new("get_invitation", MANAGE_USERS, Workspace),
    O::new("create_invitation", MANAGE_USERS, Workspace),
    O::new("revoke_invitation", MANAGE_USERS, Workspace),
    // who sees and changes what is a matter of the team: its members, its leads, and whoever manages users
    O::new("list_teams", Access::Member, WorkspaceOrOwn),
    O::new("get_team", Access::Member, WorkspaceOrOwn),
    O::new("create_team", MANAGE_USERS, Workspace),
    O::new("update_team", MANAGE_USERS, Workspace),
    O::new("delete_team", MANAGE_USERS, Workspace),
    O::new("list_team_members", Access::Member, WorkspaceOrOwn),
    O::new("get_team_member", Access::Member, WorkspaceOrOwn),
    O::new("add_team_member", Access::Member, WorkspaceOrOwn),
    O::new("load_team_members", Access::Member, WorkspaceOrOwn).bulk(),
    O::new("update_team_member", Access::Member, WorkspaceOrOwn),
    O::new("remove_team_member", Access::Member, WorkspaceOrOwn),
    O::new("list_tokens", MANAGE_TOKENS, WorkspaceOrOwn),
    O::new("get_token", MANAGE_TOKENS, WorkspaceOrOwn),
    O::new("create_token", MANAGE_TOKENS, Own),
    O::new("update_token", MANAGE_TOKENS, WorkspaceOrOwn),
    O::new("delete_token", MANAGE_TOKENS, WorkspaceOrOwn),
    O::new("rotate_token", MANAGE_TOKENS, WorkspaceOrOwn),
    O::new("get_token_usage", MANAGE_TOKENS, WorkspaceOrOwn),
    O::new("list_tags", SEE_TAGS, Workspace),
    O::new("get_tag", SEE_TAGS, Workspace),
    O::new("create_tag", MANAGE_TAGS, Workspace),
    O::new("update_tag", MANAGE_TAGS, Workspace),
    O::new("delete_tag", MANAGE_TAGS, Workspace),
    O::new("merge_tag", MANAGE_TAGS, Workspace),
    // whose a view is says the view; whoever sees no list that can be saved has none
    O::new("list_saved_views", SEE_LISTS, WorkspaceOrOwn),
    O::new("get_saved_view", SEE_LISTS, WorkspaceOrOwn),
    O::new("create_saved_view", SEE_LISTS, Own),
    O::new("update_saved_view", SEE_LISTS, WorkspaceOrOwn),
    O::new("delete_saved_view", SEE_LISTS, WorkspaceOrOwn),
    O::new("list_brands", Access::Member, Workspace),
    O::new("get_brand", Access::Member, Workspace),
    one("create_brand", &[P::AdminManageBrands], Workspace),
    one("update_brand", &[P::AdminManageBrands], Workspace),
    one("archive_brand", &[P::AdminManageBrands], Workspace),
    one("restore_brand", &[P::AdminManageBrands], Workspace),
    one("purge_brand", &[P::AdminManageBrands], Workspace),
    O::new("list_custom_fields", SEE_CUSTOM_FIELDS, Workspace),
    O::new("get_custom_field", SEE_CUSTOM_FIELDS, Workspace),
    one("create_custom_field", &[P::AdminManageCustomFields], Workspace),
    one("update_custom_field", &[P::AdminManageCustomFields], Workspace),
    one("archive_custom_field", &[P::AdminManageCustomFields], Workspace),
    one("restore_custom_field", &[P::AdminManageCustomFields], Workspace),
    one("purge_custom_field", &[P::AdminManageCustomFields], Workspace),
    one("list_imports", &[P::AdminImport], Workspace),
    one("get_import", &[P::AdminImport], Workspace),
    one("list_import_issues", &[P::AdminImport], Workspace),
    one("list_import_rows", &[P::AdminImport], Workspace),
    one("get_import_report", &[P::AdminImport], Workspace),
    one("start_client_import", IMPORT_CLIENTS, WorkspaceOrOwn).upload(),
    one("update_import", IMPORT_CLIENTS, Workspace),
    one("approve_import", IMPORT_CLIENTS, Workspace),
    one("cancel_import", &[P::AdminImport], Workspace),
    one("undo_import", UNDO_IMPORT_OF_CLIENTS, Workspace),
    one("purge_import", &[P::AdminImport], Workspace),
    one("list_jobs", &[P::AdminManageSettings], Workspace),
    one("get_job", &[P::AdminManageSettings], Workspace),
    one("retry_job", &[P::AdminManageSettings], Workspace),
    one("cancel_job", &[P::AdminManageSettings], Workspace),
    one("discard_job", &[P::AdminManageSettings], Workspace),
    one("get_queues", &[P::AdminManageSettings], Workspace),
    O::new("list_backups", Access::SuperAdmin, Nothing),
    O::new("get_backup", Access::SuperAdmin, Nothing),
    O::new("request_backup", Access::SuperAdmin, Nothing),
    one("list_mail_messages", &[P::AdminManageSettings], Workspace),
    one("get_mail_message", &[P::AdminManageSettings], Workspace),
    one("list_mail_suppressions", &[P::AdminManageSettings], Workspace),
    one("create_mail_suppression", &[P::AdminManageSettings], Workspace),
    one("get_mail_suppression", &[P::AdminManageSettings], Workspace),
    one("delete_mail_suppression", &[P::AdminManageSettings], Workspace),
    one("get_mail_kinds", &[P::AdminManageSettings], Nothing),
    one("list_mail_templates", &[P::AdminManageSettings], Workspace),
    one("create_mail_template", &[P::AdminManageSettings], Workspace),
    one("preview_mail_template", &[P::AdminManageSettings], Workspace),
    one("get_mail_template", &[P::AdminManageSettings], Workspace),
    one("update_mail_template", &[P::AdminManageSettings], Workspace),
    one("delete_mail_template", &[P::AdminManageSettings], Workspace),
    one("receive_mail_bounce", &[P::AdminManageSettings], Workspace),
    one("list_audit", &[P::AdminViewAuditLog], Workspace),
    one("get_deprecations", &[P::AdminViewAuditLog], Workspace),
    O::new("list_files", SEE_FILES, WorkspaceOrOwn),
    O::new("get_file", SEE_FILES, WorkspaceOrOwn),
    O::new("get_file_content", SEE_FILES, WorkspaceOrOwn),
    O::new("get_file_thumbnail", SEE_FILES, WorkspaceOrOwn),
    O::new("create_file_link", SEE_FILES, WorkspaceOrOwn),
    O::new("follow_file_link", Access::Public, Workspace),
    O::new("upload_file", PUT_FILES, WorkspaceOrOwn).upload(),
    O::new("update_file", PUT_FILES, WorkspaceOrOwn),
    O::new("archive_file", PUT_FILES_AWAY, WorkspaceOrOwn),
    O::new("restore_file", PUT_FILES_AWAY, WorkspaceOrOwn),
    one("purge_file", &[P::FilesDelete], WorkspaceOrOwn),
    O::new("list_folders", SEE_FILES, WorkspaceOrOwn),
    O::new("get_folder", SEE_FILES, WorkspaceOrOwn),
    O::new("create_folder", MANAGE_FOLDERS, WorkspaceOrOwn),
    O::new("update_folder", MANAGE_FOLDERS, WorkspaceOrOwn),
    O::new("delete_folder", MANAGE_FOLDERS, WorkspaceOrOwn),
    O::new("list_clients", SEE_CLIENTS, WorkspaceOrOwn),
    one("export_clients", &[P::ClientsExport], WorkspaceOrOwn).bulk(),
    O::new("get_client", SEE_CLIENTS, WorkspaceOrOwn),
    O::new("get_client_summary", SEE_CLIENTS, WorkspaceOrOwn),
    O::new("list_client_timeline", SEE_CLIENTS, WorkspaceOrOwn),
    one("create_client", &[P::ClientsCreate], Workspace),
    O::new("update_client", EDIT_CLIENTS, WorkspaceOrOwn),
    one("archive_client", &[P::ClientsDelete], WorkspaceOrOwn),
    one("restore_client", &[P::ClientsDelete], WorkspaceOrOwn),
    one("purge_client", &[P::ClientsPurge], WorkspaceOrOwn),
    O::new("bulk_clients", Access::AnyOf(&[P::ClientsCreate, P::ClientsEdit, P::ClientsDelete]), WorkspaceOrOwn).bulk(),
    O::new("transfer_clients", EDIT_CLIENTS, WorkspaceOrOwn).bulk(),
    one("preview_client_merge", &[P::ClientsMerge], WorkspaceOrOwn),
    one("merge_client", &[P::ClientsMerge], WorkspaceOrOwn),
    one("undo_client_merge", &[P::ClientsMerge], WorkspaceOrOwn),
    O::new("check_client_duplicates", SEE_CLIENTS, WorkspaceOrOwn),
    O::new("find_client_duplicates", SEE_CLIENTS, WorkspaceOrOwn),
    one("list_client_duplicates", &[P::ClientsMerge], WorkspaceOrOwn),
    one("get_client_duplicate", &[P::ClientsMerge], WorkspaceOrOwn),
    one("dismiss_client_duplicate", &[P::ClientsMerge], WorkspaceOrOwn),
    one("restore_client_duplicate", &[P::ClientsMerge], WorkspaceOrOwn),
    one("search_client_duplicates", &[P::ClientsMerge], Workspace),
    one("get_client_duplicate_search", &[P::ClientsMerge], Workspace),
    one("export_client", &[P::PrivacyExportPerson, P::ContactsView], WorkspaceOrOwn),
    one("erase_client", &[P::PrivacyErasePerson, P::ContactsView], WorkspaceOrOwn),
    one("list_client_audit", &[P::AdminViewAuditLog], WorkspaceOrOwn),
    one("list_client_contacts", &[P::ContactsView], WorkspaceOrOwn),
    O::new("link_client_contact", EDIT_LINKS, WorkspaceOrOwn),
    one("get_client_contact", &[P::ContactsView], WorkspaceOrOwn),
    O::new("update_client_contact", EDIT_LINKS, WorkspaceOrOwn),
    O::new("unlink_client_contact", EDIT_LINKS, WorkspaceOrOwn),
    O::new("list_client_notes", SEE_CLIENTS, WorkspaceOrOwn),
    O::new("get_client_note", SEE_CLIENTS, WorkspaceOrOwn),
    O::new("create_client_note", EDIT_CLIENTS, WorkspaceOrOwn),
    O::new("update_client_note", EDIT_CLIENTS, WorkspaceOrOwn),
    O::new("archive_client_note", EDIT_CLIENTS, WorkspaceOrOwn),
    O::new("restore_client_note", EDIT_CLIENTS, WorkspaceOrOwn),
    O::new("list_client_files", SEE_CLIENTS, WorkspaceOrOwn),
    O::new("tag_client", EDIT_CLIENTS, WorkspaceOrOwn),
    O::new("untag_client", EDIT_CLIENTS, WorkspaceOrOwn),
    one("list_contacts", &[P::ContactsView], WorkspaceOrOwn),
    one("export_contacts", &[P::ClientsExport, P::ContactsView], WorkspaceOrOwn).bulk(),
    one("get_contact", &[P::ContactsView], WorkspaceOrOwn),
    one("create_contact", &[P::ContactsCreate], Workspace),
    one("update_contact", &[P::ContactsEdit], WorkspaceOrOwn),
    one("archive_contact", &[P::ContactsDelete], WorkspaceOrOwn),
    one("restore_contact", &[P::ContactsDelete], WorkspaceOrOwn),
    one("purge_contact", &[P::ContactsPurge], WorkspaceOrOwn),
    O::new("bulk_contacts", Access::AnyOf(&[P::ContactsCreate, P::ContactsEdit, P::ContactsDelete]), WorkspaceOrOwn).bulk(),
    one("list_contact_files", &[P::ContactsView], WorkspaceOrOwn),
    O::new("list_client_admins", SEE_CLIENTS, WorkspaceOrOwn),
    O::new("add_client_admin", EDIT_CLIENTS, WorkspaceOrOwn),
    O::new("remove_client_admin", EDIT_CLIENTS, WorkspaceOrOwn),
    O::new("get_acquisition_stages", SEE_STAGES, Workspace),
    O::new("get_acquisition_stage", SEE_STAGES, Workspace),
    one("create_acquisition_stage", &[P::AdminManageSettings], Workspace),
    one("update_acquisition_stage", &[P::AdminManageSettings], Workspace),
    one("delete_acquisition_stage", &[P::AdminManageSettings], Workspace),
    O::new("list_client_stages", SEE_CLIENTS, WorkspaceOrOwn),
    O::new("list_client_groups", SEE_GROUPS, Workspace),
    O::new("get_client_group", SEE_GROUPS, Workspace),
    O::new("create_client_group", MANAGE_TAGS, Workspace),
    O::new("update_client_group", MANAGE_TAGS, Workspace),
    O::new("delete_client_group", MANAGE_TAGS, Workspace),
    O::new("add_client_to_group", EDIT_CLIENTS, WorkspaceOrOwn),
    O::new("remove_client_from_group", EDIT_CLIENTS, WorkspaceOrOwn),
    O::new("list_client_relationships", SEE_CLIENTS, WorkspaceOrOwn),
    O::new("get_client_relationship", SEE_CLIENTS, WorkspaceOrOwn),
    O::new("create_client_relationship", EDIT_CLIENTS, WorkspaceOrOwn),
    O::new("update_client_relationship", EDIT_CLIENTS, WorkspaceOrOwn),
    O::new("delete_client_relationship", EDIT_CLIENTS, WorkspaceOrOwn),
    O::new("list_interactions", SEE_CLIENTS, WorkspaceOrOwn),
    O::new("list_due_interactions", SEE_CLIENTS, WorkspaceOrOwn),
    O::new("get_interaction", SEE_CLIENTS, WorkspaceOrOwn),
    // `clients.edit` where it is of a client, `contacts.edit` where it is of a contact alone
    O::new("create_interaction", EDIT_INTERACTIONS, WorkspaceOrOwn),
    O::new("update_interaction", EDIT_INTERACTIONS, WorkspaceOrOwn),
    O::new("archive_interaction", EDIT_INTERACTIONS, WorkspaceOrOwn),
    O::new("restore_interaction", EDIT_INTERACTIONS, WorkspaceOrOwn),
    one("list_contact_audit", &[P::AdminViewAuditLog], WorkspaceOrOwn),
    one("export_contact", &[P::PrivacyExportPerson, P::ContactsView], WorkspaceOrOwn),
    one("erase_contact", &[P::PrivacyErasePerson, P::ContactsView], WorkspaceOrOwn),
    one("get_contact_portal", &[P::ContactsView], WorkspaceOrOwn),
    O::new("invite_contact", MANAGE_PORTAL, WorkspaceOrOwn),
    O::new("update_contact_portal", MANAGE_PORTAL, WorkspaceOrOwn),
    O::new("update_contact_portal_client", MANAGE_PORTAL, WorkspaceOrOwn),
    O::new("portal_login", Access::Public, Nothing),
    O::new("portal_refresh", Access::Public, Nothing),
    O::new("set_portal_password", Access::Public, Nothing),
    O::new("forgot_portal_password", Access::Public, Nothing),
    O::new("portal_logout", Access::Contact, Own),
    O::new("change_portal_password", Access::Contact, Own),
    O::new("get_portal_me", Access::Contact, Own),
    O::new("list_portal_sessions", Access::Contact, Own),
    O::new("end_portal_sessions", Access::Contact, Own),
    O::new("end_portal_session", Access::Contact, Own),
    O::new("switch_portal_client", Access::Contact, Own),
    O::new("get_company_profile", Access::Contact, Own),
    O::new("update_company_profile", Access::Portal(PortalPermission::CompanyProfile), Own),
];

/// The row of an operation.
pub fn find(id: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|operation| operation.id == id)
}
