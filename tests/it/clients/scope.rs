//! Row scope: a sales agent sees the clients that it owns or made, in whatever way it asks.

use harness::{Session, TestApp};
use serde_json::{Value, json};

struct Sales {
    app: TestApp,
    agent: Session,
    /// Made by the agent.
    made: String,
    /// Made by the administrator, owned by the agent.
    owned: String,
    /// The administrator's.
    foreign: String,
}

async fn sales() -> Sales {
    let app = TestApp::spawn().await;
    let agent = app.member(&app.admin, "sales_agent", "agent@example.com").await;
    let made = app.client(&agent, "Παπάς made").await;
    let owned = json!({ "kind": "company", "name": "Παπάς owned", "owner_id": agent.user_id });
    let owned = app.post("/v1/clients", &app.admin, &owned).await.expect(201).id();
    let foreign = app.client(&app.admin, "Παπάς foreign").await;
    Sales { app, agent, made, owned, foreign }
}

fn ids(page: &Value) -> Vec<&str> {
    page["data"].as_array().unwrap().iter().map(|record| record["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_sales_agent_lists_counts_and_finds_only_what_it_owns_or_made() {
    let Sales { app, agent, made, owned, foreign } = sales().await;
    for query in [
        "sort=created_at",
        "sort=created_at&q=παπας",
        "sort=created_at&name[like]=foreign&archived=true",
        "sort=created_at&archived=true",
    ] {
        let page = app.get(&format!("/v1/clients?{query}&count=exact"), &agent).await.expect(200).body;
        let expected = if query.contains("foreign") { vec![] } else { vec![made.as_str(), owned.as_str()] };
        assert_eq!((ids(&page), &page["page"]["total"]), (expected.clone(), &json!(expected.len())), "{query}");
    }
    let everybody = app.get("/v1/clients?count=exact", &app.admin).await.expect(200).body;
    assert_eq!(everybody["page"]["total"], 3);
    for id in [&made, &owned] {
        app.get(&format!("/v1/clients/{id}"), &agent).await.expect(200);
        app.get(&format!("/v1/clients/{id}/summary"), &agent).await.expect(200);
        app.patch(&format!("/v1/clients/{id}"), &agent, &json!({ "sector": "it" })).await.expect(200);
        app.get(&format!("/v1/clients/{id}/audit"), &agent).await.expect_problem(403, "forbidden");
        app.delete(&format!("/v1/clients/{id}"), &agent).await.expect_problem(403, "forbidden");
    }
    // what stops being its own is gone at once
    app.patch(&format!("/v1/clients/{owned}"), &app.admin, &json!({ "owner_id": null })).await.expect(200);
    app.get(&format!("/v1/clients/{owned}"), &agent).await.expect_problem(404, "not_found");
    assert_eq!(ids(&app.get("/v1/clients", &agent).await.expect(200).body), [made]);
    let _ = foreign;
}

#[tokio::test]
async fn what_hangs_on_a_client_out_of_scope_is_not_there_for_a_sales_agent() {
    let Sales { app, agent, made, foreign, .. } = sales().await;
    let contact = app.contact(&agent, "own").await;
    let note = app.post(&format!("/v1/clients/{foreign}/notes"), &app.admin, &json!({ "body": "x" })).await.expect(201).id();
    let tag = app.post("/v1/tags", &app.admin, &json!({ "name": "vip" })).await.expect(201).id();
    let path = |rest: &str| format!("/v1/clients/{foreign}{rest}");
    for rest in ["", "/summary", "/contacts", "/notes", &format!("/notes/{note}"), "?include=contacts"] {
        app.get(&path(rest), &agent).await.expect_problem(404, "not_found");
    }
    app.patch(&path(""), &agent, &json!({ "name": "x" })).await.expect_problem(404, "not_found");
    app.patch(&path(&format!("/notes/{note}")), &agent, &json!({ "body": "y" })).await.expect_problem(404, "not_found");
    app.post(&path("/notes"), &agent, &json!({ "body": "x" })).await.expect_problem(404, "not_found");
    app.post(&path("/tags"), &agent, &json!({ "tag_id": tag })).await.expect_problem(404, "not_found");
    app.post(&path("/contacts"), &agent, &json!({ "contact_id": contact })).await.expect_problem(404, "not_found");
    let bulk = json!({ "operations": [{ "op": "update", "id": foreign, "data": { "name": "x" } }] });
    let bulk = app.post("/v1/clients/bulk", &agent, &bulk).await;
    assert_eq!(bulk.body["results"][0]["status"], 404, "{}", bulk.text);
    // nor can it be named as a parent, nor is its name shown as one
    let named = app.patch(&format!("/v1/clients/{made}"), &agent, &json!({ "parent_id": foreign })).await;
    assert_eq!(named.expect_problem(422, "validation_failed").pointers(), ["/parent_id"]);
    app.patch(&format!("/v1/clients/{made}"), &app.admin, &json!({ "parent_id": foreign })).await.expect(200);
    let child = app.get(&format!("/v1/clients/{made}?include=parent"), &agent).await.expect(200).body;
    assert!(child["parent"].is_null(), "{child}");
}

#[tokio::test]
async fn a_sales_agent_sees_the_contacts_of_its_clients_and_those_it_made() {
    let Sales { app, agent, owned, foreign, .. } = sales().await;
    let (of_owned, of_foreign, of_both) = (
        app.contact(&app.admin, "of owned").await,
        app.contact(&app.admin, "of foreign").await,
        app.contact(&app.admin, "of both").await,
    );
    let of_nobody = app.contact(&app.admin, "of nobody").await;
    let own = app.contact(&agent, "own").await;
    for (client, contact) in [(&owned, &of_owned), (&foreign, &of_foreign), (&owned, &of_both), (&foreign, &of_both)] {
        app.post(&format!("/v1/clients/{client}/contacts"), &app.admin, &json!({ "contact_id": contact })).await.expect(201);
    }
    let page = app.get("/v1/contacts?sort=created_at&count=exact&include=clients", &agent).await.expect(200).body;
    assert_eq!((ids(&page), &page["page"]["total"]), (vec![of_owned.as_str(), &of_both, &own], &json!(3)));
    // a client out of scope is not named
    assert!(!page.to_string().contains(&foreign), "{page}");
    for hidden in [&of_foreign, &of_nobody] {
        app.get(&format!("/v1/contacts/{hidden}"), &agent).await.expect_problem(404, "not_found");
        app.patch(&format!("/v1/contacts/{hidden}"), &agent, &json!({ "phone": "1" })).await.expect_problem(404, "not_found");
        let link = app.post(&format!("/v1/clients/{owned}/contacts"), &agent, &json!({ "contact_id": hidden })).await;
        assert_eq!(link.expect_problem(422, "validation_failed").pointers(), ["/contact_id"]);
    }
    let search = app.get("/v1/contacts?q=of&sort=created_at", &agent).await.expect(200).body;
    assert_eq!(ids(&search), [of_owned.as_str(), &of_both]);
    let by_foreign = app.get(&format!("/v1/contacts?client_id={foreign}"), &agent).await.expect(200).body;
    assert_eq!(ids(&by_foreign), Vec::<&str>::new(), "the filter tells who belongs to a client out of scope");
}

#[tokio::test]
async fn the_audit_trail_masks_the_values_that_its_reader_may_not_see_elsewhere() {
    let Sales { app, agent, made, .. } = sales().await;
    app.patch(&format!("/v1/clients/{made}"), &app.admin, &json!({ "phone": "999" })).await.expect(200);
    let auditor = app.token(&app.admin, &["admin.view_audit_log", "admin.manage_tags"]).await;
    let page = app.get(&format!("/v1/audit?record_id={made}&sort=at"), &auditor).await.expect(200).body;
    let (create, update) = (&page["data"][0], &page["data"][1]);
    assert_eq!(
        (&create["action"], &create["changes"]["name"], &create["ip"]),
        (&json!("create"), &json!({ "masked": true }), &json!(null))
    );
    // the token's maker did it; the token did not, and may not see it elsewhere
    assert_eq!(update["changes"]["phone"], json!({ "masked": true }));
    let acts = app.get("/v1/me/audit", &auditor).await.expect(200).body;
    assert_eq!(ids(&acts), Vec::<&str>::new());
    // its own acts are its own to read
    let tag = app.post("/v1/tags", &auditor, &json!({ "name": "mine" })).await.expect(201).id();
    let acts = app.get("/v1/me/audit", &auditor).await.expect(200).body;
    assert_eq!((&acts["data"][0]["record_id"], &acts["data"][0]["changes"]["name"]["to"]), (&json!(tag), &json!("mine")));
    let own = app.get(&format!("/v1/audit?record_id={made}&sort=at"), &app.admin).await.expect(200).body;
    assert_eq!(own["data"][1]["changes"]["phone"], json!({ "from": null, "to": "999" }));
    assert!(!create.to_string().contains("Παπάς"));
    // the trail of a record is there for who sees the record
    app.get(&format!("/v1/clients/{made}/audit"), &auditor).await.expect_problem(403, "forbidden");
    let mine = app.get("/v1/me/audit?sort=at&limit=200", &agent).await.expect(200);
    assert!(mine.text.contains("Παπάς made") && !mine.text.contains("\"999\""));
}
