//! Templates that a workspace has of its own.

use harness::TestApp;
use serde_json::{Value, json};

use super::{invite, read, until, working};

fn template(html: &str) -> Value {
    json!({
        "kind": "invitation", "language": "el", "subject": "Ελάτε, {{ recipient_name }}", "text": "Εδώ: {{ link }}", "html": html,
    })
}

const HTML: &str = "<h1 style='color:white'>Ελάτε</h1><p><a href=\"{{ link }}\">Ελάτε στον χώρο μας</a></p><script>x()</script>";

#[tokio::test]
async fn a_template_of_ones_own_is_in_force_until_it_is_deleted_in_its_own_workspace_and_language() {
    let app = working(|_| {}).await;
    let made = app.post("/v1/mail-templates", &app.admin, &template(HTML)).await.expect(201);
    app.post("/v1/mail-templates", &app.admin, &template(HTML)).await.expect_problem(409, "mail_template_taken");
    invite(&app, "nikos@example.com").await;
    until(&app, "nikos@example.com", "sent").await;
    let mail = read(app.mails()[0].as_bytes());
    assert_eq!(mail.subject, "Ελάτε, Νίκος Γεωργίου");
    assert!(mail.text.starts_with("Εδώ: https://app.example/accept-invitation?token=pli_"), "{}", mail.text);
    assert!(mail.html.contains("<h1>Ελάτε</h1>") && !mail.html.contains("<script"), "{}", mail.html);
    assert!(mail.html.contains("<html lang=\"el\">"), "the layout is the common one: {}", mail.html);

    // another workspace, and another language
    let other = app.second_workspace("other").await;
    app.post("/v1/invitations", &other, &json!({ "email": "else@example.com", "role": "viewer" })).await.expect(201);
    until(&app, "else@example.com", "sent").await;
    assert_eq!(read(app.mails()[1].as_bytes()).subject, "Σας προσκαλούν στον χώρο other");
    let path = format!("/v1/mail-templates/{}", made.id());
    app.get(&path, &other).await.expect_problem(404, "not_found");

    let changed = app.patch_if(&path, &app.admin, &made.etag(), &json!({ "subject": "Άλλο" })).await.expect(200);
    assert_eq!(changed.body["subject"], "Άλλο");
    app.patch_if(&path, &app.admin, &made.etag(), &json!({ "subject": "x" })).await.expect_problem(412, "stale");
    let actions = app.actions_of(&made.id()).await;
    assert_eq!(actions, ["create", "update"]);
    app.delete(&path, &app.admin).await.expect(204);
    invite(&app, "eleni@example.com").await;
    until(&app, "eleni@example.com", "sent").await;
    assert_eq!(read(app.mails()[2].as_bytes()).subject, "Σας προσκαλούν στον χώρο Main");
}

#[tokio::test]
async fn a_template_that_is_wrong_is_refused_with_all_that_is_wrong_and_changes_nothing() {
    let app = TestApp::spawn().await;
    let journal = app.count("journal_entry").await;
    let wrong = json!({
        "kind": "invitation", "language": "el", "subject": "{{ token }}", "text": "{{ colour }} {% for x in link %}", "html": "<p>Hello</p>",
    });
    let refused = app.post("/v1/mail-templates", &app.admin, &wrong).await.expect_problem(422, "validation_failed");
    let codes: Vec<_> = refused.body["errors"].as_array().unwrap().iter().map(|error| error["code"].as_str().unwrap()).collect();
    assert_eq!(refused.pointers(), ["/html", "/subject", "/text"]);
    assert_eq!(codes.len(), 3, "{codes:?}");
    app.post("/v1/mail-templates/preview", &app.admin, &wrong).await.expect_problem(422, "validation_failed");
    let unknown = json!({ "kind": "birthday", "language": "tlh", "subject": "", "text": "x", "html": "x" });
    let refused = app.post("/v1/mail-templates", &app.admin, &unknown).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/kind", "/language", "/subject"]);
    assert_eq!((app.count("mail_template").await, app.count("journal_entry").await), (0, journal));
}

/// The worst that the grammar allows is answered at once.
#[tokio::test]
async fn no_template_keeps_the_server_busy() {
    let app = TestApp::spawn().await;
    let deep = format!("{}{{{{ link }}}}{}", "{% if link %}".repeat(140), "{% endif %}".repeat(140));
    let wide = "{{ link }}".repeat(2_990);
    let deeper = format!("{}{}", "{% if link %}".repeat(1_200), "{% endif %}".repeat(1_200));
    for (text, expected) in [(wide, 200), (format!("{{{{ link }}}}{deep}"), 200), (format!("{{{{ link }}}}{deeper}"), 422)] {
        let began = std::time::Instant::now();
        let body = json!({ "kind": "invitation", "language": "en", "text": text });
        let answer = app.post("/v1/mail-templates/preview", &app.admin, &body).await;
        assert_eq!(answer.status, expected, "{}", answer.text.chars().take(300).collect::<String>());
        // in a debug build on a busy machine; a loop would take for ever
        assert!(began.elapsed().as_secs() < 15, "{:?}", began.elapsed());
    }
}

#[tokio::test]
async fn a_preview_shows_what_is_in_force_and_what_would_be_and_keeps_nothing() {
    let app = TestApp::spawn().await;
    let ask = async |body: Value| app.post("/v1/mail-templates/preview", &app.admin, &body).await.expect(200).body;
    let usual = ask(json!({ "kind": "invitation", "language": "el" })).await;
    assert_eq!(usual["subject"], "Σας προσκαλούν στον χώρο Main");
    app.post("/v1/mail-templates", &app.admin, &template(HTML)).await.expect(201);
    let own = ask(json!({ "kind": "invitation", "language": "el" })).await;
    assert_eq!(own["subject"], "Ελάτε, Ελένη Νίκα");
    let tried = ask(json!({ "kind": "invitation", "language": "el", "subject": "Δοκιμή" })).await;
    assert_eq!((&tried["subject"], &tried["text"]), (&json!("Δοκιμή"), &own["text"]));
    assert_eq!((app.count("mail_message").await, app.count("mail_template WHERE subject = 'Δοκιμή'").await), (0, 0));
}
