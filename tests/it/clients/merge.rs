//! Two clients become one, and two again.

use harness::{Engine, Session, TestApp};
use serde_json::{Value, json};

struct Two {
    app: TestApp,
    by: Session,
    stays: String,
    goes: String,
}

impl Two {
    /// Two clients, each with one of everything, and a contact, a tag and a group that both have.
    async fn make() -> Self {
        let app = TestApp::spawn().await;
        let by = app.admin.clone();
        let body = json!({ "kind": "company", "name": "Stays", "emails": [{ "kind": "work", "address": "one@stays.example" }] });
        let stays = app.post("/v1/clients", &by, &body).await.expect(201).id();
        let body = json!({
            "kind": "company", "name": "Goes", "sector": "retail", "emails": [{ "kind": "work", "address": "two@goes.example" }],
            "roles": ["vendor"], "external_source": "old", "external_id": "7",
        });
        let goes = app.post("/v1/clients", &by, &body).await.expect(201).id();
        let two = Self { app, by, stays, goes };
        let shared = two.contact("Shared").await;
        let tag = two.post("/v1/tags", json!({ "name": "both" })).await;
        let group = two.post("/v1/client-groups", json!({ "name": "both" })).await;
        for client in [&two.stays, &two.goes] {
            let own = two.contact("Own").await;
            for contact in [&own, &shared] {
                let path = format!("/v1/clients/{client}/contacts");
                two.app.post(&path, &two.by, &json!({ "contact_id": contact })).await.expect(201);
            }
            two.app.post(&format!("/v1/clients/{client}/tags"), &two.by, &json!({ "tag_id": tag })).await.expect(200);
            let body = json!({ "client_group_id": group });
            two.app.post(&format!("/v1/clients/{client}/groups"), &two.by, &body).await.expect(200);
            two.post(&format!("/v1/clients/{client}/notes"), json!({ "body": "noted" })).await;
            two.post("/v1/interactions", json!({ "client_id": client, "channel": "phone" })).await;
            two.post("/v1/folders", json!({ "name": "Papers", "rel_type": "client", "rel_id": client })).await;
            let other = two.app.client(&two.by, "Another").await;
            let body = json!({ "kind": "partner", "from_client_id": client, "to_client_id": other });
            two.post("/v1/client-relationships", body).await;
            two.post("/v1/clients", json!({ "kind": "company", "name": "Child", "parent_id": client })).await;
        }
        two
    }

    async fn contact(&self, name: &str) -> String {
        self.post("/v1/contacts", json!({ "given_name": name })).await
    }

    async fn post(&self, path: &str, body: Value) -> String {
        self.app.post(path, &self.by, &body).await.expect(201).id()
    }

    fn path(&self, what: &str) -> String {
        format!("/v1/clients/{}/merge{what}", self.stays)
    }

    fn body(&self) -> Value {
        json!({ "merged_id": self.goes })
    }

    /// All that hangs on either, but for what a merge may change of it: when it was changed, and how often.
    async fn all(&self) -> Vec<Value> {
        let mut all = Vec::new();
        for client in [&self.stays, &self.goes] {
            for what in [
                format!("/v1/clients/{client}?include=admins,contacts,groups,parent,tags"),
                format!("/v1/clients/{client}/notes"),
                format!("/v1/interactions?client_id={client}"),
                format!("/v1/client-relationships?client_id={client}"),
                format!("/v1/folders?rel_id={client}"),
                format!("/v1/clients?parent_id={client}"),
            ] {
                let mut body = self.app.get(&what, &self.by).await.expect(200).body;
                forget_moments(&mut body);
                all.push(body);
            }
        }
        all
    }
}

fn forget_moments(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.remove("updated_at");
            members.values_mut().for_each(forget_moments);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_moments),
        _ => {}
    }
}

fn moved(body: &Value, record_type: &str) -> (u64, u64) {
    let all = body["moved"].as_array().unwrap();
    let found = all.iter().find(|one| one["record_type"] == record_type).unwrap();
    (found["moved"].as_u64().unwrap(), found["had_both"].as_u64().unwrap())
}

#[tokio::test]
async fn everything_of_one_client_moves_to_the_other_and_back_again() {
    let two = Two::make().await;
    let before = two.all().await;
    let entries = two.app.count("journal_entry").await;
    let preview = two.app.post(&two.path("/preview"), &two.by, &two.body()).await.expect(200).body;
    assert_eq!(two.app.count("journal_entry").await, entries);
    assert_eq!(two.all().await, before);

    let done = two.app.post(&two.path(""), &two.by, &two.body()).await.expect(200).body;
    assert_eq!(done["moved"], preview["moved"]);
    assert_eq!(done["fields"], preview["fields"]);
    assert_eq!((moved(&done, "client_contact"), moved(&done, "tagging")), ((1, 1), (0, 1)));
    assert_eq!((moved(&done, "note"), moved(&done, "interaction"), moved(&done, "client")), ((1, 0), (1, 0), (1, 0)));
    assert_eq!((moved(&done, "folder"), moved(&done, "client_relationship")), ((1, 0), (1, 0)));
    let client = &done["client"];
    assert_eq!((&client["name"], &client["sector"], &client["roles"]), (&json!("Stays"), &json!("retail"), &json!(["vendor"])));
    assert_eq!(client["emails"].as_array().unwrap().len(), 2);
    let stays = two.app.get(&format!("/v1/clients/{}?include=contacts", two.stays), &two.by).await.expect(200).body;
    let contacts = stays["contacts"].as_array().unwrap();
    assert_eq!(contacts.len(), 3);
    assert_eq!(contacts.iter().filter(|contact| contact["is_primary"] == true).count(), 1);
    // its trail goes on with the other one's
    let trail = two.app.get(&format!("/v1/clients/{}/audit?limit=200", two.stays), &two.by).await.expect(200).body;
    let of_merged = |entry: &&Value| entry["record_id"] == json!(two.goes) && entry["event"] == "client.created";
    assert_eq!(trail["data"].as_array().unwrap().iter().filter(of_merged).count(), 1);
    // who stepped down and what has another name says so itself
    let renamed = json!({ "from": "Papers", "to": format!("Papers ({})", two.goes) });
    let changes = |trail: &Value, record_type: &str, field: &str| -> Vec<Value> {
        let entries = trail["data"].as_array().unwrap().iter();
        let of_type = entries.filter(|entry| entry["record_type"] == record_type && entry["action"] == "update");
        of_type.map(|entry| entry["changes"][field].clone()).collect()
    };
    assert_eq!(changes(&trail, "client_contact", "is_primary"), [json!({ "from": true, "to": false })]);
    assert_eq!(changes(&trail, "folder", "name"), [renamed]);

    two.app.post(&two.path("/undo"), &two.by, &two.body()).await.expect(200);
    assert_eq!(two.all().await, before);
    let trail = two.app.get(&format!("/v1/clients/{}/audit?limit=200", two.goes), &two.by).await.expect(200).body;
    assert_eq!(changes(&trail, "client_contact", "is_primary")[0], json!({ "from": false, "to": true }));
    assert_eq!(changes(&trail, "folder", "name")[0]["to"], "Papers");
    // and once more
    two.app.post(&two.path(""), &two.by, &two.body()).await.expect(200);
    two.app.post(&two.path("/undo"), &two.by, &two.body()).await.expect(200);
    assert_eq!(two.all().await, before);
    let again = two.app.post(&two.path("/undo"), &two.by, &two.body()).await.expect_problem(422, "validation_failed");
    assert_eq!(again.pointers(), ["/merged_id"]);
}

#[tokio::test]
async fn the_id_of_what_was_merged_leads_to_what_it_became_part_of() {
    let two = Two::make().await;
    let (app, by) = (&two.app, &two.by);
    app.post(&two.path(""), by, &two.body()).await.expect(200);
    let last = app.client(by, "Last").await;
    app.post(&format!("/v1/clients/{last}/merge"), by, &json!({ "merged_id": two.stays })).await.expect(200);
    let old = format!("/v1/clients/{}", two.goes);
    for what in ["", "/notes", "/audit"] {
        let answer = app.get(&format!("{old}{what}"), by).await.expect_problem(301, "client_merged");
        assert_eq!(answer.header("location"), Some(format!("/v1/clients/{last}{what}").as_str()));
        assert_eq!((&answer.body["survivor_id"], &answer.body["status"]), (&json!(last), &json!(301)));
    }
    let refused = app.patch(&old, by, &json!({ "name": "x" })).await.expect_problem(409, "client_merged");
    assert_eq!(refused.body["survivor_id"], json!(last));
    app.act(&format!("{old}/restore"), by).await.expect_problem(409, "client_merged");
    let all = app.get("/v1/clients?archived=true&limit=200", by).await.expect(200).body;
    assert!(all["data"].as_array().unwrap().iter().all(|client| client["id"] != json!(two.goes)));
    // a merge on which another stands is not taken back
    app.post(&two.path("/undo"), by, &two.body()).await.expect_problem(409, "client_merged");
    // what became part of a client goes with it
    for child in app.get(&format!("/v1/clients?parent_id={last}"), by).await.expect(200).body["data"].as_array().unwrap() {
        let path = format!("/v1/clients/{}", child["id"].as_str().unwrap());
        app.patch(&path, by, &json!({ "parent_id": null })).await.expect(200);
    }
    app.delete(&format!("/v1/clients/{last}"), by).await.expect(204);
    app.act(&format!("/v1/clients/{last}/purge"), by).await.expect(204);
    app.get(&old, by).await.expect_problem(404, "not_found");
    assert_eq!(app.count("client_merge").await, 0);
}

#[tokio::test]
async fn a_merge_on_which_something_newer_stands_is_not_taken_back() {
    let two = Two::make().await;
    two.app.post(&two.path(""), &two.by, &two.body()).await.expect(200);
    let note = two.post(&format!("/v1/clients/{}/notes", two.stays), json!({ "body": "newer" })).await;
    let refused = two.app.post(&two.path("/undo"), &two.by, &two.body()).await.expect_problem(409, "merge_built_on");
    assert_eq!(refused.body["newer"][0]["record_id"], json!(note));
    assert_eq!(two.app.count("client_merge WHERE undone_at IS NULL").await, 1);
}

#[tokio::test]
async fn a_merge_is_not_taken_back_where_a_client_would_come_to_stand_above_itself() {
    let app = TestApp::spawn().await;
    let by = app.admin.in_workspace("main");
    let (above, goes) = (app.client(&by, "Above").await, app.client(&by, "Goes").await);
    let body = json!({ "kind": "company", "name": "Stays", "parent_id": above });
    let stays = app.post("/v1/clients", &by, &body).await.expect(201).id();
    let path = format!("/v1/clients/{stays}/merge");
    app.post(&path, &by, &json!({ "merged_id": goes, "fields": { "parent_id": "merged" } })).await.expect(200);
    app.patch(&format!("/v1/clients/{above}"), &by, &json!({ "parent_id": stays })).await.expect(200);
    app.post(&format!("{path}/undo"), &by, &json!({ "merged_id": goes })).await.expect_problem(409, "merge_built_on");
    app.patch(&format!("/v1/clients/{above}"), &by, &json!({ "parent_id": null })).await.expect(200);
    app.post(&format!("{path}/undo"), &by, &json!({ "merged_id": goes })).await.expect(200);
    assert_eq!(app.get(&format!("/v1/clients/{stays}"), &by).await.expect(200).body["parent_id"], json!(above));
}

#[tokio::test]
async fn a_file_that_brought_what_was_merged_leaves_what_somebody_chose() {
    let app = TestApp::spawn_with(|config| config.worker = true).await;
    let file = "name,external_id,sector\nOne,1,ships\nTwo,2,harbours\n";
    crate::imports::imported(&app, file).await;
    let id = async |name: &str| {
        let list = app.get(&format!("/v1/clients?name={name}"), &app.admin).await.expect(200);
        list.body["data"][0]["id"].as_str().unwrap().to_owned()
    };
    let (one, two) = (id("One").await, id("Two").await);
    let chosen = json!({ "merged_id": two, "fields": { "sector": "merged" } });
    app.post(&format!("/v1/clients/{one}/merge"), &app.admin, &chosen).await.expect(200);
    let again = crate::imports::imported(&app, "name,external_id,sector\nOne,1,harbours\nTwo,2,castles\n").await;
    let run = app.get(&format!("/v1/imports/{again}"), &app.admin).await.expect(200).body;
    assert_eq!((&run["staged"]["same"], &run["staged"]["wrong"]), (&json!(1), &json!(1)), "{run}");
    let rows = app.get(&format!("/v1/imports/{again}/rows?outcome=wrong"), &app.admin).await.expect(200);
    assert!(rows.text.contains("client_merged"), "{}", rows.text);
    let client = app.get(&format!("/v1/clients/{one}"), &app.admin).await.expect(200);
    assert_eq!((&client.body["name"], &client.body["sector"]), (&json!("One"), &json!("harbours")));
}

#[tokio::test]
async fn sides_are_chosen_and_wrong_ones_are_told_at_once() {
    let two = Two::make().await;
    let ask = async |what: &str, fields: Value| {
        let body = json!({ "merged_id": two.goes, "fields": fields });
        two.app.post(&two.path(what), &two.by, &body).await
    };
    let wrong = ask("", json!({ "name": "both", "shoe_size": "merged" })).await.expect_problem(422, "validation_failed");
    let mut pointers = wrong.pointers();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/fields/name", "/fields/shoe_size"]);
    let done = ask("", json!({ "name": "merged", "emails": "merged", "sector": "survivor" })).await.expect(200).body;
    assert_eq!((&done["client"]["name"], &done["client"]["sector"]), (&json!("Goes"), &json!(null)));
    assert_eq!(done["client"]["emails"][0]["address"], "two@goes.example");
}

#[tokio::test]
async fn what_cannot_be_merged_is_refused_and_nothing_changes() {
    let two = Two::make().await;
    let (app, by) = (&two.app, &two.by);
    let elsewhere = app.second_workspace("other").await;
    let foreign = app.client(&elsewhere, "foreign").await;
    let before = two.all().await;
    for other in [&two.stays, &foreign] {
        let body = json!({ "merged_id": other });
        assert_eq!(app.post(&two.path(""), by, &body).await.expect_problem(422, "validation_failed").pointers(), ["/merged_id"]);
    }
    app.post(&format!("/v1/clients/{foreign}/merge"), by, &two.body()).await.expect_problem(404, "not_found");
    let below = app.get(&format!("/v1/clients?parent_id={}", two.stays), by).await.expect(200).body["data"][0]["id"].clone();
    let lowest = two.post("/v1/clients", json!({ "kind": "company", "name": "Lowest", "parent_id": below })).await;
    let upwards = format!("/v1/clients/{lowest}/merge");
    app.post(&upwards, by, &json!({ "merged_id": two.stays })).await.expect_problem(409, "parent_cycle");
    let third = two.post("/v1/clients", json!({ "kind": "company", "name": "Third" })).await;
    for client in [&two.stays, &two.goes] {
        let body = json!({ "kind": "supplier", "from_client_id": client, "to_client_id": third });
        two.post("/v1/client-relationships", body).await;
    }
    app.post(&two.path(""), by, &two.body()).await.expect_problem(409, "relationship_overlap");
    app.post(&two.path("/preview"), by, &two.body()).await.expect_problem(409, "relationship_overlap");
    app.post(&two.path(""), by, &json!({ "merged_id": third })).await.expect_problem(409, "merge_related");
    app.delete(&format!("/v1/clients/{lowest}"), by).await.expect(204);
    app.post(&two.path(""), by, &json!({ "merged_id": lowest })).await.expect_problem(409, "archived");
    assert_eq!(app.count("client_merge").await, 0);
    assert_eq!(two.all().await[0], before[0]);
}

#[tokio::test]
async fn of_two_who_merge_the_same_client_at_once_one_wins() {
    let two = Two::make().await;
    let third = two.app.client(&two.by, "Third").await;
    let (one, other, body) = (two.path(""), format!("/v1/clients/{third}/merge"), two.body());
    let (one, other) = tokio::join!(two.app.post(&one, &two.by, &body), two.app.post(&other, &two.by, &body));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    assert_eq!(two.app.count("client_merge WHERE undone_at IS NULL").await, 1);
}

#[tokio::test]
async fn no_table_of_the_database_that_names_clients_is_unknown_to_a_merge() {
    // the merge's own record, and what it leaves in its place
    const ITS_OWN: [(&str, &str); 6] = [
        ("client_merge", "survivor_id"),
        ("client_merge", "merged_id"),
        ("client", "merged_into_id"),
        // what it is found by, and what it may be the same as, stay with what it was
        ("client_match_key", "client_id"),
        ("duplicate_candidate", "client_id"),
        // the database keeps it by the client's own column
        ("client_role", "client_id"),
    ];
    let app = TestApp::spawn().await;
    let all = match app.db.engine {
        Engine::Sqlite => {
            "SELECT m.name || ' ' || c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'"
        }
        Engine::Postgres => {
            "SELECT table_name || ' ' || column_name FROM information_schema.columns WHERE table_schema = 'public'"
        }
    };
    let all = app.db.rows(all).await;
    assert!(all.iter().any(|pair| pair == "client parent_id"));
    for pair in all {
        let (table, column) = pair.split_once(' ').unwrap();
        let names_clients = column.ends_with("client_id") || column == "rel_id" || column.starts_with("merged_into");
        let pair = (table, column);
        let known = clients::merge::HANGS_ON_CLIENTS.contains(&pair) || ITS_OWN.contains(&pair);
        assert!(!names_clients || known, "{table}.{column} is not moved by a merge of clients");
    }
}
