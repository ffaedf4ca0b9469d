//! ETag, If-Match, If-None-Match.

use harness::TestApp;
use reqwest::Method;
use serde_json::json;

use super::{get_with, state};

#[tokio::test]
async fn a_change_with_a_stale_etag_is_412_with_the_current_one_200() {
    let app = TestApp::spawn().await;
    let id = app.client(&app.admin, "First").await;
    let path = format!("/v1/clients/{id}");
    let first = app.get(&path, &app.admin).await.expect(200).etag();
    let second = app.patch_if(&path, &app.admin, &first, &json!({ "name": "Second" })).await.expect(200).etag();
    let before = state(&app).await;
    for stale in [first.as_str(), "\"v99\"", "\"garbage\"", "garbage", "W/\"v2\"", "\"\"", ","] {
        app.patch_if(&path, &app.admin, stale, &json!({ "name": "Third" })).await.expect_problem(412, "stale");
        let delete = app.request(Method::DELETE, &path, &app.admin).header("if-match", stale);
        app.send(delete).await.expect_problem(412, "stale");
    }
    // one that changes nothing is stale all the same
    app.patch_if(&path, &app.admin, &first, &json!({})).await.expect_problem(412, "stale");
    assert_eq!(state(&app).await, before);
    assert_eq!(app.db.rows("SELECT name FROM client").await, ["Second"]);

    app.patch_if(&path, &app.admin, "*", &json!({ "name": "Third" })).await.expect(200);
    let shown = app.get(&format!("{path}?include=contacts&fields=name"), &app.admin).await.expect(200).etag();
    assert_ne!(shown, second);
    let etag =
        app.patch_if(&path, &app.admin, &format!("\"v1\", {shown}"), &json!({ "name": "Fourth" })).await.expect(200).etag();
    let delete = app.request(Method::DELETE, &path, &app.admin).header("if-match", &etag);
    app.send(delete).await.expect(204);
    let restore = app.request(Method::POST, &format!("{path}/restore"), &app.admin).header("if-match", &etag);
    app.send(restore).await.expect_problem(412, "stale");
    assert_eq!(app.actions_of(&id).await, ["create", "update", "update", "update", "archive"]);
}

#[tokio::test]
async fn of_two_changes_at_once_with_the_same_etag_one_is_done_and_one_is_stale() {
    let app = TestApp::spawn().await;
    for round in 0..5 {
        let id = app.client(&app.admin, &format!("Client {round}")).await;
        let path = format!("/v1/clients/{id}");
        let etag = app.get(&path, &app.admin).await.expect(200).etag();
        let (one, other) = (json!({ "sector": "one" }), json!({ "sector": "other" }));
        let (one, other) =
            tokio::join!(app.patch_if(&path, &app.admin, &etag, &one), app.patch_if(&path, &app.admin, &etag, &other));
        let (winner, loser) = if one.status == 200 { (one, other) } else { (other, one) };
        let winner = winner.expect(200);
        loser.expect_problem(412, "stale");
        assert_eq!(app.get(&path, &app.admin).await.expect(200).body, winner.body);
        assert_eq!(app.actions_of(&id).await, ["create", "update"]);
    }
}

#[tokio::test]
async fn what_the_caller_has_already_is_304_until_it_changes() {
    let app = TestApp::spawn().await;
    let id = app.client(&app.admin, "First").await;
    let paths = [
        format!("/v1/clients/{id}"),
        format!("/v1/clients/{id}?include=contacts,tags"),
        "/v1/clients".to_owned(),
        "/v1/clients?fields=name&count=exact".to_owned(),
        format!("/v1/clients/{id}/summary"),
        "/v1/roles".to_owned(),
        "/v1/me".to_owned(),
    ];
    let mut etags = Vec::new();
    for path in &paths {
        let etag = app.get(path, &app.admin).await.expect(200).etag();
        for known in [etag.clone(), format!("\"other\", {etag}"), format!("W/{}", etag.trim_start_matches("W/")), "*".to_owned()]
        {
            let answer = get_with(&app, path, &app.admin, "if-none-match", &known).await.expect(304);
            assert_eq!((answer.text.as_str(), answer.etag()), ("", etag.clone()), "{path}");
        }
        for other in ["\"v999\"", "\"other\"", "garbage"] {
            get_with(&app, path, &app.admin, "if-none-match", other).await.expect(200);
        }
        etags.push(etag);
    }
    app.patch(&format!("/v1/clients/{id}"), &app.admin, &json!({ "name": "Second" })).await.expect(200);
    for (path, etag) in paths.iter().zip(&etags).take(4) {
        let answer = get_with(&app, path, &app.admin, "if-none-match", etag).await.expect(200);
        assert_ne!(&answer.etag(), etag, "{path}");
    }
    // an ETag opens nothing
    get_with(&app, &paths[0], &harness::Session::nobody(), "if-none-match", "*").await.expect_problem(401, "unauthenticated");
}

#[tokio::test]
async fn where_the_workspace_requires_it_a_change_without_if_match_is_428_and_changes_nothing() {
    let app = TestApp::spawn().await;
    let id = app.client(&app.admin, "First").await;
    let path = format!("/v1/clients/{id}");
    let tag = app.post("/v1/tags", &app.admin, &json!({ "name": "t" })).await.expect(201).id();
    app.patch(&path, &app.admin, &json!({ "name": "Second" })).await.expect(200);
    let workspace = format!("/v1/workspaces/{}", app.workspace);
    let settings = |on: bool| json!({ "settings": { "require_if_match": on } });
    let refused = app.patch(&workspace, &app.admin, &json!({ "settings": { "require_if_match": 1, "x": 1 } })).await;
    assert_eq!(refused.expect_problem(422, "validation_failed").pointers(), ["/settings/require_if_match", "/settings/x"]);
    let changed = app.patch(&workspace, &app.admin, &settings(true)).await.expect(200);
    assert_eq!(changed.body["settings"]["require_if_match"], true);

    let before = state(&app).await;
    app.patch(&path, &app.admin, &json!({ "name": "Third" })).await.expect_problem(428, "if_match_required");
    app.delete(&path, &app.admin).await.expect_problem(428, "if_match_required");
    let operations = json!([
        { "op": "update", "id": id, "data": { "name": "Third" } },
        { "op": "archive", "id": id },
        { "op": "update", "id": id, "if_match": "\"v1\"", "data": { "name": "Third" } },
    ]);
    let bulk = app.post("/v1/clients/bulk", &app.admin, &json!({ "operations": operations })).await.expect(200).body;
    let statuses: Vec<_> = bulk["results"].as_array().unwrap().iter().map(|result| result["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [428, 428, 412]);
    assert_eq!(state(&app).await, before);

    let etag = app.get(&path, &app.admin).await.expect(200).etag();
    app.patch_if(&path, &app.admin, &etag, &json!({ "name": "Third" })).await.expect(200);
    // what has no ETag is not asked for one
    app.post(&format!("{path}/tags"), &app.admin, &json!({ "tag_id": tag })).await.expect(200);
    app.delete(&format!("{path}/tags/{tag}"), &app.admin).await.expect(204);
    // another workspace has its own way
    let other = app.second_workspace("other").await;
    let foreign = app.client(&other, "There").await;
    app.patch(&format!("/v1/clients/{foreign}"), &other, &json!({ "name": "Here" })).await.expect(200);
    app.patch_if(&workspace, &app.admin, &changed.etag(), &settings(false)).await.expect(200);
    app.delete(&path, &app.admin).await.expect(204);
}
