//! One person: all that is known of them told, and erased.
//!
//! Faults that were put in to see these fail: a table left out of the erasure (mail, rows of imports, sessions), one left out of the map, the
//! journal of the portal account not erased, what the contact did themselves not erased.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read as _};
use std::path::Path;

use clients::privacy::map::{HELD, Held, WRITTEN, Whose};
use harness::{Session, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::auth::places_of;

const NAME: &str = "Anagnostopoulou";
const ADDRESS: &str = "melpomeni@portal.example";
const PHONE: &str = "+30 697 111 2233";

/// A contact of whom something is known everywhere.
async fn known(app: &TestApp) -> (String, String) {
    let file =
        format!("name,external_id,contact first name,contact last name,contact email\nPapa,7,Melpomeni,{NAME},{ADDRESS}\n");
    crate::imports::imported(app, &file).await;
    let client =
        app.get("/v1/clients?name=Papa", &app.admin).await.expect(200).body["data"][0]["id"].as_str().unwrap().to_owned();
    let list = app.get(&format!("/v1/clients/{client}/contacts"), &app.admin).await.expect(200);
    let contact = list.body["data"][0]["contact"]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/contacts/{contact}");
    app.patch(&path, &app.admin, &json!({ "phone": PHONE })).await.expect(200);
    let everything = json!({ "clients": [{ "client_id": client, "permissions": ["company_profile", "invoices"] }] });
    app.post(&format!("{path}/portal/invitation"), &app.admin, &everything).await.expect(200);
    let token = app.invitation_token(ADDRESS).await;
    let set = json!({ "token": token, "password": harness::PASSWORD });
    app.post("/v1/portal/set-password", &Session::nobody(), &set).await.expect(204);
    let wrong = json!({ "workspace": "main", "email": ADDRESS, "password": "wrong" });
    app.post("/v1/portal/login", &Session::nobody(), &wrong).await.expect(401);
    let session = app.sign_in_to_portal("main", ADDRESS).await;
    let change = json!({ "website": "https://papa.example" });
    app.patch("/v1/portal/company-profile", &session, &change).await.expect(200);
    let spoken = json!({ "contact_id": contact, "client_id": client, "channel": "phone", "note": "Asked for an offer" });
    app.post("/v1/interactions", &app.admin, &spoken).await.expect(201);
    let alone = json!({ "contact_id": contact, "channel": "email", "note": "Happy birthday" });
    app.post("/v1/interactions", &app.admin, &alone).await.expect(201);
    let noted = json!({ "body": format!("Ask mrs {} first", NAME.to_uppercase()) });
    app.post(&format!("/v1/clients/{client}/notes"), &app.admin, &noted).await.expect(201);
    let on = [("rel_type", "contact"), ("rel_id", contact.as_str()), ("subject", NAME)];
    app.upload(&app.admin, &on, "passport.txt", b"her passport").await.expect(201);
    (client, contact)
}

#[tokio::test]
async fn everything_that_is_known_of_a_contact_is_told_in_one_document_and_that_it_was_told_is_journaled() {
    let app = TestApp::spawn_with(|config| config.worker = true).await;
    let (client, contact) = known(&app).await;
    let told = app.act(&format!("/v1/contacts/{contact}/export"), &app.admin).await.expect(200);
    let body = &told.body;
    assert_eq!(body["contact"]["family_name"], NAME);
    assert_eq!((&body["clients"][0]["client"]["id"], &body["clients"][0]["is_primary"]), (&json!(client), &json!(true)));
    assert_eq!((&body["portal"]["state"], &body["portal"]["email"]), (&json!("active"), &json!(ADDRESS)));
    for (part, least) in [("sessions", 1), ("interactions", 2), ("files", 1), ("mails", 1), ("imported_rows", 1), ("history", 8)]
    {
        assert!(body[part].as_array().unwrap().len() >= least, "{part}: {}", body[part]);
    }
    assert_eq!(body["imported_rows"][0]["cells"]["contact_email"], ADDRESS);
    assert!(body["history"].to_string().contains(PHONE), "the history is told with its values");
    // every table of the map that is a contact's has its place
    for held in HELD.iter().filter(|held| held.whose == Whose::Contact) {
        if let Some(member) = held.exported {
            assert!(!body[member].is_null(), "{}: {member}", held.table);
        }
    }
    assert!(!told.text.contains("argon2") && !told.text.contains("plr_") && !told.text.contains("pli_"), "no secret is told");
    assert!(app.actions_of(&contact).await.contains(&"export".to_owned()));
    let viewer = app.member(&app.admin, "viewer", "viewer@example.com").await;
    app.act(&format!("/v1/contacts/{contact}/export"), &viewer).await.expect_problem(403, "forbidden");
}

/// The parts of a ZIP archive.
async fn parts_of(app: &TestApp, path: &str) -> BTreeMap<String, Vec<u8>> {
    let answer = app.request(Method::POST, path, &app.admin).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.headers()["content-type"]), (200, &"application/zip".parse().unwrap()));
    let named = answer.headers()["content-disposition"].to_str().unwrap();
    assert!(named.starts_with("attachment; filename=\"personal-data-") && named.ends_with(".zip\""), "{named}");
    let mut archive = zip::ZipArchive::new(Cursor::new(answer.bytes().await.unwrap())).unwrap();
    let mut parts = BTreeMap::new();
    for place in 0..archive.len() {
        let (mut part, mut bytes) = (archive.by_index(place).unwrap(), Vec::new());
        part.read_to_end(&mut bytes).unwrap();
        parts.insert(part.name().unwrap().into_owned(), bytes);
    }
    parts
}

#[tokio::test]
async fn what_is_known_of_somebody_is_told_with_their_files_in_one_archive() {
    let app = TestApp::spawn_with(|config| config.worker = true).await;
    let (_, contact) = known(&app).await;
    // more than one piece of a storage, and of the same name as another
    let large: Vec<u8> = (0..300_000).map(|place| b"what was agreed "[place % 16]).collect();
    let on = [("rel_type", "contact"), ("rel_id", contact.as_str())];
    let large_file = app.upload(&app.admin, &on, "passport.txt", &large).await.expect(201).id();
    let path = format!("/v1/contacts/{contact}/export");
    let told = app.act(&format!("{path}?format=json"), &app.admin).await.expect(200).body;

    let parts = parts_of(&app, &format!("{path}?format=zip")).await;
    let document: Value = serde_json::from_slice(&parts["data.json"]).unwrap();
    assert_eq!((&document["contact"], &document["files"]), (&told["contact"], &told["files"]));
    let names: BTreeSet<String> = told["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| format!("files/{}/passport.txt", file["id"].as_str().unwrap()))
        .chain(["data.json".to_owned()])
        .collect();
    assert_eq!((parts.keys().cloned().collect::<BTreeSet<_>>(), names.len()), (names, 3));
    assert_eq!(parts[&format!("files/{large_file}/passport.txt")], large);
    assert!(parts.values().any(|bytes| bytes == b"her passport"));
    let trail = app.get(&format!("/v1/audit?record_id={contact}&action=export&sort=at"), &app.admin).await.expect(200).body;
    let told = |entry: &Value| {
        [&entry["event"], &entry["changes"]["format"]["to"], &entry["changes"]["is_whole"]["to"]].map(Value::clone)
    };
    let entries: Vec<[Value; 3]> = trail["data"].as_array().unwrap().iter().map(told).collect();
    let expected = [
        ["contact.exported".into(), "json".into(), Value::Null],
        ["contact.export_started".into(), "zip".into(), Value::Null],
        ["contact.exported".into(), "zip".into(), true.into()],
    ];
    assert_eq!(entries, expected);
    assert_eq!(trail["data"][2]["changes"]["files"]["to"], 2);

    let client = app.post("/v1/clients", &app.admin, &json!({ "kind": "person", "name": "Alone" })).await.expect(201).id();
    let file =
        app.upload(&app.admin, &[("rel_type", "client"), ("rel_id", client.as_str())], "a.txt", b"a").await.expect(201).id();
    let parts = parts_of(&app, &format!("/v1/clients/{client}/export?format=zip")).await;
    assert_eq!(parts.keys().collect::<Vec<_>>(), ["data.json", &format!("files/{file}/a.txt")]);

    for (asked, pointer) in [("format=pdf", "?format"), ("form=zip", "?form"), ("format=zip&format=json", "?format")] {
        let refused = app.act(&format!("{path}?{asked}"), &app.admin).await.expect_problem(422, "validation_failed");
        assert_eq!(refused.pointers(), [pointer], "{asked}");
    }
    let body = app.post(&format!("{path}?format=zip"), &app.admin, &json!({ "all": true })).await;
    assert_eq!(body.expect_problem(422, "validation_failed").body["errors"][0]["code"], "unexpected_body");
    let viewer = app.member(&app.admin, "viewer", "viewer@example.com").await;
    app.act(&format!("{path}?format=zip"), &viewer).await.expect_problem(403, "forbidden");
    let trail = app.get(&format!("/v1/audit?record_id={contact}&action=export"), &app.admin).await.expect(200).body;
    assert_eq!(trail["data"].as_array().unwrap().len(), 3, "what was refused told nobody anything");

    // a key that came with something else is refused as everywhere, and what is not kept is done anew
    app.post_once("/v1/contacts", &app.admin, "used", &json!({ "given_name": "Other" })).await.expect(201);
    let once = async |key: &'static str| {
        app.send(app.request(Method::POST, &format!("{path}?format=json"), &app.admin).header("idempotency-key", key)).await
    };
    once("used").await.expect_problem(422, "idempotency_key_reused");
    once("new").await.expect(200);
    once("new").await.expect(200);
}

/// Seen to fail with an archive that ends where a file is lost.
#[tokio::test]
async fn a_file_whose_content_is_lost_is_named_in_the_archive_and_the_others_are_in_it() {
    let app = TestApp::spawn().await;
    let contact = app.contact(&app.admin, "Eleni").await;
    let on = [("rel_type", "contact"), ("rel_id", contact.as_str())];
    let mut ids = Vec::new();
    for (name, content) in [("a.txt", "first"), ("b.txt", "second"), ("c.txt", "third")] {
        ids.push(app.upload(&app.admin, &on, name, content.as_bytes()).await.expect(201).id());
    }
    for lost in [0, 2] {
        let key = app.db.scalar(&format!("SELECT storage_key FROM file WHERE id = {}", app.db.uuid(&ids[lost]))).await.unwrap();
        std::fs::remove_file(app.folder.path().join("files").join(key)).unwrap();
    }
    let parts = parts_of(&app, &format!("/v1/contacts/{contact}/export?format=zip")).await;
    let there = format!("files/{}/b.txt", ids[1]);
    assert_eq!(parts.keys().collect::<Vec<_>>(), ["data.json", &there, "missing.json"]);
    assert_eq!(parts[&there], b"second");
    let missing: Value = serde_json::from_slice(&parts["missing.json"]).unwrap();
    assert_eq!(missing, json!([{ "file_id": ids[0], "filename": "a.txt" }, { "file_id": ids[2], "filename": "c.txt" }]));
    let trail = app.get(&format!("/v1/audit?record_id={contact}&event=contact.exported"), &app.admin).await.expect(200).body;
    let changes = &trail["data"][0]["changes"];
    assert_eq!(changes["missing"]["to"], json!([ids[0], ids[2]]));
    assert_eq!((&changes["files"]["to"], &changes["is_whole"]["to"]), (&json!(1), &json!(true)));
}

#[tokio::test]
async fn whoever_is_erased_is_gone_from_every_table_and_the_report_says_what_stays() {
    let app = TestApp::spawn_with(|config| config.worker = true).await;
    let (client, contact) = known(&app).await;
    let path = format!("/v1/contacts/{contact}/erase");
    let colleague = app.member(&app.admin, "viewer", "colleague@example.com").await;
    let view = json!({ "list": "contacts", "name": "hers", "query": { "q": NAME } });
    let view = app.post("/v1/saved-views", &colleague, &view).await.expect(201).id();
    // what a view asks by is nobody's name
    let sorted = json!({ "list": "contacts", "name": "all", "query": { "sort": ["created_at"], "columns": ["family_name"] } });
    app.post("/v1/saved-views", &colleague, &sorted).await.expect(201);
    for text in [NAME, ADDRESS] {
        assert!(places_of(&app, text).await.len() >= 4, "{text} is known in many places before");
    }
    let wrong = json!({ "name": "Somebody Else", "reason": " " });
    let refused = app.post(&path, &app.admin, &wrong).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/name", "/reason"]);
    app.get(&format!("/v1/contacts/{contact}"), &app.admin).await.expect(200);

    // somebody else has one of her addresses too
    let shared = json!({ "given_name": "Nikos", "emails": [{ "kind": "work", "address": "office@papa.example" }] });
    let other = app.post("/v1/contacts", &app.admin, &shared).await.expect(201).id();
    app.post(&format!("/v1/clients/{client}/contacts"), &app.admin, &json!({ "contact_id": other })).await.expect(201);
    app.post(&format!("/v1/contacts/{other}/portal/invitation"), &app.admin, &json!({})).await.expect(200);
    let emails = json!([{ "kind": "work", "address": ADDRESS }, { "kind": "other", "address": "Office@papa.example" }]);
    app.patch(&format!("/v1/contacts/{contact}"), &app.admin, &json!({ "emails": emails })).await.expect(200);

    let meant = json!({ "name": "anagnostopoulou", "reason": "Asked by letter" });
    let report = app.post(&path, &app.admin, &meant).await.expect(200);
    let erased: BTreeMap<&str, u64> = report.body["erased"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| (part["what"].as_str().unwrap(), part["count"].as_u64().unwrap()))
        .collect();
    for what in [
        "contact",
        "client_contact",
        "portal_access",
        "portal_account",
        "session",
        "interaction",
        "file",
        "import_row",
        "mail_message",
    ] {
        assert!(erased.get(what).is_some_and(|count| *count >= 1), "{what}: {erased:?}");
    }
    assert!(report.body["kept"].as_array().unwrap().iter().all(|kept| !kept["why"].as_str().unwrap().is_empty()));
    let mentions = report.body["mentions"].as_array().unwrap();
    assert_eq!(mentions.len(), 2, "{mentions:?}");
    assert_eq!(
        (&mentions[1]["record_type"], &mentions[1]["record_id"], &mentions[1]["client_id"], &mentions[1]["owner_id"]),
        (&json!("saved_view"), &json!(view), &Value::Null, &json!(colleague.user_id)),
        "what somebody keeps for themselves too"
    );
    app.delete(&format!("/v1/saved-views/{view}"), &colleague).await.expect(204);
    assert_eq!((&mentions[0]["record_type"], &mentions[0]["client_id"]), (&json!("note"), &json!(client)));

    app.get(&format!("/v1/contacts/{contact}"), &app.admin).await.expect_problem(404, "not_found");
    // the note is what somebody has to look at, and the word search finds it by
    app.delete(&format!("/v1/clients/{client}/notes/{}", mentions[0]["record_id"].as_str().unwrap()), &app.admin)
        .await
        .expect(204);
    for text in [ADDRESS, "697 111 2233", "Melpomeni", NAME, "passport"] {
        assert_eq!(places_of(&app, text).await, Vec::<String>::new(), "{text}");
    }
    assert_eq!(app.count("mail_message WHERE to_address = 'office@papa.example'").await, 1, "what went to Nikos is his");
    // what was said with the client is still there, and the trail says that somebody was erased and why
    let list = app.get(&format!("/v1/interactions?client_id={client}"), &app.admin).await.expect(200);
    assert_eq!(
        (&list.body["data"][0]["note"], &list.body["data"][0]["contact_id"]),
        (&json!("Asked for an offer"), &Value::Null)
    );
    let entry = "SELECT COALESCE(CAST(changes AS text), '') FROM journal_entry WHERE event = 'contact.erased'";
    assert!(app.db.rows(entry).await[0].contains("Asked by letter"));
    let client = app.get(&format!("/v1/clients/{client}"), &app.admin).await.expect(200);
    assert_eq!(client.body["website"], "https://papa.example");
}

/// Seen to fail with rows of imports and the contact's own changes looked for at the clients that they belong to, and with the present addresses alone.
#[tokio::test]
async fn whoever_is_erased_is_gone_from_where_they_no_longer_belong_and_from_addresses_that_they_no_longer_have() {
    for ends in ["link", "client"] {
        let app = TestApp::spawn_with(|config| config.worker = true).await;
        let (client, contact) = known(&app).await;
        // they write from somewhere else by now, and sign in with that
        let path = format!("/v1/contacts/{contact}");
        let emails = json!({ "emails": [{ "kind": "work", "address": "new@portal.example" }] });
        app.patch(&path, &app.admin, &emails).await.expect(200);
        let anew = json!({ "email": "new@portal.example" });
        app.post(&format!("{path}/portal/invitation"), &app.admin, &anew).await.expect(200);
        if ends == "link" {
            app.delete(&format!("/v1/clients/{client}/contacts/{contact}"), &app.admin).await.expect(204);
        } else {
            let survivor = app.client(&app.admin, "Survivor").await;
            let merged = json!({ "merged_id": client });
            app.post(&format!("/v1/clients/{survivor}/merge"), &app.admin, &merged).await.expect(200);
        }
        let told = app.act(&format!("{path}/export"), &app.admin).await.expect(200);
        assert!(told.body["mails"].to_string().contains(ADDRESS), "{ends}: mail to the former address is told");
        let rows = told.body["imported_rows"].as_array().unwrap();
        assert_eq!((rows.len(), &rows[0]["cells"]["contact_email"]), (1, &json!(ADDRESS)), "{ends}");
        assert!(rows[0]["cells"]["name"].is_null(), "{ends}: what it says of the client is not theirs any more");

        let done = format!(
            "journal_personal WHERE (ip IS NOT NULL OR user_agent IS NOT NULL) AND entry_id IN \
             (SELECT id FROM journal_entry WHERE actor_id = {})",
            app.db.uuid(&contact)
        );
        assert!(app.count(&done).await > 0, "{ends}: they changed something themselves");
        let meant = json!({ "name": NAME, "reason": "Asked by letter" });
        let report = app.post(&format!("{path}/erase"), &app.admin, &meant).await.expect(200);
        let erased = report.body["erased"].as_array().unwrap();
        for what in ["import_row", "mail_message"] {
            assert!(erased.iter().any(|part| part["what"] == what), "{ends}: {what}: {erased:?}");
        }
        for mention in report.body["mentions"].as_array().unwrap() {
            let note = format!(
                "/v1/clients/{}/notes/{}",
                mention["client_id"].as_str().unwrap(),
                mention["record_id"].as_str().unwrap()
            );
            app.delete(&note, &app.admin).await.expect(204);
        }
        assert_eq!(app.count(&done).await, 0, "{ends}: from where they did it");
        for text in [ADDRESS, "new@portal.example"] {
            assert_eq!(places_of(&app, text).await, Vec::<String>::new(), "{ends}: {text}");
        }
    }
}

/// Seen to fail with the first addresses of others alone, and without their accounts in the portal.
#[tokio::test]
async fn what_went_to_an_address_that_has_become_somebody_elses_is_theirs() {
    let app = TestApp::spawn_with(|config| config.worker = true).await;
    let (client, contact) = known(&app).await;
    let path = format!("/v1/contacts/{contact}");
    let new = json!([{ "kind": "work", "address": "new@portal.example" }]);
    app.patch(&path, &app.admin, &json!({ "emails": new })).await.expect(200);
    app.post(&format!("{path}/portal/invitation"), &app.admin, &json!({ "email": "new@portal.example" })).await.expect(200);
    let mails = async || app.act(&format!("{path}/export"), &app.admin).await.expect(200).body["mails"].to_string();
    assert!(mails().await.contains(ADDRESS), "nobody else has it yet");
    // somebody has it as their second one
    let emails =
        json!([{ "kind": "work", "address": "nikos@papa.example" }, { "kind": "other", "address": ADDRESS.to_uppercase() }]);
    let other = app.post("/v1/contacts", &app.admin, &json!({ "given_name": "Nikos", "emails": emails })).await.expect(201).id();
    assert!(!mails().await.contains(ADDRESS));
    app.patch(&format!("/v1/contacts/{other}"), &app.admin, &json!({ "emails": [] })).await.expect(200);
    assert!(mails().await.contains(ADDRESS));
    // and somebody signs in with it
    app.post(&format!("/v1/clients/{client}/contacts"), &app.admin, &json!({ "contact_id": other })).await.expect(201);
    app.post(&format!("/v1/contacts/{other}/portal/invitation"), &app.admin, &json!({ "email": ADDRESS })).await.expect(200);
    assert!(!mails().await.contains(ADDRESS));
    let theirs = format!("mail_message WHERE to_address = '{ADDRESS}'");
    let before = app.count(&theirs).await;
    let meant = json!({ "name": NAME, "reason": "Asked by letter" });
    app.post(&format!("{path}/erase"), &app.admin, &meant).await.expect(200);
    assert_eq!(app.count(&theirs).await, before);
}

/// Seen to fail with another member of the JSON value.
#[tokio::test]
async fn rows_of_imports_from_before_they_were_found_by_whom_they_brought_are_found_by_them() {
    let app = TestApp::spawn_with(|config| config.worker = true).await;
    let (_, contact) = known(&app).await;
    let found = format!("import_row WHERE further_id = {}", app.db.uuid(&contact));
    assert_eq!(app.count(&found).await, 1);
    app.db.execute("UPDATE import_row SET further_id = NULL").await.unwrap();
    let dialect = app.store().await.dialect();
    for statement in store::dialect::ddl::uuid_from_member(dialect, "import_row", "further_id", ("further", "contact")) {
        app.db.execute_as_owner(&statement).await;
    }
    assert_eq!(app.count(&found).await, 1);
}

/// Seen to fail with participants left out of what is read.
#[tokio::test]
async fn whatever_staff_wrote_on_a_client_that_names_whoever_is_erased_is_told() {
    let app = TestApp::spawn().await;
    let client = app.client(&app.admin, "Papa").await;
    let contact = json!({ "given_name": "M", "family_name": NAME, "emails": [{ "kind": "work", "address": ADDRESS }] });
    let contact = app.post("/v1/contacts", &app.admin, &contact).await.expect(201).id();
    app.post(&format!("/v1/clients/{client}/contacts"), &app.admin, &json!({ "contact_id": contact })).await.expect(201);
    let other = app.client(&app.admin, "Other").await;
    let others = json!({ "client_id": client, "channel": "meeting", "participants": [{ "name": format!("Mrs {NAME}") }] });
    app.post("/v1/interactions", &app.admin, &others).await.expect(201);
    let related = json!({
        "kind": "partner", "from_client_id": other, "to_client_id": client, "note": format!("by {ADDRESS}"),
    });
    app.post("/v1/client-relationships", &app.admin, &related).await.expect(201);
    let on = [("rel_type", "client"), ("rel_id", client.as_str())];
    app.upload(&app.admin, &on, &format!("{NAME} cv.txt"), b"what she did").await.expect(201);
    let folder = json!({ "name": format!("of {NAME}"), "rel_type": "client", "rel_id": client });
    app.post("/v1/folders", &app.admin, &folder).await.expect(201);
    let with_her = json!({ "client_id": client, "channel": "meeting", "participants": [{ "contact_id": contact }] });
    app.post("/v1/interactions", &app.admin, &with_her).await.expect(201);
    app.post(&format!("/v1/clients/{client}/notes"), &app.admin, &json!({ "body": "nobody" })).await.expect(201);
    let meant = json!({ "name": NAME, "reason": "Asked by letter" });
    let report = app.post(&format!("/v1/contacts/{contact}/erase"), &app.admin, &meant).await.expect(200);
    let mentions = report.body["mentions"].as_array().unwrap();
    let told: Vec<&str> = mentions.iter().map(|mention| mention["record_type"].as_str().unwrap()).collect();
    assert_eq!(told, ["interaction", "client_relationship", "folder", "file"]);
    assert!(mentions.iter().all(|mention| mention["client_id"] == client), "{mentions:?}");
}

/// The columns that are declared as personal, by table, as the sources have them.
fn declared() -> BTreeMap<String, BTreeSet<String>> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("crates");
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut folders = vec![crates];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|kind| kind == "rs") {
                let source = std::fs::read_to_string(&entry).unwrap();
                if source.contains("macro_rules! record") {
                    continue;
                }
                for record in source.split("store::record! {").skip(1) {
                    let table = record.split('"').nth(1).unwrap().to_owned();
                    for line in record.split("\n}").next().unwrap().lines().filter(|line| line.contains("=> Personal")) {
                        let column = line.trim().split(':').next().unwrap().trim_start_matches("r#").to_owned();
                        found.entry(table.clone()).or_default().insert(column);
                    }
                }
            }
        }
    }
    found
}

#[test]
fn every_text_in_which_somebody_may_be_named_is_read_when_they_are_erased() {
    let of = |held: &Held| -> BTreeSet<&str> {
        let written = WRITTEN.iter().filter(|written| written.table == held.table);
        written.flat_map(|written| written.texts.iter().copied()).collect()
    };
    for held in HELD.iter().filter(|held| held.whose == Whose::FreeText || held.table == "file") {
        assert_eq!(of(held), held.columns.iter().copied().collect(), "{}", held.table);
    }
}

#[test]
fn every_column_that_is_declared_as_personal_is_in_the_map_and_nothing_else_is() {
    let declared = declared();
    assert!(declared.len() >= 12, "{declared:?}");
    let records: BTreeMap<String, BTreeSet<String>> = HELD
        .iter()
        // the journal and what is kept of requests are no records
        .filter(|held| !held.table.starts_with("journal") && !held.columns.is_empty() && held.table != "idempotency_record")
        .map(|held| (held.table.to_owned(), held.columns.iter().map(|column| (*column).to_owned()).collect()))
        .collect();
    assert_eq!(records, declared);
}

const TRADER: &str = "Xenofon Trader";
const TRADERS_ADDRESS: &str = "xenofon@trader.example";

/// A client that is a person, of whom something is known everywhere; and one of their contacts.
async fn known_trader(app: &TestApp) -> (String, String) {
    let file = format!(
        "name,kind,external_id,email,contact first name,contact last name\n{TRADER},person,9,{TRADERS_ADDRESS},Kleio,Trader\n"
    );
    crate::imports::imported(app, &file).await;
    let list = app.get("/v1/clients?kind=person", &app.admin).await.expect(200);
    let id = list.body["data"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/clients/{id}");
    app.patch(&path, &app.admin, &json!({ "tax_number": "123456789", "phone": PHONE })).await.expect(200);
    app.post(&format!("{path}/notes"), &app.admin, &json!({ "body": "Xenofon pays late" })).await.expect(201);
    let spoken = json!({ "client_id": id, "channel": "phone", "note": "Xenofon called" });
    app.post("/v1/interactions", &app.admin, &spoken).await.expect(201);
    let tag = app.post("/v1/tags", &app.admin, &json!({ "name": "Slow" })).await.expect(201).id();
    app.post(&format!("{path}/tags"), &app.admin, &json!({ "tag_id": tag })).await.expect(200);
    let on = [("rel_type", "client"), ("rel_id", id.as_str()), ("subject", "Identity of Xenofon")];
    app.upload(&app.admin, &on, "identity.txt", b"his identity card").await.expect(201);
    let other = app.client(&app.admin, "Borealis").await;
    let relation = json!({ "kind": "partner", "from_client_id": id, "to_client_id": other, "note": "Cousin of Xenofon" });
    app.post("/v1/client-relationships", &app.admin, &relation).await.expect(201);
    let folder = json!({ "name": "Papers of Xenofon", "rel_type": "client", "rel_id": id });
    app.post("/v1/folders", &app.admin, &folder).await.expect(201);
    // somebody who had his address, and is gone
    let other = json!({ "given_name": "Foivos", "emails": [{ "kind": "work", "address": TRADERS_ADDRESS }] });
    let other = app.post("/v1/contacts", &app.admin, &other).await.expect(201).id();
    app.post(&format!("{path}/contacts"), &app.admin, &json!({ "contact_id": other })).await.expect(201);
    app.post(&format!("/v1/contacts/{other}/portal/invitation"), &app.admin, &json!({})).await.expect(200);
    app.delete(&format!("/v1/contacts/{other}"), &app.admin).await.expect(204);
    app.act(&format!("/v1/contacts/{other}/purge"), &app.admin).await.expect(204);
    let twin = json!({ "kind": "person", "name": "Xenofon Treider", "phone": "+30 697 444 5566" });
    let twin = app.post("/v1/clients", &app.admin, &twin).await.expect(201).id();
    app.post(&format!("{path}/merge"), &app.admin, &json!({ "merged_id": twin })).await.expect(200);
    let contacts = app.get(&format!("{path}/contacts"), &app.admin).await.expect(200);
    (id, contacts.body["data"][0]["contact"]["id"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn everything_that_is_known_of_a_client_that_is_a_person_is_told_in_one_document() {
    let app = TestApp::spawn_with(|config| config.worker = true).await;
    let (client, contact) = known_trader(&app).await;
    let path = format!("/v1/clients/{client}/export");
    let told = app.act(&path, &app.admin).await.expect(200);
    let body = &told.body;
    assert_eq!((&body["client"]["name"], &body["client"]["tax_number"]), (&json!(TRADER), &json!("123456789")));
    assert_eq!(body["merged"][0]["name"], "Xenofon Treider");
    assert_eq!((&body["tags"], &body["contact_ids"]), (&json!(["Slow"]), &json!([contact])));
    assert_eq!(body["notes"][0]["body"], "Xenofon pays late");
    assert_eq!(body["interactions"][0]["note"], "Xenofon called");
    assert_eq!(body["relationships"][0]["note"], "Cousin of Xenofon");
    assert_eq!(body["files"][0]["subject"], "Identity of Xenofon");
    assert_eq!((&body["folders"], &body["mails"][0]["to"]), (&json!(["Papers of Xenofon"]), &json!(TRADERS_ADDRESS)));
    assert_eq!(body["imported_rows"][0]["cells"]["email"], TRADERS_ADDRESS);
    assert!(!body["imported_rows"].to_string().contains("Kleio"), "what stood there of somebody else is told to her");
    let history = body["history"].to_string();
    assert!(history.contains(PHONE) && history.contains("697 444 5566"), "with its values, and those of what was merged into it");
    for held in HELD {
        if let Some(member) = held.of_client {
            assert!(!body[member].is_null(), "{}: {member}", held.table);
        }
        assert!(held.whose != Whose::Client || held.of_client.is_some(), "{} has its place in it", held.table);
    }
    assert!(app.actions_of(&client).await.contains(&"export".to_owned()));
    let company = app.client(&app.admin, "Acme").await;
    app.act(&format!("/v1/clients/{company}/export"), &app.admin).await.expect_problem(409, "not_a_person");
    let viewer = app.member(&app.admin, "viewer", "viewer@example.com").await;
    app.act(&path, &viewer).await.expect_problem(403, "forbidden");
    // whoever sees no contacts is not told of those either
    app.role(&app.admin, "officer", &["clients.view_all", "privacy.export_person", "privacy.erase_person"]).await;
    let officer = app.member(&app.admin, "officer", "officer@example.com").await;
    app.act(&path, &officer).await.expect_problem(403, "forbidden");
    let meant = json!({ "name": TRADER, "reason": "asked" });
    app.post(&format!("/v1/clients/{client}/erase"), &officer, &meant).await.expect_problem(403, "forbidden");
}

#[tokio::test]
async fn what_another_client_has_of_a_person_by_a_merge_that_was_taken_back_is_erased_with_them() {
    let app = TestApp::spawn().await;
    let make = async |name: &str, phone: &str| {
        let body = json!({ "kind": "person", "name": name, "phone": phone });
        app.post("/v1/clients", &app.admin, &body).await.expect(201).id()
    };
    let (stays, goes, third) =
        (make("Ariadni", "+30 210 111 2233").await, make("Vasiliki", PHONE).await, make("Danai", "+30 210 444 5566").await);
    let path = format!("/v1/clients/{stays}/merge");
    for merged in [&goes, &third] {
        let merge = json!({ "merged_id": merged, "fields": { "phone": "merged", "name": "merged" } });
        app.post(&path, &app.admin, &merge).await.expect(200);
        app.post(&format!("{path}/undo"), &app.admin, &json!({ "merged_id": merged })).await.expect(200);
    }
    assert!(places_of(&app, "697 111 2233").await.len() >= 2, "in its own row and in the history of both");
    let meant = json!({ "name": "Vasiliki", "reason": "asked" });
    app.post(&format!("/v1/clients/{goes}/erase"), &app.admin, &meant).await.expect(200);
    for text in ["697 111 2233", "Vasiliki"] {
        assert_eq!(places_of(&app, text).await, Vec::<String>::new(), "{text}");
    }
    let history = app.get(&format!("/v1/clients/{stays}/audit"), &app.admin).await.expect(200);
    assert!(history.text.contains("210 111 2233") && history.text.contains("210 444 5566"), "the rest of its history is there");
}

#[tokio::test]
async fn a_client_that_is_a_person_is_erased_from_every_table_and_the_report_says_what_stays() {
    let app = TestApp::spawn_with(|config| config.worker = true).await;
    let (client, contact) = known_trader(&app).await;
    let path = format!("/v1/clients/{client}/erase");
    assert!(places_of(&app, "Xenofon").await.len() >= 5, "known in many places before");
    let wrong = json!({ "name": "Somebody Else", "reason": " " });
    let refused = app.post(&path, &app.admin, &wrong).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/name", "/reason"]);
    let company = app.client(&app.admin, "Acme").await;
    let meant = json!({ "name": "Acme", "reason": "asked" });
    app.post(&format!("/v1/clients/{company}/erase"), &app.admin, &meant).await.expect_problem(409, "not_a_person");
    let below = json!({ "kind": "company", "name": "Below", "parent_id": client });
    let below = app.post("/v1/clients", &app.admin, &below).await.expect(201).id();
    let meant = json!({ "name": TRADER.to_uppercase(), "reason": "Asked by letter" });
    app.post(&path, &app.admin, &meant).await.expect_problem(409, "in_use");
    app.get(&format!("/v1/clients/{client}"), &app.admin).await.expect(200);
    app.patch(&format!("/v1/clients/{below}"), &app.admin, &json!({ "parent_id": null })).await.expect(200);

    let one_word = TRADER.split_whitespace().last().unwrap().to_lowercase();
    let view = json!({ "list": "clients", "name": "his", "query": { "filters": { "name[like]": one_word } } });
    let view = app.post("/v1/saved-views", &app.admin, &view).await.expect(201).id();

    let report = app.post(&path, &app.admin, &meant).await.expect(200);
    let parts = report.body["erased"].as_array().unwrap();
    let erased: BTreeMap<&str, u64> =
        parts.iter().map(|part| (part["what"].as_str().unwrap(), part["count"].as_u64().unwrap())).collect();
    let expected = [
        ("client", 2),
        ("client_contact", 1),
        ("client_relationship", 1),
        ("file", 1),
        ("folder", 1),
        ("import_row", 1),
        ("interaction", 1),
        ("mail_message", 1),
        ("note", 1),
    ];
    assert_eq!(erased, BTreeMap::from(expected));
    let mentions = json!([
        { "record_type": "contact", "record_id": contact, "client_id": null, "owner_id": null },
        { "record_type": "saved_view", "record_id": view, "client_id": null, "owner_id": app.admin.user_id },
    ]);
    assert_eq!(report.body["mentions"], mentions);
    app.delete(&format!("/v1/saved-views/{view}"), &app.admin).await.expect(204);
    let kept = report.body["kept"].as_array().unwrap();
    assert!(kept.iter().all(|kept| kept["what"] != "interaction" && kept["why"] != ""), "{kept:?}");
    app.get(&format!("/v1/clients/{client}"), &app.admin).await.expect_problem(404, "not_found");
    // the contact is a person of her own
    app.get(&format!("/v1/contacts/{contact}"), &app.admin).await.expect(200);
    for text in [TRADERS_ADDRESS, "697 111 2233", "697 444 5566", "123456789", "Xenofon", "identity card"] {
        assert_eq!(places_of(&app, text).await, Vec::<String>::new(), "{text}");
    }
    let entry = "SELECT COALESCE(CAST(changes AS text), '') FROM journal_entry WHERE event = 'client.erased'";
    assert!(app.db.rows(entry).await[0].contains("Asked by letter"));
}
