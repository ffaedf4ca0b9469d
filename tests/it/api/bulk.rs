//! `POST /v1/<records>/bulk`.

use harness::TestApp;
use serde_json::{Value, json};

use super::{NOWHERE, state};

fn create(name: &str) -> Value {
    json!({ "op": "create", "data": { "kind": "company", "name": name } })
}

fn statuses(body: &Value) -> Vec<u64> {
    body["results"].as_array().unwrap().iter().map(|result| result["status"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_thousand_operations_are_done_and_one_more_is_refused_whole() {
    let app = TestApp::spawn().await;
    let before = state(&app).await;
    let operations: Vec<Value> = (0..1000).map(|number| create(&format!("Client {number}"))).collect();
    let mut many = operations.clone();
    many.push(create("One more"));
    let refused = app.post("/v1/clients/bulk", &app.admin, &json!({ "operations": many })).await;
    assert_eq!(refused.expect_problem(422, "validation_failed").pointers(), ["/operations"]);
    let refused = app.post("/v1/clients/bulk", &app.admin, &json!({ "operations": [] })).await;
    assert_eq!(refused.expect_problem(422, "validation_failed").pointers(), ["/operations"]);
    assert_eq!(state(&app).await, before);

    let done = app.post("/v1/clients/bulk", &app.admin, &json!({ "operations": operations })).await.expect(200);
    assert_eq!(statuses(&done.body), [201; 1000]);
    let names: Vec<_> = done.body["results"].as_array().unwrap().iter().map(|result| result["data"]["name"].clone()).collect();
    assert!(names.iter().enumerate().all(|(number, name)| *name == format!("Client {number}")), "in order");
    assert_eq!(state(&app).await, (before.0 + 1000, before.1 + 1000));
}

#[tokio::test]
async fn without_atomic_each_operation_gets_its_own_status_in_order() {
    let app = TestApp::spawn().await;
    let (kept, gone) = (app.client(&app.admin, "Kept").await, app.client(&app.admin, "Gone").await);
    let before = state(&app).await;
    let operations = json!([
        create("New"),
        { "op": "create", "data": { "kind": "robot", "name": "Wrong", "colour": "red" } },
        { "op": "update", "id": NOWHERE, "data": { "name": "Nobody" } },
        { "op": "update", "id": kept, "if_match": "\"v9\"", "data": { "name": "Stale" } },
        { "op": "update", "id": kept, "if_match": "\"v1\"", "data": { "name": "Renamed" } },
        { "op": "update", "id": kept },
        { "op": "archive", "id": gone },
        { "op": "archive" },
        { "op": "restore", "id": gone },
        { "op": "create", "id": NOWHERE, "data": { "kind": "company", "name": "With an id" } },
        create("Last"),
    ]);
    let done = app.post("/v1/clients/bulk", &app.admin, &json!({ "operations": operations })).await.expect(200);
    assert_eq!(statuses(&done.body), [201, 422, 404, 412, 200, 422, 204, 422, 200, 422, 201]);
    let results = done.body["results"].as_array().unwrap();
    assert_eq!(
        (&results[1]["error"]["code"], results[1]["error"]["errors"].as_array().unwrap().len()),
        (&json!("validation_failed"), 2)
    );
    assert_eq!(
        (&results[3]["error"]["code"], &results[4]["etag"], &results[4]["id"]),
        (&json!("stale"), &json!("\"v2\""), &json!(kept))
    );
    let names = app.db.rows("SELECT name FROM client WHERE archived_at IS NULL ORDER BY name").await;
    assert_eq!(names, ["Gone", "Last", "New", "Renamed"]);
    assert_eq!(state(&app).await, (before.0 + 2, before.1 + 5));

    // each is judged by the caller's own permissions
    let token = app.token(&app.admin, &["clients.create", "clients.view_all"]).await;
    let operations =
        json!([create("By token"), { "op": "archive", "id": kept }, { "op": "update", "id": kept, "data": { "name": "X" } }]);
    let done = app.post("/v1/clients/bulk", &token, &json!({ "operations": operations })).await.expect(200);
    assert_eq!(statuses(&done.body), [201, 403, 403]);
    assert_eq!(app.count("client WHERE archived_at IS NOT NULL").await, 0);
}

#[tokio::test]
async fn with_atomic_one_failure_undoes_all_and_says_which() {
    let app = TestApp::spawn().await;
    let kept = app.client(&app.admin, "Kept").await;
    let before = state(&app).await;
    let operations = json!([
        create("New"), { "op": "update", "id": kept, "data": { "name": "Renamed" } }, { "op": "archive", "id": NOWHERE },
        { "op": "create", "data": { "kind": "company" } }, create("Last"),
    ]);
    let body = json!({ "atomic": true, "operations": operations });
    let refused = app.post("/v1/clients/bulk", &app.admin, &body).await.expect_problem(422, "bulk_rolled_back");
    assert_eq!(statuses(&refused.body), [424, 424, 404, 422, 424]);
    assert_eq!(refused.pointers(), ["/operations/2", "/operations/3"]);
    assert!(refused.body["results"][0].get("data").is_none() && refused.body["results"][0].get("id").is_none());
    assert_eq!(state(&app).await, before);
    assert_eq!(app.db.rows("SELECT name FROM client").await, ["Kept"]);
    assert_eq!(app.get("/v1/clients?q=new", &app.admin).await.expect(200).body["data"], json!([]), "nor can it be searched for");

    let body = json!({ "atomic": true, "operations": [create("New"), create("Last")] });
    let done = app.post("/v1/clients/bulk", &app.admin, &body).await.expect(200);
    assert_eq!(statuses(&done.body), [201, 201]);
    assert_eq!(state(&app).await, (before.0 + 2, before.1 + 2));
}

#[tokio::test]
async fn five_bulk_calls_a_minute_and_the_rest_of_the_api_goes_on() {
    let app = TestApp::spawn_with(|config| config.api.bulk_per_minute = 5).await;
    app.clock.advance_to_a_minute();
    let body = json!({ "operations": [{ "op": "create", "data": { "given_name": "Nikos" } }] });
    for _ in 0..5 {
        app.post("/v1/contacts/bulk", &app.admin, &body).await.expect(200);
    }
    for path in ["/v1/contacts/bulk", "/v1/clients/bulk"] {
        let refused = app.post(path, &app.admin, &body).await.expect_problem(429, "rate_limited");
        assert_eq!(refused.header("ratelimit-limit"), Some("5"));
        assert!(refused.header("retry-after").is_some());
    }
    assert_eq!(app.count("contact").await, 5);
    app.get("/v1/contacts", &app.admin).await.expect(200);
    app.clock.advance(chrono::Duration::minutes(2));
    app.post("/v1/contacts/bulk", &app.admin, &body).await.expect(200);
}
