//! Invitations: the only way in.

use chrono::Duration;
use harness::{Answer, PASSWORD, Session, TestApp};
use serde_json::{Value, json};

async fn accept(app: &TestApp, body: &Value) -> Answer {
    app.post("/v1/auth/accept-invitation", &Session::nobody(), body).await
}

async fn invite(app: &TestApp, by: &Session, email: &str, role: &str) -> Answer {
    let body = json!({ "email": email, "role": role, "given_name": "Nikos", "family_name": "Nikolaou" });
    app.post("/v1/invitations", by, &body).await
}

async fn counts(app: &TestApp) -> [i64; 4] {
    [
        app.count("user_account").await,
        app.count("membership").await,
        app.count("credential").await,
        app.count("journal_entry").await,
    ]
}

#[tokio::test]
async fn an_invitation_works_once_and_not_after_it_expired_or_was_taken_back() {
    let app = TestApp::spawn().await;
    let mut tokens = Vec::new();
    for name in ["used", "expired", "revoked"] {
        let email = format!("{name}@example.com");
        let made = invite(&app, &app.admin, &email, "viewer").await.expect(201);
        tokens.push(json!({ "token": app.invitation_token(&email).await, "password": PASSWORD }));
        assert!(!made.text.contains("pli_"), "the token comes by mail alone: {}", made.text);
        if name == "revoked" {
            app.delete(&format!("/v1/invitations/{}", made.id()), &app.admin).await.expect(204);
            app.delete(&format!("/v1/invitations/{}", made.id()), &app.admin).await;
        }
    }
    let [used, expired, revoked] = &tokens[..] else { panic!() };
    let user = accept(&app, used).await.expect(200);
    assert_eq!((&user.body["email"], &user.body["is_super_admin"]), (&json!("used@example.com"), &json!(false)));
    let before = counts(&app).await;
    for token in [used, revoked, &json!({ "token": "pli_made-up", "password": PASSWORD })] {
        accept(&app, token).await.expect_problem(409, "invalid_invitation");
    }
    app.clock.advance(Duration::days(7) + Duration::seconds(1));
    accept(&app, expired).await.expect_problem(409, "invalid_invitation");
    assert_eq!(counts(&app).await, before);
    assert_eq!(app.count("invitation WHERE accepted_at IS NOT NULL").await, 1);
}

#[tokio::test]
async fn a_new_account_needs_a_name_and_a_good_password_and_the_invitation_waits_until_it_has_both() {
    let app = TestApp::spawn().await;
    app.post("/v1/invitations", &app.admin, &json!({ "email": "eleni@example.com", "role": "viewer" })).await.expect(201);
    let token = app.invitation_token("eleni@example.com").await;
    let before = counts(&app).await;
    let refused = accept(&app, &json!({ "token": token })).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/family_name", "/given_name", "/password"]);
    let refused = accept(&app, &json!({ "token": token, "password": "eleni@EXAMPLE.com", "given_name": " " })).await;
    let refused = refused.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/family_name", "/given_name", "/password"]);
    assert!(!refused.text.to_lowercase().contains("eleni@example"), "{}", refused.text);
    assert_eq!(counts(&app).await, before);

    let body = json!({ "token": token, "password": PASSWORD, "given_name": "Ελένη", "family_name": "Νίκα" });
    let (first, second) = tokio::join!(accept(&app, &body), accept(&app, &body));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{} {}", first.text, second.text);
    assert_eq!((app.count("user_account").await, app.count("membership").await), (2, 2));
}

#[tokio::test]
async fn a_new_account_begins_with_the_time_zone_and_the_language_of_its_workspace() {
    let app = TestApp::spawn().await;
    let place = json!({ "timezone": "Europe/Berlin", "locale": "de" });
    app.patch(&format!("/v1/workspaces/{}", app.workspace), &app.admin, &place).await.expect(200);
    invite(&app, &app.admin, "nikos@example.com", "viewer").await.expect(201);
    let token = app.invitation_token("nikos@example.com").await;
    let user = accept(&app, &json!({ "token": token, "password": PASSWORD })).await.expect(200).body;
    assert_eq!((&user["timezone"], &user["locale"]), (&json!("Europe/Berlin"), &json!("de")));
}

#[tokio::test]
async fn somebody_with_an_account_accepts_with_the_token_alone_and_becomes_a_member_of_both() {
    let app = TestApp::spawn().await;
    let nikos = app.member(&app.admin, "sales_agent", "nikos@example.com").await;
    let other = app.second_workspace("other").await;
    invite(&app, &other, "Nikos@Example.com", "viewer").await.expect(201);
    app.get("/v1/clients", &nikos.in_workspace("other")).await.expect_problem(404, "not_found");
    let before = counts(&app).await;
    let token = app.invitation_token("Nikos@Example.com").await;
    let accepted = accept(&app, &json!({ "token": token })).await.expect(200);
    assert_eq!(accepted.body["id"], nikos.user_id);
    let after = counts(&app).await;
    assert_eq!((after[0], after[1], after[2]), (before[0], before[1] + 1, before[2]));
    app.get("/v1/clients", &nikos.in_workspace("other")).await.expect(200);
    let me = app.get("/v1/me", &nikos).await.expect(200).body;
    let roles: Vec<_> =
        me["workspaces"].as_array().unwrap().iter().map(|place| (place["slug"].as_str(), place["role"].as_str())).collect();
    assert_eq!(roles, [(Some("main"), Some("sales_agent")), (Some("other"), Some("viewer"))]);
    invite(&app, &other, "nikos@example.com", "viewer").await.expect_problem(409, "already_member");
}

#[tokio::test]
async fn nobody_invites_to_a_role_that_allows_more_than_they_have() {
    let app = TestApp::spawn().await;
    let director = app.member(&app.admin, "director", "director@example.com").await;
    let before = (app.count("invitation").await, app.count("mail_message").await);
    invite(&app, &director, "rising@example.com", "super_admin").await.expect_problem(403, "role_too_high");
    let refused = invite(&app, &director, "rising@example.com", "emperor").await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/role"]);
    let refused = invite(&app, &director, "no address", "viewer").await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/email"]);
    assert_eq!((app.count("invitation").await, app.count("mail_message").await), before);
    invite(&app, &director, "equal@example.com", "director").await.expect(201);
    let viewer = app.member(&app.admin, "viewer", "viewer@example.com").await;
    invite(&app, &viewer, "friend@example.com", "viewer").await.expect_problem(403, "forbidden");
}

/// Nobody gives more than they have, on the day on which it is taken.
#[tokio::test]
async fn an_invitation_is_worth_what_whoever_invited_may_still_give() {
    let app = TestApp::spawn().await;
    let nikos = app.member(&app.admin, "super_admin", "nikos@example.com").await;
    let membership = super::membership_of(&app, &app.admin, &nikos.user_id).await;
    let (user, membership) = (format!("/v1/users/{}", nikos.user_id), format!("/v1/memberships/{membership}"));
    invite(&app, &nikos, "friend@example.com", "director").await.expect(201);
    let token = app.invitation_token("friend@example.com").await;
    let take = json!({ "token": token, "password": PASSWORD });
    let before = counts(&app).await;
    app.patch(&membership, &app.admin, &json!({ "role": "viewer" })).await.expect(200);
    accept(&app, &take).await.expect_problem(409, "invalid_invitation");
    app.patch(&membership, &app.admin, &json!({ "role": "super_admin" })).await.expect(200);
    app.patch(&user, &app.admin, &json!({ "is_active": false })).await.expect(200);
    accept(&app, &take).await.expect_problem(409, "invalid_invitation");
    assert_eq!(counts(&app).await[..3], before[..3]);
    app.patch(&user, &app.admin, &json!({ "is_active": true })).await.expect(200);
    accept(&app, &take).await.expect(200);
    // of one who is no member any more
    let nikos = app.sign_in("nikos@example.com").await;
    invite(&app, &nikos, "other@example.com", "viewer").await.expect(201);
    let token = app.invitation_token("other@example.com").await;
    app.delete(&membership, &app.admin).await.expect(204);
    accept(&app, &json!({ "token": token, "password": PASSWORD })).await.expect_problem(409, "invalid_invitation");
    // and it stands in nobody's way
    invite(&app, &app.admin, "other@example.com", "viewer").await.expect(201);
    assert_eq!(app.count("journal_entry WHERE event = 'invitation.revoked'").await, 1);
    invite(&app, &app.admin, "other@example.com", "viewer").await.expect_problem(409, "already_invited");
}

#[tokio::test]
async fn accepting_twice_with_one_idempotency_key_is_answered_twice_and_done_once() {
    let app = TestApp::spawn().await;
    invite(&app, &app.admin, "nikos@example.com", "viewer").await.expect(201);
    let body = json!({ "token": app.invitation_token("nikos@example.com").await, "password": PASSWORD });
    let first = app.post_once("/v1/auth/accept-invitation", &Session::nobody(), "accept-1", &body).await.expect(200);
    let again = app.post_once("/v1/auth/accept-invitation", &Session::nobody(), "accept-1", &body).await.expect(200);
    assert_eq!((again.header("idempotency-replayed"), &again.text), (Some("true"), &first.text));
    assert_eq!((app.count("user_account").await, app.count("membership").await), (2, 2));
}
