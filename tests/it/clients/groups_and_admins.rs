//! Groups of clients, and the staff responsible for a client.
//!
//! Faults that were put in to see it fail: whom somebody is responsible for left out of what they see, and out of the lists of their own.

use futures::future::join_all;
use harness::TestApp;
use serde_json::{Value, json};

fn ids(page: &Value) -> Vec<&str> {
    page["data"].as_array().unwrap().iter().map(|record| record["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn groups_are_made_renamed_filled_filtered_by_and_deleted() {
    let app = TestApp::spawn().await;
    let make = async |name: &str| app.post("/v1/client-groups", &app.admin, &json!({ "name": name })).await;
    let (retail, wholesale) = (make(" Λιανική ").await.expect(201), make("Χονδρική").await.expect(201));
    assert_eq!(retail.body["name"], "Λιανική");
    let taken = make("λιανικη").await.expect_problem(409, "client_group_name_taken");
    assert_eq!(taken.pointers(), ["/name"]);
    let path = format!("/v1/client-groups/{}", wholesale.id());
    app.patch(&path, &app.admin, &json!({ "name": "ΛΙΑΝΙΚΉ" })).await.expect_problem(409, "client_group_name_taken");
    app.patch_if(&path, &app.admin, "\"v7\"", &json!({ "name": "x" })).await.expect_problem(412, "stale");
    let renamed = app.patch(&path, &app.admin, &json!({ "name": "Εξαγωγές", "description": "Εκτός ΕΕ" })).await.expect(200);
    assert_eq!((&renamed.body["name"], &renamed.body["description"]), (&json!("Εξαγωγές"), &json!("Εκτός ΕΕ")));
    let (a, b) = (app.client(&app.admin, "a").await, app.client(&app.admin, "b").await);
    let put = async |client: &str, group: &str| {
        app.post(&format!("/v1/clients/{client}/groups"), &app.admin, &json!({ "client_group_id": group })).await
    };
    for _ in 0..2 {
        // once is enough
        put(&a, &retail.id()).await.expect(200);
    }
    put(&a, &wholesale.id()).await.expect(200);
    put(&b, &retail.id()).await.expect(200);
    assert_eq!(app.count("client_group_member").await, 3);
    let missing = put(&a, "01900000-0000-7000-8000-000000000000").await.expect_problem(422, "validation_failed");
    assert_eq!(missing.pointers(), ["/client_group_id"]);
    let within = async |group: &str| {
        app.get(&format!("/v1/clients?client_group_id={group}&sort=name&include=groups&count=exact"), &app.admin)
            .await
            .expect(200)
            .body
    };
    let page = within(&retail.id()).await;
    assert_eq!((ids(&page), &page["page"]["total"]), (vec![a.as_str(), &b], &json!(2)));
    let names: Vec<_> = page["data"][0]["groups"].as_array().unwrap().iter().map(|group| &group["name"]).collect();
    assert_eq!(names, ["Εξαγωγές", "Λιανική"]);
    let taken_out = format!("/v1/clients/{a}/groups/{}", retail.id());
    app.delete(&taken_out, &app.admin).await.expect(204);
    app.delete(&taken_out, &app.admin).await.expect_problem(404, "not_found");
    assert_eq!(ids(&within(&retail.id()).await), [b.as_str()]);
    app.delete(&format!("/v1/client-groups/{}", retail.id()), &app.admin).await.expect(204);
    let trail = app.get(&format!("/v1/clients/{b}/audit"), &app.admin).await.expect(200).text;
    assert!(trail.contains("client.group_removed"), "{trail}");
    assert_eq!(app.count("client_group_member").await, 1);
    app.get(&format!("/v1/clients/{b}"), &app.admin).await.expect(200);
    app.delete(&format!("/v1/clients/{a}"), &app.admin).await.expect(204);
    put(&a, &wholesale.id()).await.expect_problem(409, "archived");
    app.act(&format!("/v1/clients/{a}/purge"), &app.admin).await.expect(204);
    assert_eq!(app.count("client_group_member").await, 0);
    let agent = app.member(&app.admin, "sales_agent", "agent@example.com").await;
    app.get("/v1/client-groups", &agent).await.expect(200);
    app.post("/v1/client-groups", &agent, &json!({ "name": "x" })).await.expect_problem(403, "forbidden");
}

#[tokio::test]
async fn whoever_is_responsible_for_a_client_sees_it_as_their_own_until_they_are_no_more() {
    let app = TestApp::spawn().await;
    let agent = app.member(&app.admin, "sales_agent", "agent@example.com").await;
    let (client, contact) = (app.client(&app.admin, "Παπάς").await, app.contact(&app.admin, "Ελένη").await);
    app.post(&format!("/v1/clients/{client}/contacts"), &app.admin, &json!({ "contact_id": contact })).await.expect(201);
    let foreign = app.client(&app.admin, "Παπάς foreign").await;
    let path = format!("/v1/clients/{client}");
    app.get(&path, &agent).await.expect_problem(404, "not_found");
    let admins = format!("{path}/admins");
    let made = app.post(&admins, &app.admin, &json!({ "user_id": agent.user_id })).await.expect(201);
    assert_eq!(
        (&made.body["user"]["id"], &made.body["assigned_by"], &made.body["client_id"]),
        (&json!(agent.user_id), &json!(app.admin.user_id), &json!(client))
    );
    app.post(&admins, &app.admin, &json!({ "user_id": agent.user_id })).await.expect_problem(409, "already_responsible");
    // by itself, in lists, counts and searches, with what hangs on it
    app.get(&path, &agent).await.expect(200);
    for query in [
        "count=exact",
        "count=exact&q=παπας",
        "count=exact&name[like]=παπ&sort=name",
        "count=exact&kind=company&sort=-updated_at",
    ] {
        let page = app.get(&format!("/v1/clients?{query}"), &agent).await.expect(200).body;
        assert_eq!((ids(&page), &page["page"]["total"]), (vec![client.as_str()], &json!(1)), "{query}");
    }
    assert_eq!(ids(&app.get("/v1/contacts", &agent).await.expect(200).body), [contact.as_str()]);
    app.patch(&path, &agent, &json!({ "sector": "it" })).await.expect(200);
    app.post(&format!("{path}/notes"), &agent, &json!({ "body": "x" })).await.expect(201);
    app.get(&format!("/v1/clients/{foreign}"), &agent).await.expect_problem(404, "not_found");
    let filtered = app.get(&format!("/v1/clients?admin_id={}&include=admins", agent.user_id), &app.admin).await.expect(200).body;
    assert_eq!((ids(&filtered), &filtered["data"][0]["admins"][0]["user_id"]), (vec![client.as_str()], &json!(agent.user_id)));
    let listed = app.get(&admins, &agent).await.expect(200).body;
    assert_eq!((listed["data"].as_array().unwrap().len(), &listed["data"][0]["user"]["id"]), (1, &json!(agent.user_id)));
    let trail = app.get(&format!("{path}/audit"), &app.admin).await.expect(200).text;
    assert!(trail.contains("client.admin_added"), "{trail}");
    app.delete(&format!("{admins}/{}", agent.user_id), &app.admin).await.expect(204);
    app.get(&path, &agent).await.expect_problem(404, "not_found");
    assert_eq!(ids(&app.get("/v1/clients", &agent).await.expect(200).body), Vec::<&str>::new());
    app.delete(&format!("{admins}/{}", agent.user_id), &app.admin).await.expect_problem(404, "not_found");
    let stranger = app.second_workspace("other").await;
    let stranger = app.member(&stranger, "viewer", "stranger@example.com").await;
    let refused = app.post(&admins, &app.admin, &json!({ "user_id": stranger.user_id })).await;
    assert_eq!(refused.expect_problem(422, "validation_failed").pointers(), ["/user_id"]);
    assert_eq!(app.count("client_admin").await, 0);
}

#[tokio::test]
async fn of_many_that_make_the_same_one_responsible_at_once_one_does() {
    let app = TestApp::spawn().await;
    let agent = app.member(&app.admin, "sales_agent", "agent@example.com").await;
    let client = app.client(&app.admin, "a").await;
    let (path, body) = (format!("/v1/clients/{client}/admins"), json!({ "user_id": agent.user_id }));
    let all = join_all((0..8).map(|_| async { app.post(&path, &app.admin, &body).await.status })).await;
    assert_eq!(all.iter().filter(|status| **status == 201).count(), 1, "{all:?}");
    assert!(all.iter().all(|status| matches!(status, 201 | 409)), "{all:?}");
    assert_eq!(app.count("client_admin").await, 1);
}
