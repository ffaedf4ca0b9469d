//! Phones: read as E.164 writes them, found by their digits, and refused where they cannot be read.

use std::io::Cursor;
use std::sync::Arc;

use harness::TestApp;
use kernel::{Caller, Cause, TypedId as _, WorkspaceId};
use serde_json::json;

async fn found(app: &TestApp, path: &str, digits: &str) -> usize {
    let list = app.get(&format!("{path}?q={digits}"), &app.admin).await.expect(200);
    list.body["data"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_phone_is_kept_as_written_told_as_e164_and_found_by_its_digits() {
    let app = TestApp::spawn().await;
    let body = json!({
        "kind": "company", "name": "Papa", "phone": "210 123 4567",
        "phones": [{ "kind": "mobile", "number": "697 123 4567" }, { "kind": "work", "number": "+44 20 7946 0958" },
                   { "kind": "other", "number": "112", "e164": "+300000000000" }],
    });
    let client = app.post("/v1/clients", &app.admin, &body).await.expect(201);
    let phones = &client.body["phones"];
    assert_eq!((&phones[0]["number"], &phones[0]["e164"]), (&json!("697 123 4567"), &json!("+306971234567")));
    assert_eq!(phones[1]["e164"], "+442079460958");
    // what the caller says of it is not looked at
    assert!(phones[2]["e164"].is_null(), "{}", phones[2]);
    for digits in ["2101234567", "302101234567", "+302101234567", "6971234567", "306971234567", "2079460958"] {
        assert_eq!(found(&app, "/v1/clients", digits).await, 1, "{digits}");
    }

    // of the country where the client is
    let path = format!("/v1/clients/{}", client.id());
    let british = json!({ "main_address": { "country": "GB" }, "phones": [{ "kind": "work", "number": "020 7946 0958" }] });
    let moved = app.patch(&path, &app.admin, &british).await.expect(200);
    assert_eq!(moved.body["phones"], json!([{ "kind": "work", "number": "020 7946 0958", "e164": "+442079460958" }]));
    // what was read is written back as it is, and nothing changes
    let version = app.get(&path, &app.admin).await.expect(200).etag();
    let again = app.patch(&path, &app.admin, &json!({ "phones": moved.body["phones"] })).await.expect(200);
    assert_eq!(again.etag(), version);
}

#[tokio::test]
async fn what_is_no_phone_is_refused_with_all_that_is_wrong_and_an_import_takes_it_as_it_comes() {
    let app = TestApp::spawn().await;
    let phones = json!([{ "kind": "work", "number": "2101234567" }, { "kind": "work", "number": "ask Maria" }]);
    let body = json!({ "kind": "company", "name": "Papa", "phone": "call me", "phones": phones });
    let refused = app.post("/v1/clients", &app.admin, &body).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/phone", "/phones/1/number"]);
    assert_eq!(refused.body["errors"][0]["code"], "unreadable_phone");
    let person = json!({ "given_name": "Eleni", "phone": "call me", "phones": phones });
    let refused = app.post("/v1/contacts", &app.admin, &person).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/phone", "/phones/1/number"]);
    assert_eq!((app.count("client").await, app.count("contact").await), (0, 0));

    let client = app.client(&app.admin, "Papa").await;
    let change = json!({ "sector": "ships", "phone": "call me" });
    app.patch(&format!("/v1/clients/{client}"), &app.admin, &change).await.expect_problem(422, "validation_failed");
    let contact = app.contact(&app.admin, "Eleni").await;
    let change = json!({ "phone": "call me" });
    app.patch(&format!("/v1/contacts/{contact}"), &app.admin, &change).await.expect_problem(422, "validation_failed");
    let bulk = json!({ "operations": [{ "op": "update", "id": client, "data": { "phone": "call me" } }] });
    let done = app.post("/v1/clients/bulk", &app.admin, &bulk).await.expect(200);
    assert_eq!(done.body["results"][0]["status"], 422);

    let store = app.store().await;
    let run = store.runtime().uuid();
    let workspace = WorkspaceId::from_uuid(app.workspace.parse().unwrap());
    let importer = Arc::new(Caller::job(run, Some(workspace), Cause::Import(run)));
    let options = clients::import::ImportOptions {
        csv: platform::csv_source::Options::default(),
        source: "old".to_owned(),
        file_name: "old.csv".to_owned(),
    };
    let file = Cursor::new("name,phone\nOld,ask Maria\n");
    clients::import::import_csv(&store, &importer, file, &options, |_| {}, |_| {}).await.unwrap();
    let old = app.get("/v1/clients?name=Old", &app.admin).await.expect(200);
    assert_eq!(old.body["data"][0]["phone"], "ask Maria");
}

#[tokio::test]
async fn the_workspace_says_of_which_country_numbers_without_a_code_are() {
    let app = TestApp::spawn().await;
    let settings = json!({ "phones.default_country": "CY" });
    app.patch("/v1/settings", &app.admin, &settings).await.expect(200);
    let body = json!({ "given_name": "Eleni", "phones": [{ "kind": "work", "number": "22 123456" }] });
    let contact = app.post("/v1/contacts", &app.admin, &body).await.expect(201);
    assert_eq!(contact.body["phones"][0]["e164"], "+35722123456");
    assert_eq!(found(&app, "/v1/contacts", "35722123456").await, 1);
    app.patch("/v1/settings", &app.admin, &json!({ "phones.default_country": "Cyprus" }))
        .await
        .expect_problem(422, "validation_failed");
}
