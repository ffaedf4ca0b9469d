//! The machine's clock set back an hour, as a wrong time server does: nobody is thrown out or locked out, lists and the journal keep
//! their order, and what was done once is not done again.

use chrono::Duration;
use harness::{Answer, Session, TestApp};
use kernel::Clock as _;
use serde_json::{Value, json};

use super::company;

fn hour() -> Duration {
    Duration::hours(1)
}

async fn refresh(app: &TestApp, token: &str) -> Answer {
    app.post("/v1/auth/refresh", &Session::nobody(), &json!({ "refresh_token": token })).await
}

fn names(page: &Value) -> Vec<String> {
    page["data"].as_array().unwrap().iter().map(|record| record["name"].as_str().unwrap().to_owned()).collect()
}

/// Seen to fail when a token of the future is refused.
#[tokio::test]
async fn with_the_clock_set_back_an_hour_tokens_and_sessions_are_as_good_as_before() {
    let app = TestApp::spawn().await;
    let before = app.sign_in("admin@example.com").await;
    let scoped = app.token(&app.admin, &["clients.view_all"]).await;
    let expiring = (app.clock.now() + Duration::minutes(30)).to_rfc3339();
    let expiring = json!({ "name": "short", "scopes": ["clients.view_all"], "expires_at": expiring });
    let expiring = app.post("/v1/tokens", &app.admin, &expiring).await.expect(201);
    let expiring = Session::bearer(expiring.body["secret"].as_str().unwrap());
    let invitation = json!({ "email": "late@example.com", "role": "viewer", "given_name": "Nikos", "family_name": "Late" });
    app.post("/v1/invitations", &app.admin, &invitation).await.expect(201);
    let revoked = app.sign_in("admin@example.com").await;
    app.act("/v1/auth/logout", &revoked).await.expect(204);

    app.clock.advance(-hour());
    for session in [&app.admin, &before, &scoped, &expiring] {
        app.get("/v1/clients", session).await.expect(200);
    }
    app.get("/v1/clients", &revoked).await.expect_problem(401, "unauthenticated");
    refresh(&app, &revoked.refresh_token).await.expect_problem(401, "invalid_refresh_token");
    // a refresh token still buys one pair, and the second time it is told to be used
    let next = refresh(&app, &before.refresh_token).await.expect(200).body;
    let session = Session::bearer(next["access_token"].as_str().unwrap());
    app.get("/v1/clients", &session).await.expect(200);
    let fresh = app.sign_in("admin@example.com").await;
    app.get("/v1/clients", &fresh).await.expect(200);
    // an invitation of the future is accepted
    let accept = json!({ "token": app.invitation_token("late@example.com").await, "password": harness::PASSWORD });
    app.post("/v1/auth/accept-invitation", &Session::nobody(), &accept).await.expect(200);
    app.get("/v1/clients", &app.sign_in("late@example.com").await).await.expect(200);

    // time goes on as it did: what was made meanwhile expires by the clock, no later
    app.clock.advance(Duration::minutes(20));
    app.get("/v1/clients", &fresh).await.expect_problem(401, "unauthenticated");
    app.get("/v1/clients", &session).await.expect_problem(401, "unauthenticated");
    refresh(&app, &fresh.refresh_token).await.expect(200);
    app.clock.advance(Duration::minutes(40));
    app.get("/v1/clients", &expiring).await.expect(200);
    app.clock.advance(Duration::minutes(31));
    app.get("/v1/clients", &expiring).await.expect_problem(401, "unauthenticated");
    app.get("/v1/clients", &scoped).await.expect(200);
    refresh(&app, &before.refresh_token).await.expect_problem(401, "refresh_token_reused");
}

#[tokio::test]
async fn with_the_clock_set_back_an_hour_limits_and_lock_outs_count_on_and_lock_nobody_out() {
    let app = TestApp::spawn_with(|config| config.api.rate_limit_per_minute = 40).await;
    let knock = async || {
        let mut passed = 0;
        for _ in 0..60 {
            let answer = app.get("/v1/me", &app.admin).await;
            if answer.status == 429 {
                let answer = answer.expect_problem(429, "rate_limited");
                let wait: u32 = answer.header("retry-after").unwrap().parse().unwrap();
                assert!((1..=60).contains(&wait), "{wait}");
                break;
            }
            answer.expect(200);
            passed += 1;
        }
        passed
    };
    let wrong = json!({ "email": "admin@example.com", "password": "wrong-wrong-wrong" });
    for _ in 0..5 {
        app.post("/v1/auth/login", &Session::nobody(), &wrong).await.expect_problem(401, "invalid_credentials");
    }
    app.post("/v1/auth/login", &Session::nobody(), &wrong).await.expect_problem(429, "locked_out");
    app.clock.advance_to_a_minute();
    assert!(knock().await <= 40);

    app.clock.advance(-hour());
    let passed = knock().await;
    assert!((1..=80).contains(&passed), "{passed} requests: a limit holds, and what the future counted locks nobody out");
    // whoever was locked out waits for the lock-out's length at most
    app.sign_in("admin@example.com").await;
    for _ in 0..5 {
        app.post("/v1/auth/login", &Session::nobody(), &wrong).await.expect_problem(401, "invalid_credentials");
    }
    app.post("/v1/auth/login", &Session::nobody(), &wrong).await.expect_problem(429, "locked_out");
    app.clock.advance(Duration::minutes(31));
    app.sign_in("admin@example.com").await;
    assert!(knock().await > 0);
}

/// Seen to fail when the time of a change is the clock's even where the record is younger.
#[tokio::test]
async fn with_the_clock_set_back_an_hour_lists_keys_and_the_journal_go_on() {
    let app = TestApp::spawn().await;
    for number in 0..6 {
        app.client(&app.admin, &format!("Early {number}")).await;
    }
    let first = app.post_once("/v1/clients", &app.admin, "key", &company("Once")).await.expect(201);
    let pages: Vec<Value> = futures::future::join_all(
        ["created_at", "-created_at", "-updated_at", "name"]
            .map(async |sort| app.get(&format!("/v1/clients?limit=3&sort={sort}"), &app.admin).await.expect(200).body),
    )
    .await;
    let audit = app.get("/v1/audit?limit=3", &app.admin).await.expect(200).body;

    app.clock.advance(-hour());
    for number in 0..6 {
        app.client(&app.admin, &format!("Late {number}")).await;
    }
    // every cursor goes on to the end: each early record once, each late one once at most
    for (sort, page) in ["created_at", "-created_at", "-updated_at", "name"].iter().zip(pages) {
        let (mut seen, mut page) = (names(&page), page);
        while let Some(cursor) = page["page"]["next_cursor"].as_str() {
            page = app.get(&format!("/v1/clients?limit=3&sort={sort}&cursor={cursor}"), &app.admin).await.expect(200).body;
            seen.extend(names(&page));
        }
        let all = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!((all, seen.iter().filter(|name| !name.starts_with("Late")).count()), (seen.len(), 7), "{sort}: {seen:?}");
    }
    let whole = app.get("/v1/clients?limit=50", &app.admin).await.expect(200).body;
    assert_eq!(names(&whole).len(), 13);
    let cursor = audit["page"]["next_cursor"].as_str().unwrap();
    app.get(&format!("/v1/audit?limit=3&cursor={cursor}"), &app.admin).await.expect(200);

    // a key of the future is known, and a new one is taken
    let again = app.post_once("/v1/clients", &app.admin, "key", &company("Once")).await.expect(201);
    assert_eq!((again.header("idempotency-replayed"), &again.text), (Some("true"), &first.text));
    let made = app.post_once("/v1/clients", &app.admin, "back", &company("Back")).await.expect(201);
    app.clock.advance(hour());
    let again = app.post_once("/v1/clients", &app.admin, "back", &company("Back")).await.expect(201);
    assert_eq!((again.header("idempotency-replayed"), &again.text), (Some("true"), &made.text));
    app.clock.advance(-hour());

    // a record does not become younger than it was, and its versions go on
    let path = format!("/v1/clients/{}", first.id());
    let changed = app.patch_if(&path, &app.admin, &first.etag(), &json!({ "name": "Changed" })).await.expect(200);
    assert_eq!((changed.etag().as_str(), &changed.body["updated_at"]), ("\"v2\"", &first.body["updated_at"]));
    app.patch_if(&path, &app.admin, &first.etag(), &json!({ "name": "Lost" })).await.expect_problem(412, "stale");
    app.delete(&path, &app.admin).await.expect(204);
    app.act(&format!("{path}/restore"), &app.admin).await.expect(200);
    assert_eq!(app.actions_of(&first.id()).await, ["create", "update", "archive", "restore"]);
    // numbers rise in the order in which things were done, whatever the clock said
    let trail = app.get(&format!("{path}/audit"), &app.admin).await.expect(200).body;
    let mut told = trail["data"].as_array().unwrap().clone();
    told.sort_by_key(|entry| entry["number"].as_i64().unwrap());
    let told: Vec<&str> = told.iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(told, ["create", "update", "archive", "restore"]);
}

/// The journal of a new installation has partitions from its first month on.
#[tokio::test]
async fn what_is_done_with_the_clock_before_the_first_month_of_the_journal_is_journaled_all_the_same() {
    let app = TestApp::spawn().await;
    app.clock.advance(-Duration::days(62));
    let id = app.client(&app.admin, "Long ago").await;
    assert_eq!(app.actions_of(&id).await, ["create"]);
}
