//! What is asked of each operation: of which records, and with which body.

use serde_json::{Value, json};

use super::records::Records;

/// Whose record a call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Target {
    /// Nobody's: the operation has no record in its path.
    None,
    /// Of this workspace, and nobody's in it.
    Here,
    /// The caller's own.
    Own,
    /// A colleague's in the same workspace.
    Colleagues,
    /// A member who may nothing.
    Below,
    /// A member who may everything.
    Above,
    /// Of another workspace.
    Elsewhere,
}

/// What is asked of an operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask {
    /// The records, in the order in which the table shows the answers.
    pub targets: &'static [Target],
    /// Whether of a record that has a maker nobody else may do it, also who sees it.
    pub by_maker: bool,
    /// Whether it is about API tokens, which have a row scope of their own.
    pub of_tokens: bool,
    /// Whether it is about contacts by themselves, whose row scope follows that of their clients.
    pub of_contacts: bool,
    /// Whether it is about a file or folder on a client, whose row scope is that of the client.
    pub of_files: bool,
    /// Whether it is about what one who is signed in has, and a token has not: sessions, a profile.
    pub of_sessions: bool,
    /// Whether a person does it and no token.
    pub by_people: bool,
    /// Whether it is about a team, which its members see and its leads change.
    pub of_teams: bool,
    /// Whether it is about a saved view, which nobody sees but the one who made it.
    pub of_views: bool,
    /// Whether it is about workspaces, all of which a super admin of the installation sees, and changes where they are in them.
    pub of_workspaces: bool,
    /// The status where the record is not there for the caller.
    pub missing: u16,
    /// Whether it changes something when it succeeds.
    pub changes: bool,
    /// The status of success where it is not what the document says first.
    pub success: Option<u16>,
}

const ALONE: Ask = Ask {
    targets: &[Target::None],
    by_maker: false,
    of_tokens: false,
    of_contacts: false,
    of_files: false,
    of_teams: false,
    of_views: false,
    of_sessions: false,
    by_people: false,
    of_workspaces: false,
    missing: 404,
    changes: true,
    success: None,
};
const SHARED: Ask = Ask { targets: &[Target::Here, Target::Elsewhere], ..ALONE };
const WORKSPACES: Ask = Ask { of_workspaces: true, ..SHARED };
const OWNED: Ask = Ask { targets: &[Target::Own, Target::Colleagues, Target::Elsewhere], ..ALONE };
const TOKENS: Ask = Ask { of_tokens: true, ..OWNED };
const CONTACTS: Ask = Ask { of_contacts: true, ..OWNED };
const SESSIONS: Ask = Ask { of_sessions: true, ..ALONE };
const TEAMS: Ask = Ask { of_teams: true, ..OWNED };
const VIEWS: Ask = Ask { of_views: true, ..OWNED };
const FILES: Ask = Ask { of_files: true, ..OWNED };
// the record is named in the body
const ONTO_RECORDS: Ask = Ask { missing: 422, ..FILES };
const MEMBERS: Ask = Ask { targets: &[Target::Below, Target::Above, Target::Elsewhere], ..ALONE };

impl Ask {
    const fn read(self) -> Self {
        Self { changes: false, ..self }
    }

    const fn answered(self, status: u16) -> Self {
        Self { success: Some(status), ..self }
    }
}

/// What is asked of an operation. To add one: say whose records it is about, and give it a body in [`body`] if it takes one; a record
/// that no other operation has is made in `records.rs`.
pub(crate) fn ask(operation: &str) -> Option<Ask> {
    Some(match operation {
        "health_live" | "health_ready" | "metrics" | "jwks" | "openapi" => ALONE.read(),
        "get_me" | "list_my_audit" | "list_workspaces" | "list_users" | "list_colleagues" | "list_roles" | "list_memberships"
        | "list_invitations" | "list_tokens" | "list_tags" | "list_imports" | "list_audit" | "list_clients" | "list_contacts"
        | "list_brands" | "list_custom_fields" => ALONE.read(),
        "login" | "refresh" | "accept_invitation" | "logout" | "reset_password" => ALONE,
        // whoever asks gets the same answer, and a job that changes no record
        "forgot_password" => ALONE.read(),
        "change_my_password" => ALONE,
        "list_mail_messages" | "list_mail_suppressions" | "list_mail_templates" | "get_mail_kinds" | "preview_mail_template" => {
            ALONE.read()
        }
        "create_mail_suppression" | "create_mail_template" => ALONE,
        // a report about no mail of ours changes nothing
        "receive_mail_bounce" => ALONE.read(),
        "get_mail_message" | "get_mail_suppression" | "get_mail_template" => SHARED.read(),
        "delete_mail_suppression" | "update_mail_template" | "delete_mail_template" => SHARED,
        // the installation is set up already, whoever asks
        "set_up" => ALONE.read().answered(409),
        "list_my_sessions" | "get_my_profile" | "get_my_second_factor" => SESSIONS.read(),
        "begin_my_second_factor" => SESSIONS,
        // nobody has one here, which is what whoever comes that far is told
        "renew_my_recovery_codes" | "disable_my_second_factor" => SESSIONS.read().answered(409),
        // the one that was begun takes another code
        "confirm_my_second_factor" => SESSIONS.read().answered(422),
        "reset_user_second_factor" => Ask { by_people: true, ..MEMBERS },
        "update_my_profile" => SESSIONS,
        "end_my_sessions" => SESSIONS,
        "end_my_session" => Ask { of_sessions: true, ..OWNED },
        "list_user_sessions" => MEMBERS.read(),
        "end_user_sessions" | "end_user_session" => MEMBERS,
        "list_teams" => ALONE.read(),
        "create_team" => ALONE,
        "get_team" | "list_team_members" | "get_team_member" => TEAMS.read(),
        "update_team" | "delete_team" | "add_team_member" | "update_team_member" | "remove_team_member" => TEAMS,
        // the matrix sends a table of nobody
        "load_team_members" => TEAMS.read(),
        "list_saved_views" => ALONE.read(),
        "create_saved_view" => Ask { by_people: true, ..ALONE },
        "get_saved_view" => VIEWS.read(),
        "update_saved_view" | "delete_saved_view" => VIEWS,
        "create_role" => ALONE,
        "get_role" => SHARED.read(),
        "update_role" | "delete_role" => SHARED,
        // roles of the installation are the same everywhere, and what lies over them is each workspace's own
        "get_role_override" => ALONE.read(),
        "update_role_override" | "delete_role_override" => ALONE,
        "create_workspace" | "create_invitation" | "create_token" | "create_tag" | "create_client" | "create_contact" => ALONE,
        "list_jobs" | "get_queues" | "get_deprecations" => ALONE.read(),
        "get_job" => SHARED.read(),
        "retry_job" | "cancel_job" | "discard_job" => SHARED,
        "get_workspace" => WORKSPACES.read(),
        "update_workspace" => WORKSPACES,
        "list_backups" | "get_backup" => ALONE.read(),
        "request_backup" => ALONE,
        "get_settings" | "get_installation_settings" => ALONE.read(),
        "update_settings" | "update_installation_settings" => ALONE,
        "create_brand" | "create_custom_field" => ALONE,
        "get_custom_field" => SHARED.read(),
        "update_custom_field" | "archive_custom_field" | "restore_custom_field" | "purge_custom_field" => SHARED,
        "get_brand" => SHARED.read(),
        "update_brand" | "archive_brand" | "restore_brand" | "purge_brand" => SHARED,
        "get_tag" | "get_import" | "list_import_issues" | "get_invitation" => SHARED.read(),
        "list_import_rows" | "get_import_report" => SHARED.read(),
        // what is in it is told by tests/it/clients/export.rs
        "export_clients" | "export_contacts" => ALONE.read(),
        "start_client_import" => ALONE,
        "update_import" | "approve_import" | "cancel_import" | "undo_import" | "purge_import" => SHARED,
        "update_tag" | "delete_tag" | "merge_tag" | "revoke_invitation" => SHARED,
        "get_user" | "get_membership" => MEMBERS.read(),
        "update_user" | "update_membership" | "delete_membership" => MEMBERS,
        "get_token" | "get_token_usage" => TOKENS.read(),
        "update_token" | "delete_token" => TOKENS,
        "rotate_token" => Ask { by_people: true, by_maker: true, ..TOKENS },
        "get_client" | "get_client_summary" | "list_client_audit" | "list_client_notes" | "get_client_note" => OWNED.read(),
        "list_client_timeline" => OWNED.read(),
        "preview_client_merge" => OWNED.read(),
        "merge_client" | "undo_client_merge" => OWNED,
        "find_client_duplicates" | "get_client_duplicate" => OWNED.read(),
        "dismiss_client_duplicate" | "restore_client_duplicate" => OWNED,
        "list_client_duplicates" | "get_client_duplicate_search" | "check_client_duplicates" => ALONE.read(),
        "search_client_duplicates" => ALONE,
        "transfer_clients" => Ask { missing: 422, ..OWNED },
        "list_client_contacts" | "get_client_contact" => OWNED.read(),
        "update_client" | "archive_client" | "restore_client" | "purge_client" | "bulk_clients" => OWNED,
        "create_client_note" | "update_client_note" | "archive_client_note" | "restore_client_note" => OWNED,
        "tag_client" | "untag_client" => OWNED,
        "link_client_contact" | "update_client_contact" | "unlink_client_contact" => OWNED,
        "list_client_groups" => ALONE.read(),
        "get_acquisition_stages" => ALONE.read(),
        "create_acquisition_stage" => ALONE,
        "get_acquisition_stage" => SHARED.read(),
        "update_acquisition_stage" | "delete_acquisition_stage" => SHARED,
        "list_client_stages" => OWNED.read(),
        "get_client_group" => SHARED.read(),
        "create_client_group" => ALONE,
        "update_client_group" | "delete_client_group" => SHARED,
        "list_client_admins" => OWNED.read(),
        "add_client_admin" | "remove_client_admin" | "add_client_to_group" | "remove_client_from_group" => OWNED,
        "list_client_relationships" | "list_interactions" | "list_due_interactions" => ALONE.read(),
        "get_client_relationship" | "get_interaction" => OWNED.read(),
        "update_client_relationship" | "delete_client_relationship" => OWNED,
        "update_interaction" | "archive_interaction" | "restore_interaction" => OWNED,
        // the client is named in the body
        "create_client_relationship" | "create_interaction" => Ask { missing: 422, ..OWNED },
        "list_files" | "list_folders" => ALONE.read(),
        "get_file" | "get_file_content" | "get_folder" => FILES.read(),
        // the files of the table are no images
        "get_file_thumbnail" => FILES.read().answered(404),
        // it changes nothing, and there is a new link each time
        "create_file_link" => FILES.read(),
        // whoever has a link may follow it, and nobody without one
        "follow_file_link" => ALONE.read().answered(422),
        "upload_file" | "create_folder" => ONTO_RECORDS,
        "update_file" | "archive_file" | "restore_file" | "purge_file" | "update_folder" | "delete_folder" => FILES,
        "list_client_files" => OWNED.read(),
        "list_contact_files" => CONTACTS.read(),
        "get_contact" | "list_contact_audit" | "get_contact_portal" => CONTACTS.read(),
        "export_contact" => CONTACTS,
        "erase_contact" => CONTACTS,
        "export_client" | "erase_client" => OWNED,
        "invite_contact" | "update_contact_portal" | "update_contact_portal_client" => CONTACTS,
        "portal_login" | "portal_refresh" | "set_portal_password" | "portal_logout" | "change_portal_password" => ALONE,
        "forgot_portal_password" | "get_portal_me" | "get_company_profile" | "list_portal_sessions" => ALONE.read(),
        "switch_portal_client" | "update_company_profile" | "end_portal_sessions" | "end_portal_session" => ALONE,
        "update_contact" | "archive_contact" | "restore_contact" | "purge_contact" | "bulk_contacts" => CONTACTS,
        _ => return None,
    })
}

/// A body that the operation accepts; none where it takes none.
pub(crate) fn body(operation: &str, records: &Records, number: usize) -> Option<Value> {
    let id = |name: &str| records.get(name);
    Some(match operation {
        "set_up" => json!({
            "code": "long gone", "email": "late@example.com", "password": harness::PASSWORD, "given_name": "Late",
            "family_name": "Comer", "workspace": { "slug": "late", "name": "Late" },
        }),
        "login" => json!({ "email": "viewer@example.com", "password": harness::PASSWORD, "kind": "app" }),
        "refresh" => json!({ "refresh_token": id("refresh_token") }),
        "portal_login" => json!({
            "workspace": "main", "email": "contact@portal.example", "password": harness::PASSWORD,
        }),
        "portal_refresh" => json!({ "refresh_token": id("portal_refresh_token") }),
        "set_portal_password" => json!({ "token": id("portal_token"), "password": harness::PASSWORD }),
        "forgot_portal_password" => json!({ "workspace": "main", "email": "nobody@portal.example" }),
        "change_portal_password" => json!({ "current_password": harness::PASSWORD, "new_password": harness::PASSWORD }),
        "switch_portal_client" => json!({ "client_id": id("portal_client") }),
        "update_company_profile" => json!({ "website": format!("https://{number}.example") }),
        "erase_contact" => json!({ "name": "Contact", "reason": "asked for" }),
        "erase_client" => json!({ "name": "Person", "reason": "asked for" }),
        "invite_contact" => json!({ "email": format!("invited{number}@portal.example") }),
        "update_contact_portal" => json!({ "is_active": false }),
        "update_contact_portal_client" => json!({ "permissions": ["invoices"] }),
        "accept_invitation" => json!({ "token": id("invitation_token"), "password": harness::PASSWORD }),
        "forgot_password" => json!({ "email": "nobody@example.com" }),
        "reset_password" => json!({ "token": id("reset_token"), "password": harness::PASSWORD }),
        // the one that it has: other calls sign in with it
        "change_my_password" => json!({ "current_password": harness::PASSWORD, "new_password": harness::PASSWORD }),
        "create_mail_suppression" => json!({ "address": format!("gone{number}@example.com") }),
        "create_mail_template" => template(number),
        "update_mail_template" => json!({ "subject": format!("Hello {number}") }),
        "preview_mail_template" => json!({ "kind": "lock_out", "language": "en" }),
        "create_workspace" => json!({ "slug": format!("made-{number}"), "name": "Made" }),
        "update_workspace" => json!({ "name": format!("Workspace {number}") }),
        "end_my_sessions" | "end_portal_sessions" => json!({}),
        "begin_my_second_factor" | "renew_my_recovery_codes" => json!({ "password": harness::PASSWORD }),
        "confirm_my_second_factor" => json!({ "code": "000000" }),
        "disable_my_second_factor" => json!({ "password": harness::PASSWORD, "code": "000000" }),
        "update_my_profile" => json!({ "signature": format!("signed {number}") }),
        "create_team" => json!({ "name": format!("made {number}") }),
        "update_team" => json!({ "name": format!("renamed {number}") }),
        "add_team_member" => json!({ "user_id": id("user_id") }),
        "update_team_member" => json!({ "role": "lead" }),
        "create_role" => json!({ "key": format!("made_{number}"), "name": "Made", "permissions": ["admin.manage_roles"] }),
        "update_role" => json!({ "name": format!("Role {number}") }),
        // nobody has it with that role anyway, so that other calls find each role as it was
        "update_role_override" => json!({ "permissions": { "admin": { "manage_users": false } } }),
        "create_invitation" => json!({ "email": format!("invited{number}@example.com"), "role": "nothing" }),
        "create_token" => json!({ "name": "made", "scopes": ["tokens.manage_own"] }),
        "update_token" => json!({ "name": format!("token {number}") }),
        "rotate_token" => json!({ "overlap_hours": 1 }),
        "update_user" => json!({ "given_name": format!("Renamed {number}") }),
        // the role that it has: a role that could be taken away is the gate's matter, not the record's
        "update_membership" => json!({ "role": id("role") }),
        "update_settings" => json!({ "mail.tagline": format!("tagline {number}") }),
        "update_installation_settings" => json!({ "tokens.max_days": 3000 + number % 600 }),
        "create_custom_field" => {
            json!({ "record_type": "client", "key": format!("made_{number}"), "label": "Made", "field_type": "text" })
        }
        "update_custom_field" => json!({ "description": format!("changed {number}") }),
        "create_brand" => json!({ "name": format!("made {number}") }),
        "update_brand" => json!({ "tagline": format!("tagline {number}") }),
        "create_tag" => json!({ "name": format!("made {number}") }),
        "update_tag" => json!({ "name": format!("renamed {number}") }),
        "merge_tag" => json!({ "into": id("other_tag") }),
        "create_saved_view" => json!({ "list": "clients", "name": format!("made {number}") }),
        "update_saved_view" => json!({ "name": format!("renamed {number}") }),
        "create_client" => json!({ "kind": "company", "name": "Made" }),
        "check_client_duplicates" => json!({ "name": "Made" }),
        "create_contact" => json!({ "given_name": "Made" }),
        "update_client" => json!({ "sector": format!("sector {number}") }),
        "update_contact" => json!({ "position": format!("position {number}") }),
        "bulk_clients" => bulk(id("client_id"), &json!({ "sector": format!("sector {number}") })),
        "bulk_contacts" => bulk(id("contact_id"), &json!({ "position": format!("position {number}") })),
        "update_import" => json!({ "source": format!("source {number}") }),
        "merge_client" | "preview_client_merge" | "undo_client_merge" => json!({ "merged_id": id("twin_client") }),
        "transfer_clients" => json!({ "client_ids": [id("client_id")], "to_user_id": id("user_id") }),
        "create_acquisition_stage" => json!({ "key": format!("made_{number}"), "name": "Made" }),
        "update_acquisition_stage" => json!({ "name": format!("renamed {number}") }),
        "create_client_group" => json!({ "name": format!("made {number}") }),
        "update_client_group" => json!({ "description": format!("changed {number}") }),
        "add_client_to_group" => json!({ "client_group_id": id("client_group_id") }),
        "add_client_admin" => json!({ "user_id": id("user_id") }),
        "create_client_relationship" => json!({
            "kind": "partner", "from_client_id": id("client_id"), "to_client_id": id("other_client_id"),
        }),
        "update_client_relationship" => json!({ "note": format!("note {number}") }),
        "create_interaction" => json!({ "client_id": id("client_id"), "channel": "phone" }),
        "update_interaction" => json!({ "subject": format!("subject {number}") }),
        "create_client_note" => json!({ "body": "made" }),
        "update_client_note" => json!({ "body": format!("changed {number}") }),
        "create_file_link" => json!({}),
        "update_file" => json!({ "subject": format!("subject {number}") }),
        "create_folder" => json!({ "name": format!("made {number}"), "rel_type": "client", "rel_id": id("client_id") }),
        "update_folder" => json!({ "name": format!("renamed {number}") }),
        "tag_client" => json!({ "tag_id": id("tag_id") }),
        "link_client_contact" => json!({ "contact_id": id("free_contact") }),
        "update_client_contact" => json!({ "role": format!("role {number}") }),
        _ => return None,
    })
}

/// A template that is right.
pub(crate) fn template(number: usize) -> Value {
    json!({
        "kind": "lock_out", "language": "en", "subject": format!("Locked {number}"), "text": "Locked at {{ at }}.",
        "html": "<h1>Locked</h1><p>At {{ at }}.</p>",
    })
}

fn bulk(id: &str, data: &Value) -> Value {
    json!({ "operations": [{ "op": "update", "id": id, "data": data }] })
}
