//! Idempotency-Key: a request that is sent again is answered again, and done once.

use chrono::Duration;
use futures::future::join_all;
use harness::{Answer, PASSWORD, Session, TestApp};
use serde_json::{Value, json};

use super::held::Held;
use super::{NOWHERE, state};

fn company(name: &str) -> Value {
    json!({ "kind": "company", "name": name })
}

#[track_caller]
fn expect_replay(again: &Answer, first: &Answer) {
    assert_eq!(again.header("idempotency-replayed"), Some("true"), "{}", again.text);
    assert_eq!((again.status, &again.text), (first.status, &first.text));
    for name in ["etag", "location", "content-type"] {
        assert_eq!(again.header(name), first.header(name), "{name}");
    }
}

#[tokio::test]
async fn the_same_key_and_body_gets_the_stored_answer_and_another_body_422() {
    let app = TestApp::spawn().await;
    let first = app.post_once("/v1/clients", &app.admin, "key-1", &company("One")).await.expect(201);
    assert_eq!(first.header("idempotency-replayed"), None);
    let before = state(&app).await;
    for _ in 0..2 {
        expect_replay(&app.post_once("/v1/clients", &app.admin, "key-1", &company("One")).await, &first);
    }
    // what became of the record since does not matter
    app.patch(&format!("/v1/clients/{}", first.id()), &app.admin, &json!({ "name": "Renamed" })).await.expect(200);
    expect_replay(&app.post_once("/v1/clients", &app.admin, "key-1", &company("One")).await, &first);
    for (path, body) in
        [("/v1/clients", company("Two")), ("/v1/contacts", json!({ "given_name": "One" })), ("/v1/contacts", company("One"))]
    {
        let refused = app.post_once(path, &app.admin, "key-1", &body).await.expect_problem(422, "idempotency_key_reused");
        assert_eq!(refused.pointers(), ["Idempotency-Key"]);
    }
    assert_eq!(state(&app).await, (before.0, before.1 + 1));

    // another caller has keys of its own, and so has the same one in another workspace
    let nikos = app.member(&app.admin, "sales_agent", "nikos@example.com").await;
    let other = app.post_once("/v1/clients", &nikos, "key-1", &company("Of Nikos")).await.expect(201);
    assert_eq!(other.header("idempotency-replayed"), None);
    let token = app.token(&app.admin, &["clients.create", "clients.view_all"]).await;
    app.post_once("/v1/clients", &token, "key-1", &company("One")).await.expect(201);
    let second = app.second_workspace("second").await;
    let there = app.post_once("/v1/clients", &second, "key-1", &company("One")).await.expect(201);
    assert_eq!(there.header("idempotency-replayed"), None);
    expect_replay(&app.post_once("/v1/clients", &second, "key-1", &company("One")).await, &there);
    assert_eq!(app.count("client").await, 4);
    for wrong in ["", "two words", &"k".repeat(256)] {
        let refused = app.post_once("/v1/clients", &app.admin, wrong, &company("X")).await.expect_problem(400, "unreadable");
        assert_eq!(refused.pointers(), ["Idempotency-Key"]);
    }
}

/// Seen to fail when a key that is there already is not heeded.
#[tokio::test]
async fn a_hundred_equal_requests_at_once_make_one_record_one_entry_and_a_hundred_equal_answers() {
    let app = TestApp::spawn().await;
    let before = state(&app).await;
    let body = company("Once");
    let answers = join_all((0..100).map(|_| app.post_once("/v1/clients", &app.admin, "burst", &body))).await;
    for answer in &answers {
        assert_eq!((answer.status, &answer.text), (201, &answers[0].text));
        assert_eq!(
            (answer.header("etag"), answer.header("location")),
            (answers[0].header("etag"), answers[0].header("location"))
        );
    }
    let replayed = answers.iter().filter(|answer| answer.header("idempotency-replayed").is_some()).count();
    assert_eq!(replayed, 99);
    assert_eq!(state(&app).await, (before.0 + 1, before.1 + 1));
    assert_eq!(app.actions_of(&answers[0].id()).await, ["create"]);
    assert_eq!(app.count("idempotency_record WHERE key = 'burst'").await, 1);
}

/// As above, with the first of them held up in the middle, so that the others have to wait for it.
#[tokio::test]
async fn requests_that_come_while_the_first_one_with_their_key_is_held_up_wait_and_are_answered_like_it() {
    let app = TestApp::spawn().await;
    let held = Held::up(&app).await;
    let answers = async {
        let body = company("Held up");
        join_all((0..100).map(|_| app.post_once("/v1/clients", &app.admin, "held", &body))).await
    };
    let let_go = async {
        // one waits for the table and another for the key
        held.until_so_many_wait(&app, 2).await;
        held.down().await;
    };
    let (answers, ()) = tokio::join!(answers, let_go);
    for answer in &answers {
        assert_eq!((answer.status, &answer.text), (201, &answers[0].text));
    }
    assert_eq!(answers.iter().filter(|answer| answer.header("idempotency-replayed").is_some()).count(), 99);
    assert_eq!(app.actions_of(&answers[0].id()).await, ["create"]);
    assert_eq!(app.db.rows("SELECT name FROM client").await, ["Held up"]);
}

#[tokio::test]
async fn refusals_are_kept_but_for_those_that_say_nothing_of_the_request_itself() {
    let app = TestApp::spawn().await;
    let invalid = json!({ "kind": "robot", "name": "" });
    let first = app.post_once("/v1/clients", &app.admin, "bad", &invalid).await.expect_problem(422, "validation_failed");
    expect_replay(&app.post_once("/v1/clients", &app.admin, "bad", &invalid).await, &first);
    app.post_once("/v1/clients", &app.admin, "bad", &company("Better")).await.expect_problem(422, "idempotency_key_reused");
    let path = format!("/v1/clients/{NOWHERE}/notes");
    let missing = app.post_once(&path, &app.admin, "gone", &json!({ "body": "x" })).await.expect_problem(404, "not_found");
    expect_replay(&app.post_once(&path, &app.admin, "gone", &json!({ "body": "x" })).await, &missing);

    // 401 and 429 are not kept: the same request may succeed later
    let nikos = app.member(&app.admin, "viewer", "nikos@example.com").await;
    let account = format!("/v1/users/{}", nikos.user_id);
    app.patch(&account, &app.admin, &json!({ "is_active": false })).await.expect(200);
    let login = json!({ "email": "nikos@example.com", "password": PASSWORD });
    let sign_in = async || app.post_once("/v1/auth/login", &Session::nobody(), "login-1", &login).await;
    sign_in().await.expect_problem(401, "invalid_credentials");
    for _ in 0..4 {
        let wrong = json!({ "email": "nikos@example.com", "password": "wrong-wrong-wrong" });
        app.post("/v1/auth/login", &Session::nobody(), &wrong).await.expect(401);
    }
    app.patch(&account, &app.admin, &json!({ "is_active": true })).await.expect(200);
    sign_in().await.expect_problem(429, "locked_out");
    app.clock.advance(Duration::minutes(31));
    let tokens = sign_in().await.expect(200);
    assert_eq!(tokens.header("idempotency-replayed"), None);

    // the secrets of an answer are kept masked, and what a body held cannot be guessed from what is kept of it
    let again = sign_in().await.expect(200);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!((&again.body["access_token"], &again.body["refresh_token"]), (&json!("***"), &json!("***")));
    assert_eq!(again.body["user"], tokens.body["user"]);
    let kept = app.db.rows("SELECT fingerprint FROM idempotency_record WHERE key = 'login-1'").await;
    let guess = store::digest(format!("POST /v1/auth/login \n{login}").as_bytes());
    assert_eq!(kept.len(), 1);
    assert_ne!(kept[0], guess, "a password could be guessed from its digest");
}

#[tokio::test]
async fn a_key_is_free_again_after_seven_days_and_not_before() {
    let app = TestApp::spawn().await;
    let first = app.post_once("/v1/clients", &app.admin, "weekly", &company("One")).await.expect(201);
    app.clock.advance(Duration::days(7) - Duration::hours(1));
    let admin = app.sign_in("admin@example.com").await;
    expect_replay(&app.post_once("/v1/clients", &admin, "weekly", &company("One")).await, &first);
    app.clock.advance(Duration::hours(1) + Duration::minutes(1));
    let admin = app.sign_in("admin@example.com").await;
    let fresh = app.post_once("/v1/clients", &admin, "weekly", &company("Two")).await.expect(201);
    assert_eq!(fresh.header("idempotency-replayed"), None);
    expect_replay(&app.post_once("/v1/clients", &admin, "weekly", &company("Two")).await, &fresh);
    assert_eq!(app.count("client").await, 2);
}

#[tokio::test]
async fn acts_without_a_body_are_done_once_for_a_key_too() {
    let app = TestApp::spawn().await;
    let path = format!("/v1/clients/{}", app.client(&app.admin, "There").await);
    app.delete(&path, &app.admin).await.expect(204);
    let restore = async || {
        let request = app.request(reqwest::Method::POST, &format!("{path}/restore"), &app.admin);
        app.send(request.header("idempotency-key", "restore-1")).await
    };
    let first = restore().await.expect(200);
    app.delete(&path, &app.admin).await.expect(204);
    expect_replay(&restore().await, &first);
    assert_eq!(app.count("client WHERE archived_at IS NOT NULL").await, 1, "a replay does nothing");
}

#[tokio::test]
async fn people_who_are_not_signed_in_yet_do_not_meet_in_their_keys() {
    let app = TestApp::spawn_with(|config| config.api.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()]).await;
    app.member(&app.admin, "viewer", "viewer@example.com").await;
    let sign_in = async |from: &str, email: &str| {
        let request = app.request(reqwest::Method::POST, "/v1/auth/login", &Session::nobody());
        let request = request.header("x-forwarded-for", from).header("idempotency-key", "1");
        app.send(request.json(&json!({ "email": email, "password": PASSWORD }))).await
    };
    sign_in("192.0.2.1", "admin@example.com").await.expect(200);
    let other = sign_in("192.0.2.2", "viewer@example.com").await.expect(200);
    assert_eq!((other.header("idempotency-replayed"), &other.body["user"]["email"]), (None, &json!("viewer@example.com")));
    sign_in("192.0.2.1", "viewer@example.com").await.expect_problem(422, "idempotency_key_reused");
}
