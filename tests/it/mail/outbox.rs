//! Where no server is configured: files that people can read.

use std::os::unix::fs::PermissionsExt as _;

use harness::{Session, TestApp};
use serde_json::json;

use super::{invite, read, until, until_so, working};

/// Seen to fail with a body that is kept, and with a file that others can read.
#[tokio::test]
async fn a_mail_becomes_a_file_that_its_owner_alone_reads_and_what_it_brought_leaves_the_database() {
    let app = working(|_| {}).await;
    invite(&app, "nikos@example.com").await;
    until(&app, "nikos@example.com", "sent").await;
    let folder = app.folder.path().join("mail");
    let names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('.'))
        .collect();
    assert_eq!(names.len(), 1, "{names:?}");
    assert!(names[0].contains("-invitation-") && names[0].ends_with(".eml"), "{names:?}");
    let file = std::fs::metadata(folder.join(&names[0])).unwrap();
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);

    let raw = app.mails().remove(0);
    // it can be read as it is
    assert!(raw.contains("Γεια σας Νίκος Γεωργίου") && raw.contains("https://app.example/accept-invitation?token=pli_"), "{raw}");
    let mail = read(raw.as_bytes());
    assert_eq!(mail.subject, "Σας προσκαλούν στον χώρο Main");
    assert!(mail.message_id.ends_with("@crm.example>"), "{}", mail.message_id);
    for header in ["From: Main <no-reply@crm.example>", "Auto-Submitted: auto-generated", "Content-Language: el", "Date: "] {
        assert!(raw.contains(header), "{header}: {raw}");
    }
    assert_eq!(app.count("mail_message WHERE body = '' AND html IS NULL AND sent_at IS NOT NULL AND attempts = 1").await, 1);
    let message = app.db.scalar("SELECT message_id FROM mail_message").await.unwrap();
    assert_eq!(message, mail.message_id);
    let events = app.db.rows("SELECT event FROM journal_entry WHERE record_type = 'mail_message' ORDER BY number").await;
    assert_eq!(events, ["mail.written", "mail.sent"]);

    // it works
    let token = app.invitation_token("nikos@example.com").await;
    let accept = json!({ "token": token, "password": harness::PASSWORD });
    app.post("/v1/auth/accept-invitation", &Session::nobody(), &accept).await.expect(200);
}

#[tokio::test]
async fn what_others_typed_makes_no_header_and_no_markup() {
    let app = working(|_| {}).await;
    let face = json!({ "name": "Evil\r\nBcc: all@example.com", "locale": "en",
        "settings": { "mail": { "tagline": "<script>x()</script>", "accent_color": "#aa0000", "reply_to": "desk@main.example" } } });
    app.patch(&format!("/v1/workspaces/{}", app.workspace), &app.admin, &face).await.expect(200);
    let body = json!({ "email": "eve@example.com", "role": "viewer", "given_name": "Eve\r\nX-Evil: yes\r\n\r\nnew body", "family_name": "<b>E" });
    app.post("/v1/invitations", &app.admin, &body).await.expect(201);
    until(&app, "eve@example.com", "sent").await;
    let raw = app.mails().remove(0);
    let mail = read(raw.as_bytes());
    let head = raw.split("\r\n\r\n").next().unwrap();
    for line in head.lines() {
        assert!(!line.starts_with("Bcc") && !line.starts_with("X-Evil"), "{head}");
    }
    assert_eq!(mail.subject, "You are invited to Evil Bcc: all@example.com");
    assert!(head.contains("Reply-To: desk@main.example"), "{head}");
    assert!(!mail.html.contains("<script>") && mail.html.contains("&lt;script&gt;"), "{}", mail.html);
    assert!(mail.html.contains("&lt;b&gt;E") && mail.html.contains("border-top:4px solid #aa0000"), "{}", mail.html);
    assert!(mail.text.contains("Hello Eve X-Evil: yes new body <b>E,"), "{}", mail.text);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_to_degrades_the_server_and_mail_waits_for_it() {
    let app = working(|_| {}).await;
    let ready = async || {
        let ready = app.get("/health/ready", &Session::nobody()).await.expect(200).body;
        let services = ready["services"].as_array().unwrap().clone();
        let mail = services.iter().find(|service| service["name"] == "mail").unwrap().clone();
        (ready["status"].as_str().unwrap().to_owned(), mail)
    };
    assert_eq!(ready().await.1["status"], "healthy");
    let folder = app.folder.path().join("mail");
    std::fs::remove_dir_all(&folder).unwrap();
    // a file in its place: even root cannot write into that
    std::fs::write(&folder, "x").unwrap();
    app.clock.advance(chrono::Duration::seconds(6));
    let (status, mail) = ready().await;
    assert_eq!((status.as_str(), &mail["status"]), ("degraded", &json!("degraded")), "{mail}");
    invite(&app, "nikos@example.com").await;
    until_so("it was tried", async || app.count("mail_message WHERE attempts = 1 AND last_problem IS NOT NULL").await == 1).await;

    std::fs::remove_file(&folder).unwrap();
    app.clock.advance(chrono::Duration::seconds(6));
    until(&app, "nikos@example.com", "sent").await;
    assert_eq!(ready().await.0, "healthy");
}

#[tokio::test]
async fn administrators_see_what_went_out_and_not_what_it_says() {
    let app: TestApp = working(|_| {}).await;
    invite(&app, "nikos@example.com").await;
    until(&app, "nikos@example.com", "sent").await;
    let list = app.get("/v1/mail-messages?state=sent&kind=invitation&to=Nikos@Example.com", &app.admin).await.expect(200);
    let mail = &list.body["data"][0];
    assert_eq!((&mail["to"], &mail["attempts"], &mail["language"]), (&json!("nikos@example.com"), &json!(1), &json!("el")));
    assert!(!list.text.contains("pli_") && mail.get("body").is_none() && mail.get("text").is_none(), "{}", list.text);
    let one = app.get(&format!("/v1/mail-messages/{}", mail["id"].as_str().unwrap()), &app.admin).await.expect(200);
    assert_eq!(one.body["message_id"], mail["message_id"]);
    assert_eq!(app.get("/v1/mail-messages?state=failed", &app.admin).await.expect(200).body["data"], json!([]));
    app.get("/v1/mail-messages?to=x&colour=red", &app.admin).await.expect_problem(422, "validation_failed");
}
