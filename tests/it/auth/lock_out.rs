//! Five failures in fifteen minutes for an account from an address.

use chrono::Duration;
use harness::{Answer, PASSWORD, Session, TestApp};
use kernel::Clock as _;
use serde_json::json;

async fn login(app: &TestApp, email: &str, password: &str) -> Answer {
    app.post("/v1/auth/login", &Session::nobody(), &json!({ "email": email, "password": password })).await
}

/// Moves time to the beginning of a window, so that no test runs across its end.
fn at_start_of_window(app: &TestApp) {
    let past = app.clock.now().timestamp().rem_euclid(15 * 60);
    app.clock.advance(Duration::seconds(15 * 60 - past));
}

#[tokio::test]
async fn five_failures_lock_the_account_out_until_they_are_out_of_sight_and_nobody_else() {
    let app = TestApp::spawn().await;
    app.member(&app.admin, "viewer", "viewer@example.com").await;
    at_start_of_window(&app);
    for attempt in 0..5 {
        // the address is the same whatever its case
        let email = if attempt % 2 == 0 { "admin@example.com" } else { "Admin@Example.com" };
        login(&app, email, "wrong-wrong-wrong").await.expect_problem(401, "invalid_credentials");
    }
    let sessions = app.count("session").await;
    let locked = login(&app, "admin@example.com", PASSWORD).await.expect_problem(429, "locked_out");
    let wait: i64 = locked.header("retry-after").expect("Retry-After").parse().unwrap();
    assert!((840..=901).contains(&wait), "{wait}");
    assert_eq!(app.count("session").await, sessions, "even the right password opens nothing");

    login(&app, "viewer@example.com", PASSWORD).await.expect(200);
    for _ in 0..5 {
        login(&app, "nobody@example.com", PASSWORD).await.expect_problem(401, "invalid_credentials");
    }
    login(&app, "nobody@example.com", PASSWORD).await.expect_problem(429, "locked_out");

    app.clock.advance(Duration::minutes(10));
    login(&app, "admin@example.com", PASSWORD).await.expect_problem(429, "locked_out");
    app.clock.advance(Duration::minutes(20));
    login(&app, "admin@example.com", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn a_success_forgets_the_failures_before_it() {
    let app = TestApp::spawn().await;
    at_start_of_window(&app);
    for _ in 0..3 {
        for _ in 0..4 {
            login(&app, "admin@example.com", "wrong-wrong-wrong").await.expect_problem(401, "invalid_credentials");
        }
        login(&app, "admin@example.com", PASSWORD).await.expect(200);
    }
}

#[tokio::test]
async fn what_a_trusted_proxy_says_of_the_address_decides_who_is_locked_out_and_what_the_journal_keeps() {
    let app = TestApp::spawn_with(|config| config.api.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()]).await;
    at_start_of_window(&app);
    let body = json!({ "email": "admin@example.com", "password": "wrong-wrong-wrong" });
    let from = async |forwarded: &str, password: &str| {
        let mut body = body.clone();
        body["password"] = password.into();
        let request = app.request(reqwest::Method::POST, "/v1/auth/login", &Session::nobody());
        app.send(request.header("x-forwarded-for", forwarded).json(&body)).await
    };
    for _ in 0..5 {
        from("198.51.100.7", "wrong-wrong-wrong").await.expect(401);
    }
    from("198.51.100.7", PASSWORD).await.expect_problem(429, "locked_out");
    from("6.6.6.6, 198.51.100.7", PASSWORD).await.expect_problem(429, "locked_out");
    from("198.51.100.8", PASSWORD).await.expect(200);
    let ips = "SELECT DISTINCT p.ip FROM journal_personal p JOIN journal_entry e ON e.id = p.entry_id \
               WHERE e.event IN ('user.sign_in_failed', 'user.signed_in') AND p.ip <> '127.0.0.1' ORDER BY 1";
    assert_eq!(app.db.rows(ips).await, ["198.51.100.7", "198.51.100.8"]);

    // a proxy may add a header of its own after the one that the client made up
    let request = app.request(reqwest::Method::POST, "/v1/auth/login", &Session::nobody());
    let request = request.header("x-forwarded-for", "6.6.6.6").header("x-forwarded-for", "198.51.100.7");
    app.send(request.json(&body)).await.expect_problem(429, "locked_out");
}

#[tokio::test]
async fn what_a_stranger_says_of_its_address_does_not_count() {
    let app = TestApp::spawn().await;
    at_start_of_window(&app);
    for attempt in 0..6 {
        let body = json!({ "email": "admin@example.com", "password": "wrong-wrong-wrong" });
        let request = app.request(reqwest::Method::POST, "/v1/auth/login", &Session::nobody());
        let answer = app.send(request.header("x-forwarded-for", format!("198.51.100.{attempt}")).json(&body)).await;
        answer.expect(if attempt < 5 { 401 } else { 429 });
    }
    assert_eq!(app.db.rows("SELECT DISTINCT ip FROM journal_personal WHERE ip IS NOT NULL").await, ["127.0.0.1"]);
}
