//! Mail: written once, sent as one message whatever happens on the way, in the recipient's language and the workspace's face.

mod bounces;
mod outbox;
pub(crate) mod real;
mod rendered;
mod sink;
mod smtp;
mod suppressions;
mod templates;

use std::time::{Duration, Instant};

use harness::{TestApp, TestConfig};
use mail_parser::MessageParser;
use serde_json::json;

/// A server that works jobs.
pub(crate) async fn working(change: impl FnOnce(&mut TestConfig)) -> TestApp {
    TestApp::spawn_with(|config| {
        config.worker = true;
        change(config);
    })
    .await
}

/// Waits until something is so.
pub(crate) async fn until_so(what: &str, is_so: impl AsyncFn() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < Duration::from_secs(20), "still not so: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Invites somebody into `main`.
pub(crate) async fn invite(app: &TestApp, email: &str) {
    let body = json!({ "email": email, "role": "viewer", "given_name": "Νίκος", "family_name": "Γεωργίου" });
    app.post("/v1/invitations", &app.admin, &body).await.expect(201);
}

/// How it is with the newest mail to an address.
pub(crate) async fn state(app: &TestApp, email: &str) -> String {
    let sql = format!("SELECT state FROM mail_message WHERE to_address = '{email}' ORDER BY created_at DESC LIMIT 1");
    app.db.scalar(&sql).await.unwrap_or_else(|| "none".to_owned())
}

/// Waits until the newest mail to an address is in a state.
pub(crate) async fn until(app: &TestApp, email: &str, wanted: &str) {
    until_so(&format!("the mail to {email} is {wanted}"), async || state(app, email).await == wanted).await;
}

/// A message as a mail program reads it.
pub(crate) struct Read {
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    pub message_id: String,
}

/// Reads a message.
pub(crate) fn read(raw: &[u8]) -> Read {
    let message = MessageParser::default().parse(raw).expect("a message");
    assert_eq!((message.text_body_count(), message.html_body_count()), (1, 1), "one text, and the same in HTML");
    let to = message.to().and_then(|to| to.first()).and_then(|to| to.address()).expect("an address").to_owned();
    Read {
        to,
        subject: message.subject().unwrap().to_owned(),
        text: message.body_text(0).unwrap().replace("\r\n", "\n"),
        html: message.body_html(0).unwrap().into_owned(),
        message_id: format!("<{}>", message.message_id().unwrap()),
    }
}

/// A delivery report.
pub(crate) fn report(message_id: &str, address: &str, status: &str) -> String {
    let action = if status.starts_with('5') { "failed" } else { "delayed" };
    format!(
        "From: MAILER-DAEMON@mx.example.com\r\nTo: no-reply@crm.example\r\nSubject: Delivery report\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n\
         See below.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.com\r\n\r\n\
         Final-Recipient: rfc822; {address}\r\nAction: {action}\r\nStatus: {status}\r\nDiagnostic-Code: smtp; said so\r\n\r\n\
         --b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: {message_id}\r\nSubject: x\r\nFrom: a@crm.example\r\n\r\nx\r\n--b--\r\n"
    )
}
