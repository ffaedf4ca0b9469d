//! `POST /v1/auth/login` and `/v1/auth/logout`, and what the journal keeps of them.

use harness::{Answer, PASSWORD, Session, TestApp};
use serde_json::{Value, json};

use super::{events, places_of};

async fn login(app: &TestApp, email: &str, password: &str) -> Answer {
    app.post("/v1/auth/login", &Session::nobody(), &json!({ "email": email, "password": password })).await
}

#[tokio::test]
async fn an_address_that_differs_in_case_only_is_the_same_account() {
    let app = TestApp::spawn().await;
    let signed_in = login(&app, " ADMIN@Example.COM ", PASSWORD).await.expect(200);
    assert_eq!(signed_in.body["user"]["id"], app.admin.user_id);
    assert_eq!((&signed_in.body["token_type"], &signed_in.body["expires_in"]), (&json!("Bearer"), &json!(900)));

    let invite = async |email: &str| app.post("/v1/invitations", &app.admin, &json!({ "email": email, "role": "viewer" })).await;
    invite("Admin@EXAMPLE.com").await.expect_problem(409, "already_member");
    invite("nikos@example.com").await.expect(201);
    invite("NIKOS@example.com").await.expect_problem(409, "already_invited");
    assert_eq!((app.count("invitation").await, app.count("mail_message").await, app.count("user_account").await), (1, 1, 1));
}

#[tokio::test]
async fn an_unknown_account_a_wrong_password_and_one_switched_off_get_the_same_answer() {
    let app = TestApp::spawn().await;
    let off = app.member(&app.admin, "viewer", "off@example.com").await;
    app.patch(&format!("/v1/users/{}", off.user_id), &app.admin, &json!({ "is_active": false })).await.expect(200);
    let sessions = app.count("session").await;
    let seen = |answer: Answer| {
        let answer = answer.expect_problem(401, "invalid_credentials");
        let mut body = answer.body.clone();
        body["request_id"] = Value::Null;
        let mut names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
        names.sort();
        (body, names)
    };
    let wrong = seen(login(&app, "admin@example.com", "wrong-wrong-wrong-1").await);
    assert_eq!(seen(login(&app, "nobody@example.com", "wrong-wrong-wrong-1").await), wrong);
    assert_eq!(seen(login(&app, "off@example.com", PASSWORD).await), wrong);
    assert!(wrong.1.contains(&"www-authenticate".to_owned()));
    assert_eq!(app.count("session").await, sessions);
}

#[tokio::test]
async fn logging_in_failing_to_and_out_are_journaled_without_any_secret() {
    let app = TestApp::spawn().await;
    let before = (events(&app, "user.signed_in").await, events(&app, "user.sign_in_failed").await);
    login(&app, "admin@example.com", "a-password-that-is-wrong-77").await.expect_problem(401, "invalid_credentials");
    login(&app, "nobody@example.com", "a-password-that-is-wrong-77").await.expect_problem(401, "invalid_credentials");
    let tokens = login(&app, "admin@example.com", PASSWORD).await.expect(200).body;
    assert_eq!((events(&app, "user.signed_in").await, events(&app, "user.sign_in_failed").await), (before.0 + 1, before.1 + 2));
    let session = Session::bearer(tokens["access_token"].as_str().unwrap());
    app.act("/v1/auth/logout", &session).await.expect(204);
    assert_eq!(events(&app, "user.signed_out").await, 1);
    let kinds = "SELECT DISTINCT action || ' ' || event FROM journal_entry WHERE action IN ('login', 'logout') ORDER BY 1";
    assert_eq!(app.db.rows(kinds).await, ["login user.sign_in_failed", "login user.signed_in", "logout user.signed_out"]);

    let token = app.token(&app.admin, &["clients.view_all"]).await.token.unwrap();
    app.member(&app.admin, "viewer", "viewer@example.com").await;
    let refresh = tokens["refresh_token"].as_str().unwrap();
    app.post("/v1/auth/refresh", &Session::nobody(), &json!({ "refresh_token": refresh })).await.expect(401);
    let invitation = app.invitation_token("viewer@example.com").await;
    for secret in ["a-password-that-is-wrong-77", refresh, &token, tokens["access_token"].as_str().unwrap(), PASSWORD] {
        assert_eq!(places_of(&app, secret).await, [""; 0], "a secret is in the database");
    }
    // a mail must hold the token that it brings; nothing else does
    assert_eq!(places_of(&app, &invitation).await, ["mail_message.body", "mail_message.html"]);
    assert_eq!(places_of(&app, "$argon2").await, ["credential.hash"]);
    for secret in [refresh, &token, &invitation] {
        let places = places_of(&app, &store::digest(secret.as_bytes())).await;
        assert!(!places.is_empty() && places.iter().all(|place| !place.starts_with("journal")), "{places:?}");
    }
}

#[tokio::test]
async fn signing_out_kills_the_access_token_at_once_and_no_other_session() {
    let app = TestApp::spawn().await;
    let (here, there) = (app.sign_in("admin@example.com").await, app.sign_in("admin@example.com").await);
    app.get("/v1/me", &here).await.expect(200);
    app.act("/v1/auth/logout", &here).await.expect(204);
    app.get("/v1/me", &here).await.expect_problem(401, "unauthenticated");
    app.act("/v1/auth/logout", &here).await.expect_problem(401, "unauthenticated");
    let refresh = json!({ "refresh_token": here.refresh_token });
    app.post("/v1/auth/refresh", &Session::nobody(), &refresh).await.expect_problem(401, "invalid_refresh_token");
    assert_eq!(app.count("session WHERE revoked_because = 'signed_out'").await, 1);
    app.get("/v1/me", &there).await.expect(200);
}

/// A guess for an account that does not exist must cost what one for an account costs: here it takes one of the few places for it.
#[tokio::test]
async fn a_flood_of_logins_for_unknown_accounts_is_told_to_come_back_and_the_rest_goes_on() {
    let app = TestApp::spawn_with(|config| {
        (config.auth.hashing_at_once, config.auth.hashing_cost) = (1, auth::HashingCost::OWASP);
    })
    .await;
    let attempts = (0..80).map(|number| {
        let email = format!("nobody-{number}@example.com");
        let app = &app;
        async move { login(app, &email, "never-right-Φ9").await }
    });
    let (answers, me) = futures::join!(futures::future::join_all(attempts), app.get("/v1/me", &app.admin));
    me.expect(200);
    let (mut refused, mut busy) = (0, 0);
    for answer in answers {
        match answer.status {
            401 => refused += 1,
            _ => {
                busy += 1;
                assert!(answer.expect_problem(503, "sign_in_busy").header("retry-after").is_some());
            }
        }
    }
    assert!(refused > 0 && busy > 0, "{refused} were refused and {busy} told to come back");
    app.get("/v1/clients", &app.admin).await.expect(200);
}

/// Seen to fail with the workspace that the account says is its own.
#[tokio::test]
async fn sign_ins_stand_in_the_trail_of_a_workspace_that_the_account_belongs_to() {
    let app = TestApp::spawn().await;
    let other = app.second_workspace("other").await;
    let main = app.admin.in_workspace("main");
    let nikos = app.member(&main, "viewer", "nikos@example.com").await;
    app.post("/v1/invitations", &other, &json!({ "email": "nikos@example.com", "role": "viewer" })).await.expect(201);
    let accept = json!({ "token": app.invitation_token("nikos@example.com").await });
    app.post("/v1/auth/accept-invitation", &Session::nobody(), &accept).await.expect(200);
    let trail = async |by: &Session, event: &str| {
        let query = format!("/v1/audit?event={event}&limit=200");
        let entries = app.get(&query, by).await.expect(200).body["data"].as_array().unwrap().clone();
        let own = entries
            .into_iter()
            .filter(|entry| [&entry["subject_id"], &entry["record_id"]].into_iter().any(|id| *id == *nikos.user_id.as_str()));
        own.count()
    };
    let seen = async || {
        let mut seen = Vec::new();
        for by in [&main, &other] {
            seen.push((trail(by, "user.signed_in").await, trail(by, "user.sign_in_failed").await));
        }
        seen
    };
    assert_eq!(seen().await, [(1, 0), (0, 0)]);
    // where he belongs no more, though he calls it his own, nobody is to look for him
    app.patch("/v1/me/profile", &nikos, &json!({ "default_workspace_id": app.workspace })).await.expect(200);
    let membership = super::membership_of(&app, &main, &nikos.user_id).await;
    app.delete(&format!("/v1/memberships/{membership}"), &main).await.expect(204);
    login(&app, "nikos@example.com", "wrong-wrong-wrong-1").await.expect(401);
    login(&app, "nikos@example.com", PASSWORD).await.expect(200);
    assert_eq!(seen().await, [(1, 0), (1, 1)]);
    // nor is he out of sight where he says nothing
    app.patch("/v1/me/profile", &nikos.in_workspace("other"), &json!({ "default_workspace_id": null })).await.expect(200);
    login(&app, "nikos@example.com", "wrong-wrong-wrong-1").await.expect(401);
    login(&app, "nikos@example.com", PASSWORD).await.expect(200);
    assert_eq!(seen().await, [(1, 0), (2, 2)]);
}
