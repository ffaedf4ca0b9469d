//! A foreign id is as good as none: the same answer, but for the request's id.

use harness::{Answer, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

const MISSING: &str = "01900000-0000-7000-8000-000000000000";

/// What an answer says, without the request's id and with the id asked for left out.
fn said(answer: &Answer, id: &str) -> (u16, String) {
    let mut body = answer.body.clone();
    assert!(body["request_id"].is_string(), "{}", answer.text);
    body["request_id"] = Value::Null;
    (answer.status, body.to_string().replace(id, "<id>"))
}

#[tokio::test]
async fn records_of_another_workspace_are_answered_like_records_that_are_not_there() {
    let app = TestApp::spawn().await;
    let other = app.second_workspace("other").await;
    let (client, contact) = (app.client(&other, "foreign").await, app.contact(&other, "foreign").await);
    let tag = app.post("/v1/tags", &other, &json!({ "name": "foreign" })).await.expect(201).id();
    let note = app.post(&format!("/v1/clients/{client}/notes"), &other, &json!({ "body": "x" })).await.expect(201).id();
    app.post(&format!("/v1/clients/{client}/contacts"), &other, &json!({ "contact_id": contact })).await.expect(201);
    let (own, own_contact) = (app.client(&app.admin, "own").await, app.contact(&app.admin, "own").await);
    let own_tag = app.post("/v1/tags", &app.admin, &json!({ "name": "own" })).await.expect(201).id();
    let entries = app.count("journal_entry").await;

    let patch = json!({ "name": "x" });
    let calls: Vec<(Method, String, &str, Option<Value>)> = vec![
        (Method::GET, "/v1/clients/{}".to_owned(), &client, None),
        (Method::GET, "/v1/clients/{}/summary".to_owned(), &client, None),
        (Method::GET, "/v1/clients/{}/audit".to_owned(), &client, None),
        (Method::GET, "/v1/clients/{}/contacts".to_owned(), &client, None),
        (Method::GET, "/v1/clients/{}/notes".to_owned(), &client, None),
        (Method::GET, format!("/v1/clients/{own}/notes/{{}}"), &note, None),
        (Method::PATCH, "/v1/clients/{}".to_owned(), &client, Some(patch.clone())),
        (Method::DELETE, "/v1/clients/{}".to_owned(), &client, None),
        (Method::POST, "/v1/clients/{}/restore".to_owned(), &client, None),
        (Method::POST, "/v1/clients/{}/purge".to_owned(), &client, None),
        (Method::POST, "/v1/clients/{}/notes".to_owned(), &client, Some(json!({ "body": "x" }))),
        (Method::POST, "/v1/clients/{}/tags".to_owned(), &client, Some(json!({ "tag_id": own_tag }))),
        (Method::POST, "/v1/clients/{}/contacts".to_owned(), &client, Some(json!({ "contact_id": own_contact }))),
        (Method::DELETE, format!("/v1/clients/{own}/tags/{{}}"), &tag, None),
        (Method::DELETE, format!("/v1/clients/{own}/contacts/{{}}"), &contact, None),
        (Method::PATCH, format!("/v1/clients/{own}/contacts/{{}}"), &contact, Some(json!({ "role": "x" }))),
        (Method::GET, "/v1/contacts/{}".to_owned(), &contact, None),
        (Method::GET, "/v1/contacts/{}/audit".to_owned(), &contact, None),
        (Method::PATCH, "/v1/contacts/{}".to_owned(), &contact, Some(json!({ "phone": "1" }))),
        (Method::DELETE, "/v1/contacts/{}".to_owned(), &contact, None),
        (Method::POST, "/v1/contacts/{}/purge".to_owned(), &contact, None),
        (Method::GET, "/v1/tags/{}".to_owned(), &tag, None),
        (Method::PATCH, "/v1/tags/{}".to_owned(), &tag, Some(patch)),
        (Method::DELETE, "/v1/tags/{}".to_owned(), &tag, None),
    ];
    for (method, path, foreign, body) in calls {
        let ask = async |id: &str| {
            let mut request = app.request(method.clone(), &path.replace("{}", id), &app.admin.in_workspace("main"));
            if let Some(body) = &body {
                request = request.json(body);
            }
            app.send(request).await
        };
        let (foreign, missing) = (said(&ask(foreign).await, foreign), said(&ask(MISSING).await, MISSING));
        assert_eq!(foreign.0, 404, "{method} {path}: {}", foreign.1);
        assert_eq!(foreign, missing, "{method} {path}");
    }
    // the same where an id stands in a body
    for (path, member, foreign, more) in [
        ("/v1/clients".to_owned(), "parent_id", &client, json!({ "kind": "company", "name": "x" })),
        (format!("/v1/clients/{own}/contacts"), "contact_id", &contact, json!({})),
        (format!("/v1/clients/{own}/tags"), "tag_id", &tag, json!({})),
    ] {
        let ask = async |id: &str| {
            let mut body = more.clone();
            body[member] = json!(id);
            app.post(&path, &app.admin.in_workspace("main"), &body).await
        };
        let (foreign, missing) = (said(&ask(foreign).await, foreign), said(&ask(MISSING).await, MISSING));
        assert_eq!(foreign.0, 422, "{path}: {}", foreign.1);
        assert_eq!(foreign, missing, "{path}");
    }
    for (filter, foreign) in [("tag_id", &tag), ("contact_id", &contact), ("parent_id", &client)] {
        let page = app
            .get(&format!("/v1/clients?{filter}={foreign}&count=exact"), &app.admin.in_workspace("main"))
            .await
            .expect(200)
            .body;
        assert_eq!(page["page"]["total"], 0, "{filter}");
    }
    let bulk = json!({ "operations": [{ "op": "archive", "id": client }, { "op": "archive", "id": MISSING }] });
    let results = app.post("/v1/clients/bulk", &app.admin.in_workspace("main"), &bulk).await.body["results"].clone();
    assert_eq!((&results[0]["status"], &results[1]["status"]), (&json!(404), &json!(404)));
    assert_eq!(app.count("journal_entry").await, entries);
    assert!(app.get(&format!("/v1/clients/{client}"), &other).await.expect(200).body["archived_at"].is_null());
}
