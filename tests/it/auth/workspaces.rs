//! Workspaces: what is in one is as good as not there for the others.

use harness::{Session, TestApp};
use serde_json::{Value, json};

use super::membership_of;

const NOWHERE: &str = "01938f5c-4f2e-7cc3-98c4-dc0c0c07398f";

#[tokio::test]
async fn a_colleague_is_nobody_in_a_second_workspace_and_what_is_in_it_is_not_there() {
    let app = TestApp::spawn().await;
    let nikos = app.member(&app.admin, "super_admin", "nikos@example.com").await;
    let other = app.second_workspace("other").await;
    let other_id =
        app.get("/v1/workspaces?slug=other", &app.admin).await.expect(200).body["data"][0]["id"].as_str().unwrap().to_owned();
    let hidden = app.client(&other, "Hidden").await;
    let tag = app.post("/v1/tags", &other, &json!({ "name": "hidden" })).await.expect(201).id();
    let invitation =
        app.post("/v1/invitations", &other, &json!({ "email": "x@example.com", "role": "viewer" })).await.expect(201).id();
    let token = app.post("/v1/tokens", &other, &json!({ "name": "t", "scopes": ["clients.view_all"] })).await.expect(201).id();
    let membership = membership_of(&app, &other, &app.admin.user_id).await;

    for workspace in ["other", other_id.as_str(), "never-there", NOWHERE, "' OR 1=1 --"] {
        let refused = app.get("/v1/clients", &nikos.in_workspace(workspace)).await.expect_problem(404, "not_found");
        assert_eq!(refused.body["detail"], "There is no such workspace.");
    }
    let entries = app.count("journal_entry").await;
    let kinds =
        [("clients", &hidden), ("tags", &tag), ("invitations", &invitation), ("tokens", &token), ("memberships", &membership)];
    for by in [&nikos, &app.admin.in_workspace("main")] {
        for (kind, id) in kinds {
            let foreign = app.get(&format!("/v1/{kind}/{id}"), by).await.expect_problem(404, "not_found");
            let nowhere = app.get(&format!("/v1/{kind}/{NOWHERE}"), by).await.expect_problem(404, "not_found");
            let plain = |mut body: Value| {
                body["request_id"] = Value::Null;
                body
            };
            assert_eq!(plain(foreign.body), plain(nowhere.body), "{kind}");
        }
        app.patch(&format!("/v1/clients/{hidden}"), by, &json!({ "name": "Seen" })).await.expect_problem(404, "not_found");
        app.patch(&format!("/v1/memberships/{membership}"), by, &json!({ "role": "viewer" }))
            .await
            .expect_problem(404, "not_found");
        for (kind, id) in kinds {
            app.delete(&format!("/v1/{kind}/{id}"), by).await.expect_problem(404, "not_found");
        }
        let list = app.get("/v1/clients?count=exact", by).await.expect(200);
        assert!(!list.text.contains("Hidden"), "{}", list.text);
        app.get(&format!("/v1/clients/{hidden}"), &other).await.expect(200);
    }
    app.get(&format!("/v1/workspaces/{other_id}"), &nikos).await.expect_problem(404, "not_found");
    assert_eq!(app.count("journal_entry").await, entries);
    let slugs = app.get("/v1/workspaces", &nikos).await.expect(200);
    assert_eq!((slugs.body["data"].as_array().unwrap().len(), &slugs.body["data"][0]["slug"]), (1, &json!("main")));
}

#[tokio::test]
async fn an_account_without_a_workspace_sees_who_it_is_and_signs_out_and_nothing_else() {
    let app = TestApp::spawn().await;
    let gone = app.member(&app.admin, "director", "gone@example.com").await;
    let membership = membership_of(&app, &app.admin, &gone.user_id).await;
    app.delete(&format!("/v1/memberships/{membership}"), &app.admin).await.expect(204);
    for path in ["/v1/clients", "/v1/contacts", "/v1/users", "/v1/tokens", "/v1/tags", "/v1/audit", "/v1/workspaces"] {
        app.get(path, &gone).await.expect_problem(403, "no_workspace");
    }
    app.post("/v1/clients", &gone, &json!({ "kind": "company", "name": "X" })).await.expect_problem(403, "no_workspace");
    let me = app.get("/v1/me", &gone).await.expect(200);
    assert_eq!((&me.body["user"]["id"], &me.body["workspaces"]), (&json!(gone.user_id), &json!([])));
    app.act("/v1/auth/logout", &gone).await.expect(204);
    app.get("/v1/me", &gone).await.expect_problem(401, "unauthenticated");
    // and can sign in again, for nothing more
    let again = app.sign_in("gone@example.com").await;
    app.get("/v1/clients", &again).await.expect_problem(403, "no_workspace");
    assert_eq!(app.count("client").await, 0);
}

#[tokio::test]
async fn who_belongs_to_several_and_has_no_default_is_told_the_choices() {
    let app = TestApp::spawn().await;
    let nikos = app.member(&app.admin, "viewer", "nikos@example.com").await;
    for slug in ["second", "third"] {
        let other = app.second_workspace(slug).await;
        app.post("/v1/invitations", &other, &json!({ "email": "nikos@example.com", "role": "viewer" })).await.expect(201);
        let token = app.invitation_token("nikos@example.com").await;
        app.post("/v1/auth/accept-invitation", &Session::nobody(), &json!({ "token": token })).await.expect(200);
    }
    app.get("/v1/clients", &nikos).await.expect(200);
    let membership = membership_of(&app, &app.admin, &nikos.user_id).await;
    app.delete(&format!("/v1/memberships/{membership}"), &app.admin).await.expect(204);

    let refused = app.get("/v1/clients", &nikos).await.expect_problem(400, "workspace_required");
    let choices: Vec<_> =
        refused.body["choices"].as_array().unwrap().iter().map(|choice| choice["slug"].as_str().unwrap()).collect();
    assert_eq!(choices, ["second", "third"]);
    assert!(
        refused.body["choices"].as_array().unwrap().iter().all(|choice| choice["id"].is_string() && choice["name"].is_string())
    );
    let by_id = refused.body["choices"][0]["id"].as_str().unwrap();
    app.get("/v1/clients", &nikos.in_workspace(by_id)).await.expect(200);
    app.get("/v1/clients", &nikos.in_workspace("third")).await.expect(200);
    app.get("/v1/clients", &nikos.in_workspace("main")).await.expect_problem(404, "not_found");
    app.get("/v1/me", &nikos).await.expect(200);
}
