//! Addresses that get no mail.

use harness::Session;
use serde_json::json;

use super::{invite, until, working};

#[tokio::test]
async fn a_suppressed_address_gets_no_mail_but_what_keeps_its_account_safe_until_it_is_let_again() {
    let app = working(|_| {}).await;
    let nikos = app.member(&app.admin, "viewer", "nikos@example.com").await;
    let made =
        app.post("/v1/mail-suppressions", &app.admin, &json!({ "address": " Eleni@Example.com", "reason": "complaint" })).await;
    made.expect_problem(422, "validation_failed");
    let suppress = async |address: &str| {
        let body = json!({ "address": address, "reason": "complaint" });
        app.post("/v1/mail-suppressions", &app.admin, &body).await
    };
    let eleni = suppress("Eleni@Example.com").await.expect(201);
    suppress("eleni@example.com").await.expect_problem(409, "already_suppressed");
    invite(&app, "eleni@example.com").await;
    until(&app, "eleni@example.com", "suppressed").await;
    assert_eq!(app.count("mail_message WHERE state = 'suppressed' AND body = '' AND html IS NULL").await, 1);

    suppress("nikos@example.com").await.expect(201);
    let forgot = json!({ "email": "nikos@example.com" });
    app.post("/v1/auth/forgot-password", &Session::nobody(), &forgot).await.expect(202);
    app.token_in_mail("nikos@example.com", "plp_").await;
    until(&app, "nikos@example.com", "sent").await;

    let list = app.get("/v1/mail-suppressions?address=ELENI@example.com&reason=complaint", &app.admin).await.expect(200).body;
    assert_eq!((list["data"].as_array().unwrap().len(), &list["data"][0]["address"]), (1, &json!("Eleni@Example.com")));
    app.delete(&format!("/v1/mail-suppressions/{}", eleni.id()), &app.admin).await.expect(204);
    let waits = app.get("/v1/invitations?email_key=eleni@example.com", &app.admin).await.expect(200).body;
    app.delete(&format!("/v1/invitations/{}", waits["data"][0]["id"].as_str().unwrap()), &app.admin).await.expect(204);
    invite(&app, "eleni@example.com").await;
    until(&app, "eleni@example.com", "sent").await;
    app.get("/v1/mail-suppressions", &nikos).await.expect_problem(403, "forbidden");
}

/// An address that does not work gets nothing at all.
#[tokio::test]
async fn an_address_that_came_back_gets_no_mail_about_its_account_either() {
    let app = working(|_| {}).await;
    app.member(&app.admin, "viewer", "nikos@example.com").await;
    let body = json!({ "address": "nikos@example.com", "reason": "bounce" });
    app.post("/v1/mail-suppressions", &app.admin, &body).await.expect(201);
    app.post("/v1/auth/forgot-password", &Session::nobody(), &json!({ "email": "nikos@example.com" })).await.expect(202);
    until(&app, "nikos@example.com", "suppressed").await;
}
