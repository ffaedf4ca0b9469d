//! Acquisition stages: the workspace's own, in its order, and which of them a client has been in.
//!
//! Faults that were put in to see these fail: a stage of another workspace taken, a place given to two, a stage deleted that a client is in.

use harness::{Answer, TestApp};
use serde_json::{Value, json};

const PATH: &str = "/v1/acquisition-stages";
const BEGINNING: [&str; 6] = ["lead", "qualified", "proposal", "negotiation", "closed_won", "closed_lost"];

fn keys(list: &Answer) -> Vec<String> {
    let stages = list.body["data"].as_array().unwrap();
    for (place, stage) in stages.iter().enumerate() {
        assert_eq!(stage["position"], place, "places have no gaps: {}", list.text);
    }
    stages.iter().map(|stage| stage["key"].as_str().unwrap().to_owned()).collect()
}

fn id_of(list: &Answer, key: &str) -> String {
    let stage = list.body["data"].as_array().unwrap().iter().find(|stage| stage["key"] == key).unwrap();
    stage["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_workspace_begins_with_six_stages_and_adds_orders_renames_and_deletes_its_own() {
    let app = TestApp::spawn().await;
    let other = app.second_workspace("other").await;
    let main = app.admin.in_workspace("main");
    assert_eq!(keys(&app.get(PATH, &main).await.expect(200)), BEGINNING);
    let demo = app.post(PATH, &main, &json!({ "key": "demo", "name": "Demo", "position": 2 })).await.expect(201);
    let list = app.get(PATH, &main).await.expect(200);
    assert_eq!(keys(&list), ["lead", "qualified", "demo", "proposal", "negotiation", "closed_won", "closed_lost"]);
    assert_eq!(keys(&app.get(PATH, &other).await.expect(200)), BEGINNING);
    app.post(PATH, &main, &json!({ "key": "demo", "name": "Again" })).await.expect_problem(409, "stage_key_taken");
    let wrong = json!({ "key": "Demo Call", "name": " ", "position": -1 });
    let refused = app.post(PATH, &main, &wrong).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/key", "/name", "/position"]);

    let path = format!("{PATH}/{}", demo.id());
    let moved = app.patch_if(&path, &main, &demo.etag(), &json!({ "position": 49, "name": "Show" })).await.expect(200);
    assert_eq!((&moved.body["position"], &moved.body["name"]), (&json!(6), &json!("Show")));
    app.patch_if(&path, &main, &demo.etag(), &json!({ "position": 0 })).await.expect_problem(412, "stale");
    app.patch(&path, &main, &json!({ "position": 0 })).await.expect(200);
    assert_eq!(keys(&app.get(PATH, &main).await.expect(200))[..2], ["demo", "lead"]);
    app.get(&path, &other).await.expect_problem(404, "not_found");
    app.delete(&path, &main).await.expect(204);
    assert_eq!(keys(&app.get(PATH, &main).await.expect(200)), BEGINNING);
    let viewer = app.member(&main, "viewer", "viewer@example.com").await;
    app.get(PATH, &viewer).await.expect(200);
    app.post(PATH, &viewer, &json!({ "key": "mine", "name": "Mine" })).await.expect_problem(403, "forbidden");
}

#[tokio::test]
async fn a_client_is_in_a_stage_of_its_workspace_and_the_journal_says_which_it_was_in() {
    let app = TestApp::spawn().await;
    let other = app.second_workspace("other").await;
    let main = app.admin.in_workspace("main");
    app.post(PATH, &other, &json!({ "key": "elsewhere", "name": "Elsewhere" })).await.expect(201);
    app.post(PATH, &main, &json!({ "key": "demo", "name": "Demo" })).await.expect(201);
    let body = |stage: &str| json!({ "kind": "company", "name": "Papa", "acquisition_stage": stage });
    let refused = app.post("/v1/clients", &main, &body("elsewhere")).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/acquisition_stage"]);
    assert!(refused.text.contains("demo") && !refused.text.contains("elsewhere,"));
    let client = app.post("/v1/clients", &main, &body("lead")).await.expect(201).id();
    let path = format!("/v1/clients/{client}");
    app.patch(&path, &main, &json!({ "acquisition_stage": "elsewhere" })).await.expect_problem(422, "validation_failed");
    app.patch(&path, &main, &json!({ "acquisition_stage": "demo", "sector": "ships" })).await.expect(200);
    app.patch(&path, &main, &json!({ "sector": "harbours" })).await.expect(200);
    app.patch(&path, &main, &json!({ "acquisition_stage": null })).await.expect(200);

    let history = app.get(&format!("{path}/stages"), &main).await.expect(200);
    let told: Vec<(&Value, &Value)> =
        history.body["data"].as_array().unwrap().iter().map(|change| (&change["from"], &change["to"])).collect();
    let (none, lead, demo) = (Value::Null, json!("lead"), json!("demo"));
    assert_eq!(told, [(&demo, &none), (&lead, &demo), (&none, &lead)]);
    assert_eq!(history.body["data"][0]["by"]["user_id"], app.admin.user_id.as_str());
    assert!(!history.text.contains("ships"), "what else changed is not told");
    let page = app.get(&format!("{path}/stages?limit=1"), &main).await.expect(200);
    let cursor = page.body["page"]["next_cursor"].as_str().unwrap();
    let next = app.get(&format!("{path}/stages?limit=1&cursor={cursor}"), &main).await.expect(200);
    assert_eq!(next.body["data"][0]["to"], "demo");
    app.get(&format!("{path}/stages"), &other).await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn a_stage_that_clients_are_in_stays_and_two_who_order_at_once_leave_no_gap() {
    let app = TestApp::spawn().await;
    let body = json!({ "kind": "company", "name": "Papa", "acquisition_stage": "lead" });
    let client = app.post("/v1/clients", &app.admin, &body).await.expect(201).id();
    app.delete(&format!("/v1/clients/{client}"), &app.admin).await.expect(204);
    let list = app.get(PATH, &app.admin).await.expect(200);
    let lead = format!("{PATH}/{}", id_of(&list, "lead"));
    app.delete(&lead, &app.admin).await.expect_problem(409, "stage_in_use");

    let moves = ["qualified", "proposal", "closed_won", "closed_lost"].map(|key| {
        let path = format!("{PATH}/{}", id_of(&list, key));
        let app = &app;
        async move { app.patch(&path, &app.admin, &json!({ "position": 0 })).await.expect(200) }
    });
    let [a, b, c, d] = moves;
    tokio::join!(a, b, c, d);
    let mut there = keys(&app.get(PATH, &app.admin).await.expect(200));
    there.sort();
    let mut all = BEGINNING.map(str::to_owned);
    all.sort();
    assert_eq!(there, all);
}
