//! Colleagues: what everybody of the staff may know of everybody else.

use std::collections::BTreeSet;

use harness::{Session, TestApp};
use serde_json::{Value, json};

async fn names(app: &TestApp, by: &Session, query: &str) -> Vec<String> {
    let page = app.get(&format!("/v1/colleagues{query}"), by).await.expect(200);
    let name = |one: &Value| one["given_name"].as_str().unwrap().to_owned();
    page.body["data"].as_array().unwrap().iter().map(name).collect()
}

/// A member whose given name is this.
async fn named(app: &TestApp, by: &Session, role: &str, name: &str) -> Session {
    let member = app.member(by, role, &format!("{}@example.com", name.to_lowercase())).await;
    let body = json!({ "given_name": name, "family_name": "Νίκα", "phone": "210 1234567" });
    app.patch(&format!("/v1/users/{}", member.user_id), by, &body).await.expect(200);
    member
}

/// Seen to fail with accounts of every workspace listed.
#[tokio::test]
async fn every_member_lists_the_staff_of_the_workspace_and_learns_no_more_than_names_and_roles() {
    let app = TestApp::spawn().await;
    let other = app.second_workspace("other").await;
    let main = app.admin.in_workspace("main");
    let agent = named(&app, &main, "sales_agent", "Anna").await;
    let viewer = named(&app, &main, "viewer", "Zoe").await;
    let stranger = named(&app, &other, "viewer", "Stranger").await;
    app.get("/v1/users", &agent).await.expect_problem(403, "forbidden");

    let page = app.get("/v1/colleagues", &agent).await.expect(200);
    let data = page.body["data"].as_array().unwrap();
    let seen: Vec<_> = data.iter().map(|one| (one["id"].as_str().unwrap(), one["role"].as_str().unwrap())).collect();
    let wanted = [(&main, "super_admin"), (&agent, "sales_agent"), (&viewer, "viewer")];
    assert_eq!(seen, wanted.map(|(who, role)| (who.user_id.as_str(), role)));
    assert_eq!((&data[1]["role_name"], &data[1]["is_active"]), (&json!("Sales agent"), &json!(true)));
    let members: BTreeSet<&str> = data.iter().flat_map(|one| one.as_object().unwrap().keys()).map(String::as_str).collect();
    assert_eq!(Vec::from_iter(members), ["family_name", "given_name", "id", "is_active", "role", "role_name"]);
    assert!(!page.text.contains("example.com") && !page.text.contains("210"), "{}", page.text);

    assert_eq!(names(&app, &stranger, "").await, ["Ada", "Stranger"]);
    let token = app.token(&main, &["clients.view_all"]).await;
    assert_eq!(names(&app, &token, "").await, ["Ada", "Anna", "Zoe"]);
    let client = app.client(&main, "Papa").await;
    let contact = app.contact_in_portal(&main, &client, "eleni@papa.example", &["invoices"]).await;
    app.get("/v1/colleagues", &contact).await.expect_problem(403, "forbidden");
    app.get("/v1/colleagues", &Session::nobody()).await.expect_problem(401, "unauthenticated");
}

#[tokio::test]
async fn colleagues_are_found_by_name_by_id_and_by_whether_they_are_there_page_by_page() {
    let app = TestApp::spawn().await;
    for name in ["Anna", "Eleni", "Nikos", "Zoe"] {
        named(&app, &app.admin, "viewer", name).await;
    }
    let agent = named(&app, &app.admin, "sales_agent", "Maria").await;
    assert_eq!(names(&app, &agent, "?sort=-name").await, ["Zoe", "Nikos", "Maria", "Eleni", "Anna", "Ada"]);
    assert_eq!(names(&app, &agent, "?name[like]=ΝΙΚΑ%20an").await, ["Anna"]);
    assert_eq!(names(&app, &agent, &format!("?id={}", agent.user_id)).await, ["Maria"]);

    let (mut found, mut path) = (Vec::new(), "?limit=2".to_owned());
    loop {
        found.extend(names(&app, &agent, &path).await);
        let page = app.get(&format!("/v1/colleagues{path}"), &agent).await.expect(200);
        let Some(cursor) = page.body["page"]["next_cursor"].as_str() else { break };
        path = format!("?limit=2&cursor={cursor}");
    }
    assert_eq!(found, ["Ada", "Anna", "Eleni", "Maria", "Nikos", "Zoe"]);

    let zoe = app.get("/v1/colleagues?name[like]=zoe", &agent).await.expect(200).body["data"][0]["id"].clone();
    let off = json!({ "is_active": false });
    app.patch(&format!("/v1/users/{}", zoe.as_str().unwrap()), &app.admin, &off).await.expect(200);
    assert_eq!(names(&app, &agent, "?is_active=false").await, ["Zoe"]);
    // what is not told is not asked for either
    for hidden in ["email=zoe@example.com", "is_super_admin=true", "sort=created_at", "include=user"] {
        assert_eq!(app.get(&format!("/v1/colleagues?{hidden}"), &agent).await.status, 422, "{hidden}");
    }
}
