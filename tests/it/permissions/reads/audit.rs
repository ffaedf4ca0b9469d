//! What the audit trail masks.

use std::collections::BTreeSet;

use kernel::Permission;
use kernel::Permission as P;
use serde_json::{Value, json};

use super::data::{Data, Reader};

/// What one must be allowed, all of it, to see elsewhere what an entry of a record type shows. A type that is not here fails the test.
const SEEN_WITH: &[(&str, &[Permission])] = &[
    ("client", &[P::ClientsViewAll]),
    ("note", &[P::ClientsViewAll]),
    ("client_admin", &[P::ClientsViewAll]),
    ("client_group_member", &[P::ClientsViewAll]),
    ("client_merge", &[P::ClientsViewAll]),
    ("client_relationship", &[P::ClientsViewAll]),
    // it may be of a client, of a contact or of both
    ("interaction", &[P::ClientsViewAll, P::ContactsView]),
    ("tagging", &[P::ClientsViewAll]),
    ("client_contact", &[P::ClientsViewAll, P::ContactsView]),
    // it may be on a client, on a contact or on nothing
    ("file", &[P::ClientsViewAll, P::ContactsView, P::FilesView]),
    ("folder", &[P::ClientsViewAll, P::ContactsView, P::FilesView]),
    // whoever does not see all clients does not see all contacts
    ("contact", &[P::ClientsViewAll, P::ContactsView]),
    ("user_account", &[P::AdminManageUsers]),
    ("session", &[P::AdminManageUsers]),
    ("portal_account", &[P::ClientsViewAll, P::ContactsView]),
    ("portal_access", &[P::ClientsViewAll, P::ContactsView]),
    ("membership", &[P::AdminManageUsers]),
    ("invitation", &[P::AdminManageUsers]),
    ("role", &[P::AdminManageUsers]),
    ("second_factor", &[P::AdminManageUsers]),
    ("team", &[P::AdminManageUsers]),
    ("team_member", &[P::AdminManageUsers]),
    ("role_override", &[P::AdminManageUsers]),
    ("api_token", &[P::AdminManageTokens]),
    // what somebody looks for is theirs
    ("saved_view", &[P::ClientsViewAll, P::ContactsView, P::AdminManageSettings]),
    ("saved_view_default", &[P::ClientsViewAll, P::ContactsView, P::AdminManageSettings]),
    ("job", &[P::AdminManageSettings]),
    ("backup_run", &[P::AdminSystemBackup]),
    ("mail_message", &[P::AdminManageSettings]),
    ("mail_template", &[P::AdminManageSettings]),
    ("mail_suppression", &[P::AdminManageSettings]),
    ("import_run", &[P::AdminImport]),
    ("import_issue", &[P::AdminImport]),
    ("installation_settings", &[P::AdminManageSettings]),
    ("duplicate_candidate", &[P::ClientsViewAll]),
    ("duplicate_search", &[]),
    ("brand", &[]),
    // every member sees the workspace and the tags; a refusal says which operation, and nothing of a record
    ("workspace", &[]),
    ("tag", &[]),
    ("client_group", &[]),
    ("acquisition_stage", &[]),
    ("custom_field", &[]),
    ("operation", &[]),
];

fn is_own(reader: &Reader, entry: &Value) -> bool {
    match &reader.token {
        Some(token) => entry["actor"]["id"] == *token.as_str(),
        None => entry["actor"]["user_id"] == *reader.account.as_str(),
    }
}

fn is_masked(entry: &Value) -> bool {
    let changes = entry["changes"].as_object().unwrap();
    changes.values().all(|change| *change == json!({ "masked": true })) && entry["ip"].is_null() && entry["user_agent"].is_null()
}

/// A trail, all pages of it.
async fn entries(data: &Data, reader: &Reader, path: &str) -> Vec<Value> {
    let (mut entries, mut cursor) = (Vec::new(), String::new());
    loop {
        let answer = data.app.get(&format!("{path}?limit=200{cursor}"), &reader.session).await;
        entries.extend(answer.body["data"].as_array().into_iter().flatten().cloned());
        match answer.body["page"]["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return entries,
        }
    }
}

/// Every entry in every trail is masked exactly where its reader may not see elsewhere what it shows, and has not done it.
pub(super) async fn masks(data: &Data, wrong: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for reader in &data.readers {
        let records = data.clients.iter().map(|id| format!("/v1/clients/{id}/audit"));
        let contacts = data.contacts.iter().map(|id| format!("/v1/contacts/{id}/audit"));
        for path in ["/v1/audit".to_owned(), "/v1/me/audit".to_owned()].into_iter().chain(records).chain(contacts) {
            for entry in entries(data, reader, &path).await {
                let kind = entry["record_type"].as_str().unwrap();
                seen.insert(kind.to_owned());
                let Some((_, needed)) = SEEN_WITH.iter().find(|(known, _)| *known == kind) else {
                    wrong.push(format!("the journal speaks of {kind}, of which the test does not know who may see it"));
                    continue;
                };
                let may = is_own(reader, &entry) || needed.iter().all(|permission| reader.can(*permission));
                // an entry without values is neither
                let telling = entry["changes"] != json!({}) || !entry["ip"].is_null();
                if telling && is_masked(&entry) == may {
                    wrong.push(format!("{path} by {}: masked is {}: {entry}", reader.name, !may));
                }
            }
        }
    }
    // nothing is in the journal that nobody read
    let there = "SELECT DISTINCT record_type FROM journal_entry WHERE workspace_id IS NOT NULL";
    assert_eq!(seen, data.app.db.rows(there).await.into_iter().collect::<BTreeSet<String>>());
    assert!(seen.len() >= 12, "{seen:?}");
}
