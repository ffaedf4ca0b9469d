//! `POST /v1/clients`.

use harness::TestApp;
use serde_json::json;

#[tokio::test]
async fn create_client_answers_201_with_the_record_where_it_is_and_its_etag_and_journals_it_once() {
    let app = TestApp::spawn().await;
    let body = json!({
        "kind": "company", "name": " Αφοί Παπά 🚢 ", "emails": [{ "kind": "work", "address": "Info@Papa.GR" }],
        "main_address": { "city": "Αθήνα", "country": "GR" }, "roles": ["customer", "principal"],
    });
    let made = app.post("/v1/clients", &app.admin, &body).await.expect(201);
    assert_eq!(made.body["name"], "Αφοί Παπά 🚢");
    assert_eq!(made.body["currency"], "EUR");
    assert_eq!(made.body["created_by"], app.admin.user_id);
    assert_eq!(made.header("location"), Some(format!("/v1/clients/{}", made.id()).as_str()));
    let read = app.get(made.header("location").unwrap(), &app.admin).await.expect(200);
    assert_eq!((read.body.clone(), read.etag()), (made.body.clone(), made.etag()));
    assert_eq!(app.actions_of(&made.id()).await, ["create"]);
    assert_eq!(app.count("client").await, 1);
}

#[tokio::test]
async fn create_client_lists_everything_that_is_wrong_and_changes_nothing() {
    let app = TestApp::spawn().await;
    let entries = app.count("journal_entry").await;
    let body = json!({
        "kind": "robot", "name": "", "emails": [{ "kind": "work", "address": "nobody" }], "currency": "XXX", "colour": "red",
        "owner_id": "7", "main_address": { "country": "Greece", "planet": "Earth" },
    });
    let refused = app.post("/v1/clients", &app.admin, &body).await.expect_problem(422, "validation_failed");
    assert_eq!(
        refused.pointers(),
        ["/colour", "/emails/0/address", "/kind", "/main_address/country", "/main_address/planet", "/name", "/owner_id",]
    );
    assert_eq!((app.count("client").await, app.count("journal_entry").await), (0, entries));
}
