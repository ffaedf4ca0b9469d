//! `POST /v1/setup`.

use harness::{Answer, PASSWORD, Session, TestApp};
use serde_json::{Value, json};

fn body(code: &str, password: &str) -> Value {
    json!({
        "code": code, "email": "maria.papadopoulou@example.com", "password": password, "given_name": "Maria-Ioanna",
        "family_name": "Papadopoulou", "workspace": { "slug": "first", "name": "First" },
    })
}

async fn set_up(app: &TestApp, body: &Value) -> Answer {
    app.post("/v1/setup", &Session::nobody(), body).await
}

/// Makes the installation one that is not set up, with this code.
async fn undo(app: &TestApp, code: &str) {
    let hash = store::digest(code.as_bytes());
    app.db.execute(&format!("UPDATE installation SET set_up_at = NULL, setup_code_hash = '{hash}'")).await.unwrap();
}

#[tokio::test]
async fn setting_up_works_once_and_only_with_the_code() {
    let app = TestApp::spawn().await;
    let counts = async || (app.count("user_account").await, app.count("workspace").await, app.count("journal_entry").await);
    let before = counts().await;
    set_up(&app, &body("anything", PASSWORD)).await.expect_problem(409, "setup_done");
    undo(&app, "the-right-code").await;
    let refused = set_up(&app, &body("the-wrong-code", PASSWORD)).await.expect_problem(403, "invalid_setup_code");
    assert!(!refused.text.contains("code-"), "{}", refused.text);
    assert_eq!(counts().await, before);

    let done = set_up(&app, &body("the-right-code", PASSWORD)).await.expect(201);
    assert_eq!((&done.body["user"]["is_super_admin"], &done.body["workspace"]["slug"]), (&json!(true), &json!("first")));
    assert_eq!((app.count("user_account").await, app.count("workspace").await), (2, 2));
    assert_eq!(app.count("installation WHERE set_up_at IS NOT NULL AND setup_code_hash IS NULL").await, 1);
    set_up(&app, &body("the-right-code", PASSWORD)).await.expect_problem(409, "setup_done");
    app.sign_in("maria.papadopoulou@example.com").await;
}

#[tokio::test]
async fn the_first_administrator_begins_with_the_clock_and_the_language_of_the_first_workspace() {
    let app = TestApp::spawn().await;
    undo(&app, "code").await;
    let mut body = body("code", PASSWORD);
    (body["workspace"]["timezone"], body["workspace"]["locale"]) = (json!("Europe/Dublin"), json!("en-IE"));
    let done = set_up(&app, &body).await.expect(201);
    assert_eq!((&done.body["user"]["timezone"], &done.body["user"]["locale"]), (&json!("Europe/Dublin"), &json!("en-IE")));
}

#[tokio::test]
async fn two_who_set_up_at_once_make_one_administrator() {
    let app = TestApp::spawn().await;
    undo(&app, "code").await;
    let (first, second) = (body("code", PASSWORD), body("code", PASSWORD));
    let (first, second) = tokio::join!(set_up(&app, &first), set_up(&app, &second));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409], "{} {}", first.text, second.text);
    assert_eq!((app.count("user_account").await, app.count("workspace").await), (2, 2));
}

#[tokio::test]
async fn weak_passwords_are_refused_and_never_repeated() {
    let app = TestApp::spawn().await;
    undo(&app, "code").await;
    let before = app.count("journal_entry").await;
    for (password, code) in [
        ("short-pw-11", "too_short"),
        ("password1234", "guessable"),
        ("aaaaaaaaaaaaaaaa", "guessable"),
        ("MARIA.papadopoulou@EXAMPLE.com", "same_as_identity"),
        ("papadopoulou", "same_as_identity"),
        ("maria-ioanna", "same_as_identity"),
    ] {
        let refused = set_up(&app, &body("code", password)).await.expect_problem(422, "validation_failed");
        assert_eq!((refused.pointers(), &refused.body["errors"][0]["code"]), (vec!["/password".to_owned()], &json!(code)));
        assert!(!refused.text.to_lowercase().contains(&password.to_lowercase()), "{}", refused.text);
    }
    let long = "ab1-".repeat(100);
    let refused = set_up(&app, &body("code", &long)).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.body["errors"][0]["code"], "too_long");
    assert_eq!((app.count("user_account").await, app.count("journal_entry").await), (1, before));
}
