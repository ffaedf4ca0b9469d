//! Passwords that are forgotten, changed and guessed, and what their owners are told.

use chrono::Duration;
use harness::{Answer, Engine, PASSWORD, Session, TestApp};
use kernel::error::codes;
use kernel::{Actor, Caller, Cause, Clock as _, TypedId as _, UserId};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::Connection as _;

use super::events;
use crate::mail::{until_so, working};

const NEXT: &str = "seven grey owls nod twice";

async fn forgot(app: &TestApp, email: &str) -> Answer {
    app.post("/v1/auth/forgot-password", &Session::nobody(), &json!({ "email": email })).await
}

async fn reset(app: &TestApp, token: &str, password: &str) -> Answer {
    app.post("/v1/auth/reset-password", &Session::nobody(), &json!({ "token": token, "password": password })).await
}

async fn login(app: &TestApp, email: &str, password: &str) -> Answer {
    app.post("/v1/auth/login", &Session::nobody(), &json!({ "email": email, "password": password })).await
}

/// The mails of a kind that were written.
async fn written(app: &TestApp, kind: &str) -> i64 {
    app.count(&format!("mail_message WHERE kind = '{kind}'")).await
}

/// Waits until nothing is left to do.
async fn at_rest(app: &TestApp) {
    until_so("all jobs are done", async || app.count("job WHERE state <> 'done'").await == 0).await;
}

async fn asked(app: &TestApp, email: &str) -> String {
    let before = written(app, "password_reset").await;
    forgot(app, email).await.expect(202);
    until_so("the mail is written", async || written(app, "password_reset").await > before).await;
    at_rest(app).await;
    app.token_in_mail(&email.to_lowercase(), "plp_").await
}

/// Seen to fail with a token that works twice, with sessions that are left, and with an older token that works still.
#[tokio::test]
async fn a_forgotten_password_is_set_by_the_newest_token_once_within_an_hour_and_ends_every_session() {
    let app = working(|_| {}).await;
    let nikos = app.member(&app.admin, "viewer", "nikos@example.com").await;
    let first = asked(&app, "Nikos@Example.com").await;
    let second = asked(&app, "nikos@example.com").await;
    assert_ne!(first, second);
    reset(&app, &first, NEXT).await.expect_problem(409, "invalid_reset_token");
    let weak = reset(&app, &second, "nikos@example.com").await.expect_problem(422, "validation_failed");
    assert_eq!(weak.pointers(), ["/password"]);
    reset(&app, &second, NEXT).await.expect(204);
    reset(&app, &second, NEXT).await.expect_problem(409, "invalid_reset_token");
    app.get("/v1/me", &nikos).await.expect_problem(401, "unauthenticated");
    let refresh = json!({ "refresh_token": nikos.refresh_token });
    app.post("/v1/auth/refresh", &Session::nobody(), &refresh).await.expect(401);
    login(&app, "nikos@example.com", PASSWORD).await.expect_problem(401, "invalid_credentials");
    login(&app, "nikos@example.com", NEXT).await.expect(200);
    assert_eq!(events(&app, "user.password_changed").await, 1);
    assert_eq!(written(&app, "password_changed").await, 1);
    // of the tokens digests are kept, and what brought them is erased
    at_rest(&app).await;
    for token in [&first, &second] {
        assert_eq!(super::places_of(&app, token).await, [""; 0]);
    }

    let third = asked(&app, "nikos@example.com").await;
    app.clock.advance(Duration::minutes(61));
    reset(&app, &third, PASSWORD).await.expect_problem(409, "invalid_reset_token");
}

#[tokio::test]
async fn nobody_learns_by_asking_whether_there_is_an_account_and_too_much_asking_sends_nothing() {
    let app = working(|_| {}).await;
    app.member(&app.admin, "viewer", "nikos@example.com").await;
    let off = app.member(&app.admin, "viewer", "off@example.com").await;
    app.patch(&format!("/v1/users/{}", off.user_id), &app.admin, &json!({ "is_active": false })).await.expect(200);
    let past = app.clock.now().timestamp().rem_euclid(3600);
    app.clock.advance(Duration::seconds(3600 - past));
    let seen = |answer: Answer| {
        let mut names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
        names.sort();
        (answer.status, answer.text, names)
    };
    let known = seen(forgot(&app, "nikos@example.com").await);
    assert_eq!(known.0, 202);
    assert_eq!(seen(forgot(&app, "nobody@example.com").await), known);
    assert_eq!(seen(forgot(&app, "off@example.com").await), known);
    // the same is done before the answer: a job, for somebody or for nobody
    assert_eq!(app.count("job WHERE kind = 'send_password_reset'").await, 3);
    for _ in 0..6 {
        assert_eq!(seen(forgot(&app, "nikos@example.com").await), known);
        assert_eq!(seen(forgot(&app, "nobody@example.com").await), known);
    }
    at_rest(&app).await;
    assert_eq!(app.count("job WHERE kind = 'send_password_reset'").await, 11);
    assert_eq!(written(&app, "password_reset").await, 5);
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_it_and_every_other_session_ends() {
    let app = working(|_| {}).await;
    let here = app.member(&app.admin, "director", "nikos@example.com").await;
    let there = app.sign_in("nikos@example.com").await;
    let change = async |session: &Session, current: &str, next: &str| {
        app.post("/v1/me/password", session, &json!({ "current_password": current, "new_password": next })).await
    };
    let wrong = change(&here, "not what it was", "short").await.expect_problem(422, "validation_failed");
    assert_eq!(wrong.pointers(), ["/current_password", "/new_password"]);
    let token = app.token(&here, &["tokens.manage_own"]).await;
    change(&token, PASSWORD, NEXT).await.expect_problem(409, "no_session");
    change(&here, PASSWORD, NEXT).await.expect(204);
    app.get("/v1/me", &here).await.expect(200);
    app.get("/v1/me", &there).await.expect_problem(401, "unauthenticated");
    login(&app, "nikos@example.com", PASSWORD).await.expect(401);
    login(&app, "nikos@example.com", NEXT).await.expect(200);
    until_so("the owner is told", async || {
        app.mails().iter().any(|mail| mail.contains("ο κωδικός πρόσβασης του λογαριασμού σας άλλαξε"))
    })
    .await;
    assert!(super::places_of(&app, NEXT).await.is_empty());

    let past = app.clock.now().timestamp().rem_euclid(900);
    app.clock.advance(Duration::seconds(900 - past));
    let here = login(&app, "nikos@example.com", NEXT).await.expect(200).body;
    let here = Session::bearer(here["access_token"].as_str().unwrap());
    for _ in 0..5 {
        change(&here, "guess after guess", PASSWORD).await.expect(422);
    }
    change(&here, NEXT, PASSWORD).await.expect_problem(429, "locked_out");
}

/// Hashing takes its time, and somebody who reads the owner's mail may be faster.
#[tokio::test]
async fn what_was_asked_with_a_password_that_is_another_by_now_is_not_done() {
    let app = working(|_| {}).await;
    let thief = app.member(&app.admin, "viewer", "nikos@example.com").await;
    let store = app.store().await;
    let auth = app.auth(store.clone()).await;
    let user = UserId::from_uuid(thief.user_id.parse().unwrap());
    let sessions = app.get("/v1/me/sessions", &thief).await.expect(200).body;
    let actor = Actor::User { user, session: sessions["data"][0]["id"].as_str().unwrap().parse().unwrap() };
    let caller = Caller { actor, ..Caller::job(store.runtime().uuid(), None, Cause::Request) };
    let change = auth::password_change::ChangePassword {
        current_password: PASSWORD.to_owned(),
        new_password: "an unexpected phrase".to_owned(),
    };
    let prepared = auth.prepare_password_change(change, &caller).await.unwrap();
    let factor = auth.prepare_factor(PASSWORD.to_owned(), None, &caller).await.unwrap();

    let token = asked(&app, "nikos@example.com").await;
    reset(&app, &token, NEXT).await.expect(204);
    let installation = std::sync::Arc::new(Caller::job(store.runtime().uuid(), None, Cause::Request));
    let refused = store.write(&installation, async |uow| auth::password_change::change(&auth, uow, &prepared).await).await;
    assert_eq!(*refused.unwrap_err().code(), codes::VALIDATION_FAILED);
    let refused = store.write(&installation, async |uow| auth::second_factor::begin(&auth, uow, &factor).await.map(|_| ())).await;
    assert_eq!(*refused.unwrap_err().code(), codes::VALIDATION_FAILED);
    login(&app, "nikos@example.com", NEXT).await.expect(200);
    assert_eq!(app.count("second_factor").await, 0);
}

/// Where transactions run beside each other. Seen to fail where the account is not locked: the sign-in is let in with the password before.
#[tokio::test]
async fn a_sign_in_waits_for_what_is_being_done_to_its_account() {
    let app = TestApp::spawn().await;
    if Engine::chosen() == Engine::Sqlite {
        return;
    }
    let nikos = app.member(&app.admin, "viewer", "nikos@example.com").await;
    let mut other = sqlx::PgConnection::connect(app.db.admin_url()).await.unwrap();
    let user = app.db.uuid(&nikos.user_id);
    let statements = format!(
        "BEGIN; SELECT 1 FROM user_account WHERE id = {user} FOR UPDATE; \
         UPDATE credential SET changed_at = changed_at + interval '1 second' WHERE user_id = {user}"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(statements)).execute(&mut other).await.unwrap();
    let sign_in = login(&app, "nikos@example.com", PASSWORD);
    let end = async {
        let waiting = "pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
        until_so("the sign-in waits", async || app.count(waiting).await > 0).await;
        sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
    };
    let (answer, ()) = tokio::join!(sign_in, end);
    answer.expect_problem(401, "invalid_credentials");
    assert_eq!(app.count(&format!("session WHERE user_id = {user}")).await, 1);
}

async fn from(app: &TestApp, address: &str, agent: &str, password: &str) -> Answer {
    let body: Value = json!({ "email": "nikos@example.com", "password": password });
    let request = app.request(Method::POST, "/v1/auth/login", &Session::nobody());
    app.send(request.header("x-forwarded-for", address).header("user-agent", agent).json(&body)).await
}

#[tokio::test]
async fn a_sign_in_from_a_new_device_is_told_once_and_the_first_never() {
    let app = working(|config| config.api.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()]).await;
    app.member(&app.admin, "viewer", "nikos@example.com").await;
    let forget = async || app.db.execute("DELETE FROM known_device").await.unwrap();
    forget().await;
    app.db.execute("UPDATE user_account SET last_login_at = NULL").await.unwrap();
    let firefox = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0";
    for (address, agent, told) in [
        ("203.0.113.7", firefox, 0),
        ("203.0.113.99", firefox, 0),
        // an update is no new device
        ("203.0.113.7", "Mozilla/5.0 (X11; Linux x86_64) Firefox/141.0", 0),
        ("198.51.100.7", firefox, 1),
        ("198.51.100.8", firefox, 1),
        ("203.0.113.7", "App/1.0 (iPhone)", 2),
    ] {
        from(&app, address, agent, PASSWORD).await.expect(200);
        assert_eq!(written(&app, "new_device").await, told, "{address} {agent}");
    }
    from(&app, "192.0.2.1", firefox, "wrong-wrong-wrong").await.expect(401);
    assert_eq!(written(&app, "new_device").await, 2);
    // those that were not seen for long are forgotten; whoever comes then is no less a stranger
    forget().await;
    from(&app, "203.0.113.7", firefox, PASSWORD).await.expect(200);
    assert_eq!(written(&app, "new_device").await, 3);
    until_so("they are told", async || {
        app.mails().iter().filter(|mail| mail.contains("Σύνδεση από νέα συσκευή") || mail.contains("198.51.100.7")).count() >= 1
    })
    .await;
    // of devices digests are kept
    assert!(app.db.rows("SELECT digest FROM known_device").await.iter().all(|digest| digest.len() == 64));
}

#[tokio::test]
async fn a_lock_out_is_told_once_however_many_addresses_it_comes_from() {
    let app = working(|config| config.api.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()]).await;
    app.member(&app.admin, "viewer", "nikos@example.com").await;
    let past = app.clock.now().timestamp().rem_euclid(3600);
    app.clock.advance(Duration::seconds(3600 - past));
    for network in 0..3 {
        for attempt in 0..7 {
            let expected = if attempt < 5 { 401 } else { 429 };
            from(&app, &format!("198.51.100.{network}"), "x", "wrong-wrong-wrong").await.expect(expected);
        }
    }
    for attempt in 0..6 {
        login(&app, "nobody@example.com", "wrong-wrong-wrong").await.expect(if attempt < 5 { 401 } else { 429 });
    }
    // for an account that is not there the same is done
    assert_eq!(app.count("job WHERE kind = 'send_lock_out'").await, 2);
    at_rest(&app).await;
    assert_eq!(written(&app, "lock_out").await, 1);
    app.clock.advance(Duration::hours(2));
    for _ in 0..5 {
        from(&app, "203.0.113.1", "x", "wrong-wrong-wrong").await.expect(401);
    }
    at_rest(&app).await;
    assert_eq!(written(&app, "lock_out").await, 2);
}
