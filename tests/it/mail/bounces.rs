//! Mail that comes back.

use harness::{Answer, Session, TestApp};
use serde_json::{Value, json};

use super::{invite, report, state, until, working};

async fn receive(app: &TestApp, session: &Session, message: String) -> Answer {
    let request = app.request(reqwest::Method::POST, "/v1/mail-bounces", session).header("content-type", "message/rfc822");
    app.send(request.body(message)).await
}

async fn sent(app: &TestApp, email: &str) -> String {
    invite(app, email).await;
    until(app, email, "sent").await;
    app.db.scalar(&format!("SELECT message_id FROM mail_message WHERE to_address = '{email}'")).await.unwrap()
}

async fn counts(app: &TestApp) -> [i64; 3] {
    [
        app.count("journal_entry").await,
        app.count("mail_suppression").await,
        app.count("mail_message WHERE state = 'bounced' OR last_problem IS NOT NULL").await,
    ]
}

#[tokio::test]
async fn a_mail_that_came_back_for_good_is_noted_once_and_its_address_gets_no_more() {
    let app = working(|_| {}).await;
    let id = sent(&app, "nikos@example.com").await;
    let outcome = |answer: Answer| answer.expect(200).body["outcome"].as_str().unwrap().to_owned();
    assert_eq!(outcome(receive(&app, &app.admin, report(&id, "nikos@example.com", "4.4.1")).await), "delayed");
    assert_eq!(outcome(receive(&app, &app.admin, report(&id, "nikos@example.com", "4.4.1")).await), "known");
    assert_eq!(state(&app, "nikos@example.com").await, "sent");
    assert_eq!(outcome(receive(&app, &app.admin, report(&id, "Nikos@Example.com", "5.1.1")).await), "bounced");
    assert_eq!(state(&app, "nikos@example.com").await, "bounced");
    assert_eq!(app.db.rows("SELECT address || ' ' || reason FROM mail_suppression").await, ["nikos@example.com bounce"]);
    let before = counts(&app).await;
    assert_eq!(outcome(receive(&app, &app.admin, report(&id, "nikos@example.com", "5.1.1")).await), "known");
    assert_eq!(counts(&app).await, before, "the same report twice");
    let list = app.get("/v1/mail-messages?state=bounced", &app.admin).await.expect(200).body;
    assert_eq!(list["data"][0]["last_problem"], "came back: failed 5.1.1: smtp; said so");
}

#[tokio::test]
async fn reports_that_are_forged_or_unreadable_change_nothing() {
    let app = working(|_| {}).await;
    let id = sent(&app, "nikos@example.com").await;
    let other = app.second_workspace("other").await;
    let before = counts(&app).await;
    let unknown = |answer: Answer| assert_eq!(answer.expect(200).body, json!({ "outcome": "unknown", "mail_id": null }));
    unknown(receive(&app, &app.admin, report("<made-up@crm.example>", "nikos@example.com", "5.1.1")).await);
    // whoever knows the id but not whom it went to, and whoever is of another workspace
    unknown(receive(&app, &app.admin, report(&id, "maria@example.com", "5.1.1")).await);
    unknown(receive(&app, &other, report(&id, "nikos@example.com", "5.1.1")).await);
    for garbage in [
        String::new(),
        "hello".to_owned(),
        "\u{1}\u{2}".repeat(4000),
        report(&id, "x", "5.1.1").replace("multipart/report", "text/plain"),
    ] {
        receive(&app, &app.admin, garbage).await.expect_problem(422, "bounce_unreadable");
    }
    let json: Value = json!({});
    app.post("/v1/mail-bounces", &app.admin, &json).await.expect_problem(415, "unsupported_media_type");
    assert_eq!(counts(&app).await, before);
}

#[tokio::test]
async fn a_server_that_refused_us_says_nothing_of_the_address() {
    let app = working(|_| {}).await;
    let id = sent(&app, "nikos@example.com").await;
    receive(&app, &app.admin, report(&id, "nikos@example.com", "5.7.1")).await.expect(200);
    assert_eq!((state(&app, "nikos@example.com").await.as_str(), app.count("mail_suppression").await), ("bounced", 0));
}

#[tokio::test]
async fn a_token_that_a_relay_holds_can_bring_reports() {
    let app = working(|_| {}).await;
    let id = sent(&app, "nikos@example.com").await;
    let relay = app.token(&app.admin, &["admin.manage_settings"]).await;
    let lesser = app.token(&app.admin, &["clients.view_all"]).await;
    receive(&app, &lesser, report(&id, "nikos@example.com", "5.1.1")).await.expect_problem(403, "forbidden");
    receive(&app, &relay, report(&id, "nikos@example.com", "5.1.1")).await.expect(200);
    assert_eq!(state(&app, "nikos@example.com").await, "bounced");
}
