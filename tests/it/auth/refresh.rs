//! `POST /v1/auth/refresh`: each refresh token works once.

use chrono::Duration;
use harness::{Answer, PASSWORD, Session, TestApp};
use serde_json::json;

use super::events;

async fn refresh(app: &TestApp, token: &str) -> Answer {
    app.post("/v1/auth/refresh", &Session::nobody(), &json!({ "refresh_token": token })).await
}

fn text(answer: &Answer, name: &str) -> String {
    answer.body[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", answer.text)).to_owned()
}

#[tokio::test]
async fn a_refresh_token_that_comes_again_ends_the_whole_session() {
    let app = TestApp::spawn().await;
    let (session, other) = (app.sign_in("admin@example.com").await, app.sign_in("admin@example.com").await);
    let second = refresh(&app, &session.refresh_token).await.expect(200);
    let third = refresh(&app, &text(&second, "refresh_token")).await.expect(200);
    let newest = Session::bearer(&text(&third, "access_token"));
    for good in [&session, &newest] {
        app.get("/v1/me", good).await.expect(200);
    }
    refresh(&app, &session.refresh_token).await.expect_problem(401, "refresh_token_reused");
    for dead in [&session, &newest] {
        app.get("/v1/me", dead).await.expect_problem(401, "unauthenticated");
    }
    refresh(&app, &text(&third, "refresh_token")).await.expect_problem(401, "invalid_refresh_token");
    assert_eq!(app.count("session WHERE revoked_at IS NOT NULL AND revoked_because = 'refresh_token_reused'").await, 1);
    assert_eq!(events(&app, "session.refresh_token_reused").await, 1);
    app.get("/v1/me", &other).await.expect(200);
    refresh(&app, &other.refresh_token).await.expect(200);
    refresh(&app, "plr_never-given-out").await.expect_problem(401, "invalid_refresh_token");
}

#[tokio::test]
async fn of_two_refreshes_at_once_with_one_token_exactly_one_wins() {
    let app = TestApp::spawn().await;
    for _ in 0..5 {
        let session = app.sign_in("admin@example.com").await;
        let before = app.count("refresh_token").await;
        let (first, second) = tokio::join!(refresh(&app, &session.refresh_token), refresh(&app, &session.refresh_token));
        let mut statuses = [first.status, second.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401], "{} {}", first.text, second.text);
        let loser = if first.status == 401 { first } else { second };
        loser.expect_problem(401, "refresh_token_reused");
        assert_eq!(app.count("refresh_token").await, before + 1);
    }
}

#[tokio::test]
async fn an_access_token_lives_15_minutes_a_browser_session_24_hours_an_app_session_30_days() {
    let app = TestApp::spawn().await;
    let login = async |kind: Option<&str>| {
        let mut body = json!({ "email": "admin@example.com", "password": PASSWORD });
        if let Some(kind) = kind {
            body["kind"] = kind.into();
        }
        app.post("/v1/auth/login", &Session::nobody(), &body).await.expect(200)
    };
    let (browser, phone) = (login(None).await, login(Some("app")).await);
    let access = Session::bearer(&text(&browser, "access_token"));
    app.clock.advance(Duration::minutes(14));
    app.get("/v1/me", &access).await.expect(200);
    app.clock.advance(Duration::seconds(61));
    app.get("/v1/me", &access).await.expect_problem(401, "unauthenticated");

    app.clock.advance(Duration::hours(23) + Duration::minutes(40));
    let last = refresh(&app, &text(&browser, "refresh_token")).await.expect(200);
    assert_eq!(last.body["session_expires_at"], browser.body["session_expires_at"], "refreshing does not prolong a session");
    let seconds = last.body["expires_in"].as_i64().unwrap();
    assert!((1..300).contains(&seconds), "no access token outlives its session: {seconds}");
    app.clock.advance(Duration::minutes(5));
    refresh(&app, &text(&last, "refresh_token")).await.expect_problem(401, "invalid_refresh_token");
    app.get("/v1/me", &Session::bearer(&text(&last, "access_token"))).await.expect_problem(401, "unauthenticated");

    app.clock.advance(Duration::days(28));
    let phone = refresh(&app, &text(&phone, "refresh_token")).await.expect(200);
    app.clock.advance(Duration::days(1));
    refresh(&app, &text(&phone, "refresh_token")).await.expect_problem(401, "invalid_refresh_token");
}

#[tokio::test]
async fn a_stolen_refresh_token_with_an_idempotency_key_is_refused_each_time() {
    let app = TestApp::spawn().await;
    let used = json!({ "refresh_token": app.admin.refresh_token });
    app.post("/v1/auth/refresh", &Session::nobody(), &used).await.expect(200);
    for _ in 0..2 {
        app.post_once("/v1/auth/refresh", &Session::nobody(), "again", &used).await.expect_problem(401, "refresh_token_reused");
    }
    assert_eq!(app.count("idempotency_record").await, 0);
}
