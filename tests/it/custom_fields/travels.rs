//! Values on their way out and in: exports, imports, what a person is told, and a client that comes back from a backup.
//!
//! Faults that were put in to see it fail: a column of a custom field left empty, a cell of an import that is taken as text, a value that an
//! import which is taken back leaves beside the record.

use harness::TestApp;
use reqwest::Method;
use serde_json::{Value, json};

use super::{beside, client, field, field_of, names, options, path};

async fn csv(app: &TestApp, query: &str) -> Vec<String> {
    let answer = app.request(Method::GET, &format!("/v1/clients/export?{query}"), &app.admin).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{query}");
    let text = answer.text().await.unwrap();
    text.trim_start_matches('\u{feff}').lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn an_export_has_a_column_for_each_custom_field_and_any_can_be_chosen() {
    let app = TestApp::spawn().await;
    field(&app, "budget", "money", json!({})).await;
    field(&app, "areas", "multi_select", options(&["north", "south"])).await;
    let old = field(&app, "old", "text", json!({})).await;
    client(&app, "A", json!({ "budget": { "amount": "7.5", "currency": "EUR" }, "areas": ["south", "north"], "old": "=1+1" }))
        .await;
    client(&app, "B", json!({})).await;
    app.delete(&path(&old), &app.admin).await.expect(204);
    let whole = csv(&app, "sort=name").await;
    assert!(whole[0].ends_with("updated_at,cf[budget],cf[areas]"), "{}", whole[0]);
    assert!(whole[1].ends_with(",7.50 EUR,\"north, south\""), "{}", whole[1]);
    let chosen = csv(&app, "columns=cf[old],name,cf[budget]&sort=-cf[budget]&cf[old][is_null]=false").await;
    assert_eq!(chosen, ["cf[old],name,cf[budget]", "'=1+1,A,7.50 EUR"]);
    for (query, pointer) in [
        ("columns=cf[colour]", "?columns"),
        ("columns=cf[old],cf[old]", "?columns"),
        ("cf[colour]=1", "?cf[colour]"),
        ("sort=cf[areas]", "?sort"),
    ] {
        let refused = app.get(&format!("/v1/clients/export?{query}"), &app.admin).await;
        assert_eq!(refused.expect_problem(422, "validation_failed").pointers(), [pointer], "{query}");
    }
}

/// Imports a file over HTTP, to its end.
async fn import(app: &TestApp, file: &str) -> Value {
    let started = app.send(app.importing(&app.admin, &[], "clients.csv", file.as_bytes())).await.expect(202);
    let path = format!("/v1/imports/{}", started.id());
    let state = async |state: &str| {
        for _ in 0..500 {
            let run = app.get(&path, &app.admin).await.expect(200).body;
            if run["state"] == state {
                return run;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("the import never was {state}: {}", app.get(&path, &app.admin).await.body);
    };
    state("staged").await;
    app.act(&format!("{path}/approve"), &app.admin).await.expect(202);
    state("finished").await
}

#[tokio::test]
async fn a_file_brings_values_by_the_columns_of_an_export_and_taking_it_back_takes_them_back() {
    let app = TestApp::spawn_with(|config| config.worker = true).await;
    field(&app, "budget", "money", json!({})).await;
    field(&app, "regime", "select", json!({ "options": [{ "key": "normal", "label": "Κανονικό" }], "is_required": true })).await;
    field(&app, "code", "text", json!({ "is_unique": true })).await;
    let file = "name;cf[budget];cf[regime];cf[code]\nA;7,5 EUR;normal;1\nB;12.30 EUR;κανονικο;2\nC;;;3\n";
    let run = import(&app, file).await;
    assert_eq!((&run["created"], &run["wrong"]), (&json!(2), &json!(1)), "{run}");
    let issues = app.get(&format!("/v1/imports/{}/issues", run["id"].as_str().unwrap()), &app.admin).await.expect(200).body;
    assert_eq!(issues["data"][0]["column"], "cf[budget]", "{issues}");
    assert_eq!(names(&app, &app.admin, "cf[budget]=12.30 EUR").await, ["B"]);
    assert_eq!(names(&app, &app.admin, "cf[code]=3&cf[regime][is_null]=true").await, ["C"], "what is required may be missing");

    // the same again says nothing new, and another value is a change
    let run = import(&app, "name;cf[budget];cf[code]\nB;12.30 EUR;2\nC;5.00 EUR;3\n").await;
    assert_eq!((&run["unchanged"], &run["changed"]), (&json!(1), &json!(1)), "{run}");
    let id = app.get("/v1/clients?cf[code]=3", &app.admin).await.expect(200).body["data"][0]["id"].as_str().unwrap().to_owned();
    assert!(beside(&app, &id).await.contains(&"budget EUR 500".to_owned()));
    app.act(&format!("/v1/imports/{}/undo", run["id"].as_str().unwrap()), &app.admin).await.expect(202);
    for _ in 0..500 {
        if !beside(&app, &id).await.contains(&"budget EUR 500".to_owned()) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(beside(&app, &id).await.contains(&"budget - 0".to_owned()));
    assert_eq!(app.get(&format!("/v1/clients/{id}"), &app.admin).await.expect(200).body["custom_fields"], json!({ "code": "3" }));

    field_of(&app, &app.admin, "contact", "hobby", "text", json!({})).await;
    import(&app, "name;contact first name;contact_cf[hobby];cf[code]\nB;Eleni;Sailing;2\n").await;
    let found = app.get("/v1/contacts?cf[hobby]=sailing", &app.admin).await.expect(200).body;
    assert_eq!(found["data"][0]["given_name"], "Eleni", "{found}");

    let run = import(&app, "name;cf[colour];cf[code]\nD;red;4\nE;;2\n").await;
    assert_eq!(run["wrong"], 2, "{run}");
    let issues = app.get(&format!("/v1/imports/{}/issues", run["id"].as_str().unwrap()), &app.admin).await.expect(200).body;
    let told: Vec<(&Value, &Value)> =
        issues["data"].as_array().unwrap().iter().map(|issue| (&issue["column"], &issue["code"])).collect();
    assert!(told.contains(&(&json!("cf[colour]"), &json!("unknown_column"))), "{issues}");
    assert!(told.iter().any(|(_, code)| **code == json!("custom_value_taken")), "{issues}");
}

#[tokio::test]
async fn a_person_is_told_their_values_and_erasing_them_leaves_none() {
    let app = TestApp::spawn().await;
    field_of(&app, &app.admin, "contact", "hobby", "text", json!({})).await;
    let body =
        json!({ "given_name": "Eleni", "family_name": "Papa", "custom_fields": { "hobby": "Ιστιοπλοΐα ανοιχτής θαλάσσης" } });
    let id = app.post("/v1/contacts", &app.admin, &body).await.expect(201).id();
    let told = app.act(&format!("/v1/contacts/{id}/export"), &app.admin).await.expect(200).body;
    assert_eq!(told["contact"]["custom_fields"], body["custom_fields"]);
    let erasure = json!({ "name": "Papa", "reason": "They asked for it." });
    app.post(&format!("/v1/contacts/{id}/erase"), &app.admin, &erasure).await.expect(200);
    assert_eq!(app.count("custom_field_value").await, 0);
    let left = app.db.rows("SELECT CAST(changes AS text) FROM journal_personal WHERE changes IS NOT NULL").await;
    assert!(left.iter().all(|changes| !changes.contains("Ιστιοπλο")), "{left:?}");
}
