//! Custom fields: what they are, what records have of them, and that lists know them as they know built-in fields.

mod definitions;
mod lists;
mod races;
mod travels;
mod values;

use std::time::Duration;

use harness::{Session, TestApp};
use serde_json::{Value, json};

use crate::jobs::worked;

/// Makes a field of clients.
async fn field(app: &TestApp, key: &str, field_type: &str, more: Value) -> Value {
    field_of(app, &app.admin, "client", key, field_type, more).await
}

async fn field_of(app: &TestApp, by: &Session, record_type: &str, key: &str, field_type: &str, more: Value) -> Value {
    let mut body = json!({ "record_type": record_type, "key": key, "label": key.to_uppercase(), "field_type": field_type });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app.post("/v1/custom-fields", by, &body).await.expect(201).body
}

fn options(keys: &[&str]) -> Value {
    json!({ "options": keys.iter().map(|key| json!({ "key": key, "label": format!("{key}!") })).collect::<Vec<_>>() })
}

fn path(field: &Value) -> String {
    format!("/v1/custom-fields/{}", field["id"].as_str().unwrap())
}

async fn client(app: &TestApp, name: &str, values: Value) -> String {
    let body = json!({ "kind": "company", "name": name, "custom_fields": values });
    app.post("/v1/clients", &app.admin, &body).await.expect(201).id()
}

/// The names of a list.
async fn names(app: &TestApp, session: &Session, query: &str) -> Vec<String> {
    let page = app.get(&format!("/v1/clients?limit=200&{query}"), session).await.expect(200).body;
    page["data"].as_array().unwrap().iter().map(|client| client["name"].as_str().unwrap().to_owned()).collect()
}

/// How the values of a client stand beside it: key of the field, text and number.
async fn beside(app: &TestApp, record: &str) -> Vec<String> {
    let sql = format!(
        "SELECT f.key || ' ' || CASE WHEN v.text_key = '\u{10FFFF}\u{10FFFF}' THEN '-' ELSE v.text_key END || ' ' || \
         CAST(v.number_key AS text) FROM custom_field_value v JOIN custom_field f ON f.id = v.field_id WHERE v.record_id = {} \
         ORDER BY f.key, v.nth",
        app.db.uuid(record)
    );
    app.db.rows(&sql).await
}

/// Waits until a field is no more.
async fn gone(app: &TestApp, field: &Value) {
    for _ in 0..1000 {
        if app.get(&path(field), &app.admin).await.status == 404 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the field never went");
}

/// Waits until a field has come this far.
async fn until(app: &TestApp, field: &Value, state: &str) {
    for _ in 0..1000 {
        if app.get(&path(field), &app.admin).await.expect(200).body["state"] == state {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the field never was {state}");
}
