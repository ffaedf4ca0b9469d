//! What a caller may see, as the database has it.

use std::collections::BTreeSet;

use ::api::access::Operation;
use kernel::Permission;

use super::super::callers::Holds;
use super::super::expected::gate;
use super::data::{Data, Reader};

/// What a list answers.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// These, whatever the order.
    Ids(BTreeSet<String>),
    /// A refusal.
    Refused(u16),
}

/// The condition on clients that the reader may see.
fn client_scope(data: &Data, reader: &Reader) -> String {
    let workspace = format!("workspace_id = {}", data.sql(&reader.workspace));
    let account = data.sql(&reader.account);
    if reader.can(Permission::ClientsViewAll) {
        workspace
    } else if reader.can(Permission::ClientsViewOwn) {
        let responsible = format!("id IN (SELECT client_id FROM client_admin WHERE user_id = {account})");
        format!("{workspace} AND (owner_id = {account} OR created_by = {account} OR {responsible})")
    } else {
        "1 = 0".to_owned()
    }
}

/// The condition on contacts that the reader may see: those of clients that they see, and those they made.
fn contact_scope(data: &Data, reader: &Reader) -> String {
    let workspace = format!("workspace_id = {}", data.sql(&reader.workspace));
    if !reader.can(Permission::ContactsView) {
        "1 = 0".to_owned()
    } else if reader.can(Permission::ClientsViewAll) {
        workspace
    } else {
        let clients = format!("SELECT id FROM client WHERE {}", client_scope(data, reader));
        let linked = format!("id IN (SELECT contact_id FROM client_contact WHERE client_id IN ({clients}))");
        format!("{workspace} AND (created_by = {} OR {linked})", data.sql(&reader.account))
    }
}

/// The condition on files and folders that the reader may see: those on records that they see, and those on none.
fn file_scope(data: &Data, reader: &Reader) -> String {
    let alone = if reader.can(Permission::FilesView) { "rel_type IS NULL" } else { "1 = 0" };
    let on = |rel_type: &str, scope: String| {
        format!("(rel_type = '{rel_type}' AND rel_id IN (SELECT id FROM {rel_type} WHERE {scope}))")
    };
    let (client, contact) = (on("client", client_scope(data, reader)), on("contact", contact_scope(data, reader)));
    // whoever is in the workspace sees its face
    format!("workspace_id = {} AND ({alone} OR {client} OR {contact} OR rel_type = 'brand')", data.sql(&reader.workspace))
}

/// The condition on relationships that the reader may see: of clients that they see, at one end or the other.
fn relationship_scope(data: &Data, reader: &Reader) -> String {
    let clients = format!("(SELECT id FROM client WHERE {})", client_scope(data, reader));
    let workspace = data.sql(&reader.workspace);
    format!("workspace_id = {workspace} AND (from_client_id IN {clients} OR to_client_id IN {clients})")
}

/// The condition on interactions that the reader may see: of clients that they see, and of contacts alone that they see.
fn interaction_scope(data: &Data, reader: &Reader) -> String {
    let clients = format!("client_id IN (SELECT id FROM client WHERE {})", client_scope(data, reader));
    let contacts = format!("contact_id IN (SELECT id FROM contact WHERE {})", contact_scope(data, reader));
    format!("({clients} OR (client_id IS NULL AND {contacts})) AND archived_at IS NULL")
}

/// Clients that the reader may see and that a condition holds of, archived or not.
pub(super) async fn visible_clients(data: &Data, reader: &Reader, condition: &str) -> BTreeSet<String> {
    data.ids("id", &format!("client WHERE {} AND {condition}", client_scope(data, reader))).await
}

/// Contacts of a client, as far as the reader sees contacts.
pub(super) async fn contacts_of(data: &Data, reader: &Reader, client: &str) -> BTreeSet<String> {
    let linked = format!("id IN (SELECT contact_id FROM client_contact WHERE client_id = {})", data.sql(client));
    data.ids("id", &format!("contact WHERE {} AND {linked} AND archived_at IS NULL", contact_scope(data, reader))).await
}

/// Tags of a client.
pub(super) async fn tags_of(data: &Data, client: &str) -> BTreeSet<String> {
    data.ids("tag_id", &format!("tagging WHERE rel_id = {}", data.sql(client))).await
}

/// What the gate says to a reader; none where it lets them through.
pub(super) fn refused(reader: &Reader, operation: &Operation) -> Option<u16> {
    gate(operation, &Holds::Permissions(reader.permissions))
}

/// What is to be in a list; none for a list that is not known here.
pub(super) async fn of_list(data: &Data, reader: &Reader, operation: &Operation, record: Option<&str>) -> Option<Expected> {
    let workspace = format!("workspace_id = {}", data.sql(&reader.workspace));
    let account = data.sql(&reader.account);
    let record = record.map(|id| data.sql(id)).unwrap_or_default();
    // what the list hangs on, and what is in it
    let (on, column, rest) = match operation.id {
        "list_clients" => (None, "id", format!("client WHERE {} AND archived_at IS NULL", client_scope(data, reader))),
        "list_contacts" => (None, "id", format!("contact WHERE {} AND archived_at IS NULL", contact_scope(data, reader))),
        "list_files" => (None, "id", format!("file WHERE {} AND archived_at IS NULL", file_scope(data, reader))),
        "list_folders" => (None, "id", format!("folder WHERE {}", file_scope(data, reader))),
        "list_client_duplicates" => {
            let seen = format!("(SELECT id FROM client WHERE {} AND archived_at IS NULL)", client_scope(data, reader));
            (None, "id", format!("duplicate_candidate WHERE archived_at IS NULL AND client_id IN {seen} AND other_id IN {seen}"))
        }
        "list_client_groups" => (None, "id", format!("client_group WHERE {workspace}")),
        "list_client_relationships" => (None, "id", format!("client_relationship WHERE {}", relationship_scope(data, reader))),
        "list_interactions" => (None, "id", format!("interaction WHERE {}", interaction_scope(data, reader))),
        "list_due_interactions" => {
            let due = "follow_up_at IS NOT NULL AND followed_up_at IS NULL \
                       AND (client_id IS NULL OR client_id IN (SELECT id FROM client WHERE archived_at IS NULL))";
            (None, "id", format!("interaction WHERE {} AND {due}", interaction_scope(data, reader)))
        }
        "list_saved_views" => {
            let clients = reader.can(Permission::ClientsViewAll) || reader.can(Permission::ClientsViewOwn);
            let lists = [("clients", clients), ("contacts", reader.can(Permission::ContactsView))];
            let lists: Vec<String> = lists.iter().filter(|(_, sees)| *sees).map(|(name, _)| format!("'{name}'")).collect();
            let teams = format!("SELECT team_id FROM team_member WHERE user_id = {account}");
            let managed = if reader.can(Permission::AdminManageSettings) { "team_id IS NOT NULL" } else { "1 = 0" };
            let whose = match &reader.token {
                // a token is no person
                Some(_) => format!("(is_shared OR {managed})"),
                None => format!("(is_shared OR user_id = {account} OR team_id IN ({teams}) OR {managed})"),
            };
            let lists = if lists.is_empty() { "1 = 0".to_owned() } else { format!("list IN ({})", lists.join(", ")) };
            (None, "id", format!("saved_view WHERE {workspace} AND {lists} AND {whose}"))
        }
        "list_custom_fields" => {
            let sees = |permissions: &[Permission]| permissions.iter().any(|permission| reader.can(*permission));
            let manages = sees(&[Permission::AdminManageCustomFields]);
            let clients = manages || sees(&[Permission::ClientsViewAll, Permission::ClientsViewOwn]);
            let contacts = manages || sees(&[Permission::ContactsView]);
            let seen = [("'client'", clients), ("'contact'", contacts)];
            let seen: Vec<&str> = seen.iter().filter(|(_, sees)| *sees).map(|(name, _)| *name).collect();
            let types = if seen.is_empty() { "1 = 0".to_owned() } else { format!("record_type IN ({})", seen.join(", ")) };
            (None, "id", format!("custom_field WHERE {workspace} AND archived_at IS NULL AND {types}"))
        }
        "list_brands" => (None, "id", format!("brand WHERE {workspace} AND archived_at IS NULL")),
        "list_tags" => (None, "id", format!("tag WHERE {workspace}")),
        "list_users" | "list_colleagues" => (None, "user_id", format!("membership WHERE {workspace}")),
        "list_teams" if reader.can(Permission::AdminManageUsers) => (None, "id", format!("team WHERE {workspace}")),
        // a token is in no team
        "list_teams" if reader.token.is_some() => (None, "id", "team WHERE 1 = 0".to_owned()),
        "list_teams" => {
            let own = format!("SELECT team_id FROM team_member WHERE user_id = {account}");
            (None, "id", format!("team WHERE {workspace} AND id IN ({own})"))
        }
        "list_memberships" => (None, "id", format!("membership WHERE {workspace}")),
        "list_invitations" => (None, "id", format!("invitation WHERE {workspace}")),
        "list_jobs" => (None, "id", format!("job WHERE {workspace}")),
        "list_mail_messages" => (None, "id", format!("mail_message WHERE {workspace}")),
        "list_mail_suppressions" => (None, "id", format!("mail_suppression WHERE {workspace}")),
        "list_mail_templates" => (None, "id", format!("mail_template WHERE {workspace}")),
        "list_imports" => (None, "id", format!("import_run WHERE {workspace}")),
        "list_backups" => (None, "id", "backup_run".to_owned()),
        "list_roles" => (None, "id", format!("role WHERE workspace_id IS NULL OR {workspace}")),
        "list_audit" => (None, "id", format!("journal_entry WHERE {workspace}")),
        "list_tokens" if reader.can(Permission::AdminManageTokens) => (None, "id", format!("api_token WHERE {workspace}")),
        "list_tokens" => (None, "id", format!("api_token WHERE {workspace} AND user_id = {account}")),
        // a token has done what was done with it; what its maker did is not its to read
        "list_my_audit" => match &reader.token {
            Some(token) => (None, "id", format!("journal_entry WHERE actor_id = {}", data.sql(token))),
            None => (None, "id", format!("journal_entry WHERE user_id = {account}")),
        },
        "list_workspaces" => match &reader.token {
            Some(_) => (None, "id", format!("workspace WHERE id = {}", data.sql(&reader.workspace))),
            None => (None, "workspace_id", format!("membership WHERE user_id = {account}")),
        },
        "list_client_timeline"
        | "list_client_stages"
        | "list_client_contacts"
        | "list_client_admins"
        | "list_client_notes"
        | "list_client_audit"
        | "list_client_files" => {
            let on = format!("client WHERE {} AND id = {record}", client_scope(data, reader));
            let (column, rest) = match operation.id {
                "list_client_contacts" => (
                    "contact_id",
                    format!(
                        "client_contact WHERE client_id = {record} \
                         AND contact_id IN (SELECT id FROM contact WHERE archived_at IS NULL)"
                    ),
                ),
                "list_client_timeline" => {
                    let own = match &reader.token {
                        _ if reader.can(Permission::AdminViewAuditLog) => "1 = 1".to_owned(),
                        Some(token) => format!("actor_id = {}", data.sql(token)),
                        None => format!("user_id = {account}"),
                    };
                    let changes = format!(
                        "SELECT id FROM journal_entry WHERE (record_id = {record} OR subject_id = {record}) AND {own} \
                         AND record_type NOT IN ('note', 'interaction')"
                    );
                    let rest = format!("rel_id = {record} AND archived_at IS NULL");
                    let said = format!("SELECT place FROM interaction WHERE client_id = {record} AND archived_at IS NULL");
                    ("id", format!("(SELECT id FROM note WHERE {rest} UNION ALL {said} UNION ALL {changes}) AS happened"))
                }
                "list_client_admins" => ("user_id", format!("client_admin WHERE client_id = {record}")),
                "list_client_stages" => {
                    let changed = format!("record_id = {record} AND CAST(changes AS text) LIKE '%\"acquisition_stage\":%'");
                    ("id", format!("journal_entry WHERE {changed}"))
                }
                "list_client_files" => ("id", format!("file WHERE rel_id = {record} AND archived_at IS NULL")),
                "list_client_notes" => ("id", format!("note WHERE rel_id = {record} AND archived_at IS NULL")),
                _ => ("id", format!("journal_entry WHERE record_id = {record} OR subject_id = {record}")),
            };
            (Some(on), column, rest)
        }
        "list_contact_files" => {
            let on = format!("contact WHERE {} AND id = {record}", contact_scope(data, reader));
            (Some(on), "id", format!("file WHERE rel_id = {record} AND archived_at IS NULL"))
        }
        "list_contact_audit" => {
            let on = format!("contact WHERE {} AND id = {record}", contact_scope(data, reader));
            (Some(on), "id", format!("journal_entry WHERE record_id = {record} OR subject_id = {record}"))
        }
        // staff and their tokens have none
        "list_portal_sessions" => return Some(Expected::Refused(403)),
        "list_my_sessions" if reader.token.is_some() => return Some(Expected::Refused(403)),
        "list_my_sessions" => (None, "id", format!("session WHERE user_id = {account} AND revoked_at IS NULL")),
        "list_user_sessions" => {
            let on = format!("membership WHERE {workspace} AND user_id = {record}");
            (Some(on), "id", format!("session WHERE user_id = {record} AND revoked_at IS NULL"))
        }
        "list_team_members" => {
            let seen = match &reader.token {
                _ if reader.can(Permission::AdminManageUsers) => "1 = 1".to_owned(),
                Some(_) => "1 = 0".to_owned(),
                None => format!("id IN (SELECT team_id FROM team_member WHERE user_id = {account})"),
            };
            (
                Some(format!("team WHERE {workspace} AND id = {record} AND {seen}")),
                "user_id",
                format!("team_member WHERE team_id = {record}"),
            )
        }
        "list_import_issues" => {
            let on = format!("import_run WHERE {workspace} AND id = {record}");
            (Some(on), "id", format!("import_issue WHERE import_run_id = {record}"))
        }
        "list_import_rows" => {
            let on = format!("import_run WHERE {workspace} AND id = {record}");
            (Some(on), "id", format!("import_row WHERE import_run_id = {record}"))
        }
        _ => return None,
    };
    if let Some(status) = refused(reader, operation) {
        return Some(Expected::Refused(status));
    }
    if let Some(on) = on
        && data.ids("id", &on).await.is_empty()
    {
        let sees = |permissions: &[Permission]| permissions.iter().any(|permission| reader.can(*permission));
        let of_client = operation.id.starts_with("list_client_");
        let blind = (of_client && !sees(&[Permission::ClientsViewAll, Permission::ClientsViewOwn]))
            || (operation.id.starts_with("list_contact_") && !sees(&[Permission::ContactsView]));
        return Some(Expected::Refused(if blind { 403 } else { 404 }));
    }
    Some(Expected::Ids(data.ids(column, &rest).await))
}
