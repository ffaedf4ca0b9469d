//! Where one is signed in, and the end of it.

use chrono::Duration;
use harness::{Session, TestApp};
use serde_json::{Value, json};

/// The ids of the sessions that go on, the newest first, and which of them the request came on.
fn listed(body: &Value) -> Vec<(String, bool)> {
    let sessions = body["data"].as_array().unwrap().iter();
    sessions.map(|session| (session["id"].as_str().unwrap().to_owned(), session["is_current"].as_bool().unwrap())).collect()
}

async fn own(app: &TestApp, session: &Session) -> Vec<(String, bool)> {
    listed(&app.get("/v1/me/sessions", session).await.expect(200).body)
}

#[tokio::test]
async fn one_who_is_signed_in_on_two_devices_ends_one_from_the_other() {
    let app = TestApp::spawn().await;
    let phone = app.member(&app.admin, "viewer", "nikos@example.com").await;
    let login = json!({ "email": "nikos@example.com", "password": harness::PASSWORD });
    let request = app.request(reqwest::Method::POST, "/v1/auth/login", &Session::nobody()).header("user-agent", "Laptop/1");
    let tokens = app.send(request.json(&login)).await.expect(200).body;
    let laptop = Session::bearer(tokens["access_token"].as_str().unwrap());
    let seen = app.get("/v1/me/sessions", &laptop).await.expect(200);
    let both = listed(&seen.body);
    assert_eq!(both.iter().map(|(_, current)| *current).collect::<Vec<_>>(), [true, false]);
    let first = &seen.body["data"][0];
    assert_eq!(
        (&first["user_agent"], &first["kind"], &first["ip"]),
        (&json!("Laptop/1"), &json!("browser"), &json!("127.0.0.1"))
    );
    assert_eq!(first["last_used_at"], first["created_at"]);
    // each sees which one is it
    assert_eq!(own(&app, &phone).await, [(both[0].0.clone(), false), (both[1].0.clone(), true)]);
    let apps = app.get("/v1/me/sessions?kind=app&count=exact", &phone).await.expect(200);
    assert_eq!((listed(&apps.body), &apps.body["page"]["total"]), (vec![(both[1].0.clone(), true)], &json!(1)));

    app.delete(&format!("/v1/me/sessions/{}", both[1].0), &laptop).await.expect(204);
    app.get("/v1/me", &phone).await.expect_problem(401, "unauthenticated");
    let refresh = json!({ "refresh_token": phone.refresh_token });
    app.post("/v1/auth/refresh", &Session::nobody(), &refresh).await.expect_problem(401, "invalid_refresh_token");
    assert_eq!(own(&app, &laptop).await, [(both[0].0.clone(), true)]);
    app.delete(&format!("/v1/me/sessions/{}", both[1].0), &laptop).await.expect_problem(404, "not_found");
    // somebody else's is as good as none
    let theirs = own(&app, &app.admin).await.remove(0).0;
    app.delete(&format!("/v1/me/sessions/{theirs}"), &laptop).await.expect_problem(404, "not_found");
    app.get("/v1/me", &app.admin).await.expect(200);
    assert_eq!(app.count("session WHERE revoked_because = 'ended_by_owner'").await, 1);
    assert_eq!(app.actions_of(&both[1].0).await, ["login", "update"]);
}

#[tokio::test]
async fn all_others_are_ended_at_once_and_this_one_only_when_it_is_said() {
    let app = TestApp::spawn().await;
    let first = app.member(&app.admin, "viewer", "nikos@example.com").await;
    let (second, third) = (app.sign_in("nikos@example.com").await, app.sign_in("nikos@example.com").await);
    let ended = app.post("/v1/me/sessions/end", &third, &json!({})).await.expect(200);
    assert_eq!(ended.body, json!({ "ended": 2 }));
    for gone in [&first, &second] {
        app.get("/v1/me", gone).await.expect_problem(401, "unauthenticated");
    }
    app.get("/v1/me", &third).await.expect(200);
    assert_eq!(app.post("/v1/me/sessions/end", &third, &json!({})).await.expect(200).body, json!({ "ended": 0 }));
    assert_eq!(app.post("/v1/me/sessions/end", &third, &json!({ "keep_current": false })).await.expect(200).body["ended"], 1);
    app.get("/v1/me", &third).await.expect_problem(401, "unauthenticated");
    app.get("/v1/me", &app.admin).await.expect(200);
    // a token has none
    let token = app.token(&app.admin, &["clients.view_all"]).await;
    app.get("/v1/me/sessions", &token).await.expect_problem(403, "sign_in_needed");
    app.post("/v1/me/sessions/end", &token, &json!({})).await.expect_problem(403, "sign_in_needed");
}

#[tokio::test]
async fn a_session_says_when_it_was_last_used_and_goes_when_it_is_over() {
    let app = TestApp::spawn().await;
    let nikos = app.member(&app.admin, "viewer", "nikos@example.com").await;
    app.clock.advance(Duration::minutes(10));
    let refresh = json!({ "refresh_token": nikos.refresh_token });
    let tokens = app.post("/v1/auth/refresh", &Session::nobody(), &refresh).await.expect(200).body;
    let again = Session::bearer(tokens["access_token"].as_str().unwrap());
    let seen = app.get("/v1/me/sessions", &again).await.expect(200).body["data"][0].clone();
    let at = |name: &str| chrono::DateTime::parse_from_rfc3339(seen[name].as_str().unwrap()).unwrap();
    let unused = at("last_used_at") - at("created_at");
    assert!(unused >= Duration::minutes(10) && unused < Duration::minutes(11), "{seen}");
    // a browser's lasts a day, and is not listed any more then
    let login = json!({ "email": "nikos@example.com", "password": harness::PASSWORD });
    app.post("/v1/auth/login", &Session::nobody(), &login).await.expect(200);
    assert_eq!(own(&app, &again).await.len(), 2);
    app.clock.advance(Duration::hours(25));
    let later = app.sign_in("nikos@example.com").await;
    assert_eq!(own(&app, &later).await.len(), 2);
    assert_eq!(app.count("session").await, 4);
}

#[tokio::test]
async fn whoever_manages_users_sees_and_ends_the_sessions_of_those_who_may_no_more() {
    let app = TestApp::spawn().await;
    let main = app.admin.in_workspace("main");
    let other = app.second_workspace("other").await;
    let director = app.member(&main, "director", "director@example.com").await;
    let nikos = app.member(&main, "viewer", "nikos@example.com").await;
    let boss = app.member(&main, "super_admin", "boss@example.com").await;
    let stranger = app.member(&other, "viewer", "stranger@example.com").await;
    let path = |who: &Session| format!("/v1/users/{}/sessions", who.user_id);
    let seen = listed(&app.get(&path(&nikos), &director).await.expect(200).body);
    assert_eq!(seen.len(), 1);
    app.get(&path(&stranger), &director).await.expect_problem(404, "not_found");
    app.get(&path(&director), &nikos).await.expect_problem(403, "forbidden");

    let of_boss = listed(&app.get(&path(&boss), &director).await.expect(200).body).remove(0).0;
    app.delete(&format!("{}/{of_boss}", path(&boss)), &director).await.expect_problem(403, "role_too_high");
    app.act(&format!("{}/end", path(&boss)), &director).await.expect_problem(403, "role_too_high");
    app.act(&format!("{}/end", path(&stranger)), &director).await.expect_problem(404, "not_found");
    // a session is looked for among its owner's
    app.delete(&format!("{}/{of_boss}", path(&nikos)), &director).await.expect_problem(404, "not_found");
    app.get("/v1/me", &boss).await.expect(200);

    app.delete(&format!("{}/{}", path(&nikos), seen[0].0), &director).await.expect(204);
    app.get("/v1/me", &nikos).await.expect_problem(401, "unauthenticated");
    let back = app.sign_in("nikos@example.com").await;
    assert_eq!(app.act(&format!("{}/end", path(&nikos)), &director).await.expect(200).body, json!({ "ended": 1 }));
    app.get("/v1/me", &back).await.expect_problem(401, "unauthenticated");
    assert_eq!(app.count("session WHERE revoked_because = 'ended_by_admin'").await, 2);
}
