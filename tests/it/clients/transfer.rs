//! Clients change hands, many at once.

use harness::TestApp;
use serde_json::{Value, json};

async fn owned(app: &TestApp, owner: &str) -> i64 {
    app.count(&format!("client WHERE owner_id = {}", app.db.uuid(owner))).await
}

#[tokio::test]
async fn all_clients_of_somebody_go_to_somebody_else_and_each_change_is_in_the_journal() {
    let app = TestApp::spawn().await;
    let (leaving, staying) = (
        app.member(&app.admin, "sales_agent", "leaving@example.com").await,
        app.member(&app.admin, "sales_agent", "staying@example.com").await,
    );
    let mut operations = Vec::new();
    for number in 0..1000 {
        operations.push(
            json!({ "op": "create", "data": { "kind": "company", "name": format!("c{number}"), "owner_id": leaving.user_id } }),
        );
    }
    app.post("/v1/clients/bulk", &app.admin, &json!({ "operations": operations, "atomic": true })).await.expect(200);
    let mine = json!({ "kind": "company", "name": "one more", "owner_id": leaving.user_id });
    let last = app.post("/v1/clients", &app.admin, &mine).await.expect(201).id();
    let away = app.post("/v1/clients", &app.admin, &mine).await.expect(201).id();
    app.delete(&format!("/v1/clients/{away}"), &app.admin).await.expect(204);
    let body = json!({ "from_user_id": leaving.user_id, "to_user_id": staying.user_id });
    let first = app.post("/v1/clients/transfer", &app.admin, &body).await.expect(200).body;
    assert_eq!(first, json!({ "transferred": 1000, "has_more": true }));
    let rest = app.post("/v1/clients/transfer", &app.admin, &body).await.expect(200).body;
    assert_eq!(rest, json!({ "transferred": 1, "has_more": false }));
    let none = app.post("/v1/clients/transfer", &app.admin, &body).await.expect(200).body;
    assert_eq!(none, json!({ "transferred": 0, "has_more": false }));
    // what is archived stays
    assert_eq!((owned(&app, &leaving.user_id).await, owned(&app, &staying.user_id).await), (1, 1001));
    assert_eq!(app.actions_of(&last).await, ["create", "update"]);
    app.get(&format!("/v1/clients/{last}"), &leaving).await.expect_problem(404, "not_found");
    app.get(&format!("/v1/clients/{last}"), &staying).await.expect(200);
}

#[tokio::test]
async fn clients_that_are_named_change_hands_all_or_none() {
    let app = TestApp::spawn().await;
    let agent = app.member(&app.admin, "sales_agent", "agent@example.com").await;
    let elsewhere = app.second_workspace("other").await;
    let stranger = app.member(&elsewhere, "viewer", "stranger@example.com").await;
    let (a, b, away) = (app.client(&app.admin, "a").await, app.client(&app.admin, "b").await, app.client(&app.admin, "c").await);
    app.delete(&format!("/v1/clients/{away}"), &app.admin).await.expect(204);
    let foreign = app.client(&elsewhere, "foreign").await;
    let ask = async |session, body: Value| app.post("/v1/clients/transfer", session, &body).await;
    let wrong = json!({ "client_ids": [a, foreign, b, away], "to_user_id": stranger.user_id });
    let wrong = ask(&app.admin, wrong).await.expect_problem(422, "validation_failed");
    assert_eq!(wrong.pointers(), ["/client_ids/1", "/client_ids/3", "/to_user_id"]);
    for body in [
        json!({ "to_user_id": agent.user_id }),
        json!({ "to_user_id": agent.user_id, "client_ids": [a], "from_user_id": app.admin.user_id }),
    ] {
        assert_eq!(ask(&app.admin, body).await.expect_problem(422, "validation_failed").pointers(), ["/from_user_id"]);
    }
    let to_oneself = json!({ "to_user_id": agent.user_id, "from_user_id": agent.user_id });
    assert_eq!(ask(&app.admin, to_oneself).await.expect_problem(422, "validation_failed").pointers(), ["/to_user_id"]);
    let none = json!({ "to_user_id": agent.user_id, "client_ids": [] });
    assert_eq!(ask(&app.admin, none).await.expect_problem(422, "validation_failed").pointers(), ["/client_ids"]);
    assert_eq!(owned(&app, &agent.user_id).await, 0);
    let named = json!({ "client_ids": [a, b, a], "to_user_id": agent.user_id });
    assert_eq!(ask(&app.admin, named.clone()).await.expect(200).body, json!({ "transferred": 2, "has_more": false }));
    assert_eq!(ask(&app.admin, named).await.expect(200).body, json!({ "transferred": 0, "has_more": false }));
    // what one does not see one does not give away
    let hidden = app.client(&app.admin, "hidden").await;
    let taken = json!({ "client_ids": [hidden], "to_user_id": agent.user_id });
    assert_eq!(ask(&agent, taken).await.expect_problem(422, "validation_failed").pointers(), ["/client_ids/0"]);
    let all_of = json!({ "from_user_id": app.admin.user_id, "to_user_id": agent.user_id });
    assert_eq!(ask(&agent, all_of).await.expect(200).body["transferred"], 0);
    assert_eq!(owned(&app, &agent.user_id).await, 2);
}
