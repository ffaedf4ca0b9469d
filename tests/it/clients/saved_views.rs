//! `/v1/saved-views`: who sees them, who changes them, and that they speak the language of their list.
//!
//! Faults that were put in to see it fail: views of other people's teams shown, a query that is not checked, a second default that the
//! first does not make room for, sharing that one who is not the owner changes, views of lists that one does not see.

use harness::{Session, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

async fn view(app: &TestApp, by: &Session, name: &str, more: Value) -> Value {
    let mut body = json!({ "list": "clients", "name": name });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app.post("/v1/saved-views", by, &body).await.expect(201).body
}

async fn names(app: &TestApp, session: &Session) -> Vec<String> {
    let page = app.get("/v1/saved-views?sort=name&limit=200", session).await.expect(200).body;
    page["data"].as_array().unwrap().iter().map(|view| view["name"].as_str().unwrap().to_owned()).collect()
}

async fn team(app: &TestApp, name: &str, members: &[&Session]) -> String {
    let team = app.post("/v1/teams", &app.admin, &json!({ "name": name })).await.expect(201).id();
    for member in members {
        let member = json!({ "user_id": member.user_id });
        app.post(&format!("/v1/teams/{team}/members"), &app.admin, &member).await.expect(201);
    }
    team
}

fn path(view: &Value) -> String {
    format!("/v1/saved-views/{}", view["id"].as_str().unwrap())
}

#[tokio::test]
async fn what_a_view_asks_is_ready_to_be_sent_to_its_list() {
    let app = TestApp::spawn().await;
    for (name, status, country) in
        [("a & b", "active", "GR"), ("c", "active", "CY"), ("d", "inactive", "GR"), ("e", "active", "GR")]
    {
        let body = json!({ "kind": "company", "name": name, "status": status, "main_address": { "country": country } });
        app.post("/v1/clients", &app.admin, &body).await.expect(201);
    }
    let query = json!({
        "filters": { "status": "active", "country[in]": "GR,DE", "name[like]": "a & b" }, "archived": "true", "sort": ["-name", "created_at"],
        "columns": ["name", "status"],
    });
    let made = app
        .post("/v1/saved-views", &app.admin, &json!({ "list": "clients", "name": " Ελλάδα ", "query": query }))
        .await
        .expect(201);
    assert_eq!(made.header("location").unwrap(), path(&made.body));
    let read = app.get(&path(&made.body), &app.admin).await.expect(200);
    assert_eq!(read.body, made.body);
    assert_eq!((&read.body["name"], &read.body["query"], &read.body["sharing"]), (&json!("Ελλάδα"), &query, &json!("private")));
    assert_eq!((&read.body["owner_id"], &read.body["team_id"]), (&json!(app.admin.user_id), &Value::Null));
    let sent = read.body["query_string"].as_str().unwrap();
    let page = app.get(&format!("/v1/clients?{sent}"), &app.admin).await.expect(200).body;
    assert_eq!(page["data"], json!([{ "name": "a & b", "status": "active" }]));

    // a merge patch goes into the query
    let patch =
        json!({ "query": { "filters": { "name[like]": null, "country[in]": "GR" }, "sort": null, "columns": ["id"], "q": "e" } });
    let changed = app.patch_if(&path(&made.body), &app.admin, &read.etag(), &patch).await.expect(200).body;
    let expected = json!({
        "filters": { "status": "active", "country[in]": "GR" }, "archived": "true", "q": "e", "columns": ["id"],
    });
    assert_eq!(changed["query"], expected);
    assert_eq!(changed["query_string"], "country%5Bin%5D=GR&status=active&q=e&archived=true&fields=id");
    app.patch_if(&path(&made.body), &app.admin, &read.etag(), &patch).await.expect_problem(412, "stale");
    // one that asks nothing is the whole list
    assert_eq!(view(&app, &app.admin, "all", json!({})).await["query_string"], "");
    app.delete(&path(&made.body), &app.admin).await.expect(204);
    app.get(&path(&made.body), &app.admin).await.expect_problem(404, "not_found");
    let id = made.id();
    assert_eq!(app.actions_of(&id).await, ["create", "update", "delete"]);
}

#[tokio::test]
async fn what_the_list_cannot_be_asked_is_named_with_what_there_is() {
    let app = TestApp::spawn().await;
    let query = json!({
        "filters": { "colour": "red", "status": "asleep", "created_at[like]": "x", "sort": "name", "limit": "7", "a/b~c": "1" },
        "sort": ["name", "weight"], "columns": ["name", "shoe", "name"], "q": "ok",
    });
    let body = json!({ "list": "clients", "name": "x", "query": query, "sharing": "team" });
    let refused = app.post("/v1/saved-views", &app.admin, &body).await.expect_problem(422, "validation_failed");
    let expected = [
        "/query/columns/1",
        "/query/columns/2",
        "/query/filters/a~1b~0c",
        "/query/filters/colour",
        "/query/filters/created_at[like]",
        "/query/filters/limit",
        "/query/filters/sort",
        "/query/filters/status",
        "/query/sort",
        "/team_id",
    ];
    assert_eq!(refused.pointers(), expected, "{}", refused.text);
    for known in ["tag_id", "active, inactive", "there are id, kind, name", "-"] {
        assert!(refused.text.contains(known), "{known}");
    }
    let unknown = json!({ "list": "shoes", "name": "x", "sharing": "team" });
    let refused = app.post("/v1/saved-views", &app.admin, &unknown).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/list", "/team_id"]);
    assert!(refused.text.contains("there are clients, contacts"));
    // each list has its own words
    let of_contacts = json!({ "list": "contacts", "name": "x", "query": { "filters": { "status": "active" } } });
    app.post("/v1/saved-views", &app.admin, &of_contacts).await.expect_problem(422, "validation_failed");
    let of_contacts = json!({ "list": "contacts", "name": "x", "query": { "filters": { "position": "CEO" } } });
    let made = app.post("/v1/saved-views", &app.admin, &of_contacts).await.expect(201).body;
    let wrong = json!({ "query": { "filters": { "status": "active" } } });
    let refused = app.patch(&path(&made), &app.admin, &wrong).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/query/filters/status"]);
    for (body, pointer) in [
        (json!({ "list": "clients", "name": " " }), "/name"),
        (json!({ "list": "clients", "name": "x", "team_id": made["id"] }), "/team_id"),
        (json!({ "list": "clients", "name": "x", "sharing": "team", "team_id": made["id"] }), "/team_id"),
        (json!({ "list": "clients", "name": "x", "query": { "limit": 3 } }), "/query/limit"),
        (json!({ "list": "clients", "name": "x", "query": { "archived": "maybe" } }), "/query/archived"),
    ] {
        let refused = app.post("/v1/saved-views", &app.admin, &body).await.expect_problem(422, "validation_failed");
        assert_eq!(refused.pointers(), [pointer]);
    }
    assert_eq!(app.count("saved_view").await, 1);
}

#[tokio::test]
async fn a_view_is_seen_by_its_owner_its_team_or_the_workspace_and_changed_by_its_owner() {
    let app = TestApp::spawn().await;
    let mut people = Vec::new();
    for name in ["first", "second", "third"] {
        people.push(app.member(&app.admin, "sales_agent", &format!("{name}@example.com")).await);
    }
    let [first, second, third] = &people[..] else { unreachable!() };
    let (two, other) = (team(&app, "two", &[first, second]).await, team(&app, "other", &[third]).await);
    let private = view(&app, first, "private", json!({})).await;
    let teams = view(&app, first, "teams", json!({ "sharing": "team", "team_id": two })).await;
    let shared = view(&app, first, "shared", json!({ "sharing": "workspace" })).await;
    // of a team that one is not in one shares nothing
    let foreign = json!({ "list": "clients", "name": "x", "sharing": "team", "team_id": other });
    app.post("/v1/saved-views", first, &foreign).await.expect_problem(422, "validation_failed");

    assert_eq!(names(&app, first).await, ["private", "shared", "teams"]);
    assert_eq!(names(&app, second).await, ["shared", "teams"]);
    assert_eq!(names(&app, third).await, ["shared"]);
    assert_eq!(names(&app, &app.admin).await, ["shared", "teams"], "whoever keeps them in order sees all that are shared");
    let token = app.token(&app.admin, &["clients.view_all"]).await;
    assert_eq!(names(&app, &token).await, ["shared"], "and a token no person");
    let as_token = json!({ "list": "clients", "name": "x" });
    app.post("/v1/saved-views", &token, &as_token).await.expect_problem(403, "forbidden");

    for (session, view, status) in [
        (second, &private, 404),
        (second, &teams, 403),
        (second, &shared, 403),
        (third, &teams, 404),
        (&app.admin, &private, 404),
    ] {
        assert_eq!(app.patch(&path(view), session, &json!({ "name": "mine" })).await.status, status);
        assert_eq!(app.delete(&path(view), session).await.status, status);
        assert_eq!(app.get(&path(view), session).await.status, if status == 403 { 200 } else { 404 });
    }
    // whoever manages settings keeps the workspace's views in order, and leaves to the owner who sees them
    let renamed = app.patch(&path(&shared), &app.admin, &json!({ "name": "ours", "query": { "q": "x" } })).await.expect(200).body;
    assert_eq!((&renamed["name"], &renamed["owner_id"]), (&json!("ours"), &json!(first.user_id)));
    for patch in [json!({ "sharing": "private" }), json!({ "sharing": "team", "team_id": two })] {
        app.patch(&path(&shared), &app.admin, &patch).await.expect_problem(403, "forbidden");
    }

    let renamed = app.patch(&path(&teams), &app.admin, &json!({ "name": "the team's" })).await.expect(200).body;
    assert_eq!(
        (&renamed["sharing"], &renamed["team_id"], &renamed["owner_id"]),
        (&json!("team"), &json!(two), &json!(first.user_id))
    );
    app.patch(&path(&teams), &app.admin, &json!({ "sharing": "workspace" })).await.expect_problem(403, "forbidden");
    app.patch(&path(&teams), first, &json!({ "name": "teams" })).await.expect(200);

    // sharing is changed, and what is no longer shared is gone for the others
    app.patch(&path(&shared), first, &json!({ "sharing": "team", "team_id": two })).await.expect(200);
    assert_eq!((names(&app, second).await, names(&app, third).await), (vec!["ours".to_owned(), "teams".into()], vec![]));
    let now = app.patch(&path(&shared), first, &json!({ "sharing": "private" })).await.expect(200).body;
    assert_eq!((&now["sharing"], &now["team_id"]), (&json!("private"), &Value::Null));
    assert_eq!(names(&app, second).await, ["teams"]);
    // who leaves the team sees its views no more, and when the team goes nobody does
    app.delete(&format!("/v1/teams/{two}/members/{}", second.user_id), &app.admin).await.expect(204);
    assert_eq!(names(&app, second).await, [""; 0]);
    app.delete(&format!("/v1/teams/{two}"), &app.admin).await.expect(204);
    let alone = app.get(&path(&teams), first).await.expect(200).body;
    assert_eq!((&alone["sharing"], &alone["team_id"]), (&json!("private"), &Value::Null));
    app.patch(&path(&private), first, &json!({ "sharing": "workspace" })).await.expect(200);
    app.delete(&path(&private), &app.admin).await.expect(204);
    // a team's view whose owner has left is in nobody's way
    let left = view(&app, third, "left", json!({ "sharing": "team", "team_id": other })).await;
    let members = app.get(&format!("/v1/memberships?user_id={}", third.user_id), &app.admin).await.expect(200).body;
    app.delete(&format!("/v1/memberships/{}", members["data"][0]["id"].as_str().unwrap()), &app.admin).await.expect(204);
    app.delete(&path(&left), &app.admin).await.expect(204);
    assert_eq!(app.count(&format!("saved_view WHERE id = {}", app.db.uuid(left["id"].as_str().unwrap()))).await, 0);
}

#[tokio::test]
async fn views_of_a_list_that_one_does_not_see_are_not_there() {
    let app = TestApp::spawn().await;
    app.role(&app.admin, "contacts_only", &["contacts.view"]).await;
    app.role(&app.admin, "nothing", &[]).await;
    let contacts = app.member(&app.admin, "contacts_only", "contacts@example.com").await;
    let nothing = app.member(&app.admin, "nothing", "nothing@example.com").await;
    let of_clients = view(&app, &app.admin, "clients", json!({ "sharing": "workspace", "query": { "q": "παπας" } })).await;
    view(&app, &app.admin, "contacts", json!({ "list": "contacts", "sharing": "workspace" })).await;
    assert_eq!(names(&app, &contacts).await, ["contacts"]);
    app.get(&path(&of_clients), &contacts).await.expect_problem(404, "not_found");
    app.post("/v1/saved-views", &contacts, &json!({ "list": "clients", "name": "x" })).await.expect_problem(403, "forbidden");
    app.get("/v1/saved-views", &nothing).await.expect_problem(403, "forbidden");
    // another workspace has its own
    let other = app.second_workspace("other").await;
    assert_eq!(names(&app, &other).await, [""; 0]);
    app.get(&path(&of_clients), &other).await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn an_account_has_one_default_and_one_view_of_a_name_for_each_list() {
    let app = TestApp::spawn().await;
    let agent = app.member(&app.admin, "sales_agent", "agent@example.com").await;
    let first = view(&app, &app.admin, "first", json!({ "is_default": true, "sharing": "workspace" })).await;
    let of_contacts = view(&app, &app.admin, "first", json!({ "list": "contacts", "is_default": true })).await;
    view(&app, &agent, "first", json!({ "is_default": true })).await;
    let is_default =
        async |view: &Value, session: &Session| app.get(&path(view), session).await.expect(200).body["is_default"] == true;
    assert!(is_default(&first, &app.admin).await && is_default(&of_contacts, &app.admin).await);
    assert!(!is_default(&first, &agent).await, "the owner's default is not everybody's");
    let second = view(&app, &app.admin, "second", json!({ "is_default": true })).await;
    assert!(!is_default(&first, &app.admin).await && is_default(&second, &app.admin).await);
    app.patch(&path(&first), &app.admin, &json!({ "is_default": true })).await.expect(200);
    assert!(is_default(&first, &app.admin).await && !is_default(&second, &app.admin).await);
    assert!(is_default(&of_contacts, &app.admin).await);
    app.patch(&path(&first), &app.admin, &json!({ "is_default": false })).await.expect(200);
    let taken = json!({ "list": "clients", "name": "FÍRST" });
    let refused = app.post("/v1/saved-views", &app.admin, &taken).await.expect_problem(409, "view_name_taken");
    assert_eq!(refused.pointers(), ["/name"]);
    app.patch(&path(&second), &app.admin, &json!({ "name": "First" })).await.expect_problem(409, "view_name_taken");

    // many at once: the database holds both
    let at_once = futures::future::join_all((0..8).map(|number| {
        let app = &app;
        let body = json!({ "list": "clients", "name": format!("at once {}", number / 2), "is_default": true });
        async move { app.post("/v1/saved-views", &app.admin, &body).await.status }
    }))
    .await;
    assert_eq!(at_once.iter().filter(|status| **status == 201).count(), 4, "{at_once:?}");
    assert!(at_once.iter().all(|status| [201, 409].contains(status)), "{at_once:?}");
    let user = app.db.uuid(&app.admin.user_id);
    let defaults = format!("SELECT list FROM saved_view_default WHERE user_id = {user} ORDER BY list");
    assert_eq!(app.db.rows(&defaults).await, ["clients", "contacts"]);
}

#[tokio::test]
async fn a_view_that_others_share_is_the_default_of_whoever_wants_it() {
    let app = TestApp::spawn().await;
    let mut people = Vec::new();
    for name in ["first", "second", "third"] {
        people.push(app.member(&app.admin, "sales_agent", &format!("{name}@example.com")).await);
    }
    let [first, second, third] = &people[..] else { unreachable!() };
    let team = team(&app, "two", &[first, second]).await;
    let teams = view(&app, first, "teams", json!({ "sharing": "team", "team_id": team })).await;
    let private = view(&app, first, "private", json!({})).await;
    let own = view(&app, second, "own", json!({ "is_default": true })).await;
    let defaults = async |session: &Session| {
        let page = app.get("/v1/saved-views?sort=name", session).await.expect(200).body;
        let defaults = page["data"].as_array().unwrap().iter().filter(|view| view["is_default"] == true);
        defaults.map(|view| view["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let wanted = json!({ "is_default": true });

    let read = app.get(&path(&teams), second).await.expect(200);
    let chosen = app.patch_if(&path(&teams), second, &read.etag(), &wanted).await.expect(200);
    assert_eq!((&chosen.body["is_default"], &chosen.body["owner_id"]), (&json!(true), &json!(first.user_id)));
    assert_eq!(defaults(second).await, ["teams"], "instead of their own");
    assert_eq!((defaults(first).await, defaults(third).await), (vec![], vec![]));
    // what the one chose changes nothing for the other, who may go on with what they have read
    app.patch_if(&path(&teams), first, &read.etag(), &json!({ "name": "the team's" })).await.expect(200);
    app.patch_if(&path(&teams), second, &read.etag(), &wanted).await.expect_problem(412, "stale");
    // but an answer that was kept is not taken for a new one
    let seen = app.get(&path(&teams), second).await.expect(200).etag();
    app.patch(&path(&teams), second, &json!({ "is_default": false })).await.expect(200);
    let again = app.send(app.request(Method::GET, &path(&teams), second).header("if-none-match", seen)).await.expect(200);
    assert_eq!(again.body["is_default"], false);
    assert_eq!(defaults(second).await, [""; 0]);
    app.patch(&path(&own), second, &json!({ "is_default": false })).await.expect(200);
    app.patch(&path(&teams), second, &wanted).await.expect(200);

    // with what is the owner's to say, nothing is done
    let both = json!({ "name": "mine", "is_default": false });
    app.patch(&path(&teams), second, &both).await.expect_problem(403, "forbidden");
    app.patch(&path(&teams), second, &json!({})).await.expect_problem(403, "forbidden");
    assert_eq!(defaults(second).await, ["the team's"]);
    // nobody chooses what they do not see, nor a token, which is no person
    app.patch(&path(&private), second, &wanted).await.expect_problem(404, "not_found");
    app.patch(&path(&teams), third, &wanted).await.expect_problem(404, "not_found");
    let token = app.token(&app.admin, &["clients.view_all", "admin.manage_settings"]).await;
    app.patch(&path(&teams), &token, &wanted).await.expect_problem(403, "forbidden");
    // whoever manages views chooses for themselves too
    app.patch(&path(&teams), &app.admin, &json!({ "name": "ours", "is_default": true })).await.expect(200);
    assert_eq!((defaults(&app.admin).await, defaults(first).await), (vec!["ours".to_owned()], vec![]));

    // what is shared no longer is nobody's default, until it is shared again
    app.patch(&path(&teams), first, &json!({ "sharing": "private" })).await.expect(200);
    assert_eq!((defaults(second).await, defaults(first).await), (vec![], vec![]));
    app.patch(&path(&teams), first, &json!({ "sharing": "workspace" })).await.expect(200);
    assert_eq!(defaults(second).await, ["ours"]);
    let user = app.db.uuid(&second.user_id);
    let entries =
        format!("SELECT action FROM journal_entry WHERE record_type = 'saved_view_default' AND user_id = {user} ORDER BY number");
    assert_eq!(app.db.rows(&entries).await, ["create", "update", "delete", "create"]);
    // and goes with the view
    app.delete(&path(&teams), first).await.expect(204);
    assert_eq!(app.count("saved_view_default").await, 0);
    assert_eq!(app.db.rows(&entries).await, ["create", "update", "delete", "create"]);
    let forgotten = "journal_entry WHERE record_type = 'saved_view_default' AND action = 'delete' AND user_id =";
    let of_owner = app.db.uuid(&first.user_id);
    assert_eq!(app.count(&format!("{forgotten} {of_owner}")).await, 2, "by whom the view was deleted, for whoever had it");
}
