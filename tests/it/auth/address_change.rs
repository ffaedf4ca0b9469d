//! Another address for an account, by whoever manages users.

use harness::{Answer, PASSWORD, Session, TestApp};
use serde_json::json;

use super::{events, uuid_sql};
use crate::mail::{until_so, working};

async fn change(app: &TestApp, by: &Session, user: &str, email: &str) -> Answer {
    app.patch(&format!("/v1/users/{user}"), by, &json!({ "email": email })).await
}

async fn login(app: &TestApp, email: &str) -> Answer {
    app.post("/v1/auth/login", &Session::nobody(), &json!({ "email": email, "password": PASSWORD })).await
}

/// To whom it was told, and whether the mail says who did it and what the address is now.
async fn told(app: &TestApp) -> Vec<String> {
    let sql = "SELECT to_address || CASE WHEN body LIKE '%Ada Admin%' AND body LIKE '%Nikos.New@example.com%' THEN ' so' ELSE '' END \
               FROM mail_message WHERE kind = 'address_changed' ORDER BY 1";
    app.db.rows(sql).await
}

/// Seen to fail with a token that sets a password still, and with the password that was.
#[tokio::test]
async fn another_address_ends_sessions_and_tokens_for_passwords_and_both_addresses_are_told() {
    let app = working(|_| {}).await;
    let nikos = app.member(&app.admin, "viewer", "nikos@example.com").await;
    let asked = json!({ "email": "nikos@example.com" });
    app.post("/v1/auth/forgot-password", &Session::nobody(), &asked).await.expect(202);
    until_so("the token is there", async || app.count("password_reset").await == 1).await;
    let token = app.token_in_mail("nikos@example.com", "plp_").await;

    let changed = change(&app, &app.admin, &nikos.user_id, "Nikos.New@example.com").await.expect(200);
    assert_eq!(changed.body["email"], "Nikos.New@example.com");
    app.get("/v1/me", &nikos).await.expect_problem(401, "unauthenticated");
    let refresh = json!({ "refresh_token": nikos.refresh_token });
    app.post("/v1/auth/refresh", &Session::nobody(), &refresh).await.expect_problem(401, "invalid_refresh_token");
    assert_eq!(app.count("session WHERE revoked_because = 'address_changed'").await, 1);
    let reset = json!({ "token": token, "password": "seven grey owls nod twice" });
    app.post("/v1/auth/reset-password", &Session::nobody(), &reset).await.expect_problem(409, "invalid_reset_token");
    assert_eq!(told(&app).await, ["Nikos.New@example.com so", "nikos@example.com so"]);
    assert_eq!(app.count("mail_message WHERE kind = 'address_changed' AND workspace_id IS NULL").await, 0);

    for address in ["nikos@example.com", "nikos.new@EXAMPLE.com"] {
        login(&app, address).await.expect_problem(401, "invalid_credentials");
    }
    // who reads the mail at the new address sets a password, and nobody else
    let asked = json!({ "email": "nikos.new@example.com" });
    app.post("/v1/auth/forgot-password", &Session::nobody(), &asked).await.expect(202);
    until_so("the token is there", async || app.count("password_reset").await == 1).await;
    let token = app.token_in_mail("Nikos.New@example.com", "plp_").await;
    let reset = json!({ "token": token, "password": PASSWORD });
    app.post("/v1/auth/reset-password", &Session::nobody(), &reset).await.expect(204);
    let back = login(&app, "nikos.new@EXAMPLE.com").await.expect(200);
    assert_eq!(back.body["user"]["id"], nikos.user_id);
    // an address is personal to the journal, and stands on that side alone
    assert_eq!(events(&app, "user.address_changed").await, 1);
    let of_change =
        format!("journal_entry WHERE event = 'user.address_changed' AND record_id = {}", uuid_sql(&app, &nikos.user_id));
    let open = format!("{of_change} AND CAST(changes AS text) LIKE '%example.com%'");
    assert_eq!((app.count(&of_change).await, app.count(&open).await), (1, 0));
}

/// Seen to fail where other letters of an address make it another.
#[tokio::test]
async fn the_same_address_changes_nothing_and_other_letters_of_it_end_nothing() {
    let app = TestApp::spawn().await;
    let nikos = app.member(&app.admin, "viewer", "nikos@example.com").await;
    let entries = app.count("journal_entry").await;
    change(&app, &app.admin, &nikos.user_id, "nikos@example.com").await.expect(200);
    assert_eq!(app.count("journal_entry").await, entries);
    let changed = change(&app, &app.admin, &nikos.user_id, "Nikos@Example.com").await.expect(200);
    assert_eq!(changed.body["email"], "Nikos@Example.com");
    app.get("/v1/me", &nikos).await.expect(200);
    assert_eq!(app.count("mail_message WHERE kind = 'address_changed'").await, 0);
}

/// Seen to fail with a token let through.
#[tokio::test]
async fn an_address_is_nobody_elses_and_is_changed_by_one_who_is_signed_in_and_may_as_much() {
    let app = TestApp::spawn().await;
    let other = app.second_workspace("other").await;
    let admin = app.admin.in_workspace("main");
    let nikos = app.member(&admin, "viewer", "nikos@example.com").await;
    let director = app.member(&admin, "director", "director@example.com").await;
    let agent = app.member(&admin, "sales_agent", "agent@example.com").await;
    app.member(&other, "viewer", "elsewhere@example.com").await;
    let entries = app.count("journal_entry").await;
    for taken in ["DIRECTOR@example.com", "elsewhere@example.com"] {
        let refused = change(&app, &director, &nikos.user_id, taken).await.expect_problem(409, "address_taken");
        assert_eq!(refused.pointers(), ["/email"]);
    }
    let refused = change(&app, &director, &nikos.user_id, "no address").await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/email"]);
    assert_eq!(app.count("journal_entry").await, entries);
    // a token that may as much as the account, too
    app.role(&admin, "helper", &["tokens.manage_own"]).await;
    let helper = app.member(&admin, "helper", "helper@example.com").await;
    let token = app.token(&director, &["admin.manage_users", "tokens.manage_own"]).await;
    app.patch(&format!("/v1/users/{}", helper.user_id), &token, &json!({ "phone": "210" })).await.expect(200);
    change(&app, &token, &helper.user_id, "new@example.com").await.expect_problem(403, "sign_in_needed");
    change(&app, &agent, &nikos.user_id, "new@example.com").await.expect_problem(403, "forbidden");
    change(&app, &director, &app.admin.user_id, "new@example.com").await.expect_problem(403, "role_too_high");
    assert_eq!(app.count("user_account WHERE email LIKE 'new@%'").await, 0);

    // one of two workspaces is changed by the installation alone, and told also where it is switched off
    app.post("/v1/invitations", &other, &json!({ "email": "nikos@example.com", "role": "viewer" })).await.expect(201);
    let invited = app.invitation_token("nikos@example.com").await;
    app.post("/v1/auth/accept-invitation", &Session::nobody(), &json!({ "token": invited })).await.expect(200);
    change(&app, &director, &nikos.user_id, "new@example.com").await.expect_problem(403, "shared_account");
    let body = json!({ "email": "new@example.com", "is_active": false });
    app.patch(&format!("/v1/users/{}", nikos.user_id), &admin, &body).await.expect(200);
    assert_eq!(app.count("mail_message WHERE kind = 'address_changed'").await, 2);
}
