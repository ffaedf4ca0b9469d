//! API tokens: what they may, from where, for how long.

use chrono::Duration;
use harness::{Session, TestApp};
use serde_json::json;

use super::{events, places_of};

#[tokio::test]
async fn a_token_with_more_than_its_maker_has_is_refused_by_each_scope() {
    let app = TestApp::spawn().await;
    let director = app.member(&app.admin, "director", "director@example.com").await;
    let body = json!({
        "name": "too much", "scopes": ["clients.view_all", "admin.manage_settings", "clients.fly", "clients.view_all"],
        "networks": ["10.0.0.0/8", "10.0.0.0/99"], "expires_at": "2020-01-01T00:00:00Z",
    });
    let refused = app.post("/v1/tokens", &director, &body).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/expires_at", "/networks/1", "/scopes/1", "/scopes/2", "/scopes/3"]);
    let codes: Vec<_> = refused.body["errors"].as_array().unwrap().iter().map(|error| error["code"].as_str().unwrap()).collect();
    assert!(codes.contains(&"scope_not_held"), "{codes:?}");
    let refused = app.post("/v1/tokens", &director, &json!({ "name": "none", "scopes": [] })).await;
    assert_eq!(refused.expect_problem(422, "validation_failed").pointers(), ["/scopes"]);
    assert_eq!(app.count("api_token").await, 0);

    // a token makes no token that may more than itself
    let token = app.token(&director, &["tokens.manage_own", "clients.view_all"]).await;
    let refused = app.post("/v1/tokens", &token, &json!({ "name": "more", "scopes": ["contacts.view"] })).await;
    assert_eq!(refused.expect_problem(422, "validation_failed").pointers(), ["/scopes/0"]);
    let viewer = app.member(&app.admin, "viewer", "viewer@example.com").await;
    let body = json!({ "name": "mine", "scopes": ["clients.view_all"] });
    app.post("/v1/tokens", &viewer, &body).await.expect_problem(403, "forbidden");
    assert_eq!(app.count("api_token").await, 1);
}

#[tokio::test]
async fn a_token_that_makes_another_gives_it_no_more_networks_and_no_more_time_than_it_has() {
    let app = TestApp::spawn().await;
    let expiry = kernel::Clock::now(&app.clock) + Duration::days(7);
    let body = json!({
        "name": "first", "scopes": ["tokens.manage_own", "clients.view_all"], "networks": ["127.0.0.0/8", "10.0.0.0/8"],
        "expires_at": expiry.to_rfc3339(),
    });
    let made = app.post("/v1/tokens", &app.admin, &body).await.expect(201).body;
    let first = Session::bearer(made["secret"].as_str().unwrap());
    let scopes = json!(["clients.view_all"]);
    let beyond = json!({
        "name": "beyond", "scopes": scopes, "networks": ["10.1.0.0/16", "0.0.0.0/0", "192.0.2.1"],
        "expires_at": (expiry + Duration::seconds(1)).to_rfc3339(),
    });
    let refused = app.post("/v1/tokens", &first, &beyond).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/expires_at", "/networks/1", "/networks/2"]);
    assert_eq!(app.count("api_token").await, 1);
    let within = json!({ "name": "within", "scopes": scopes, "networks": ["127.0.0.1"] });
    let within = app.post("/v1/tokens", &first, &within).await.expect(201).body;
    assert_eq!((&within["networks"], &within["expires_at"]), (&json!(["127.0.0.1/32"]), &made["expires_at"]));
    let silent = app.post("/v1/tokens", &first, &json!({ "name": "silent", "scopes": scopes })).await.expect(201).body;
    assert_eq!((&silent["networks"], &silent["expires_at"]), (&made["networks"], &made["expires_at"]));
}

#[tokio::test]
async fn a_token_works_within_its_scope_only_and_refusals_are_journaled_up_to_ten_a_minute() {
    let app = TestApp::spawn().await;
    let client = app.client(&app.admin, "Seen").await;
    let token = app.token(&app.admin, &["clients.view_all"]).await;
    // whole minutes, so that no window ends in between
    app.clock.advance(Duration::seconds(60 - kernel::Clock::now(&app.clock).timestamp().rem_euclid(60)));
    app.get("/v1/clients", &token).await.expect(200);
    app.get(&format!("/v1/clients/{client}"), &token).await.expect(200);
    let (path, body) = (format!("/v1/clients/{client}"), json!({ "kind": "company", "name": "Unseen" }));
    app.post("/v1/clients", &token, &body).await.expect_problem(403, "forbidden");
    app.patch(&path, &token, &json!({ "name": "Unseen" })).await.expect_problem(403, "forbidden");
    app.delete(&path, &token).await.expect_problem(403, "forbidden");
    app.get("/v1/contacts", &token).await.expect_problem(403, "forbidden");
    app.get("/v1/users", &token).await.expect_problem(403, "forbidden");
    app.post("/v1/tokens", &token, &json!({ "name": "x", "scopes": ["clients.view_all"] }))
        .await
        .expect_problem(403, "forbidden");
    assert_eq!(events(&app, "permission.denied").await, 6);
    for _ in 0..20 {
        app.get("/v1/audit", &token).await.expect_problem(403, "forbidden");
    }
    assert_eq!(events(&app, "permission.denied").await, 10);
    assert_eq!(app.count("journal_entry WHERE action = 'permission_denied' AND actor_kind = 'token'").await, 10);
    let agent = app.member(&app.admin, "sales_agent", "agent@example.com").await;
    app.get("/v1/audit", &agent).await.expect_problem(403, "forbidden");
    assert_eq!(events(&app, "permission.denied").await, 11, "one caller's flood hides no other's");
    app.clock.advance(Duration::minutes(2));
    app.get("/v1/audit", &token).await.expect_problem(403, "forbidden");
    assert_eq!(events(&app, "permission.denied").await, 12);
    assert_eq!(app.db.rows("SELECT name FROM client").await, ["Seen"]);
    // it may see who it is, and has no session to sign out of
    let me = app.get("/v1/me", &token).await.expect(200);
    assert_eq!((&me.body["kind"], &me.body["workspaces"][0]["permissions"]), (&json!("token"), &json!(["clients.view_all"])));
    app.act("/v1/auth/logout", &token).await.expect_problem(409, "no_session");
}

#[tokio::test]
async fn a_token_stops_when_it_expires_is_switched_off_or_deleted_and_elsewhere_than_in_its_networks() {
    let app = TestApp::spawn_with(|config| config.api.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()]).await;
    let make = async |body: serde_json::Value| {
        let made = app.post("/v1/tokens", &app.admin, &body).await.expect(201);
        (made.id(), Session::bearer(made.body["secret"].as_str().unwrap()))
    };
    let scopes = json!(["clients.view_all"]);
    let soon = kernel::Clock::now(&app.clock) + Duration::minutes(5);
    let (_, expiring) = make(json!({ "name": "short", "scopes": scopes, "expires_at": soon })).await;
    let (switched_id, switched) = make(json!({ "name": "off", "scopes": scopes })).await;
    let (deleted_id, deleted) = make(json!({ "name": "gone", "scopes": scopes })).await;
    let (_, bound) = make(json!({ "name": "bound", "scopes": scopes, "networks": ["192.0.2.0/24", "2001:db8::7"] })).await;
    for token in [&expiring, &switched, &deleted] {
        app.get("/v1/clients", token).await.expect(200);
    }
    app.patch(&format!("/v1/tokens/{switched_id}"), &app.admin, &json!({ "is_active": false })).await.expect(200);
    app.delete(&format!("/v1/tokens/{deleted_id}"), &app.admin).await.expect(204);
    app.clock.advance(Duration::minutes(5));
    for token in [&expiring, &switched, &deleted] {
        app.get("/v1/clients", token).await.expect_problem(401, "unauthenticated");
    }

    app.get("/v1/clients", &bound).await.expect_problem(403, "network_not_allowed");
    for (from, status) in [("192.0.2.200", 200), ("192.0.3.1", 403), ("2001:db8::7", 200), ("2001:db8::8", 403)] {
        let request = app.request(reqwest::Method::GET, "/v1/clients", &bound).header("x-forwarded-for", from);
        app.send(request).await.expect(status);
    }
}

#[tokio::test]
async fn the_secret_of_a_token_is_shown_once_kept_nowhere_and_its_use_is_noted() {
    let app = TestApp::spawn().await;
    let body = json!({ "name": "test", "scopes": ["clients.view_all"] });
    let made = app.post_once("/v1/tokens", &app.admin, "key-1", &body).await.expect(201);
    let secret = made.body["secret"].as_str().unwrap();
    assert!(secret.starts_with("plt_") && secret.len() >= 47, "256 bits behind a prefix: {}", secret.len());
    assert!(secret.starts_with(made.body["prefix"].as_str().unwrap()) && made.body["prefix"].as_str().unwrap().len() <= 12);
    assert_eq!(made.body["last_used_at"], json!(null));
    let path = format!("/v1/tokens/{}", made.id());
    for answer in
        [app.get(&path, &app.admin).await, app.get("/v1/tokens", &app.admin).await, app.get("/v1/audit", &app.admin).await]
    {
        let answer = answer.expect(200);
        assert!(!answer.text.contains(secret), "the secret is shown again");
    }
    let replayed = app.post_once("/v1/tokens", &app.admin, "key-1", &body).await.expect(201);
    assert_eq!((replayed.header("idempotency-replayed"), &replayed.body["secret"]), (Some("true"), &json!("***")));
    assert_eq!((replayed.id(), app.count("api_token").await), (made.id(), 1));
    assert_eq!(places_of(&app, secret).await, [""; 0]);
    assert_eq!(places_of(&app, &store::digest(secret.as_bytes())).await, ["api_token.hash"]);

    app.get("/v1/clients", &Session::bearer(secret)).await.expect(200);
    assert!(app.get(&path, &app.admin).await.expect(200).body["last_used_at"].is_string());
    assert_eq!(app.actions_of(&made.id()).await, ["create"], "its use is no change of it");
}
