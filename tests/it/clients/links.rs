//! Contacts of clients: a client that has any has exactly one primary one, always.

use futures::future::join_all;
use harness::TestApp;
use serde_json::json;

/// Contacts of a client as `name*` for the primary one, in the order of the list.
async fn contacts_of(app: &TestApp, client: &str) -> String {
    let list = app.get(&format!("/v1/clients/{client}/contacts"), &app.admin).await.expect(200).body;
    let list = list["data"].as_array().or(list.as_array()).unwrap_or_else(|| panic!("{list}")).clone();
    list.iter()
        .map(|link| {
            format!("{}{}", link["contact"]["given_name"].as_str().unwrap(), if link["is_primary"] == true { "*" } else { "" })
        })
        .collect::<Vec<_>>()
        .join(" ")
}

async fn link(app: &TestApp, client: &str, contact: &str, primary: Option<bool>) -> harness::Answer {
    let mut body = json!({ "contact_id": contact });
    if let Some(primary) = primary {
        body["is_primary"] = json!(primary);
    }
    app.post(&format!("/v1/clients/{client}/contacts"), &app.admin, &body).await
}

/// Clients that have contacts and not exactly one primary one.
async fn wrong(app: &TestApp) -> Vec<String> {
    let sql = "SELECT CAST(COUNT(*) AS text) FROM client_contact GROUP BY client_id HAVING SUM(CASE WHEN is_primary THEN 1 ELSE 0 END) <> 1";
    app.db.rows(sql).await
}

#[tokio::test]
async fn the_first_contact_is_primary_whatever_is_asked_and_another_takes_its_place() {
    let app = TestApp::spawn().await;
    let client = app.client(&app.admin, "a").await;
    let (x, y, z) = (app.contact(&app.admin, "x").await, app.contact(&app.admin, "y").await, app.contact(&app.admin, "z").await);
    assert_eq!(link(&app, &client, &x, Some(false)).await.expect(201).body["is_primary"], true);
    link(&app, &client, &y, None).await.expect(201);
    assert_eq!(contacts_of(&app, &client).await, "x* y");
    link(&app, &client, &z, Some(true)).await.expect(201);
    assert_eq!(contacts_of(&app, &client).await, "z* x y");
    let path = |contact: &str| format!("/v1/clients/{client}/contacts/{contact}");
    app.patch(&path(&z), &app.admin, &json!({ "is_primary": false })).await.expect_problem(409, "primary_required");
    app.patch(&path(&y), &app.admin, &json!({ "is_primary": false, "role": "CFO" })).await.expect(200);
    app.patch(&path(&y), &app.admin, &json!({ "is_primary": true, "influence": "decision_maker" })).await.expect(200);
    assert_eq!(contacts_of(&app, &client).await, "y* x z");
    link(&app, &client, &y, Some(false)).await.expect_problem(409, "already_linked");
    // the longest-standing of the others takes the place of one who goes
    app.delete(&path(&y), &app.admin).await.expect(204);
    assert_eq!(contacts_of(&app, &client).await, "x* z");
    app.delete(&path(&y), &app.admin).await.expect_problem(404, "not_found");
    app.delete(&path(&z), &app.admin).await.expect(204);
    app.delete(&path(&x), &app.admin).await.expect(204);
    assert_eq!(contacts_of(&app, &client).await, "");
    assert_eq!(link(&app, &client, &z, Some(false)).await.expect(201).body["is_primary"], true);
    assert!(wrong(&app).await.is_empty());
}

#[tokio::test]
async fn a_contact_belongs_to_several_clients_and_is_taken_out_of_all_when_it_is_purged() {
    let app = TestApp::spawn().await;
    let (a, b) = (app.client(&app.admin, "a").await, app.client(&app.admin, "b").await);
    let (x, y) = (app.contact(&app.admin, "x").await, app.contact(&app.admin, "y").await);
    for (client, contact) in [(&a, &x), (&a, &y), (&b, &y), (&b, &x)] {
        link(&app, client, contact, None).await.expect(201);
    }
    assert_eq!((contacts_of(&app, &a).await, contacts_of(&app, &b).await), ("x* y".to_owned(), "y* x".to_owned()));
    let of = app.get(&format!("/v1/contacts/{x}?include=clients"), &app.admin).await.expect(200).body;
    assert_eq!(of["clients"].as_array().unwrap().len(), 2);
    app.act(&format!("/v1/contacts/{x}/purge"), &app.admin).await.expect_problem(409, "not_archived");
    app.delete(&format!("/v1/contacts/{x}"), &app.admin).await.expect(204);
    app.act(&format!("/v1/contacts/{x}/purge"), &app.admin).await.expect(204);
    assert_eq!((contacts_of(&app, &a).await, contacts_of(&app, &b).await), ("y*".to_owned(), "y*".to_owned()));
    assert_eq!((app.count("client").await, app.count("contact").await), (2, 1));
    let erased = app.get(&format!("/v1/audit?record_id={x}&action=create"), &app.admin).await.expect(200).body["data"][0].clone();
    assert_eq!(erased["changes"]["given_name"], json!({ "erased": true }));
    let trail = app.get(&format!("/v1/clients/{a}/audit?record_type=client_contact&sort=at"), &app.admin).await.expect(200).body;
    let events: Vec<&str> = trail["data"].as_array().unwrap().iter().map(|entry| entry["event"].as_str().unwrap()).collect();
    // y became the primary one when x was put away
    let (added, changed) = ("client.contact_added", "client_contact.updated");
    assert_eq!(events, [added, added, changed, changed, "client.contact_removed"]);
}

#[tokio::test]
async fn a_contact_that_is_put_away_is_the_primary_one_only_where_there_is_no_other() {
    let app = TestApp::spawn().await;
    let (a, b) = (app.client(&app.admin, "a").await, app.client(&app.admin, "b").await);
    let (x, y, z) = (app.contact(&app.admin, "x").await, app.contact(&app.admin, "y").await, app.contact(&app.admin, "z").await);
    for (client, contact) in [(&a, &x), (&a, &y), (&b, &x)] {
        link(&app, client, contact, None).await.expect(201);
    }
    app.delete(&format!("/v1/contacts/{x}"), &app.admin).await.expect(204);
    assert_eq!((contacts_of(&app, &a).await, contacts_of(&app, &b).await), ("y*".to_owned(), String::new()));
    // nobody is made to belong, or the one to speak to, who is put away
    app.patch(&format!("/v1/clients/{a}/contacts/{x}"), &app.admin, &json!({ "is_primary": true }))
        .await
        .expect_problem(409, "archived");
    app.delete(&format!("/v1/contacts/{z}"), &app.admin).await.expect(204);
    assert_eq!(link(&app, &a, &z, None).await.expect_problem(422, "validation_failed").pointers(), ["/contact_id"]);
    app.act(&format!("/v1/contacts/{z}/restore"), &app.admin).await.expect(200);
    // the first who is there takes the place of one who is not
    link(&app, &b, &z, None).await.expect(201);
    assert_eq!(contacts_of(&app, &b).await, "z*");
    app.act(&format!("/v1/contacts/{x}/restore"), &app.admin).await.expect(200);
    assert_eq!((contacts_of(&app, &a).await, contacts_of(&app, &b).await), ("y* x".to_owned(), "z* x".to_owned()));
    app.delete(&format!("/v1/contacts/{z}"), &app.admin).await.expect(204);
    app.delete(&format!("/v1/contacts/{x}"), &app.admin).await.expect(204);
    app.act(&format!("/v1/contacts/{z}/restore"), &app.admin).await.expect(200);
    assert_eq!(contacts_of(&app, &b).await, "z*");
    assert!(wrong(&app).await.is_empty());
}

#[tokio::test]
async fn what_hangs_on_an_archived_client_is_not_changed() {
    let app = TestApp::spawn().await;
    let client = app.client(&app.admin, "a").await;
    let (x, y) = (app.contact(&app.admin, "x").await, app.contact(&app.admin, "y").await);
    link(&app, &client, &x, None).await.expect(201);
    let path = format!("/v1/clients/{client}");
    let note = app.post(&format!("{path}/notes"), &app.admin, &json!({ "body": "n" })).await.expect(201).id();
    let tag = app.post("/v1/tags", &app.admin, &json!({ "name": "t" })).await.expect(201).id();
    app.post(&format!("{path}/tags"), &app.admin, &json!({ "tag_id": tag })).await.expect(200);
    app.delete(&path, &app.admin).await.expect(204);
    let entries = app.count("journal_entry").await;
    for answer in [
        link(&app, &client, &y, None).await,
        app.patch(&format!("{path}/contacts/{x}"), &app.admin, &json!({ "role": "CEO" })).await,
        app.delete(&format!("{path}/contacts/{x}"), &app.admin).await,
        app.post(&format!("{path}/notes"), &app.admin, &json!({ "body": "m" })).await,
        app.patch(&format!("{path}/notes/{note}"), &app.admin, &json!({ "body": "m" })).await,
        app.delete(&format!("{path}/notes/{note}"), &app.admin).await,
        app.post(&format!("{path}/tags"), &app.admin, &json!({ "tag_id": tag })).await,
        app.delete(&format!("{path}/tags/{tag}"), &app.admin).await,
    ] {
        answer.expect_problem(409, "archived");
    }
    assert_eq!(app.count("journal_entry").await, entries);
    app.get(&format!("{path}/notes/{note}"), &app.admin).await.expect(200);
}

#[tokio::test]
async fn one_contact_of_a_client_can_be_read_where_its_creation_said() {
    let app = TestApp::spawn().await;
    let (a, b) = (app.client(&app.admin, "a").await, app.client(&app.admin, "b").await);
    let x = app.contact(&app.admin, "x").await;
    let made = link(&app, &a, &x, None).await.expect(201);
    let location = made.header("location").unwrap().to_owned();
    let read = app.get(&location, &app.admin).await.expect(200);
    assert_eq!(read.body, made.body);
    app.patch_if(&location, &app.admin, &read.etag(), &json!({ "role": "CEO" })).await.expect(200);
    app.patch_if(&location, &app.admin, &read.etag(), &json!({ "role": "CFO" })).await.expect_problem(412, "stale");
    app.get(&format!("/v1/clients/{b}/contacts/{x}"), &app.admin).await.expect_problem(404, "not_found");
    let agent = app.member(&app.admin, "sales_agent", "agent@example.com").await;
    app.get(&location, &agent).await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn ten_writers_at_once_leave_exactly_one_primary_contact() {
    let app = TestApp::spawn().await;
    let client = app.client(&app.admin, "a").await;
    let mut contacts = Vec::new();
    for number in 0..10 {
        contacts.push(app.contact(&app.admin, &number.to_string()).await);
    }
    let linked = join_all(contacts.iter().map(|contact| link(&app, &client, contact, Some(true)))).await;
    assert_eq!(linked.iter().map(|answer| answer.status).collect::<Vec<_>>(), [201; 10]);
    assert!(wrong(&app).await.is_empty());
    // some step forward, some go, some are purged
    for contact in &contacts[8..] {
        app.delete(&format!("/v1/contacts/{contact}"), &app.admin).await.expect(204);
    }
    let app = &app;
    let client = &client;
    let done = join_all(contacts.iter().enumerate().map(|(number, contact)| async move {
        let path = format!("/v1/clients/{client}/contacts/{contact}");
        match number {
            0..4 => app.patch(&path, &app.admin, &json!({ "is_primary": true })).await.expect(200).status,
            4..8 => app.delete(&path, &app.admin).await.expect(204).status,
            _ => app.act(&format!("/v1/contacts/{contact}/purge"), &app.admin).await.expect(204).status,
        }
    }))
    .await;
    assert_eq!(done.len(), 10);
    assert!(wrong(app).await.is_empty());
    assert_eq!(app.count("client_contact").await, 4);
    let list = contacts_of(app, client).await;
    assert_eq!(list.matches('*').count(), 1, "{list}");
}

#[tokio::test]
async fn a_period_does_not_end_before_it_begins() {
    let app = TestApp::spawn().await;
    let client = app.client(&app.admin, "a").await;
    let contact = app.contact(&app.admin, "x").await;
    let path = format!("/v1/clients/{client}/contacts");
    let body = json!({ "contact_id": contact, "since": "2026-02-01", "until": "2026-01-31" });
    assert_eq!(app.post(&path, &app.admin, &body).await.expect_problem(422, "validation_failed").pointers(), ["/until"]);
    let body =
        json!({ "contact_id": contact, "since": "2026-02-01", "until": "2026-02-01", "role": "CEO", "influence": "blocker" });
    app.post(&path, &app.admin, &body).await.expect(201);
    app.patch(&format!("{path}/{contact}"), &app.admin, &json!({ "until": "2025-01-01" }))
        .await
        .expect_problem(422, "validation_failed");
    let changed = app
        .patch(&format!("{path}/{contact}"), &app.admin, &json!({ "since": null, "until": "2025-01-01" }))
        .await
        .expect(200)
        .body;
    assert_eq!((&changed["since"], &changed["until"], &changed["role"]), (&json!(null), &json!("2025-01-01"), &json!("CEO")));
}
