//! Signing in with a second factor.

use chrono::Duration;
use harness::{Answer, PASSWORD, Session, TestApp};
use kernel::Clock as _;
use serde_json::{Value, json};
use totp_rs::Totp;

async fn sign_in(app: &TestApp, code: Option<&str>) -> Answer {
    let mut login = json!({ "email": "nikos@example.com", "password": PASSWORD, "kind": "app" });
    if let Some(code) = code {
        login["code"] = json!(code);
    }
    app.post("/v1/auth/login", &Session::nobody(), &login).await
}

/// The code of this moment, or of so many steps later.
fn code(app: &TestApp, totp: &Totp, steps: i64) -> String {
    let at = app.clock.now().timestamp() + 30 * steps;
    totp.generate(at.unsigned_abs()).to_string()
}

/// Moves time on to where a step of the codes begins, so that none ends while it is used.
fn to_a_step(app: &TestApp) {
    app.clock.advance_to_a_minute();
}

/// Nikos with a second factor: his session, what his app holds, and the recovery codes.
async fn enabled(app: &TestApp) -> (Session, Totp, Vec<String>) {
    let nikos = app.member(&app.admin, "viewer", "nikos@example.com").await;
    let password = json!({ "password": PASSWORD });
    let begun = app.post("/v1/me/second-factor", &nikos, &password).await.expect(200);
    let totp = Totp::from_url(begun.body["otpauth_url"].as_str().unwrap()).unwrap();
    assert_eq!(totp.secret().to_base32(), begun.body["secret"].as_str().unwrap());
    to_a_step(app);
    let first = json!({ "code": code(app, &totp, 0) });
    let confirmed = app.post("/v1/me/second-factor/confirm", &nikos, &first).await.expect(200);
    (nikos, totp, serde_json::from_value(confirmed.body["recovery_codes"].clone()).unwrap())
}

#[tokio::test]
async fn whoever_has_switched_it_on_signs_in_with_a_code_and_with_each_code_once() {
    let app = TestApp::spawn_with(|config| config.auth.login_attempts = 100).await;
    let (nikos, totp, recovery) = enabled(&app).await;
    assert_eq!(recovery.len(), 10);
    let seen = app.get("/v1/me/second-factor", &nikos).await.expect(200);
    assert_eq!((&seen.body["is_on"], &seen.body["recovery_codes_left"]), (&json!(true), &json!(10)));
    sign_in(&app, None).await.expect_problem(401, "second_factor_required");
    // the code that switched it on was used
    sign_in(&app, Some(&code(&app, &totp, 0))).await.expect_problem(401, "invalid_second_factor");
    let next = code(&app, &totp, 1);
    let (three, more) = next.split_at(3);
    sign_in(&app, Some(&format!("{three} {more}"))).await.expect(200);
    sign_in(&app, Some(&next)).await.expect_problem(401, "invalid_second_factor");
    // nor one of before
    sign_in(&app, Some(&code(&app, &totp, 0))).await.expect_problem(401, "invalid_second_factor");
    app.clock.advance(Duration::minutes(20));
    to_a_step(&app);
    sign_in(&app, Some(&code(&app, &totp, -2))).await.expect_problem(401, "invalid_second_factor");
    sign_in(&app, Some(&code(&app, &totp, 2))).await.expect_problem(401, "invalid_second_factor");
    sign_in(&app, Some(&code(&app, &totp, -1))).await.expect(200);
    let wrong = json!({ "email": "nikos@example.com", "password": "another-one-77-boats", "code": code(&app, &totp, 0) });
    app.post("/v1/auth/login", &Session::nobody(), &wrong).await.expect_problem(401, "invalid_credentials");
    // what was tried is journaled
    let id = app.db.uuid(&nikos.user_id);
    let failed = format!("journal_entry WHERE record_id = {id} AND event = 'user.sign_in_failed'");
    assert_eq!(app.count(&failed).await, 6);
    // and nothing of it lies open
    for secret in [recovery[0].replace('-', ""), totp.secret().to_base32()] {
        assert_eq!(super::places_of(&app, &secret).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_recovery_code_stands_in_once_and_new_ones_end_the_old() {
    let app = TestApp::spawn().await;
    let (nikos, totp, recovery) = enabled(&app).await;
    sign_in(&app, Some(&recovery[0])).await.expect(200);
    // whoever reads the trail sees what came in the place of the app
    let sign_ins = app.get("/v1/audit?event=user.signed_in&limit=200", &app.admin).await.expect(200).body;
    let means = |code: &str| json!({ "to": code });
    assert_eq!(sign_ins["data"][0]["changes"]["second_factor"], means("recovery_code"), "{sign_ins}");
    sign_in(&app, Some(&recovery[0])).await.expect_problem(401, "invalid_second_factor");
    sign_in(&app, Some(&recovery[1].to_uppercase().replace('-', " "))).await.expect(200);
    let seen = app.get("/v1/me/second-factor", &nikos).await.expect(200);
    assert_eq!(seen.body["recovery_codes_left"], 8);
    let path = "/v1/me/second-factor/recovery-codes";
    let refused = app.post(path, &nikos, &json!({ "password": "not mine at all 9" })).await;
    assert_eq!(refused.expect_problem(422, "validation_failed").pointers(), ["/password"]);
    let renewed = app.post(path, &nikos, &json!({ "password": PASSWORD })).await.expect(200);
    sign_in(&app, Some(&recovery[2])).await.expect_problem(401, "invalid_second_factor");
    sign_in(&app, renewed.body["recovery_codes"][0].as_str()).await.expect(200);
    sign_in(&app, Some(&self::code(&app, &totp, 1))).await.expect(200);
    let sign_ins = app.get("/v1/audit?event=user.signed_in&limit=1", &app.admin).await.expect(200).body;
    assert_eq!(sign_ins["data"][0]["changes"]["second_factor"], means("app"), "{sign_ins}");
    // of two at once with one code one is let in
    let code = renewed.body["recovery_codes"][1].as_str();
    let (one, other) = tokio::join!(sign_in(&app, code), sign_in(&app, code));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401], "{} {}", one.text, other.text);
    assert_eq!(app.count("recovery_code WHERE used_at IS NOT NULL").await, 2);
}

#[tokio::test]
async fn of_two_who_send_one_code_of_the_app_at_once_one_is_let_in() {
    let app = TestApp::spawn().await;
    let (_, totp, _) = enabled(&app).await;
    to_a_step(&app);
    let now = code(&app, &totp, 0);
    let (one, other) = tokio::join!(sign_in(&app, Some(&now)), sign_in(&app, Some(&now)));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401], "{} {}", one.text, other.text);
}

#[tokio::test]
async fn whoever_tries_codes_is_locked_out_from_wherever_they_come() {
    let app = TestApp::spawn_with(|config| config.auth.login_attempts = 1000).await;
    let (_, totp, _) = enabled(&app).await;
    to_a_step(&app);
    let mut tried = Vec::new();
    for _ in 0..11 {
        let answer = sign_in(&app, Some("no such code")).await;
        tried.push((answer.status, answer.code().to_owned()));
    }
    let locked = tried.iter().position(|(status, code)| (*status, code.as_str()) == (429, "locked_out"));
    assert_eq!(locked, Some(10), "{tried:?}");
    sign_in(&app, Some(&code(&app, &totp, 0))).await.expect_problem(429, "locked_out");
    app.clock.advance(Duration::minutes(31));
    to_a_step(&app);
    sign_in(&app, Some(&code(&app, &totp, 0))).await.expect(200);
}

#[tokio::test]
async fn whoever_has_the_right_code_each_time_signs_in_as_often_as_they_like() {
    let app = TestApp::spawn_with(|config| config.auth.login_attempts = 1000).await;
    let (_, totp, _) = enabled(&app).await;
    for _ in 0..12 {
        to_a_step(&app);
        sign_in(&app, Some(&code(&app, &totp, 0))).await.expect(200);
    }
}

#[tokio::test]
async fn it_is_switched_on_with_the_password_and_a_code_and_off_with_both() {
    let app = TestApp::spawn().await;
    let nikos = app.member(&app.admin, "viewer", "nikos@example.com").await;
    let path = "/v1/me/second-factor";
    let off = app.get(path, &nikos).await.expect(200);
    assert_eq!(off.body, json!({ "is_on": false, "is_required": false, "confirmed_at": null, "recovery_codes_left": 0 }));
    let first = json!({ "code": "123456" });
    app.post(&format!("{path}/confirm"), &nikos, &first).await.expect_problem(409, "second_factor_off");
    let refused = app.post(path, &nikos, &json!({ "password": "not mine at all 9" })).await;
    assert_eq!(refused.expect_problem(422, "validation_failed").pointers(), ["/password"]);
    let begun = app.post(path, &nikos, &json!({ "password": PASSWORD })).await.expect(200);
    // what was begun asks nothing of anybody, and is begun anew
    sign_in(&app, None).await.expect(200);
    let again = app.post(path, &nikos, &json!({ "password": PASSWORD })).await.expect(200);
    assert_ne!(again.body["secret"], begun.body["secret"]);
    let [old, totp] = [&begun, &again].map(|begun| Totp::from_url(begun.body["otpauth_url"].as_str().unwrap()).unwrap());
    to_a_step(&app);
    let wrong = json!({ "code": code(&app, &old, 0) });
    let refused = app.post(&format!("{path}/confirm"), &nikos, &wrong).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/code"]);
    let right = json!({ "code": code(&app, &totp, 0) });
    let elsewhere = sign_in(&app, None).await.expect(200);
    let confirmed = app.post(&format!("{path}/confirm"), &nikos, &right).await.expect(200);
    // whoever came in without a code is out
    let elsewhere = Session::bearer(elsewhere.body["access_token"].as_str().unwrap());
    app.get("/v1/me", &elsewhere).await.expect_problem(401, "unauthenticated");
    app.post(&format!("{path}/confirm"), &nikos, &right).await.expect_problem(409, "second_factor_on");
    app.post(path, &nikos, &json!({ "password": PASSWORD })).await.expect_problem(409, "second_factor_on");

    let disable = format!("{path}/disable");
    let codes = confirmed.body["recovery_codes"].as_array().unwrap();
    let body = |password: &str, code: &Value| json!({ "password": password, "code": code });
    app.post(&disable, &nikos, &body("not mine at all 9", &codes[0])).await.expect_problem(422, "validation_failed");
    let refused = app.post(&disable, &nikos, &body(PASSWORD, &json!("no such code"))).await;
    assert_eq!(refused.expect_problem(422, "validation_failed").pointers(), ["/code"]);
    app.post(&disable, &nikos, &body(PASSWORD, &codes[0])).await.expect(204);
    sign_in(&app, None).await.expect(200);
    assert_eq!((app.count("second_factor").await, app.count("recovery_code").await), (0, 0));
    let id = app.db.uuid(&nikos.user_id);
    let events =
        format!("SELECT event FROM journal_entry WHERE subject_id = {id} AND record_type = 'second_factor' ORDER BY number");
    let events = app.db.rows(&events).await;
    assert_eq!(events.last().unwrap(), "user.second_factor_disabled");
    // its owner did it, and whoever audits sees it
    let trail = app.get("/v1/me/audit?limit=200", &nikos).await.expect(200);
    assert!(trail.text.contains("user.second_factor_disabled"), "{}", trail.text);
    let trail = app.get("/v1/audit?limit=200", &app.admin).await.expect(200);
    assert!(trail.text.contains("user.second_factor_disabled"), "{}", trail.text);
    assert_eq!(events.iter().filter(|event| *event == "user.second_factor_enabled").count(), 1, "{events:?}");
    // a token neither has one nor makes one
    let token = app.token(&app.admin, &["clients.view_all"]).await;
    app.get(path, &token).await.expect_problem(403, "sign_in_needed");
    app.post(path, &token, &json!({ "password": PASSWORD })).await.expect_problem(403, "sign_in_needed");
}

#[tokio::test]
async fn a_workspace_asks_it_of_a_role_and_whoever_lacks_it_can_do_nothing_there_but_switch_it_on() {
    let app = TestApp::spawn().await;
    let other = app.second_workspace("other").await;
    let main = app.admin.in_workspace("main");
    let nikos = app.member(&main, "viewer", "nikos@example.com").await;
    let token = app.token(&main, &["clients.view_all"]).await;
    let invitation = json!({ "email": "nikos@example.com", "role": "viewer" });
    app.post("/v1/invitations", &other, &invitation).await.expect(201);
    let accept = json!({ "token": app.invitation_token("nikos@example.com").await });
    app.post("/v1/auth/accept-invitation", &Session::nobody(), &accept).await.expect(200);
    let path = format!("/v1/workspaces/{}", app.workspace);
    let unknown = json!({ "settings": { "second_factor_roles": ["viewer", "captain"] } });
    let refused = app.patch(&path, &main, &unknown).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/settings/second_factor_roles/1"]);
    let asked = json!({ "settings": { "second_factor_roles": ["viewer"] } });
    app.patch(&path, &main, &asked).await.expect(200);

    let here = nikos.in_workspace("main");
    app.get("/v1/clients", &here).await.expect_problem(403, "second_factor_needed");
    app.get("/v1/teams", &here).await.expect_problem(403, "second_factor_needed");
    app.get("/v1/me", &here).await.expect(200);
    assert_eq!(app.get("/v1/me/second-factor", &here).await.expect(200).body["is_required"], true);
    // elsewhere nobody asks, nor of others here, nor of what signs in to nothing
    app.get("/v1/clients", &nikos.in_workspace("other")).await.expect(200);
    app.get("/v1/clients", &main).await.expect(200);
    app.get("/v1/clients", &token).await.expect(200);

    let begun = app.post("/v1/me/second-factor", &here, &json!({ "password": PASSWORD })).await.expect(200);
    app.get("/v1/clients", &here).await.expect_problem(403, "second_factor_needed");
    let totp = Totp::from_url(begun.body["otpauth_url"].as_str().unwrap()).unwrap();
    to_a_step(&app);
    let first = json!({ "code": code(&app, &totp, 0) });
    app.post("/v1/me/second-factor/confirm", &here, &first).await.expect(200);
    app.get("/v1/clients", &here).await.expect(200);

    // who has lost it is helped by whoever manages users and may as much
    let director = app.member(&main, "director", "director@example.com").await;
    let reset = format!("/v1/users/{}/second-factor/reset", nikos.user_id);
    app.act(&reset, &nikos.in_workspace("other")).await.expect_problem(403, "forbidden");
    // but not of one whom other workspaces know too: that is the installation's to decide, as is switching the account off
    app.act(&reset, &director).await.expect_problem(403, "shared_account");
    let managing = app.token(&main, &["admin.manage_users"]).await;
    app.act(&reset, &managing).await.expect_problem(403, "sign_in_needed");
    app.act(&reset, &main).await.expect(204);
    app.act(&reset, &main).await.expect_problem(409, "second_factor_off");
    // the telephone that is lost goes out too
    app.get("/v1/me", &here).await.expect_problem(401, "unauthenticated");
    let back = sign_in(&app, None).await.expect(200);
    let back = Session::bearer(back.body["access_token"].as_str().unwrap());
    app.get("/v1/clients", &back.in_workspace("main")).await.expect_problem(403, "second_factor_needed");
    app.get("/v1/workspaces", &back).await.expect_problem(403, "second_factor_needed");
    // nor does anybody take their own by the right to manage users
    let own = format!("/v1/users/{}/second-factor/reset", director.user_id);
    app.act(&own, &director).await.expect_problem(409, "own_second_factor");
}

/// The mails of an account about its second factor, oldest first, as kind and whether a text stands in each.
async fn letters(app: &TestApp, holds: &str) -> Vec<String> {
    let sql = format!(
        "SELECT kind || ' ' || CASE WHEN body LIKE '%{holds}%' THEN 'so' ELSE 'not' END FROM mail_message \
         WHERE to_address = 'nikos@example.com' AND kind LIKE 'second_factor_%' ORDER BY created_at, id"
    );
    app.db.rows(&sql).await
}

/// Seen to fail with each of the three left out.
#[tokio::test]
async fn its_owner_is_told_when_it_is_switched_on_or_off_or_reset_by_somebody_else() {
    let app = TestApp::spawn().await;
    let (nikos, _, codes) = enabled(&app).await;
    assert_eq!(letters(&app, "127.0.0.1").await, ["second_factor_on so"]);
    let wrong = json!({ "password": PASSWORD, "code": "no such code" });
    app.post("/v1/me/second-factor/disable", &nikos, &wrong).await.expect_problem(422, "validation_failed");
    assert_eq!(letters(&app, "x").await.len(), 1, "of what did not happen nobody is told");
    let off = json!({ "password": PASSWORD, "code": codes[0] });
    app.post("/v1/me/second-factor/disable", &nikos, &off).await.expect(204);
    assert_eq!(letters(&app, "127.0.0.1").await, ["second_factor_on so", "second_factor_off so"]);

    // by somebody else, who is named
    let begun = app.post("/v1/me/second-factor", &nikos, &json!({ "password": PASSWORD })).await.expect(200);
    let totp = Totp::from_url(begun.body["otpauth_url"].as_str().unwrap()).unwrap();
    to_a_step(&app);
    let first = json!({ "code": code(&app, &totp, 0) });
    app.post("/v1/me/second-factor/confirm", &nikos, &first).await.expect(200);
    app.act(&format!("/v1/users/{}/second-factor/reset", nikos.user_id), &app.admin).await.expect(204);
    let told = letters(&app, "Ada Admin").await;
    assert_eq!(told, ["second_factor_on not", "second_factor_off not", "second_factor_on not", "second_factor_reset so"]);
    assert_eq!(app.count("mail_message WHERE kind LIKE 'second_factor_%' AND workspace_id IS NULL").await, 0);
}

/// Seen to fail with the workspace that he calls his own.
#[tokio::test]
async fn one_who_says_no_workspace_is_told_where_they_belong_and_not_where_they_would_like_to() {
    let app = TestApp::spawn().await;
    let other = app.second_workspace("other").await;
    let third = app.second_workspace("third").await;
    let main = app.admin.in_workspace("main");
    let nikos = app.member(&main, "viewer", "nikos@example.com").await;
    for by in [&other, &third] {
        app.post("/v1/invitations", by, &json!({ "email": "nikos@example.com", "role": "viewer" })).await.expect(201);
        let accept = json!({ "token": app.invitation_token("nikos@example.com").await });
        app.post("/v1/auth/accept-invitation", &Session::nobody(), &accept).await.expect(200);
        app.clock.advance(Duration::seconds(1));
    }
    // a default that he does not belong to any more
    app.patch("/v1/me/profile", &nikos, &json!({ "default_workspace_id": app.workspace })).await.expect(200);
    let membership = super::membership_of(&app, &main, &nikos.user_id).await;
    app.delete(&format!("/v1/memberships/{membership}"), &main).await.expect(204);
    let nikos = sign_in(&app, None).await.expect(200);
    let nikos = Session::bearer(nikos.body["access_token"].as_str().unwrap());
    let begun = app.post("/v1/me/second-factor", &nikos, &json!({ "password": PASSWORD })).await.expect(200);
    let totp = Totp::from_url(begun.body["otpauth_url"].as_str().unwrap()).unwrap();
    to_a_step(&app);
    let first = json!({ "code": code(&app, &totp, 0) });
    app.post("/v1/me/second-factor/confirm", &nikos, &first).await.expect(200);
    let places = "SELECT w.slug FROM mail_message m JOIN workspace w ON w.id = m.workspace_id WHERE m.kind = 'second_factor_on'";
    assert_eq!(app.db.rows(places).await, ["other"]);
}
