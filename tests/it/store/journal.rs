//! What an entry holds: everything that changed, from and to, and nothing that may not stay.

use std::collections::BTreeSet;

use harness::{Engine, Session, TestApp};
use kernel::{Error, Result};
use serde_json::{Value, json};
use store::{Action, Change};

use super::at_work;

async fn trail(app: &TestApp, id: &str) -> Vec<Value> {
    let page = app.get(&format!("/v1/clients/{id}/audit?sort=at&limit=200"), &app.admin).await.expect(200).body;
    page["data"].as_array().unwrap().clone()
}

/// A column of a table as text, whatever its type.
async fn texts(app: &TestApp, sql_of_sqlite: &str, sql_of_postgres: &str) -> String {
    let sql = if app.db.engine == Engine::Sqlite { sql_of_sqlite } else { sql_of_postgres };
    app.db.rows(sql).await.join("\n")
}

async fn entries(app: &TestApp) -> String {
    texts(
        app,
        "SELECT changes || ' ' || event || ' ' || action || ' ' || actor_kind || ' ' || coalesce(request_id, '') FROM journal_entry",
        "SELECT e::text FROM journal_entry e",
    )
    .await
}

async fn personal(app: &TestApp) -> String {
    let sqlite = "SELECT coalesce(changes, '') || coalesce(ip, '') || coalesce(user_agent, '') FROM journal_personal";
    texts(app, sqlite, "SELECT p::text FROM journal_personal p").await
}

fn whole_client() -> Value {
    json!({
        "kind": "company", "name": "ZQname", "legal_name": "ZQlegal", "tax_number": "ZQtax", "website": "https://ZQweb.example",
        "phone": "ZQ123", "emails": [{ "kind": "work", "address": "ZQmail@example.com" }], "phones": [{ "kind": "fax", "number": "ZQ456" }],
        "main_address": { "line1": "ZQmain", "country": "GR" }, "billing_address": { "line1": "ZQbilling" },
        "shipping_address": { "line1": "ZQshipping" }, "sector": "tourism", "size": "11-50", "product": "Ferries", "currency": "USD", "locale": "en-GB",
        "status": "inactive", "roles": ["vendor"], "acquisition_stage": "lead", "source": "event", "lead_category": "hot",
        "external_source": "test", "external_id": "17",
    })
}

#[tokio::test]
async fn the_entry_of_a_create_holds_every_field_that_has_a_value() {
    let app = TestApp::spawn().await;
    let mut body = whole_client();
    body["owner_id"] = json!(app.admin.user_id);
    body["parent_id"] = json!(app.client(&app.admin, "parent").await);
    let field = json!({ "record_type": "client", "key": "note", "label": "Note", "field_type": "text" });
    app.post("/v1/custom-fields", &app.admin, &field).await.expect(201);
    body["brand_id"] = json!(app.post("/v1/brands", &app.admin, &json!({ "name": "Main" })).await.expect(201).id());
    body["custom_fields"] = json!({ "note": "ZQnote" });
    let made = app.post("/v1/clients", &app.admin, &body).await.expect(201);
    let trail = trail(&app, &made.id()).await;
    assert_eq!(trail.len(), 1);
    let entry = &trail[0];
    let held: BTreeSet<&str> = entry["changes"].as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected: BTreeSet<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    expected.insert("created_by");
    assert_eq!(held, expected);
    for (name, change) in entry["changes"].as_object().unwrap() {
        assert_eq!(*change, json!({ "to": made.body[name] }), "{name}");
    }
    assert_eq!(
        (&entry["action"], &entry["event"], &entry["record_type"]),
        (&json!("create"), &json!("client.created"), &json!("client"))
    );
    assert_eq!(entry["record_id"], made.body["id"]);
    assert_eq!(entry["actor"], json!({ "kind": "user", "id": app.admin.user_id, "user_id": app.admin.user_id }));
    assert_eq!((&entry["cause"], &entry["cause_id"]), (&json!("request"), &json!(null)));
    assert_eq!(entry["request_id"].as_str(), made.header("x-request-id"));
    assert_eq!(entry["ip"], "127.0.0.1");
}

#[tokio::test]
async fn the_entry_of_an_update_holds_what_changed_from_and_to_and_a_change_of_nothing_leaves_none() {
    let app = TestApp::spawn().await;
    let made = app.post("/v1/clients", &app.admin, &whole_client()).await.expect(201);
    let path = format!("/v1/clients/{}", made.id());
    let patch = json!({ "name": "ZQnew", "sector": "it", "tax_number": null, "roles": ["vendor", "partner"], "size": "11-50" });
    app.patch(&path, &app.admin, &patch).await.expect(200);
    let same = app.patch(&path, &app.admin, &patch).await.expect(200);
    app.patch(&path, &app.admin, &json!({})).await.expect(200);
    assert_eq!(app.get(&path, &app.admin).await.expect(200).etag(), same.etag());
    let trail = trail(&app, &made.id()).await;
    assert_eq!(trail.len(), 2);
    assert_eq!(
        trail[1]["changes"],
        json!({
            "name": { "from": "ZQname", "to": "ZQnew" }, "sector": { "from": "tourism", "to": "it" },
            "tax_number": { "from": "ZQtax", "to": null }, "roles": { "from": ["vendor"], "to": ["vendor", "partner"] },
        })
    );
    assert_eq!((&trail[1]["action"], &trail[1]["event"]), (&json!("update"), &json!("client.updated")));
}

#[tokio::test]
async fn archiving_and_restoring_are_entries_of_their_own_and_doing_them_twice_is_none() {
    let app = TestApp::spawn().await;
    let id = app.client(&app.admin, "a").await;
    let path = format!("/v1/clients/{id}");
    for _ in 0..2 {
        app.delete(&path, &app.admin).await.expect(204);
    }
    for _ in 0..2 {
        app.act(&format!("{path}/restore"), &app.admin).await.expect(200);
    }
    assert_eq!(app.actions_of(&id).await, ["create", "archive", "restore"]);
    let trail = trail(&app, &id).await;
    assert_eq!(trail[1]["event"], "client.archived");
    assert!(trail[1]["changes"]["archived_at"]["to"].is_string());
    assert_eq!((&trail[2]["event"], &trail[2]["changes"]["archived_at"]["to"]), (&json!("client.restored"), &json!(null)));
}

#[tokio::test]
async fn personal_values_stand_in_the_erasable_side_alone() {
    let app = TestApp::spawn().await;
    let client = app.post("/v1/clients", &app.admin, &whole_client()).await.expect(201).id();
    app.patch(&format!("/v1/clients/{client}"), &app.admin, &json!({ "name": "ZQother", "main_address": { "city": "ZQcity" } }))
        .await
        .expect(200);
    let contact = json!({
        "given_name": "ZQgiven", "family_name": "ZQfamily", "phone": "ZQ789", "position": "ZQposition",
        "emails": [{ "kind": "home", "address": "ZQcontact@example.com" }], "phones": [{ "kind": "home", "number": "ZQ790" }],
    });
    let contact = app.post("/v1/contacts", &app.admin, &contact).await.expect(201).id();
    let link = json!({ "contact_id": contact });
    app.post(&format!("/v1/clients/{client}/contacts"), &app.admin, &link).await.expect(201);
    app.post(&format!("/v1/clients/{client}/notes"), &app.admin, &json!({ "body": "ZQnote" })).await.expect(201);
    let (entries, personal) = (entries(&app).await, personal(&app).await);
    assert!(!entries.contains("ZQ"), "{entries}");
    assert!(!entries.contains("127.0.0.1"));
    for word in [
        "ZQname",
        "ZQlegal",
        "ZQtax",
        "ZQweb",
        "ZQ123",
        "ZQ456",
        "ZQmail",
        "ZQmain",
        "ZQbilling",
        "ZQshipping",
        "ZQother",
        "ZQcity",
        "ZQgiven",
        "ZQfamily",
        "ZQ789",
        "ZQ790",
        "ZQposition",
        "ZQcontact",
        "ZQnote",
        "127.0.0.1",
    ] {
        assert!(personal.contains(word), "{word}");
    }
}

#[tokio::test]
async fn no_secret_and_no_hash_of_one_ever_reaches_the_journal() {
    let app = TestApp::spawn().await;
    let agent = app.member(&app.admin, "sales_agent", "agent@example.com").await;
    let token = app.token(&app.admin, &["clients.view_all"]).await;
    let session = Session { workspace: Some("main".to_owned()), ..agent.clone() };
    app.get("/v1/clients", &session).await.expect(200);
    app.post(
        "/v1/auth/login",
        &Session::nobody(),
        &json!({ "email": "agent@example.com", "password": "wrong horse battery", "kind": "app" }),
    )
    .await;
    app.post("/v1/auth/refresh", &Session::nobody(), &json!({ "refresh_token": agent.refresh_token })).await.expect(200);
    app.act("/v1/auth/logout", &session).await;
    let journal = format!("{}\n{}", entries(&app).await, personal(&app).await);
    let mut secrets = vec![
        harness::PASSWORD.to_owned(),
        "wrong horse battery".to_owned(),
        agent.refresh_token.clone(),
        token.token.unwrap(),
        agent.token.unwrap(),
    ];
    for sql in [
        "SELECT hash FROM api_token",
        "SELECT hash FROM credential",
        "SELECT hash FROM refresh_token",
        "SELECT token_hash FROM invitation",
        "SELECT setup_code_hash FROM installation WHERE setup_code_hash IS NOT NULL",
    ] {
        secrets.extend(app.db.rows(sql).await);
    }
    assert!(secrets.len() >= 9, "{}", secrets.len());
    for secret in secrets {
        assert!(secret.len() > 10 && !journal.contains(&secret), "a secret stands in the journal");
    }
    assert!(journal.contains("secret"), "that a secret changed is written");
}

#[tokio::test]
async fn what_is_rolled_back_leaves_neither_row_nor_entry() {
    let app = TestApp::spawn().await;
    let store = app.store().await;
    let (tags, entries) = (app.count("tag").await, app.count("journal_entry").await);
    let tag = |name: &str| platform::tags::CreateTag { name: name.to_owned(), colour: None };
    let failed: Result<()> = store
        .write(&at_work(&app), async |uow| {
            platform::tags::create(uow, tag("rolled back")).await?;
            uow.record(Action::Export, "client", None, Change::plain());
            Err(Error::not_found())
        })
        .await;
    assert_eq!(failed.unwrap_err().kind(), kernel::Kind::NotFound);
    assert_eq!((app.count("tag").await, app.count("journal_entry").await), (tags, entries));

    let kept = store
        .write(&at_work(&app), async |uow| {
            platform::tags::create(uow, tag("before")).await?;
            let savepoint = uow.savepoint().await?;
            platform::tags::create(uow, tag("undone")).await?;
            uow.record(Action::Export, "client", None, Change::plain().event("test.undone"));
            uow.back_to(savepoint).await?;
            let savepoint = uow.savepoint().await?;
            let kept = platform::tags::create(uow, tag("kept")).await?;
            uow.keep(savepoint).await?;
            // a failure inside a savepoint does not take the rest along
            let savepoint = uow.savepoint().await?;
            assert!(platform::tags::create(uow, tag("KEPT")).await.is_err());
            uow.back_to(savepoint).await?;
            Ok(kept)
        })
        .await
        .unwrap();
    assert_eq!(app.db.rows("SELECT name FROM tag ORDER BY name").await, ["before", "kept"]);
    assert_eq!(app.count("journal_entry").await, entries + 2);
    assert_eq!(app.actions_of(&kept.id.to_string()).await, ["create"]);
}

#[tokio::test]
async fn a_request_that_fails_leaves_no_entry_of_a_change() {
    let app = TestApp::spawn().await;
    let id = app.client(&app.admin, "a").await;
    let before = app.count("journal_entry").await;
    app.patch(
        &format!("/v1/clients/{id}"),
        &app.admin,
        &json!({ "name": "b", "owner_id": "01900000-0000-7000-8000-000000000000" }),
    )
    .await
    .expect(422);
    let body = json!({ "atomic": true, "operations": [
        { "op": "create", "data": { "kind": "company", "name": "x" } }, { "op": "update", "id": id, "data": { "name": "" } },
    ] });
    app.post("/v1/clients/bulk", &app.admin, &body).await;
    assert_eq!((app.count("journal_entry").await, app.count("client").await), (before, 1));
}
