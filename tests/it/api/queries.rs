//! Query strings and path ids.

use harness::TestApp;
use serde_json::{Value, json};

use super::NOWHERE;

#[tokio::test]
async fn a_query_parameter_that_is_not_there_is_refused_by_name_with_those_there_are() {
    let app = TestApp::spawn().await;
    let client = app.client(&app.admin, "There").await;
    let refused = app.get("/v1/clients?colour=red&shape[gte]=1&sort=colour&include=moon&fields=secret", &app.admin).await;
    let refused = refused.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["?colour", "?fields", "?include", "?shape[gte]", "?sort"]);
    let message = |pointer: &str| {
        let errors = refused.body["errors"].as_array().unwrap();
        errors.iter().find(|error| error["pointer"] == pointer).unwrap()["message"].as_str().unwrap().to_owned()
    };
    assert!(message("?colour").contains("tax_number") && message("?sort").contains("created_at"), "{}", refused.text);
    assert!(message("?include").contains("contacts") && message("?fields").contains("legal_name"), "{}", refused.text);
    for path in [format!("/v1/clients/{client}?colour=red"), "/v1/tags?colour_of=red".to_owned(), "/v1/audit?x=1".to_owned()] {
        app.get(&path, &app.admin).await.expect_problem(422, "validation_failed");
    }
    let entries = app.count("journal_entry").await;
    let body = json!({ "kind": "company", "name": "X" });
    let refused = app.post("/v1/clients?dry_run=true", &app.admin, &body).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["?dry_run"]);
    let path = format!("/v1/clients/{client}?force=true");
    app.patch(&path, &app.admin, &body).await.expect_problem(422, "validation_failed");
    app.delete(&path, &app.admin).await.expect_problem(422, "validation_failed");
    assert_eq!((app.count("client").await, app.count("journal_entry").await), (1, entries));
}

#[tokio::test]
async fn limits_dates_and_values_that_do_not_fit_are_422_at_their_parameter() {
    let app = TestApp::spawn().await;
    for limit in ["0", "201", "-1", "abc", "", "1.5", "99999999999999999999"] {
        let refused = app.get(&format!("/v1/clients?limit={limit}"), &app.admin).await.expect_problem(422, "validation_failed");
        assert_eq!(refused.pointers(), ["?limit"], "{limit}");
    }
    for limit in [1, 200] {
        app.get(&format!("/v1/clients?limit={limit}"), &app.admin).await.expect(200);
    }
    for date in ["0000-00-00", "2026-02-30", "0000-01-01", "yesterday", "99999-01-01", "2026-01-01T25:00:00Z"] {
        let refused = app.get(&format!("/v1/clients?created_at[gte]={date}"), &app.admin).await;
        assert_eq!(refused.expect_problem(422, "validation_failed").pointers(), ["?created_at[gte]"], "{date}");
    }
    app.get("/v1/clients?created_at[gte]=2026-01-01&created_at[lt]=9998-01-01", &app.admin).await.expect(200);
    let several = "/v1/clients?owner_id=7&kind=robot&archived=maybe&count=about&name[near]=x&kind[gt]=person";
    let refused = app.get(several, &app.admin).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["?archived", "?count", "?kind", "?kind[gt]", "?name[near]", "?owner_id"]);
    for unreadable in ["?q=%ff", "?q=%", "?%zz=1", &format!("?{}", "a&".repeat(101))] {
        app.get(&format!("/v1/clients{unreadable}"), &app.admin).await.expect_problem(400, "unreadable");
    }
    app.get(&format!("/v1/clients?q={}", "a".repeat(201)), &app.admin).await.expect_problem(422, "validation_failed");
}

#[tokio::test]
async fn a_path_id_that_is_no_uuid_is_400_and_one_that_nothing_has_404() {
    let app = TestApp::spawn().await;
    for id in ["1", "nobody", "01938f5c-4f2e-7cc3-98c4-dc0c0c07398", "%ff", "'%20OR%201=1", "%CE%A0"] {
        for path in [format!("/v1/clients/{id}"), format!("/v1/clients/{NOWHERE}/notes/{id}"), format!("/v1/users/{id}")] {
            app.get(&path, &app.admin).await.expect_problem(400, "invalid_id");
        }
        app.patch(&format!("/v1/clients/{id}"), &app.admin, &json!({})).await.expect_problem(400, "invalid_id");
        app.delete(&format!("/v1/contacts/{id}"), &app.admin).await.expect_problem(400, "invalid_id");
    }
    app.get(&format!("/v1/clients/{NOWHERE}"), &app.admin).await.expect_problem(404, "not_found");
    app.get(&format!("/v1/clients/{}", NOWHERE.to_uppercase()), &app.admin).await.expect_problem(404, "not_found");
}

fn members(record: &Value) -> Vec<String> {
    let mut names: Vec<String> = record.as_object().unwrap().keys().cloned().collect();
    names.sort();
    names
}

#[tokio::test]
async fn fields_and_include_choose_what_is_answered_of_one_and_of_each() {
    let app = TestApp::spawn().await;
    let body = json!({ "kind": "company", "name": "There", "owner_id": app.admin.user_id });
    let client = app.post("/v1/clients", &app.admin, &body).await.expect(201);
    let contact = app.contact(&app.admin, "Nikos").await;
    app.post(&format!("/v1/clients/{}/contacts", client.id()), &app.admin, &json!({ "contact_id": contact })).await.expect(201);
    assert!(["contacts", "owner", "parent", "tags"].iter().all(|name| client.body.get(name).is_none()));

    let path = format!("/v1/clients/{}", client.id());
    let both = |query: &str| (format!("{path}?{query}"), format!("/v1/clients?{query}"));
    for (query, expected) in [
        ("fields=id,name", vec!["id", "name"]),
        ("fields=name&include=owner", vec!["name", "owner"]),
        ("fields=name,name&include=contacts,tags", vec!["contacts", "name", "tags"]),
    ] {
        let (one, list) = both(query);
        assert_eq!(members(&app.get(&one, &app.admin).await.expect(200).body), expected);
        assert_eq!(members(&app.get(&list, &app.admin).await.expect(200).body["data"][0]), expected);
    }
    let (one, list) = both("include=contacts,owner,parent,tags");
    let one = app.get(&one, &app.admin).await.expect(200).body;
    assert_eq!(app.get(&list, &app.admin).await.expect(200).body["data"][0], one);
    assert_eq!((&one["contacts"][0]["contact"]["id"], &one["contacts"][0]["is_primary"]), (&json!(contact), &json!(true)));
    assert_eq!((&one["owner"]["id"], &one["tags"]), (&json!(app.admin.user_id), &json!([])));
    assert!(one["owner"].get("email").is_none(), "others see a name, not an address");
}
