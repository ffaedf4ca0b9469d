//! PATCH is a JSON merge patch (RFC 7396).

use harness::TestApp;
use serde_json::json;

use super::state;

#[tokio::test]
async fn absent_keeps_null_clears_a_value_sets_and_an_address_is_merged() {
    let app = TestApp::spawn().await;
    let body = json!({
        "kind": "company", "name": "Before", "sector": "shipping", "website": "https://example.com", "tax_number": "099",
        "main_address": { "line1": "Ermou 1", "city": "Αθήνα", "country": "GR" },
        "emails": [{ "kind": "work", "address": "a@example.com" }, { "kind": "work", "address": "b@example.com" }],
    });
    let made = app.post("/v1/clients", &app.admin, &body).await.expect(201);
    let path = format!("/v1/clients/{}", made.id());
    let patch = json!({
        "sector": null, "website": "https://example.org", "main_address": { "city": "Πειραιάς", "line1": null, "postal_code": "18531" },
        "emails": [{ "kind": "work", "address": "c@example.com" }],
    });
    let changed = app.patch(&path, &app.admin, &patch).await.expect(200);
    let mut expected = made.body.clone();
    expected["sector"] = json!(null);
    expected["website"] = json!("https://example.org");
    for (name, value) in [("city", json!("Πειραιάς")), ("postal_code", json!("18531"))] {
        expected["main_address"][name] = value;
    }
    expected["main_address"].as_object_mut().unwrap().remove("line1");
    expected["emails"] = json!([{ "kind": "work", "address": "c@example.com" }]);
    expected["updated_at"] = changed.body["updated_at"].clone();
    assert_eq!(changed.body, expected);
    assert_ne!(changed.etag(), made.etag());
    assert_eq!(app.get(&path, &app.admin).await.expect(200).body, expected);

    let cleared = app.patch(&path, &app.admin, &json!({ "main_address": null })).await.expect(200);
    assert_eq!(cleared.body["main_address"], json!(null));
    let fresh = app.patch(&path, &app.admin, &json!({ "main_address": { "city": "Βόλος" } })).await.expect(200);
    assert_eq!((&fresh.body["main_address"]["city"], &fresh.body["main_address"]["country"]), (&json!("Βόλος"), &json!(null)));
    assert_eq!(app.actions_of(&made.id()).await, ["create", "update", "update", "update"]);
}

#[tokio::test]
async fn null_for_what_must_be_there_and_values_that_do_not_fit_are_422_and_change_nothing() {
    let app = TestApp::spawn().await;
    let path = format!("/v1/clients/{}", app.client(&app.admin, "There").await);
    let before = app.get(&path, &app.admin).await.expect(200);
    let entries = state(&app).await;
    let patch = json!({ "name": null, "kind": null, "currency": null, "status": null, "colour": "red", "id": "x" });
    let refused = app.patch(&path, &app.admin, &patch).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/colour", "/currency", "/id", "/kind", "/name", "/status"]);
    let patch = json!({ "name": "New", "main_address": { "country": "Greece", "planet": "Earth" } });
    let refused = app.patch(&path, &app.admin, &patch).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/main_address/country", "/main_address/planet"]);
    for body in [json!(null), json!([]), json!("x")] {
        app.patch(&path, &app.admin, &body).await.expect_problem(422, "validation_failed");
    }
    let after = app.get(&path, &app.admin).await.expect(200);
    assert_eq!((after.body.clone(), after.etag(), state(&app).await), (before.body.clone(), before.etag(), entries));
}

#[tokio::test]
async fn a_patch_that_changes_nothing_writes_nothing() {
    let app = TestApp::spawn().await;
    let body = json!({ "kind": "company", "name": "There", "main_address": { "city": "Αθήνα" }, "roles": ["customer"] });
    let made = app.post("/v1/clients", &app.admin, &body).await.expect(201);
    let path = format!("/v1/clients/{}", made.id());
    let entries = state(&app).await;
    for patch in [
        json!({}),
        json!({ "name": "There" }),
        json!({ "name": " There ", "sector": null, "main_address": { "city": "Αθήνα" }, "roles": ["customer"], "kind": "company" }),
        json!({ "main_address": {} }),
    ] {
        let same = app.patch(&path, &app.admin, &patch).await.expect(200);
        assert_eq!((same.etag(), &same.body), (made.etag(), &made.body), "{patch}");
    }
    assert_eq!(state(&app).await, entries);
}
