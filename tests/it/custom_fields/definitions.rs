//! `/v1/custom-fields`: who makes fields, what a definition may say, and what becomes of one that is in use.
//!
//! Faults that were put in to see it fail: a key that can be taken twice, an option taken away that records have, a purge of a field that a
//! shared view asks for, a field of contacts shown to whoever sees no contacts.

use harness::TestApp;
use serde_json::{Value, json};

use super::{beside, client, field, field_of, gone, names, options, path, worked};

#[tokio::test]
async fn a_field_is_made_read_by_whoever_sees_its_records_changed_put_away_and_purged_by_whoever_manages_fields() {
    let app = TestApp::spawn().await;
    app.role(&app.admin, "sees_clients", &["clients.view_all"]).await;
    app.role(&app.admin, "nothing", &[]).await;
    let reader = app.member(&app.admin, "sees_clients", "reader@example.com").await;
    let nobody = app.member(&app.admin, "nothing", "nobody@example.com").await;
    let body = json!({
        "record_type": "client", "key": "vat_regime", "label": " VAT regime ", "description": "As the tax office has it.",
        "field_type": "select", "is_required": true, "default": "normal",
        "options": [{ "key": "normal", "label": " Normal " }, { "key": "exempt", "label": "Exempt" }],
    });
    let made = app.post("/v1/custom-fields", &app.admin, &body).await.expect(201);
    assert_eq!(made.header("location").unwrap(), path(&made.body));
    assert_eq!((&made.body["label"], &made.body["options"][0]["label"]), (&json!("VAT regime"), &json!("Normal")));
    assert_eq!((&made.body["state"], &made.body["position"]), (&json!("ready"), &json!(0)));
    let of_contacts = field_of(&app, &app.admin, "contact", "birthday", "date", json!({})).await;

    let list = app.get("/v1/custom-fields?field_type=select", &reader).await.expect(200);
    assert_eq!(list.body["data"], json!([made.body]));
    app.get(&path(&of_contacts), &reader).await.expect_problem(404, "not_found");
    app.get("/v1/custom-fields", &nobody).await.expect_problem(403, "forbidden");
    for refused in [
        app.post("/v1/custom-fields", &reader, &body).await,
        app.patch(&path(&made.body), &reader, &json!({ "label": "Mine" })).await,
        app.delete(&path(&made.body), &reader).await,
        app.act(&format!("{}/restore", path(&made.body)), &reader).await,
        app.act(&format!("{}/purge", path(&made.body)), &reader).await,
    ] {
        refused.expect_problem(403, "forbidden");
    }

    let patch = json!({ "label": "VAT", "description": null, "is_required": false, "default": null });
    let changed = app.patch_if(&path(&made.body), &app.admin, &made.etag(), &patch).await.expect(200);
    assert_eq!((&changed.body["label"], &changed.body["default"]), (&json!("VAT"), &json!(null)));
    app.patch_if(&path(&made.body), &app.admin, &made.etag(), &patch).await.expect_problem(412, "stale");
    assert_eq!(app.patch(&path(&made.body), &app.admin, &patch).await.expect(200).etag(), changed.etag());

    app.act(&format!("{}/purge", path(&made.body)), &app.admin).await.expect_problem(409, "custom_field_not_archived");
    app.delete(&path(&made.body), &app.admin).await.expect(204);
    app.delete(&path(&made.body), &app.admin).await.expect(204);
    assert_eq!(app.get("/v1/custom-fields?record_type=client", &reader).await.expect(200).body["data"], json!([]));
    let back = app.act(&format!("{}/restore", path(&made.body)), &app.admin).await.expect(200);
    assert_eq!(back.body["archived_at"], json!(null));
    app.delete(&path(&made.body), &app.admin).await.expect(204);
    app.act(&format!("{}/purge", path(&made.body)), &app.admin).await.expect(204);
    app.get(&path(&made.body), &app.admin).await.expect_problem(404, "not_found");
    let id = made.body["id"].as_str().unwrap();
    assert_eq!(app.actions_of(id).await, ["create", "update", "archive", "restore", "archive", "delete"]);
}

#[tokio::test]
async fn a_definition_is_told_everything_that_is_wrong_with_it_and_changes_nothing() {
    let app = TestApp::spawn().await;
    let wrong = json!({
        "record_type": "invoice", "key": "vat_regime", "label": "VAT", "field_type": "select", "default": "reduced", "target": "client",
        "options": [{ "key": "normal", "label": "Normal" }, { "key": "normal", "label": "Again" }, { "key": "Exempt", "label": "E" }],
    });
    let refused = app.post("/v1/custom-fields", &app.admin, &wrong).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/options/2/key"], "what the schema says is said first: {}", refused.body);
    let wrong = json!({
        "record_type": "invoice", "key": "vat_regime", "label": "VAT", "field_type": "select", "default": "reduced", "target": "client",
        "options": [{ "key": "normal", "label": "Normal" }, { "key": "normal", "label": "Again" }],
    });
    let refused = app.post("/v1/custom-fields", &app.admin, &wrong).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/default", "/options/1/key", "/record_type", "/target"]);
    for (more, pointer) in [
        (json!({ "field_type": "select" }), "/options"),
        (json!({ "field_type": "text", "options": [{ "key": "a", "label": "A" }] }), "/options"),
        (json!({ "field_type": "reference" }), "/target"),
        (json!({ "field_type": "reference", "target": "user", "default": app.admin.user_id }), "/default"),
        (json!({ "field_type": "date", "default": "31/12/2026" }), "/default"),
        (json!({ "field_type": "email", "is_unique": true, "default": "a@example.org" }), "/default"),
        (json!({ "field_type": "multi_select", "is_unique": true, "options": [{ "key": "a", "label": "A" }] }), "/is_unique"),
        (json!({ "field_type": "text", "key": "Big" }), "/key"),
        (json!({ "field_type": "text", "key": "1st" }), "/key"),
        (json!({ "field_type": "formula" }), "/field_type"),
        (json!({ "field_type": "text", "label": "  " }), "/label"),
    ] {
        let mut body = json!({ "record_type": "client", "key": "it", "label": "It" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let refused = app.post("/v1/custom-fields", &app.admin, &body).await.expect_problem(422, "validation_failed");
        assert_eq!(refused.pointers(), [pointer], "{body}");
    }
    assert_eq!(app.count("custom_field").await, 0);

    // a key and a type stay, and so does whether values are unique
    let made = field(&app, "vat_regime", "text", json!({})).await;
    for name in ["key", "field_type", "record_type", "is_unique", "target"] {
        let refused = app.patch(&path(&made), &app.admin, &json!({ name: "number" })).await;
        assert_eq!(refused.expect_problem(422, "validation_failed").pointers(), [format!("/{name}")]);
    }
    let taken = json!({ "record_type": "client", "key": "vat_regime", "label": "Another", "field_type": "number" });
    app.delete(&path(&made), &app.admin).await.expect(204);
    let refused = app.post("/v1/custom-fields", &app.admin, &taken).await.expect_problem(409, "custom_field_key_taken");
    assert_eq!(refused.pointers(), ["/key"]);
    field_of(&app, &app.admin, "contact", "vat_regime", "number", json!({})).await;
    // in another workspace the key is free
    let other = app.second_workspace("other").await;
    field_of(&app, &other, "client", "vat_regime", "number", json!({})).await;
    app.get(&path(&made), &other).await.expect_problem(404, "not_found");
    app.patch(&path(&made), &other, &json!({ "label": "Theirs" })).await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn fields_stand_in_an_order_without_gaps() {
    let app = TestApp::spawn().await;
    for key in ["a", "b", "c"] {
        field(&app, key, "text", json!({})).await;
    }
    let first = field(&app, "d", "text", json!({ "position": 0 })).await;
    let order = async || {
        let page = app.get("/v1/custom-fields", &app.admin).await.expect(200).body;
        let of = |field: &Value| format!("{}{}", field["key"].as_str().unwrap(), field["position"]);
        page["data"].as_array().unwrap().iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(order().await, ["d0", "a1", "b2", "c3"]);
    app.patch(&path(&first), &app.admin, &json!({ "position": 2 })).await.expect(200);
    assert_eq!(order().await, ["a0", "b1", "d2", "c3"]);
}

#[tokio::test]
async fn an_option_that_records_have_stays_and_another_can_be_renamed_added_and_taken_away() {
    let app = TestApp::spawn().await;
    let regime = field(&app, "regime", "select", options(&["normal", "reduced", "exempt"])).await;
    let several = field(&app, "areas", "multi_select", options(&["north", "south"])).await;
    client(&app, "A", json!({ "regime": "reduced", "areas": ["south"] })).await;
    let refused = app.patch(&path(&regime), &app.admin, &options(&["normal"])).await;
    let refused = refused.expect_problem(409, "custom_field_option_in_use");
    assert_eq!(refused.pointers(), ["/options"]);
    assert!(refused.body["errors"][0]["message"].as_str().unwrap().contains("reduced"), "{}", refused.body);
    app.patch(&path(&several), &app.admin, &options(&["north"])).await.expect_problem(409, "custom_field_option_in_use");
    let renamed = json!({ "options": [
        { "key": "reduced", "label": "Μειωμένο" }, { "key": "normal", "label": "Κανονικό" }, { "key": "new", "label": "Νέο" },
    ] });
    app.patch(&path(&regime), &app.admin, &renamed).await.expect(200);
    assert_eq!(names(&app, &app.admin, "cf[regime]=Μειωμένο").await, ["A"], "an option is found by its label too");
    // a view keeps the key, whatever the label becomes, and no option goes that it asks for
    let query = json!({ "filters": { "cf[regime][in]": "Κανονικό, new" } });
    let body = json!({ "list": "clients", "name": "Usual", "sharing": "workspace", "query": query });
    let view = app.post("/v1/saved-views", &app.admin, &body).await.expect(201).body;
    assert_eq!(view["query"]["filters"]["cf[regime][in]"], "normal,new");
    let refused = app.patch(&path(&regime), &app.admin, &options(&["reduced", "new"])).await;
    let refused = refused.expect_problem(409, "custom_field_option_in_use");
    assert!(refused.body["errors"][0]["message"].as_str().unwrap().contains("Usual"), "{}", refused.body);
    client(&app, "B", json!({ "regime": "new" })).await;
    // but one that somebody keeps for themselves asks for the others from then on
    app.delete(&format!("/v1/saved-views/{}", view["id"].as_str().unwrap()), &app.admin).await.expect(204);
    let agent = app.member(&app.admin, "sales_agent", "agent@example.com").await;
    let mut own = Vec::new();
    for (name, filter, value) in [("one", "cf[regime]", "normal"), ("two", "cf[regime][in]", "normal,new")] {
        let body = json!({ "list": "clients", "name": name, "query": { "filters": { filter: value } } });
        own.push(format!("/v1/saved-views/{}", app.post("/v1/saved-views", &agent, &body).await.expect(201).id()));
    }
    app.patch(&path(&regime), &app.admin, &options(&["reduced", "new"])).await.expect(200);
    assert_eq!(app.get(&own[0], &agent).await.expect(200).body["query"], json!({}));
    assert_eq!(app.get(&own[1], &agent).await.expect(200).body["query"], json!({ "filters": { "cf[regime][in]": "new" } }));
}

#[tokio::test]
async fn a_field_that_a_shared_view_asks_for_is_not_purged_and_one_that_is_archived_goes_on_being_asked() {
    let app = TestApp::spawn().await;
    let regime = field(&app, "regime", "text", json!({})).await;
    let id = client(&app, "A", json!({ "regime": "normal" })).await;
    client(&app, "B", json!({})).await;
    let query = json!({ "filters": { "cf[regime]": "normal" }, "sort": ["-cf[regime]"], "columns": ["name", "cf[regime]"] });
    let body = json!({ "list": "clients", "name": "Normal", "sharing": "workspace", "query": query });
    let view = app.post("/v1/saved-views", &app.admin, &body).await.expect(201).body;
    let asked = view["query_string"].as_str().unwrap().to_owned();
    assert_eq!(names(&app, &app.admin, &asked).await, ["A"]);

    app.delete(&path(&regime), &app.admin).await.expect(204);
    assert_eq!(names(&app, &app.admin, &asked).await, ["A"], "an archived field can still be asked for");
    let refused = app.patch(&format!("/v1/clients/{id}"), &app.admin, &json!({ "custom_fields": { "regime": "x" } })).await;
    assert_eq!(refused.expect_problem(422, "validation_failed").pointers(), ["/custom_fields/regime"]);
    app.patch(&format!("/v1/clients/{id}"), &app.admin, &json!({ "custom_fields": { "regime": "normal" } })).await.expect(200);

    let refused = app.act(&format!("{}/purge", path(&regime)), &app.admin).await.expect_problem(409, "custom_field_in_use");
    assert!(refused.body["detail"].as_str().unwrap().contains("Normal"), "{}", refused.body);
    let before = app.get(&format!("/v1/clients/{id}"), &app.admin).await.expect(200);
    app.patch(&format!("/v1/saved-views/{}", view["id"].as_str().unwrap()), &app.admin, &json!({ "sharing": "private" }))
        .await
        .expect(200);
    // nor one that a team's view asks for, whoever is in the team
    let agent = app.member(&app.admin, "sales_agent", "agent@example.com").await;
    let team = app.post("/v1/teams", &app.admin, &json!({ "name": "North" })).await.expect(201).id();
    let member = json!({ "user_id": agent.user_id });
    app.post(&format!("/v1/teams/{team}/members"), &app.admin, &member).await.expect(201);
    let mut of_team = body.clone();
    of_team["name"] = json!("Northern");
    of_team["sharing"] = json!("team");
    of_team["team_id"] = json!(team);
    let of_team = app.post("/v1/saved-views", &agent, &of_team).await.expect(201).id();
    let refused = app.act(&format!("{}/purge", path(&regime)), &app.admin).await.expect_problem(409, "custom_field_in_use");
    assert!(refused.body["detail"].as_str().unwrap().contains("Northern"), "{}", refused.body);
    app.delete(&format!("/v1/saved-views/{of_team}"), &agent).await.expect(204);
    // one that somebody keeps for themselves, and others never see, is in nobody's way, and goes on without
    let own = json!({
        "list": "clients", "name": "Own", "is_default": true,
        "query": { "filters": { "cf[regime]": "normal", "status": "active" }, "sort": ["-cf[regime]", "name"], "columns": ["name", "cf[regime]"] },
    });
    let own = app.post("/v1/saved-views", &agent, &own).await.expect(201).id();
    app.act(&format!("{}/purge", path(&regime)), &app.admin).await.expect(204);
    let own = app.get(&format!("/v1/saved-views/{own}"), &agent).await.expect(200).body;
    assert_eq!(own["query"], json!({ "filters": { "status": "active" }, "sort": ["name"], "columns": ["name"] }));
    app.get(&format!("/v1/clients?{}", own["query_string"].as_str().unwrap()), &agent).await.expect(200);
    assert_eq!(app.actions_of(own["id"].as_str().unwrap()).await, ["create", "update"]);
    app.patch(&path(&regime), &app.admin, &json!({ "label": "Late" })).await.expect_problem(404, "not_found");
    worked(&app, gone(&app, &regime)).await;
    let after = app.get(&format!("/v1/clients/{id}"), &app.admin).await.expect(200);
    assert_eq!(after.body["custom_fields"], json!({}));
    assert_ne!(before.etag(), after.etag(), "whoever has seen the value must see that it is gone");
    assert_eq!(beside(&app, &id).await, Vec::<String>::new());
    assert_eq!(names(&app, &app.admin, "q=normal").await, Vec::<String>::new(), "nor is it found by its words");
    assert_eq!(app.actions_of(&id).await, ["create", "update"], "each record says that it changed");
    let refused = app.get(&format!("/v1/clients?{asked}"), &app.admin).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["?cf[regime]", "?sort"], "a private view is told by its list");
    field(&app, "regime", "number", json!({})).await;
}
