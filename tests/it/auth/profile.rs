//! One's own profile, and what a frontend learns of who one is.

use harness::TestApp;
use serde_json::json;

#[tokio::test]
async fn an_account_says_of_itself_what_it_likes_and_is_told_of_all_that_is_wrong() {
    let app = TestApp::spawn().await;
    let nikos = app.member(&app.admin, "viewer", "nikos@example.com").await;
    let path = "/v1/me/profile";
    let first = app.get(path, &nikos).await.expect(200);
    assert_eq!((&first.body["id"], &first.body["preferences"]), (&json!(nikos.user_id), &json!({})));
    let change = json!({
        "given_name": " Νικόλαος ", "phone": "+30 210 1234567", "signature": "Ν. Γεωργίου", "timezone": "Europe/Berlin", "locale": "de",
        "preferences": { "theme": "dark", "lists": { "clients": ["name", "status"] } },
    });
    let changed = app.patch_if(path, &nikos, &first.etag(), &change).await.expect(200);
    assert_eq!((&changed.body["given_name"], &changed.body["locale"]), (&json!("Νικόλαος"), &json!("de")));
    app.patch_if(path, &nikos, &first.etag(), &json!({ "locale": "el" })).await.expect_problem(412, "stale");
    // preferences are merged as deep as they go
    let more = json!({ "signature": null, "preferences": { "theme": null, "lists": { "contacts": ["name"] } } });
    let merged = app.patch(path, &nikos, &more).await.expect(200);
    assert_eq!(merged.body["preferences"], json!({ "lists": { "clients": ["name", "status"], "contacts": ["name"] } }));
    assert_eq!((&merged.body["signature"], &merged.body["phone"]), (&json!(null), &json!("+30 210 1234567")));
    assert_eq!(app.get(path, &nikos).await.expect(200).body, merged.body);

    let wrong = json!({ "given_name": " ", "timezone": "Athens", "locale": "greek", "phone": "1".repeat(51) });
    let refused = app.patch(path, &nikos, &wrong).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/given_name", "/locale", "/phone", "/timezone"], "{}", refused.text);
    let refused = app.patch(path, &nikos, &json!({ "family_name": null })).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/family_name"]);
    let much = json!({ "preferences": { "much": "x".repeat(16 * 1024) } });
    assert_eq!(app.patch(path, &nikos, &much).await.expect_problem(422, "validation_failed").pointers(), ["/preferences"]);
    // neither what others decide
    for unknown in ["email", "is_active", "is_super_admin"] {
        app.patch(path, &nikos, &json!({ unknown: true })).await.expect_problem(422, "validation_failed");
    }
    assert_eq!(app.get(path, &nikos).await.expect(200).body, merged.body);
    assert_eq!(app.actions_of(&nikos.user_id).await, ["create", "update", "update"]);
    // what is personal is not in the part of the journal that cannot be erased
    assert_eq!(app.count("journal_entry WHERE CAST(changes AS text) LIKE '%Γεωργίου%'").await, 0);
    assert_eq!(app.count("journal_personal WHERE CAST(changes AS text) LIKE '%Γεωργίου%'").await, 2);

    let token = app.token(&app.admin, &["clients.view_all"]).await;
    app.get(path, &token).await.expect_problem(403, "sign_in_needed");
    app.patch(path, &token, &json!({ "locale": "de" })).await.expect_problem(403, "sign_in_needed");
}

#[tokio::test]
async fn one_chooses_among_ones_own_workspaces_and_learns_what_one_is_in_each() {
    let app = TestApp::spawn().await;
    let other = app.second_workspace("other").await;
    let main = app.admin.in_workspace("main");
    let nikos = app.member(&main, "viewer", "nikos@example.com").await;
    let list = app.get("/v1/workspaces?slug=other", &other).await.expect(200);
    let theirs = list.body["data"][0]["id"].as_str().unwrap().to_owned();
    let wanted = json!({ "default_workspace_id": theirs });
    let refused = app.patch("/v1/me/profile", &nikos, &wanted).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/default_workspace_id"]);
    app.post("/v1/invitations", &other, &json!({ "email": "nikos@example.com", "role": "sales_agent" })).await.expect(201);
    let accept = json!({ "token": app.invitation_token("nikos@example.com").await });
    app.post("/v1/auth/accept-invitation", &harness::Session::nobody(), &accept).await.expect(200);
    app.patch("/v1/me/profile", &nikos, &wanted).await.expect(200);

    let mut teams = Vec::new();
    for (workspace, name, role) in [(&main, "Βόρεια", "lead"), (&other, "South", "member"), (&other, "North", "lead")] {
        let team = app.post("/v1/teams", workspace, &json!({ "name": name })).await.expect(201).id();
        let member = json!({ "user_id": nikos.user_id, "role": role });
        app.post(&format!("/v1/teams/{team}/members"), workspace, &member).await.expect(201);
        teams.push(json!({ "id": team, "name": name, "role": role }));
    }
    let me = app.get("/v1/me", &nikos).await.expect(200);
    let places = &me.body["workspaces"];
    assert_eq!((&places[0]["slug"], &places[0]["is_default"]), (&json!("main"), &json!(false)));
    assert_eq!(places[0]["teams"], json!([teams[0]]));
    assert_eq!((&places[1]["is_default"], &places[1]["teams"]), (&json!(true), &json!([teams[2], teams[1]])));
    assert_eq!((&places[1]["role"], &places[1]["default_currency"]), (&json!("sales_agent"), &json!("EUR")));
    assert_eq!((&places[1]["timezone"], &places[1]["locale"]), (&json!("Europe/Athens"), &json!("el")));
    // a token is in no team
    let token = app.token(&main, &["clients.view_all"]).await;
    let me = app.get("/v1/me", &token).await.expect(200);
    assert_eq!((me.body["workspaces"].as_array().unwrap().len(), &me.body["workspaces"][0]["teams"]), (1, &json!([])));
}
