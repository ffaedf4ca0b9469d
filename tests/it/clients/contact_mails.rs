//! Which mails of its clients' business a contact gets.

use harness::TestApp;
use serde_json::{Value, json};

fn all() -> Value {
    json!(["invoices", "estimates", "credit_notes", "contracts", "tasks", "projects", "tickets"])
}

#[tokio::test]
async fn a_contact_gets_all_mails_unless_somebody_says_which() {
    let app = TestApp::spawn().await;
    let everything = app.post("/v1/contacts", &app.admin, &json!({ "given_name": "Eleni" })).await.expect(201);
    assert_eq!(everything.body["mails"], all());
    let some = json!({ "given_name": "Takis", "mails": ["tickets", "invoices", "tickets"] });
    let some = app.post("/v1/contacts", &app.admin, &some).await.expect(201);
    assert_eq!(some.body["mails"], json!(["invoices", "tickets"]));

    let path = format!("/v1/contacts/{}", some.id());
    let entries = app.count("journal_entry").await;
    // the same in another order changes nothing
    app.patch(&path, &app.admin, &json!({ "mails": ["tickets", "invoices"] })).await.expect(200);
    assert_eq!(app.count("journal_entry").await, entries);
    let none = app.patch(&path, &app.admin, &json!({ "mails": [] })).await.expect(200);
    assert_eq!(none.body["mails"], json!([]));
    let trail = app.get(&format!("{path}/audit"), &app.admin).await.expect(200);
    assert_eq!(trail.body["data"][0]["changes"]["mails"], json!({ "from": ["invoices", "tickets"], "to": [] }));
    let csv = app.get("/v1/contacts/export?columns=given_name,mails&sort=name", &app.admin).await.expect(200);
    assert!(csv.text.contains("Eleni,\"invoices, estimates,"), "{}", csv.text);
    assert!(csv.text.contains("Takis,\r\n"), "{}", csv.text);

    for (body, pointer) in [
        (json!({ "mails": ["invoices", "adverts"] }), "/mails/1"),
        (json!({ "mails": "invoices" }), "/mails"),
        (json!({ "mails": null }), "/mails"),
    ] {
        let refused = app.patch(&path, &app.admin, &body).await.expect_problem(422, "validation_failed");
        assert_eq!(refused.pointers(), [pointer], "{body}");
    }
    assert_eq!(app.get(&path, &app.admin).await.expect(200).body["mails"], json!([]));
}
