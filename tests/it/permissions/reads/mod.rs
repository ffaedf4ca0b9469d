//! What each caller reads: every list operation, with count, search, related records, summary and audit trail, against what they may
//! see by the permission table and the row scope, as the database has it past all walls.
//!
//! Faults that were put in to see it fail: a related record that is added without asking who may see it (`include=contacts` without
//! `contacts.view`, a parent out of scope), users of every workspace listed, an account's changes not masked, a list and a record type that
//! this does not know. When it was new it found four: an audit trail that masked too little for a reader without `clients.view_all`, a token that read what its maker had done, a summary and a
//! filter that told of contacts to one who may see none.

mod audit;
mod data;
mod expected;

use std::collections::BTreeSet;

use ::api::access;
use harness::{Answer, TestApp};
use kernel::Permission;
use serde_json::Value;

use data::{Data, Reader};
use expected::{Expected, of_list};

fn bare(id: &Value) -> String {
    id.as_str().unwrap_or_default().replace('-', "")
}

/// The ids in a page or in a plain list.
fn ids(answer: &Answer) -> BTreeSet<String> {
    let records = answer.body["data"].as_array().or_else(|| answer.body.as_array());
    // what hangs two records together is known by the one that the list does not hang on
    let id = |record: &Value| {
        let places = [&record["contact"]["id"], &record["id"], &record["user_id"]];
        bare(places.into_iter().find(|id| id.is_string()).unwrap())
    };
    records.unwrap_or_else(|| panic!("no list in {}", answer.text)).iter().map(id).collect()
}

/// The ids on all pages of a list.
async fn all_ids(app: &TestApp, reader: &Reader, path: &str, mut answer: Answer) -> BTreeSet<String> {
    let mut found = ids(&answer);
    while let Some(cursor) = answer.body["page"]["next_cursor"].as_str() {
        answer = get(app, reader, &format!("{path}?limit=200&cursor={cursor}")).await.expect(200);
        found.append(&mut ids(&answer));
    }
    found
}

async fn get(app: &TestApp, reader: &Reader, path: &str) -> Answer {
    app.get(path, &reader.session).await
}

/// The paths at which a list is to be read: one, or one for each record that it hangs on.
fn paths(data: &Data, path: &str) -> Vec<(String, Option<String>)> {
    let (parameter, records) = match path {
        path if path.contains("{client_id}") => ("{client_id}", &data.clients),
        path if path.contains("{contact_id}") => ("{contact_id}", &data.contacts),
        path if path.contains("{user_id}") => ("{user_id}", &data.accounts),
        path if path.contains("{team_id}") => ("{team_id}", &data.teams),
        path if path.contains("{import_id}") => ("{import_id}", &data.imports),
        path => return vec![(path.to_owned(), None)],
    };
    records.iter().map(|id| (path.replace(parameter, id), Some(id.clone()))).collect()
}

#[tokio::test]
async fn what_each_caller_lists_counts_and_finds_is_what_they_may_see() {
    let data = Box::pin(data::make()).await;
    let registry = ::api::routes::registry();
    let lists: Vec<_> =
        registry.served.iter().filter(|served| served.list.is_some() || served.row.id.starts_with("list_")).collect();
    assert!(lists.len() >= 17, "{}", lists.len());
    let mut wrong = Vec::new();
    for served in lists {
        let id = served.row.id;
        for (path, record) in paths(&data, &served.path) {
            for reader in &data.readers {
                let expected = of_list(&data, reader, access::find(id).unwrap(), record.as_deref()).await;
                let Some(expected) = expected else {
                    wrong.push(format!("{id} is a list that the test does not know: say in expected.rs what is in it"));
                    break;
                };
                // what has no pages is all there is
                let query = if served.list.is_some() { "?limit=200&count=exact" } else { "" };
                let answer = get(&data.app, reader, &format!("{path}{query}")).await;
                let (status, total) = (answer.status, answer.body["page"]["total"].as_u64());
                let found = match status {
                    200 => Expected::Ids(all_ids(&data.app, reader, &path, answer).await),
                    status => Expected::Refused(status),
                };
                if let (Expected::Ids(found), true) = (&found, served.list.is_some())
                    && total != Some(found.len() as u64)
                {
                    wrong.push(format!("{path} by {}: counts {total:?}, has {}", reader.name, found.len()));
                }
                if found != expected {
                    wrong.push(format!("{path} by {}: {found:?}, expected {expected:?}", reader.name));
                }
                let searched = served.list.is_some_and(|spec| spec.searched);
                if searched && status == 200 {
                    let search = get(&data.app, reader, &format!("{path}?q=παπας&limit=200&count=exact")).await.expect(200);
                    if Expected::Ids(ids(&search)) != expected || search.body["page"]["total"] != ids(&search).len() {
                        wrong.push(format!("{path} by {}: a search finds {}", reader.name, search.text));
                    }
                }
            }
        }
    }
    exports(&data, &mut wrong).await;
    related(&data, &mut wrong).await;
    summaries(&data, &mut wrong).await;
    by_filter(&data, &mut wrong).await;
    audit::masks(&data, &mut wrong).await;
    wrong.dedup();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// An export has the records that its list has, for whoever may export.
async fn exports(data: &Data, wrong: &mut Vec<String>) {
    for (list, export) in [("list_clients", "export_clients"), ("list_contacts", "export_contacts")] {
        let path = format!("/v1/{}/export?columns=id", list.trim_start_matches("list_"));
        for reader in &data.readers {
            let answer = get(&data.app, reader, &path).await;
            let lines = answer.text.lines().skip(1).map(|line| line.replace('-', ""));
            let found = match answer.status {
                200 => Expected::Ids(lines.collect()),
                status => Expected::Refused(status),
            };
            let refused = expected::refused(reader, access::find(export).unwrap());
            let expected = match refused {
                Some(status) => Expected::Refused(status),
                None => of_list(data, reader, access::find(list).unwrap(), None).await.unwrap(),
            };
            if found != expected {
                wrong.push(format!("{path} by {}: {found:?}, expected {expected:?}", reader.name));
            }
        }
    }
}

/// Related records in lists of clients and contacts.
async fn related(data: &Data, wrong: &mut Vec<String>) {
    for reader in &data.readers {
        let clients =
            get(&data.app, reader, "/v1/clients?include=admins,contacts,groups,owner,parent,tags&limit=200&archived=true").await;
        for client in clients.body["data"].as_array().into_iter().flatten() {
            let id = client["id"].as_str().unwrap();
            let contacts = client["contacts"].as_array().unwrap().iter().map(|link| bare(&link["contact"]["id"])).collect();
            let tags = client["tags"].as_array().unwrap().iter().map(|tag| bare(&tag["id"])).collect();
            let expected = (expected::contacts_of(data, reader, id).await, expected::tags_of(data, id).await);
            let parent: BTreeSet<String> = client["parent"]["id"].as_str().map(|id| id.replace('-', "")).into_iter().collect();
            let above = match client["parent_id"].as_str() {
                Some(above) => expected::visible_clients(data, reader, &format!("id = {}", data.sql(above))).await,
                None => BTreeSet::new(),
            };
            if (contacts, tags) != expected || parent != above {
                wrong.push(format!("{} sees with a client: {client}", reader.name));
            }
            let several = |member: &str, id: &str| -> BTreeSet<String> {
                client[member].as_array().unwrap().iter().map(|one| bare(&one[id])).collect()
            };
            let of_client = format!("WHERE client_id = {}", data.sql(id));
            let admins = data.ids("user_id", &format!("client_admin {of_client}")).await;
            let groups = data.ids("client_group_id", &format!("client_group_member {of_client}")).await;
            if several("admins", "user_id") != admins || several("groups", "id") != groups {
                wrong.push(format!("{} sees other groups or responsible staff: {client}", reader.name));
            }
            if client["owner"]["id"] != client["owner_id"] {
                wrong.push(format!("{} sees another owner: {client}", reader.name));
            }
        }
        let between = get(&data.app, reader, "/v1/client-relationships?include=from_client,to_client&limit=200").await;
        for relationship in between.body["data"].as_array().into_iter().flatten() {
            for (side, id) in [("from_client", "from_client_id"), ("to_client", "to_client_id")] {
                let shown: BTreeSet<String> =
                    relationship[side]["id"].as_str().map(|id| id.replace('-', "")).into_iter().collect();
                let id = data.sql(relationship[id].as_str().unwrap());
                if shown != expected::visible_clients(data, reader, &format!("id = {id}")).await {
                    wrong.push(format!("{} sees on a side of a relationship: {relationship}", reader.name));
                }
            }
        }
        let contacts = get(&data.app, reader, "/v1/contacts?include=clients&limit=200").await;
        for contact in contacts.body["data"].as_array().into_iter().flatten() {
            let id = data.sql(contact["id"].as_str().unwrap());
            let clients: BTreeSet<String> =
                contact["clients"].as_array().unwrap().iter().map(|of| bare(&of["client"]["id"])).collect();
            let linked = format!("id IN (SELECT client_id FROM client_contact WHERE contact_id = {id})");
            if clients != expected::visible_clients(data, reader, &linked).await {
                wrong.push(format!("{} sees with a contact: {contact}", reader.name));
            }
        }
    }
}

/// The summary counts what the lists show.
async fn summaries(data: &Data, wrong: &mut Vec<String>) {
    for reader in &data.readers {
        for client in &data.clients {
            let answer = get(&data.app, reader, &format!("/v1/clients/{client}/summary")).await;
            let notes = data.ids("id", &format!("note WHERE rel_id = {} AND archived_at IS NULL", data.sql(client))).await.len();
            let files = data.ids("id", &format!("file WHERE rel_id = {} AND archived_at IS NULL", data.sql(client))).await.len();
            let visible = expected::visible_clients(data, reader, &format!("id = {}", data.sql(client))).await;
            let contacts = expected::contacts_of(data, reader, client).await.len();
            let sees_clients = reader.can(Permission::ClientsViewAll) || reader.can(Permission::ClientsViewOwn);
            let fits = match (visible.is_empty(), sees_clients) {
                (false, _) => {
                    let counts = &answer.body["counts"];
                    answer.status == 200 && counts["contacts"] == contacts && counts["notes"] == notes && counts["files"] == files
                }
                (true, true) => answer.status == 404,
                (true, false) => answer.status == 403,
            };
            if !fits {
                wrong.push(format!("{} reads a summary, expected {contacts} contacts: {}", reader.name, answer.text));
            }
        }
    }
}

/// A filter by a record that the caller may not see tells nothing of it.
async fn by_filter(data: &Data, wrong: &mut Vec<String>) {
    for reader in &data.readers {
        for contact in &data.contacts {
            let answer = get(&data.app, reader, &format!("/v1/clients?contact_id={contact}&archived=true&count=exact")).await;
            let linked = format!("id IN (SELECT client_id FROM client_contact WHERE contact_id = {})", data.sql(contact));
            let linked = expected::visible_clients(data, reader, &linked).await;
            let expected = if reader.can(Permission::ContactsView) { linked } else { BTreeSet::new() };
            if answer.status == 200 && (ids(&answer) != expected || answer.body["page"]["total"] != expected.len()) {
                wrong.push(format!("{} learns by a filter who has a contact: {}", reader.name, answer.text));
            }
        }
        for client in &data.clients {
            let answer = get(&data.app, reader, &format!("/v1/contacts?client_id={client}&count=exact")).await;
            let visible = expected::visible_clients(data, reader, &format!("id = {}", data.sql(client))).await;
            let expected = if visible.is_empty() { BTreeSet::new() } else { expected::contacts_of(data, reader, client).await };
            if answer.status == 200 && (ids(&answer) != expected || answer.body["page"]["total"] != expected.len()) {
                wrong.push(format!("{} learns by a filter who belongs to a client: {}", reader.name, answer.text));
            }
        }
    }
}
