//! Roles that a workspace makes, and what it lays over those of the installation.

use harness::{Session, TestApp};
use serde_json::{Value, json};

use super::membership_of;

/// What the one who asks may do in `main`.
async fn permissions_of(app: &TestApp, session: &Session) -> Vec<String> {
    let me = app.get("/v1/me", session).await.expect(200);
    let main = me.body["workspaces"].as_array().unwrap().iter().find(|place| place["slug"] == "main").unwrap().clone();
    serde_json::from_value(main["permissions"].clone()).unwrap()
}

fn role<'a>(list: &'a Value, key: &str) -> &'a Value {
    list["data"].as_array().unwrap().iter().find(|role| role["key"] == key).unwrap()
}

#[tokio::test]
async fn a_role_of_the_workspaces_own_is_given_changed_at_once_and_deleted_when_nobody_has_it() {
    let app = TestApp::spawn().await;
    let input = json!({ "key": "bookkeeper", "name": " Λογίστρια ", "permissions": ["clients.view_all", "clients.create"] });
    let made = app.post("/v1/roles", &app.admin, &input).await.expect(201);
    let path = format!("/v1/roles/{}", made.id());
    assert_eq!(made.header("location"), Some(path.as_str()));
    assert_eq!(made.body["name"], "Λογίστρια");
    assert_eq!((&made.body["is_system"], &made.body["is_overridden"]), (&json!(false), &json!(false)));
    assert_eq!(app.get(&path, &app.admin).await.expect(200).body, made.body);
    assert_eq!(*role(&app.get("/v1/roles", &app.admin).await.expect(200).body, "bookkeeper"), made.body);

    let eleni = app.member(&app.admin, "bookkeeper", "eleni@example.com").await;
    assert_eq!(permissions_of(&app, &eleni).await, ["clients.view_all", "clients.create"]);
    let client = json!({ "kind": "company", "name": "X" });
    app.post("/v1/clients", &eleni, &client).await.expect(201);
    let token = app.token(&app.admin, &["clients.create"]).await;
    app.post("/v1/clients", &token, &client).await.expect(201);

    let fewer = json!({ "permissions": ["clients.view_all"] });
    let changed = app.patch_if(&path, &app.admin, "\"v1\"", &fewer).await.expect(200);
    assert_eq!(changed.body["permissions"], json!(["clients.view_all"]));
    app.post("/v1/clients", &eleni, &client).await.expect_problem(403, "forbidden");
    app.get("/v1/clients", &eleni).await.expect(200);
    app.patch_if(&path, &app.admin, "\"v1\"", &fewer).await.expect_problem(412, "stale");

    app.delete(&path, &app.admin).await.expect_problem(409, "role_in_use");
    let membership = membership_of(&app, &app.admin, &eleni.user_id).await;
    app.patch(&format!("/v1/memberships/{membership}"), &app.admin, &json!({ "role": "viewer" })).await.expect(200);
    // her invitation to it is over, and goes with it
    assert_eq!(app.count("invitation").await, 1);
    let invited = json!({ "email": "nikos@example.com", "role": "bookkeeper" });
    let open = app.post("/v1/invitations", &app.admin, &invited).await.expect(201).id();
    app.delete(&path, &app.admin).await.expect_problem(409, "role_in_use");
    app.delete(&format!("/v1/invitations/{open}"), &app.admin).await.expect(204);
    app.delete(&path, &app.admin).await.expect(204);
    app.get(&path, &app.admin).await.expect_problem(404, "not_found");
    let refused = app.post("/v1/invitations", &app.admin, &invited).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/role"]);
    assert_eq!((app.count("role").await, app.count("invitation").await), (7, 0));
    assert_eq!(app.actions_of(&made.id()).await, ["create", "update", "delete"]);
}

#[tokio::test]
async fn a_role_that_is_wrong_is_refused_with_all_that_is_wrong_and_keys_are_unique_in_a_workspace() {
    let app = TestApp::spawn().await;
    let wrong = json!({ "key": "Book keeper", "name": " ", "permissions": ["clients.view_all"] });
    let refused = app.post("/v1/roles", &app.admin, &wrong).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/key", "/name"]);
    let wrong = json!({ "key": "keeper", "name": "K", "permissions": ["clients.fly", "clients.edit", "boats.sail"] });
    let refused = app.post("/v1/roles", &app.admin, &wrong).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/permissions/0", "/permissions/2"]);
    for key in ["viewer", "super_admin"] {
        let taken = json!({ "key": key, "name": "K", "permissions": [] });
        app.post("/v1/roles", &app.admin, &taken).await.expect_problem(409, "role_key_taken");
    }
    assert_eq!(app.count("role").await, 7);

    let keeper = json!({ "key": "keeper", "name": "K", "permissions": [] });
    let (one, other) = tokio::join!(app.post("/v1/roles", &app.admin, &keeper), app.post("/v1/roles", &app.admin, &keeper));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    // another workspace has its own, and sees none of ours
    let other = app.second_workspace("other").await;
    let theirs = app.role(&other, "keeper", &["clients.view_all"]).await;
    assert_eq!(app.get("/v1/roles", &other).await.expect(200).body["data"].as_array().unwrap().len(), 8);
    let main = app.admin.in_workspace("main");
    app.get(&format!("/v1/roles/{theirs}"), &main).await.expect_problem(404, "not_found");
    app.patch(&format!("/v1/roles/{theirs}"), &main, &json!({ "name": "Ours" })).await.expect_problem(404, "not_found");
    app.delete(&format!("/v1/roles/{theirs}"), &main).await.expect_problem(404, "not_found");
    // and a name means the role of the place where it is given
    let eleni = app.member(&main, "keeper", "eleni@example.com").await;
    app.get("/v1/clients", &eleni).await.expect_problem(403, "forbidden");
    assert_eq!(app.count("role").await, 9);
}

#[tokio::test]
async fn a_workspace_lays_over_a_role_what_it_allows_otherwise_and_only_there() {
    let app = TestApp::spawn().await;
    let other = app.second_workspace("other").await;
    let main = app.admin.in_workspace("main");
    let nikos = app.member(&main, "sales_agent", "nikos@example.com").await;
    let maker = app.member(&main, "super_admin", "maker@example.com").await;
    let token = app.token(&maker, &["clients.view_own", "clients.create"]).await;
    let place = format!("/v1/memberships/{}", membership_of(&app, &main, &maker.user_id).await);
    app.patch(&place, &main, &json!({ "role": "sales_agent" })).await.expect(200);
    let before = permissions_of(&app, &nikos).await;
    let id = app.system_role(&main, "sales_agent").await;
    let (path, role_path) = (format!("/v1/roles/{id}/override"), format!("/v1/roles/{id}"));
    app.get(&path, &main).await.expect_problem(404, "not_found");
    let plain = app.get(&role_path, &main).await.expect(200);

    let over = json!({ "permissions": { "clients": { "create": false, "export": true }, "tags": null, "tickets": { "view_all": true } } });
    let laid = app.patch(&path, &main, &over).await.expect(200);
    assert_eq!(
        laid.body["permissions"],
        json!({ "clients": { "create": false, "export": true }, "tickets": { "view_all": true } })
    );
    assert_eq!(app.get(&path, &main).await.expect(200).body, laid.body);
    let now = permissions_of(&app, &nikos).await;
    let has = |name: &str| now.iter().any(|known| known == name);
    assert!(!has("clients.create") && has("clients.export") && has("tickets.view_all") && has("contacts.create"), "{now:?}");
    let client = json!({ "kind": "company", "name": "X" });
    for session in [&nikos, &token] {
        app.post("/v1/clients", session, &client).await.expect_problem(403, "forbidden");
    }
    let role_now = app.get(&role_path, &main).await.expect(200);
    assert_eq!((&role_now.body["is_overridden"], role_now.etag() == plain.etag()), (&json!(true), false));
    assert_eq!(role_now.body["permissions"], json!(now));
    // elsewhere it is as it was
    let elsewhere = app.get("/v1/roles", &other).await.expect(200);
    assert_eq!(role(&elsewhere.body, "sales_agent")["permissions"], json!(before));
    app.get(&path, &other).await.expect_problem(404, "not_found");
    app.delete(&path, &other).await.expect_problem(404, "not_found");

    // what is not named stays, and null leaves it to the role again
    let more = json!({ "permissions": { "clients": { "create": null }, "tickets": null, "leads": { "delete": true } } });
    app.patch_if(&path, &main, "\"v7\"", &more).await.expect_problem(412, "stale");
    let merged = app.patch_if(&path, &main, &laid.etag(), &more).await.expect(200);
    assert_eq!(merged.body["permissions"], json!({ "clients": { "export": true }, "leads": { "delete": true } }));
    app.post("/v1/clients", &nikos, &client).await.expect(201);

    let wrong = json!({ "permissions": { "boats": { "sail": true }, "clients": { "fly": true, "edit": false } } });
    let refused = app.patch(&path, &main, &wrong).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/permissions/boats", "/permissions/clients/fly"]);
    assert_eq!(app.get(&path, &main).await.expect(200).body, merged.body);

    app.delete(&path, &main).await.expect(204);
    assert_eq!(permissions_of(&app, &nikos).await, before);
    app.delete(&path, &main).await.expect_problem(404, "not_found");
    let id = app.db.uuid(&id);
    let entries = app.db.rows(&format!("SELECT action FROM journal_entry WHERE subject_id = {id} ORDER BY number")).await;
    assert_eq!((entries, app.count("role_override").await), (vec!["create".into(), "update".into(), "delete".into()], 0));
}

#[tokio::test]
async fn nobody_gives_or_takes_by_a_role_what_they_do_not_have_nor_loses_their_own_right_to() {
    let app = TestApp::spawn().await;
    let held = ["admin.manage_roles", "admin.manage_users", "clients.view_all", "clients.edit"];
    let own = app.role(&app.admin, "keeper", &held).await;
    let high = app.role(&app.admin, "high", &["clients.purge", "clients.edit"]).await;
    let keeper = app.member(&app.admin, "keeper", "keeper@example.com").await;
    let entries = app.count("journal_entry").await;
    let beyond = json!({ "key": "mine", "name": "Mine", "permissions": ["clients.edit", "clients.purge"] });
    let refused = app.post("/v1/roles", &keeper, &beyond).await.expect_problem(403, "role_too_high");
    assert!(refused.body["detail"].as_str().unwrap().contains("clients.purge"), "{}", refused.text);
    // neither taken from others
    let taken = json!({ "permissions": ["clients.edit"] });
    app.patch(&format!("/v1/roles/{high}"), &keeper, &taken).await.expect_problem(403, "role_too_high");
    let viewer = format!("/v1/roles/{}/override", app.system_role(&keeper, "viewer").await);
    for over in [json!({ "clients": { "purge": true } }), json!({ "leads": { "view_all": false } })] {
        let over = json!({ "permissions": over });
        app.patch(&viewer, &keeper, &over).await.expect_problem(403, "role_too_high");
    }
    // nor from oneself, where it is the right to manage roles
    let less = json!({ "permissions": ["admin.manage_users", "clients.view_all", "clients.edit"] });
    app.patch(&format!("/v1/roles/{own}"), &keeper, &less).await.expect_problem(409, "own_last_right");
    // roles of the installation are changed by an override, those of the workspace are not, and the super admin's not at all
    let system = app.system_role(&keeper, "viewer").await;
    let name = json!({ "name": "Mine" });
    app.patch(&format!("/v1/roles/{system}"), &keeper, &name).await.expect_problem(409, "role_is_fixed");
    app.delete(&format!("/v1/roles/{system}"), &keeper).await.expect_problem(409, "role_is_fixed");
    let over = json!({ "permissions": { "clients": { "edit": false } } });
    for id in [&own, &app.system_role(&keeper, "super_admin").await] {
        app.patch(&format!("/v1/roles/{id}/override"), &app.admin, &over).await.expect_problem(409, "role_is_fixed");
    }
    assert_eq!((app.count("journal_entry").await, app.count("role_override").await), (entries, 0));

    // what they have they can give, and another can take it from them
    app.patch(&viewer, &keeper, &json!({ "permissions": { "clients": { "edit": true } } })).await.expect(200);
    app.patch(&format!("/v1/roles/{own}"), &keeper, &json!({ "permissions": ["admin.manage_roles"] })).await.expect(200);
    app.patch(&format!("/v1/roles/{own}"), &app.admin, &json!({ "permissions": [] })).await.expect(200);
    app.get("/v1/roles", &keeper).await.expect_problem(403, "forbidden");
}

#[tokio::test]
async fn a_role_that_is_given_and_deleted_at_once_is_one_or_the_other() {
    let app = TestApp::spawn().await;
    let nikos = app.member(&app.admin, "viewer", "nikos@example.com").await;
    let membership = format!("/v1/memberships/{}", membership_of(&app, &app.admin, &nikos.user_id).await);
    for round in 0..5 {
        let key = format!("short_{round}");
        let path = format!("/v1/roles/{}", app.role(&app.admin, &key, &[]).await);
        let body = json!({ "role": key });
        let (given, deleted) = tokio::join!(app.patch(&membership, &app.admin, &body), app.delete(&path, &app.admin));
        match (given.status, deleted.status) {
            (200, 409) => assert_eq!(deleted.code(), "role_in_use"),
            (422, 204) => assert_eq!(given.pointers(), ["/role"]),
            other => panic!("{other:?}: {} {}", given.text, deleted.text),
        }
        app.patch(&membership, &app.admin, &json!({ "role": "viewer" })).await.expect(200);
    }
}
