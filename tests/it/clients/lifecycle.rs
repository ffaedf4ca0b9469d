//! A client from its change to its end: permissions, states, and what stays.

use harness::TestApp;
use serde_json::json;

#[tokio::test]
async fn a_client_is_archived_before_it_is_purged_and_neither_by_who_may_not() {
    let app = TestApp::spawn().await;
    let (viewer, manager) =
        (app.member(&app.admin, "viewer", "v@example.com").await, app.member(&app.admin, "sales_manager", "m@example.com").await);
    let id = app.client(&app.admin, "a").await;
    let path = format!("/v1/clients/{id}");
    let (purge, restore) = (format!("{path}/purge"), format!("{path}/restore"));
    for refused in [
        app.patch(&path, &viewer, &json!({ "name": "x" })).await,
        app.delete(&path, &viewer).await,
        app.act(&restore, &viewer).await,
        app.act(&purge, &viewer).await,
    ] {
        refused.expect_problem(403, "forbidden");
    }
    app.act(&purge, &manager).await.expect_problem(409, "not_archived");
    app.delete(&path, &manager).await.expect(204);
    app.patch(&path, &manager, &json!({ "name": "x" })).await.expect_problem(409, "archived");
    app.act(&restore, &manager).await.expect(200);
    app.patch(&path, &manager, &json!({ "name": "b" })).await.expect(200);
    app.delete(&path, &manager).await.expect(204);
    app.act(&purge, &manager).await.expect(204);
    for _ in 0..2 {
        app.get(&path, &app.admin).await.expect_problem(404, "not_found");
        app.act(&purge, &app.admin).await.expect_problem(404, "not_found");
        app.act(&restore, &app.admin).await.expect_problem(404, "not_found");
    }
    assert_eq!(app.actions_of(&id).await, ["create", "archive", "restore", "update", "archive", "delete"]);
    // that it was purged is written, by whom too, and nothing of what it was
    let entry = app.get(&format!("/v1/audit?record_id={id}&action=delete"), &app.admin).await.expect(200).body["data"][0].clone();
    assert_eq!((&entry["event"], &entry["actor"]["id"]), (&json!("client.deleted"), &json!(manager.user_id)));
    assert_eq!(entry["changes"]["name"], json!({ "erased": true }));
}

#[tokio::test]
async fn purging_takes_notes_tags_and_links_along_and_leaves_contacts_and_the_tags_themselves() {
    let app = TestApp::spawn().await;
    let (id, other) = (app.client(&app.admin, "a").await, app.client(&app.admin, "b").await);
    let contact = app.contact(&app.admin, "Μαρία").await;
    let tag = app.post("/v1/tags", &app.admin, &json!({ "name": "vip" })).await.expect(201).id();
    for client in [&id, &other] {
        app.post(&format!("/v1/clients/{client}/contacts"), &app.admin, &json!({ "contact_id": contact })).await.expect(201);
        app.post(&format!("/v1/clients/{client}/notes"), &app.admin, &json!({ "body": "n" })).await.expect(201);
        app.post(&format!("/v1/clients/{client}/tags"), &app.admin, &json!({ "tag_id": tag })).await;
    }
    app.delete(&format!("/v1/clients/{id}"), &app.admin).await.expect(204);
    app.act(&format!("/v1/clients/{id}/purge"), &app.admin).await.expect(204);
    let mut counts = Vec::new();
    for table in ["client", "contact", "client_contact", "note", "tagging", "tag"] {
        counts.push(app.count(table).await);
    }
    assert_eq!(counts, [1, 1, 1, 1, 1, 1]);
    let contact = app.get(&format!("/v1/contacts/{contact}?include=clients"), &app.admin).await.expect(200).body;
    assert_eq!((contact["clients"].as_array().unwrap().len(), &contact["clients"][0]["client"]["id"]), (1, &json!(other)));
}

#[tokio::test]
async fn a_client_that_stands_above_others_is_not_purged() {
    let app = TestApp::spawn().await;
    let parent = app.client(&app.admin, "parent").await;
    let child = json!({ "kind": "company", "name": "child", "parent_id": parent });
    let child = app.post("/v1/clients", &app.admin, &child).await.expect(201).id();
    app.delete(&format!("/v1/clients/{parent}"), &app.admin).await.expect(204);
    app.act(&format!("/v1/clients/{parent}/purge"), &app.admin).await.expect_problem(409, "in_use");
    app.patch(&format!("/v1/clients/{child}"), &app.admin, &json!({ "parent_id": null })).await.expect(200);
    app.act(&format!("/v1/clients/{parent}/purge"), &app.admin).await.expect(204);
}

#[tokio::test]
async fn a_patch_keeps_what_is_absent_clears_what_is_null_and_merges_addresses() {
    let app = TestApp::spawn().await;
    let body = json!({
        "kind": "company", "name": "a", "phone": "112", "sector": "it", "roles": ["vendor"], "emails": [{ "kind": "work", "address": "a@b.gr" }],
        "main_address": { "line1": "Οδός 1", "city": "Αθήνα", "country": "GR" }, "billing_address": { "city": "Βόλος" },
    });
    let made = app.post("/v1/clients", &app.admin, &body).await.expect(201);
    let path = format!("/v1/clients/{}", made.id());
    let patch = json!({
        "phone": null, "roles": null, "emails": null, "main_address": { "city": "Πάτρα", "line1": null }, "billing_address": null,
        "shipping_address": { "city": "Χανιά" },
    });
    let changed = app.patch(&path, &app.admin, &patch).await.expect(200);
    let mut expected = made.body.clone();
    for (name, value) in [
        ("phone", json!(null)),
        ("roles", json!([])),
        ("emails", json!([])),
        ("main_address", json!({ "city": "Πάτρα", "country": "GR" })),
        ("billing_address", json!(null)),
        ("shipping_address", json!({ "city": "Χανιά" })),
        ("updated_at", changed.body["updated_at"].clone()),
    ] {
        expected[name] = value;
    }
    assert_eq!(changed.body, expected);
    assert_ne!(changed.etag(), made.etag());
    app.patch_if(&path, &app.admin, &made.etag(), &json!({ "phone": "113" })).await.expect_problem(412, "stale");
    app.patch_if(&path, &app.admin, &changed.etag(), &json!({ "phone": "113" })).await.expect(200);
    let wrong = json!({ "name": null, "main_address": { "country": "gr" }, "kind": "robot", "external_id": "1" });
    let refused = app.patch(&path, &app.admin, &wrong).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/external_id", "/kind", "/main_address/country", "/name"]);
}

#[tokio::test]
async fn an_external_id_belongs_to_one_client_of_a_source_and_workspace() {
    let app = TestApp::spawn().await;
    let other = app.second_workspace("other").await;
    let body = |source: &str, id: &str| json!({ "kind": "company", "name": "a", "external_source": source, "external_id": id });
    app.post("/v1/clients", &app.admin, &body("old", "1")).await.expect(201);
    let taken = app.post("/v1/clients", &app.admin, &body("old", "1")).await.expect_problem(409, "external_id_taken");
    assert_eq!(taken.pointers(), ["/external_id"]);
    for free in [body("new", "1"), body("old", "2")] {
        app.post("/v1/clients", &app.admin, &free).await.expect(201);
    }
    app.post("/v1/clients", &other, &body("old", "1")).await.expect(201);
    let half = json!({ "kind": "company", "name": "a", "external_id": "1" });
    assert_eq!(
        app.post("/v1/clients", &app.admin, &half).await.expect_problem(422, "validation_failed").pointers(),
        ["/external_id"]
    );
    assert_eq!(app.count("client").await, 4);
}

#[tokio::test]
async fn an_owner_is_a_member_of_the_workspace() {
    let app = TestApp::spawn().await;
    let other = app.second_workspace("other").await;
    let elsewhere = app.member(&other, "viewer", "elsewhere@example.com").await;
    let id = app.client(&app.admin, "a").await;
    for stranger in [elsewhere.user_id.as_str(), "01900000-0000-7000-8000-000000000000"] {
        let body = json!({ "kind": "company", "name": "a", "owner_id": stranger });
        let create = app.post("/v1/clients", &app.admin, &body).await;
        let patch = app.patch(&format!("/v1/clients/{id}"), &app.admin, &json!({ "owner_id": stranger })).await;
        for refused in [create, patch] {
            assert_eq!(refused.expect_problem(422, "validation_failed").pointers(), ["/owner_id"]);
        }
    }
    app.patch(&format!("/v1/clients/{id}"), &app.admin, &json!({ "owner_id": app.admin.user_id })).await.expect(200);
}

#[tokio::test]
async fn the_summary_counts_what_there_is_and_shows_what_will_come() {
    let app = TestApp::spawn().await;
    let id = app.client(&app.admin, "a").await;
    let path = format!("/v1/clients/{id}");
    for name in ["x", "y"] {
        let contact = app.contact(&app.admin, name).await;
        app.post(&format!("{path}/contacts"), &app.admin, &json!({ "contact_id": contact })).await.expect(201);
    }
    for body in ["1", "2", "3"] {
        app.post(&format!("{path}/notes"), &app.admin, &json!({ "body": body })).await.expect(201);
    }
    let last = app.get(&format!("{path}/notes?limit=1"), &app.admin).await.expect(200).body["data"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    app.delete(&format!("{path}/notes/{last}"), &app.admin).await.expect(204);
    let summary = app.get(&format!("{path}/summary"), &app.admin).await.expect(200).body;
    assert_eq!(
        summary,
        json!({
            "counts": {
                "contacts": 2, "open_tickets": 0, "tickets": 0, "projects": 0, "open_tasks": 0, "invoices": 0, "estimates": 0, "proposals": 0,
                "contracts": 0, "files": 0, "notes": 2,
            },
            "invoices": [],
        })
    );
}
