//! API tokens: what they may, from where, for how long.

use chrono::Duration;
use harness::{Session, TestApp};
use serde_json::json;

use super::{events, places_of};
use crate::faults::program::Program;

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

/// The secret of a token that is made with a body.
async fn made(app: &TestApp, by: &Session, body: &serde_json::Value) -> (String, Session) {
    let made = app.post("/v1/tokens", by, body).await.expect(201);
    (made.id(), Session::bearer(made.body["secret"].as_str().unwrap()))
}

/// Seen to fail with the old secret left in place, and with its end left out where the token was remembered.
#[tokio::test]
async fn a_token_gets_another_secret_and_the_one_before_ends_at_once_or_when_its_hours_are_over() {
    let app = TestApp::spawn().await;
    let expiry = kernel::Clock::now(&app.clock) + Duration::days(2);
    let scopes = json!(["clients.view_all"]);
    let body = json!({ "name": "export", "scopes": scopes, "networks": ["127.0.0.0/8"], "expires_at": expiry.to_rfc3339() });
    let (id, first) = made(&app, &app.admin, &body).await;
    let before = app.get(&format!("/v1/tokens/{id}"), &app.admin).await.expect(200);
    app.get("/v1/clients", &first).await.expect(200);
    let path = format!("/v1/tokens/{id}/rotate");
    for wrong in [json!({ "overlap_hours": 169 }), json!({ "overlap_hours": -1 }), json!({ "overlap_hours": null })] {
        let refused = app.post(&path, &app.admin, &wrong).await.expect_problem(422, "validation_failed");
        assert_eq!(refused.pointers(), ["/overlap_hours"]);
    }
    let stale = app.request(reqwest::Method::POST, &path, &app.admin).header("if-match", "\"v9\"").json(&json!({}));
    app.send(stale).await.expect_problem(412, "stale");
    app.get("/v1/clients", &first).await.expect(200);

    let rotated = app.post_once(&path, &app.admin, "again", &json!({})).await.expect(200);
    let second = Session::bearer(rotated.body["secret"].as_str().unwrap());
    app.get("/v1/clients", &first).await.expect_problem(401, "unauthenticated");
    app.get("/v1/clients", &second).await.expect(200);
    for same in ["id", "name", "scopes", "networks", "expires_at", "is_active"] {
        assert_eq!(rotated.body[same], before.body[same], "{same}");
    }
    assert_eq!((&rotated.body["old_secret_ends_at"], app.count("api_token").await), (&json!(null), 1));
    let replayed = app.post_once(&path, &app.admin, "again", &json!({})).await.expect(200);
    assert_eq!(replayed.body["secret"], "***");
    app.get("/v1/clients", &second).await.expect(200);

    // of those before, the last one alone goes on
    let third = app.post(&path, &app.admin, &json!({ "overlap_hours": 24 })).await.expect(200);
    let third = Session::bearer(third.body["secret"].as_str().unwrap());
    app.get("/v1/clients", &second).await.expect(200);
    let fourth = app.post(&path, &app.admin, &json!({ "overlap_hours": 1 })).await.expect(200);
    let ends = (kernel::Clock::now(&app.clock) + Duration::hours(1)).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    assert!(fourth.body["old_secret_ends_at"].as_str().unwrap().starts_with(ends.trim_end_matches("Z")), "{}", fourth.text);
    let fourth = Session::bearer(fourth.body["secret"].as_str().unwrap());
    app.get("/v1/clients", &second).await.expect_problem(401, "unauthenticated");
    app.clock.advance(Duration::minutes(59));
    app.get("/v1/clients", &third).await.expect(200);
    app.clock.advance(Duration::minutes(1));
    // nor is it let in by what is remembered of it
    app.get("/v1/clients", &third).await.expect_problem(401, "unauthenticated");
    app.get("/v1/clients", &fourth).await.expect(200);

    // a secret from before never goes on for longer than the token
    let admin = app.sign_in("admin@example.com").await;
    let fifth = app.post(&path, &admin, &json!({ "overlap_hours": 168 })).await.expect(200);
    let fifth = Session::bearer(fifth.body["secret"].as_str().unwrap());
    app.get("/v1/clients", &fourth).await.expect(200);
    app.clock.advance(Duration::days(2));
    let admin = app.sign_in("admin@example.com").await;
    for token in [&fourth, &fifth] {
        app.get("/v1/clients", token).await.expect_problem(401, "unauthenticated");
    }
    app.post(&path, &admin, &json!({})).await.expect_problem(409, "token_ended");
    let (off, _) = made(&app, &admin, &json!({ "name": "off", "scopes": scopes })).await;
    app.patch(&format!("/v1/tokens/{off}"), &admin, &json!({ "is_active": false })).await.expect(200);
    app.post(&format!("/v1/tokens/{off}/rotate"), &admin, &json!({})).await.expect_problem(409, "token_ended");

    assert_eq!(events(&app, "api_token.rotated").await, 4);
    for secret in [&second, &fifth] {
        let secret = secret.token.as_deref().unwrap();
        assert_eq!(places_of(&app, secret).await, [""; 0]);
        assert!(!app.get("/v1/audit?limit=200", &admin).await.expect(200).text.contains(secret));
    }
}

/// A token acts as its maker, and `view_own` is what is its maker's. Seen to fail with the maker not asked for, and with tokens let in.
#[tokio::test]
async fn the_secret_of_a_token_is_for_its_maker_alone_and_for_no_token() {
    let app = TestApp::spawn().await;
    let keeper = ["admin.manage_tokens", "tokens.manage_own", "clients.view_own", "clients.edit"];
    app.role(&app.admin, "keeper", &keeper).await;
    let keeper = app.member(&app.admin, "keeper", "keeper@example.com").await;
    let director = app.member(&app.admin, "director", "director@example.com").await;
    let body = json!({ "name": "own", "scopes": ["clients.view_own", "clients.edit", "tokens.manage_own"] });
    let (id, secret) = made(&app, &director, &body).await;
    let rotate = format!("/v1/tokens/{id}/rotate");
    // the keeper holds all that it may, and would see what is the director's
    app.post(&rotate, &keeper, &json!({})).await.expect_problem(403, "token_of_another");
    app.post(&rotate, &app.admin, &json!({})).await.expect_problem(403, "token_of_another");
    // whoever does not manage the tokens of others does not see them
    let other = app.member(&app.admin, "director", "other@example.com").await;
    app.post(&rotate, &other, &json!({})).await.expect_problem(404, "not_found");
    app.get(&format!("/v1/tokens/{id}/usage"), &other).await.expect_problem(404, "not_found");
    // nor does it renew itself, or another of its maker's
    app.post(&rotate, &secret, &json!({})).await.expect_problem(403, "sign_in_needed");
    let (another, _) = made(&app, &director, &json!({ "name": "another", "scopes": ["clients.view_own"] })).await;
    app.post(&format!("/v1/tokens/{another}/rotate"), &secret, &json!({})).await.expect_problem(403, "sign_in_needed");
    app.get("/v1/clients", &secret).await.expect(200);
    // the keeper switches it off
    app.patch(&format!("/v1/tokens/{id}"), &keeper, &json!({ "is_active": false })).await.expect(200);
    app.get("/v1/clients", &secret).await.expect_problem(401, "unauthenticated");
    // one who has lost a right since may still change the secret of what is their own
    let membership = super::membership_of(&app, &app.admin, &director.user_id).await;
    app.role(&app.admin, "lesser", &["tokens.manage_own"]).await;
    app.patch(&format!("/v1/memberships/{membership}"), &app.admin, &json!({ "role": "lesser" })).await.expect(200);
    let rotated = app.post(&format!("/v1/tokens/{another}/rotate"), &director, &json!({})).await.expect(200);
    app.get("/v1/clients", &Session::bearer(rotated.body["secret"].as_str().unwrap())).await.expect_problem(403, "forbidden");
}

/// Seen to fail with a write for each request (the count of writes), and with counts that are written over instead of added.
#[tokio::test]
async fn how_often_a_token_is_used_is_counted_by_day_on_all_nodes_and_written_once_a_minute() {
    let app = TestApp::spawn_with(|config| config.api.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()]).await;
    app.clock.advance_to_a_minute();
    let (id, token) = made(&app, &app.admin, &json!({ "name": "export", "scopes": ["clients.view_all"] })).await;
    let path = format!("/v1/tokens/{id}/usage");
    let unused = app.get(&path, &app.admin).await.expect(200);
    assert_eq!(
        (&unused.body["last_used_at"], &unused.body["last_used_from"], &unused.body["uses"]),
        (&json!(null), &json!(null), &json!(0))
    );
    assert_eq!(unused.body["days"].as_array().unwrap().len(), 30);
    let used = async |from: &str, status: u16| {
        let request = app.request(reqwest::Method::GET, "/v1/clients", &token).header("x-forwarded-for", from);
        app.send(request).await.expect(status);
    };
    let written = || app.count("api_token_usage WHERE uses = 1");
    for from in ["192.0.2.1", "192.0.2.2", "192.0.2.3"] {
        used(from, 200).await;
    }
    // the first is written at once; those of the same minute wait for each other
    assert_eq!(written().await, 1);
    app.clock.advance(Duration::minutes(1));
    used("192.0.2.4", 200).await;
    let today = |body: &serde_json::Value| body["days"][29]["uses"].as_i64().unwrap();
    let seen = app.get(&path, &app.admin).await.expect(200).body;
    assert_eq!((today(&seen), &seen["uses"], &seen["last_used_from"]), (4, &json!(4), &json!("192.0.2.4")));
    let at: kernel::DateTime = seen["last_used_at"].as_str().unwrap().parse().unwrap();
    assert!((kernel::Clock::now(&app.clock) - at).num_seconds() < 5);

    // another node adds its own, also one whose last use was before
    let node = app.auth(app.store().await).await;
    let origin = kernel::Origin { ip: Some("192.0.2.9".parse().unwrap()), ..kernel::Origin::default() };
    for _ in 0..2 {
        node.identify(token.token.as_deref().unwrap(), &origin).await.unwrap();
    }
    node.write_uses().await;
    let seen = app.get(&path, &app.admin).await.expect(200).body;
    assert_eq!((today(&seen), &seen["last_used_from"]), (6, &json!("192.0.2.9")));

    // the next day has a count of its own, and what is refused for another reason than the token was a use of it
    app.clock.advance(Duration::days(1));
    let admin = app.sign_in("admin@example.com").await;
    let request = app.request(reqwest::Method::GET, "/v1/users", &token).header("x-forwarded-for", "192.0.2.5");
    app.send(request).await.expect(403);
    let seen = app.get(&path, &admin).await.expect(200).body;
    assert_eq!((today(&seen), seen["days"][28]["uses"].as_i64(), &seen["uses"]), (1, Some(6), &json!(7)));
    // a token that is deleted takes its counts with it, and what was not written yet goes nowhere
    used("192.0.2.5", 200).await;
    app.delete(&format!("/v1/tokens/{id}"), &admin).await.expect(204);
    assert_eq!(app.count("api_token_usage").await, 0);
    app.clock.advance(Duration::minutes(2));
    let (_, next) = made(&app, &admin, &json!({ "name": "next", "scopes": ["clients.view_all"] })).await;
    app.get("/v1/clients", &next).await.expect(200);
    assert_eq!(app.db.rows("SELECT CAST(uses AS text) FROM api_token_usage").await, ["1"]);
}

/// Seen to fail where the server stops without writing down what it has counted.
#[tokio::test]
async fn what_a_server_has_counted_is_written_down_when_it_is_asked_to_stop() {
    let folder = tempfile::TempDir::new().unwrap();
    let db = harness::Database::fresh(&folder).await;
    let mut program = Program::on(&db, &[]).await;
    let made = program.post("/v1/tokens", &json!({ "name": "export", "scopes": ["clients.view_all"] })).await.expect(201);
    let admin = std::mem::replace(&mut program.token, made.body["secret"].as_str().unwrap().to_owned());
    for _ in 0..5 {
        program.get("/v1/clients").await.expect(200);
    }
    let pid = program.pid().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    crate::mail::until_so("the server has stopped", async || db.count("api_token_usage WHERE uses = 5").await == 1).await;
    program.kill();
    program.start();
    program.token = admin;
    let usage = program.get(&format!("/v1/tokens/{}/usage", made.id())).await.expect(200);
    assert_eq!(usage.body["uses"], 5);
}
