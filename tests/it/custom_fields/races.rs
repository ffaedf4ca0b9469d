//! Custom fields while others write: a new field and new records at once, a unique value wanted by many, and the jobs that reach records which
//! were there before.
//!
//! Faults that were put in to see it fail: records that are made while a field is and are not told of it, a job that ends after its first
//! batch, a uniqueness that only a look before the write keeps.

use futures::future::join_all;
use harness::TestApp;
use serde_json::json;

use super::{client, field, gone, names, path, until, worked};

#[tokio::test]
async fn records_that_are_made_while_a_field_is_are_all_in_its_sort() {
    let app = TestApp::spawn_with(|config| config.worker = true).await;
    for round in 0..4 {
        let makes = (0..6).map(|n| {
            let app = &app;
            async move { app.client(&app.admin, &format!("{round}/{n}")).await }
        });
        let key = format!("field_{round}");
        let (made, _) = tokio::join!(field(&app, &key, "number", json!({})), join_all(makes));
        until(&app, &made, "ready").await;
        assert_eq!(names(&app, &app.admin, &format!("sort=cf[{key}]")).await.len(), 6 * (round + 1), "{key}");
        let rows =
            "SELECT CAST(COUNT(*) AS text) FROM custom_field_value v JOIN custom_field f ON f.id = v.field_id WHERE f.key = ";
        let told = app.db.scalar(&format!("{rows}'{key}'")).await;
        assert_eq!(told, Some((6 * (round + 1)).to_string()), "each is told once");
    }
}

#[tokio::test]
async fn of_many_who_want_a_unique_value_at_once_one_gets_it() {
    let app = TestApp::spawn().await;
    field(&app, "code", "text", json!({ "is_unique": true })).await;
    let body = json!({ "kind": "company", "name": "A", "custom_fields": { "code": "the one" } });
    let answers = join_all((0..8).map(|_| app.post("/v1/clients", &app.admin, &body))).await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(made, 1);
    for refused in answers.into_iter().filter(|answer| answer.status != 201) {
        refused.expect_problem(409, "custom_value_taken");
    }
    assert_eq!(app.count("client").await, 1);
}

#[tokio::test]
async fn a_field_over_many_records_is_prepared_and_purged_by_jobs() {
    let app = TestApp::spawn().await;
    for n in 0..30 {
        app.client(&app.admin, &format!("{n:02}")).await;
    }
    let made = field(&app, "seats", "number", json!({})).await;
    assert_eq!(made["state"], "preparing");
    let refused = app.get("/v1/clients?sort=cf[seats]", &app.admin).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.body["errors"][0]["code"], "not_ready");
    // what is given values meanwhile keeps them
    let list = app.get("/v1/clients?limit=200&sort=name", &app.admin).await.expect(200).body;
    let ids: Vec<String> = list["data"].as_array().unwrap().iter().map(|c| c["id"].as_str().unwrap().to_owned()).collect();
    for (n, id) in ids.iter().enumerate().step_by(2) {
        let patch = json!({ "custom_fields": { "seats": n } });
        app.patch(&format!("/v1/clients/{id}"), &app.admin, &patch).await.expect(200);
    }
    assert_eq!(names(&app, &app.admin, "cf[seats]=8").await, ["08"], "it can be filtered by meanwhile");
    client(&app, "late", json!({})).await;

    worked(&app, until(&app, &made, "ready")).await;
    let sorted = names(&app, &app.admin, "sort=-cf[seats]").await;
    assert_eq!((sorted.len(), sorted[0].as_str(), sorted[16].as_str(), sorted[30].as_str()), (31, "late", "28", "00"));
    assert_eq!(app.count("custom_field_value").await, 31);

    app.delete(&path(&made), &app.admin).await.expect(204);
    app.act(&format!("{}/purge", path(&made)), &app.admin).await.expect(204);
    worked(&app, gone(&app, &made)).await;
    assert_eq!((app.count("custom_field").await, app.count("custom_field_value").await), (0, 0));
    let list = app.get("/v1/clients?limit=200", &app.admin).await.expect(200).body;
    assert!(list["data"].as_array().unwrap().iter().all(|client| client["custom_fields"] == json!({})), "{list}");
}
