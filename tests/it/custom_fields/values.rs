//! The values of records: what is taken, what is refused, and how they stand beside the record.
//!
//! Faults that were put in to see it fail: a value that is not kept beside the record, a default that is not filled in, a unique value that
//! two records have, a reference to a client that the caller does not see, options that stay beside after they were taken away.

use harness::TestApp;
use serde_json::{Value, json};

use super::{beside, client, field, field_of, gone, options, path, worked};

#[tokio::test]
async fn a_client_has_values_of_every_type_and_a_change_lays_its_own_over_them() {
    let app = TestApp::spawn().await;
    let other = app.client(&app.admin, "Other").await;
    for (key, field_type, more) in [
        ("note", "text", json!({})),
        ("seats", "number", json!({})),
        ("budget", "money", json!({})),
        ("since", "date", json!({})),
        ("vip", "boolean", json!({})),
        ("regime", "select", options(&["normal", "exempt"])),
        ("areas", "multi_select", options(&["north", "south", "west"])),
        ("portal", "url", json!({})),
        ("billing", "email", json!({})),
        ("seen", "datetime", json!({})),
        ("broker", "reference", json!({ "target": "client" })),
    ] {
        field(&app, key, field_type, more).await;
    }
    let values = json!({
        "note": "Καλός πελάτης", "seats": 12.5, "budget": { "amount": "1234.50", "currency": "EUR" }, "since": "2020-02-29", "vip": true,
        "regime": "exempt", "areas": ["west", "north"], "portal": "https://papa.example/A", "billing": "Info@papa.example",
        "seen": "2026-03-31T12:00:00+02:00", "broker": other,
    });
    let body = json!({ "kind": "company", "name": "A", "custom_fields": values });
    let made = app.post("/v1/clients", &app.admin, &body).await.expect(201);
    let mut expected = values.clone();
    expected["areas"] = json!(["north", "west"]);
    expected["seen"] = json!("2026-03-31T10:00:00Z");
    assert_eq!(made.body["custom_fields"], expected);
    let path = format!("/v1/clients/{}", made.id());
    assert_eq!(app.get(&path, &app.admin).await.expect(200).body["custom_fields"], expected);
    assert_eq!(
        beside(&app, &made.id()).await,
        [
            "areas north 0".to_owned(),
            "areas west 0".to_owned(),
            "billing info@papa.example 0".to_owned(),
            format!("broker {other} 0"),
            "budget EUR 123450".to_owned(),
            "note καλοσ πελατησ 0".to_owned(),
            "portal https://papa.example/a 0".to_owned(),
            "regime exempt 0".to_owned(),
            "seats  125000".to_owned(),
            "seen  1774951200000000".to_owned(),
            "since  737484".to_owned(),
            "vip  1".to_owned(),
        ]
    );

    let patch = json!({ "custom_fields": { "areas": ["south"], "seats": null, "vip": false } });
    let changed = app.patch(&path, &app.admin, &patch).await.expect(200);
    expected.as_object_mut().unwrap().remove("seats");
    (expected["areas"], expected["vip"]) = (json!(["south"]), json!(false));
    assert_eq!(changed.body["custom_fields"], expected);
    let now = beside(&app, &made.id()).await;
    assert_eq!(now.iter().filter(|row| row.starts_with("areas")).collect::<Vec<_>>(), ["areas south 0"]);
    assert!(now.contains(&"seats - 0".to_owned()) && now.contains(&"vip  0".to_owned()), "{now:?}");
    assert_eq!(app.patch(&path, &app.admin, &patch).await.expect(200).etag(), changed.etag(), "the same again writes nothing");
    let entries = format!("SELECT action FROM journal_entry WHERE record_id = {} ORDER BY number", app.db.uuid(&made.id()));
    assert_eq!(app.db.rows(&entries).await, ["create", "update"]);
    let trail = app.get(&format!("{path}/audit"), &app.admin).await.expect(200).body;
    assert_eq!(trail["data"][0]["changes"]["custom_fields"]["to"]["areas"], json!(["south"]));

    let cleared = app.patch(&path, &app.admin, &json!({ "custom_fields": null })).await.expect(200);
    assert_eq!(cleared.body["custom_fields"], json!({}));
    assert!(beside(&app, &made.id()).await.iter().all(|row| row.ends_with(" - 0")));
    assert_eq!(
        app.get(&format!("{path}?fields=name,custom_fields"), &app.admin).await.expect(200).body["custom_fields"],
        json!({})
    );

    app.delete(&path, &app.admin).await.expect(204);
    app.act(&format!("{path}/purge"), &app.admin).await.expect(204);
    assert_eq!(beside(&app, &made.id()).await, Vec::<String>::new());
}

#[tokio::test]
async fn everything_that_is_wrong_with_values_is_told_with_everything_else_and_changes_nothing() {
    let app = TestApp::spawn().await;
    field(&app, "seats", "number", json!({})).await;
    field(&app, "since", "date", json!({ "is_required": true })).await;
    field(&app, "regime", "select", options(&["normal"])).await;
    field(&app, "broker", "reference", json!({ "target": "client" })).await;
    field(&app, "keeper", "reference", json!({ "target": "user" })).await;
    let nobody = "01938f5c-4f2e-7cc3-98c4-dc0c0c070001";
    let body = json!({
        "kind": "company", "name": "A", "owner_id": nobody,
        "custom_fields": { "seats": "many", "regime": "none", "colour": "red", "broker": nobody, "keeper": nobody },
    });
    let refused = app.post("/v1/clients", &app.admin, &body).await.expect_problem(422, "validation_failed");
    assert_eq!(
        refused.pointers(),
        [
            "/custom_fields/broker",
            "/custom_fields/colour",
            "/custom_fields/keeper",
            "/custom_fields/regime",
            "/custom_fields/seats",
            "/custom_fields/since",
            "/owner_id"
        ]
    );
    assert_eq!((app.count("client").await, app.count("custom_field_value").await), (0, 0));
    let id = client(&app, "A", json!({ "since": "2026-01-01" })).await;
    let path = format!("/v1/clients/{id}");
    let before = app.get(&path, &app.admin).await.expect(200);
    for (values, pointers) in [
        (json!({ "since": null }), vec!["/custom_fields/since"]),
        (json!({ "seats": 1.00001, "since": "soon" }), vec!["/custom_fields/seats", "/custom_fields/since"]),
        (json!({ "regime": { "amount": "1", "currency": "EUR" } }), vec!["/custom_fields/regime"]),
    ] {
        let refused = app.patch(&path, &app.admin, &json!({ "custom_fields": values, "name": "B" })).await;
        assert_eq!(refused.expect_problem(422, "validation_failed").pointers(), pointers);
    }
    app.patch(&path, &app.admin, &json!({ "custom_fields": null })).await.expect_problem(422, "validation_failed");
    assert_eq!(app.get(&path, &app.admin).await.expect(200).body, before.body);
    assert_eq!(beside(&app, &id).await, ["broker - 0", "keeper - 0", "regime - 0", "seats - 0", "since  739617"]);
}

#[tokio::test]
async fn a_new_record_gets_defaults_and_one_that_was_there_before_a_field_is_told_of_it() {
    let app = TestApp::spawn().await;
    let early = app.client(&app.admin, "Early").await;
    field(&app, "regime", "select", json!({ "options": [{ "key": "normal", "label": "N" }], "default": "normal" })).await;
    assert_eq!(beside(&app, &early).await, ["regime - 0"]);
    let late = app.client(&app.admin, "Late").await;
    assert_eq!(beside(&app, &late).await, ["regime normal 0"]);
    let without = client(&app, "Without", json!({ "regime": null })).await;
    assert_eq!(beside(&app, &without).await, ["regime - 0"]);
}

#[tokio::test]
async fn a_unique_value_is_one_records_without_regard_to_case_and_free_when_it_goes() {
    let app = TestApp::spawn().await;
    field(&app, "code", "text", json!({ "is_unique": true })).await;
    field(&app, "plain", "text", json!({})).await;
    let first = client(&app, "A", json!({ "code": "Αθήνα-1", "plain": "x" })).await;
    client(&app, "B", json!({ "plain": "x" })).await;
    let body = json!({ "kind": "company", "name": "C", "custom_fields": { "code": "ΑΘΗΝΑ-1" } });
    let refused = app.post("/v1/clients", &app.admin, &body).await.expect_problem(409, "custom_value_taken");
    assert_eq!(refused.pointers(), ["/custom_fields/code"]);
    let long = format!("{}{}", "x".repeat(1000), "1");
    let other = client(&app, "Long", json!({ "code": long })).await;
    client(&app, "Longer", json!({ "code": format!("{}{}", "x".repeat(1000), "2") })).await;
    let path = format!("/v1/clients/{other}");
    let refused = app.patch(&path, &app.admin, &json!({ "custom_fields": { "code": "αθηνα-1" } })).await;
    refused.expect_problem(409, "custom_value_taken");
    // its own is no other's
    app.patch(&format!("/v1/clients/{first}"), &app.admin, &json!({ "custom_fields": { "code": "ΑΘΉΝΑ-1" } })).await.expect(200);
    let bulk = json!({ "atomic": true, "operations": [
        { "op": "create", "data": { "kind": "company", "name": "D", "custom_fields": { "code": "same" } } },
        { "op": "create", "data": { "kind": "company", "name": "E", "custom_fields": { "code": "Same" } } },
    ] });
    let answer = app.post("/v1/clients/bulk", &app.admin, &bulk).await;
    assert!(answer.body.to_string().contains("custom_value_taken"), "{}", answer.body);
    assert_eq!(app.count("client").await, 4);
    app.patch(&format!("/v1/clients/{first}"), &app.admin, &json!({ "custom_fields": { "code": null } })).await.expect(200);
    client(&app, "F", json!({ "code": "αθηνα-1" })).await;
}

#[tokio::test]
async fn contacts_have_their_own_fields_and_a_reference_is_to_what_the_caller_sees() {
    let app = TestApp::spawn().await;
    field_of(&app, &app.admin, "contact", "home", "reference", json!({ "target": "client" })).await;
    field_of(&app, &app.admin, "contact", "assistant", "reference", json!({ "target": "contact" })).await;
    field_of(&app, &app.admin, "contact", "keeper", "reference", json!({ "target": "user" })).await;
    let (client, contact) = (app.client(&app.admin, "Hidden").await, app.contact(&app.admin, "Maria").await);
    let permissions = ["clients.view_own", "clients.create", "contacts.view", "contacts.create"];
    app.role(&app.admin, "own", &permissions).await;
    let own = app.member(&app.admin, "own", "own@example.com").await;
    let values = json!({ "home": client, "assistant": contact, "keeper": own.user_id });
    let body = json!({ "given_name": "Eleni", "custom_fields": values });
    let made = app.post("/v1/contacts", &app.admin, &body).await.expect(201);
    assert_eq!(made.body["custom_fields"], values);
    let refused = app.post("/v1/contacts", &own, &body).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/custom_fields/assistant", "/custom_fields/home"]);
    let found = app.get(&format!("/v1/contacts?cf[home]={client}&sort=-cf[keeper]"), &app.admin).await.expect(200);
    assert_eq!(found.body["data"][0]["id"], made.body["id"]);
    let path = format!("/v1/contacts/{}", made.id());
    let changed = app.patch(&path, &app.admin, &json!({ "custom_fields": { "home": null } })).await.expect(200);
    assert_eq!(changed.body["custom_fields"], json!({ "assistant": contact, "keeper": own.user_id }));
    assert_eq!(beside(&app, &made.id()).await[1], "home - 0");
    app.delete(&path, &app.admin).await.expect(204);
    app.act(&format!("{path}/purge"), &app.admin).await.expect(204);
    assert_eq!(beside(&app, &made.id()).await, Vec::<String>::new());
    let of_clients = json!({ "kind": "company", "name": "A", "custom_fields": { "home": client } });
    app.post("/v1/clients", &app.admin, &of_clients).await.expect_problem(422, "validation_failed");
}

#[tokio::test]
async fn what_is_written_in_a_custom_field_is_found_by_searching() {
    let app = TestApp::spawn().await;
    field(&app, "note", "text", json!({})).await;
    let id = client(&app, "A", json!({ "note": "Πολύτιμος συνεργάτης" })).await;
    client(&app, "B", json!({})).await;
    assert_eq!(super::names(&app, &app.admin, "q=συνεργατης").await, ["A"]);
    app.patch(&format!("/v1/clients/{id}"), &app.admin, &json!({ "custom_fields": { "note": null } })).await.expect(200);
    assert_eq!(super::names(&app, &app.admin, "q=συνεργατης").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_merge_takes_what_the_survivor_lacks_and_its_undo_gives_each_its_own_back() {
    let app = TestApp::spawn().await;
    field(&app, "code", "text", json!({ "is_unique": true })).await;
    field(&app, "seats", "number", json!({})).await;
    field(&app, "regime", "text", json!({})).await;
    let survivor = client(&app, "A", json!({ "seats": 1, "regime": "ours" })).await;
    let merged = client(&app, "B", json!({ "code": "b", "seats": 2, "regime": "theirs" })).await;
    let body = json!({ "merged_id": merged, "fields": { "cf[regime]": "merged" } });
    let wrong = json!({ "merged_id": merged, "fields": { "cf[colour]": "merged", "cf[seats]": "both" } });
    let refused = app.post(&format!("/v1/clients/{survivor}/merge"), &app.admin, &wrong).await;
    assert_eq!(refused.expect_problem(422, "validation_failed").pointers(), ["/fields/cf[colour]", "/fields/cf[seats]"]);
    let preview = app.post(&format!("/v1/clients/{survivor}/merge/preview"), &app.admin, &body).await.expect(200).body;
    let done = app.post(&format!("/v1/clients/{survivor}/merge"), &app.admin, &body).await.expect(200).body;
    assert_eq!(done["client"]["custom_fields"], json!({ "code": "b", "seats": 1, "regime": "theirs" }));
    assert_eq!(preview["fields"], done["fields"]);
    let told: Vec<(&Value, &Value)> =
        done["fields"].as_array().unwrap().iter().map(|field| (&field["field"], &field["side"])).collect();
    for (field, side) in [("cf[code]", "merged"), ("cf[regime]", "merged"), ("cf[seats]", "survivor")] {
        assert!(told.contains(&(&json!(field), &json!(side))), "{told:?}");
    }
    assert_eq!(super::names(&app, &app.admin, "cf[code]=b&sort=cf[seats]").await, ["A"]);
    app.post(&format!("/v1/clients/{survivor}/merge/undo"), &app.admin, &json!({ "merged_id": merged })).await.expect(200);
    let of = async |id: &str| app.get(&format!("/v1/clients/{id}"), &app.admin).await.expect(200).body["custom_fields"].clone();
    assert_eq!(of(&survivor).await, json!({ "seats": 1, "regime": "ours" }));
    assert_eq!(of(&merged).await, json!({ "code": "b", "seats": 2, "regime": "theirs" }));
    assert_eq!(super::names(&app, &app.admin, "cf[code]=b").await, ["B"]);
    assert_eq!(super::names(&app, &app.admin, "sort=-cf[seats]").await, ["B", "A"]);
}

#[tokio::test]
async fn what_names_a_merged_client_names_the_one_that_stayed_and_the_other_again_when_it_is_taken_back() {
    let app = TestApp::spawn().await;
    field(&app, "broker", "reference", json!({ "target": "client" })).await;
    field_of(&app, &app.admin, "contact", "home", "reference", json!({ "target": "client" })).await;
    let (stays, goes) = (app.client(&app.admin, "Stays").await, app.client(&app.admin, "Goes").await);
    let names = client(&app, "Names", json!({ "broker": goes })).await;
    let body = json!({ "given_name": "Eleni", "custom_fields": { "home": goes } });
    let contact = app.post("/v1/contacts", &app.admin, &body).await.expect(201).id();
    let merge = format!("/v1/clients/{stays}/merge");
    let done = app.post(&merge, &app.admin, &json!({ "merged_id": goes })).await.expect(200).body;
    let told = done["moved"].as_array().unwrap().iter().find(|moved| moved["record_type"] == "custom_field_value").unwrap();
    assert_eq!(told["moved"], 2);
    let state = async || {
        let client =
            app.get(&format!("/v1/clients/{names}"), &app.admin).await.expect(200).body["custom_fields"]["broker"].clone();
        let contact =
            app.get(&format!("/v1/contacts/{contact}"), &app.admin).await.expect(200).body["custom_fields"]["home"].clone();
        (client, contact, beside(&app, &names).await)
    };
    assert_eq!(state().await, (json!(stays), json!(stays), vec![format!("broker {stays} 0")]));
    assert_eq!(super::names(&app, &app.admin, &format!("cf[broker]={stays}")).await, ["Names"]);
    app.post(&format!("{merge}/undo"), &app.admin, &json!({ "merged_id": goes })).await.expect(200);
    assert_eq!(state().await, (json!(goes), json!(goes), vec![format!("broker {goes} 0")]));
}

#[tokio::test]
async fn what_is_put_back_brings_no_values_of_a_field_that_was_purged_meanwhile() {
    let app = TestApp::spawn().await;
    let code = field(&app, "code", "text", json!({ "is_unique": true })).await;
    field(&app, "seats", "number", json!({})).await;
    let survivor = client(&app, "A", json!({ "seats": 1 })).await;
    let merged = client(&app, "B", json!({ "code": "b", "seats": 2 })).await;
    app.post(&format!("/v1/clients/{survivor}/merge"), &app.admin, &json!({ "merged_id": merged })).await.expect(200);
    app.delete(&path(&code), &app.admin).await.expect(204);
    app.act(&format!("{}/purge", path(&code)), &app.admin).await.expect(204);
    worked(&app, gone(&app, &code)).await;
    let values = format!("SELECT CAST(custom_fields AS text) FROM client WHERE id = {}", app.db.uuid(&merged));
    assert!(!app.db.rows(&values).await[0].contains("code"), "of a merged client too");
    // the purge is newer than the merge, of both clients
    let undo = json!({ "merged_id": merged });
    app.post(&format!("/v1/clients/{survivor}/merge/undo"), &app.admin, &undo).await.expect_problem(409, "merge_built_on");
    field(&app, "code", "text", json!({ "is_unique": true })).await;
    client(&app, "C", json!({ "code": "b" })).await;
    let cleared = app.patch(&format!("/v1/clients/{survivor}"), &app.admin, &json!({ "custom_fields": null })).await.expect(200);
    assert_eq!(cleared.body["custom_fields"], json!({}));
}
