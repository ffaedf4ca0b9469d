//! Imports over HTTP: staged, looked at, approved, written, reported, taken back.

mod approving;
mod cleanup;
mod killed;
mod like_the_command_line;
mod reading;
mod report;
mod staging;
mod undoing;
mod workbooks;

use std::time::{Duration, Instant};

use harness::{Session, TestApp};
use serde_json::Value;

/// A server that works jobs.
async fn working() -> TestApp {
    TestApp::spawn_with(|config| config.worker = true).await
}

/// Starts an import, with what is said of the file.
async fn start_as(app: &TestApp, session: &Session, members: &[(&str, &str)], file: &[u8]) -> String {
    app.send(app.importing(session, members, "clients.csv", file)).await.expect(202).id()
}

async fn start(app: &TestApp, file: &str) -> String {
    start_as(app, &app.admin, &[], file.as_bytes()).await
}

async fn run(app: &TestApp, id: &str) -> Value {
    app.get(&format!("/v1/imports/{id}"), &app.admin).await.expect(200).body
}

/// Somebody who imports, and sees of the clients only their own.
async fn agent(app: &TestApp) -> Session {
    let permissions = [
        "admin.import",
        "clients.view_own",
        "clients.create",
        "clients.edit",
        "contacts.view",
        "contacts.create",
        "contacts.edit",
    ];
    app.role(&app.admin, "importer", &permissions).await;
    app.member(&app.admin.in_workspace("main"), "importer", "importer@example.com").await
}

/// Waits until an import is in a state, and returns it.
async fn until(app: &TestApp, id: &str, state: &str) -> Value {
    let began = Instant::now();
    loop {
        let run = run(app, id).await;
        if run["state"] == state {
            return run;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "still not {state}: {run}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Starts an import and waits until it is staged.
async fn staged(app: &TestApp, file: &str) -> String {
    let id = start(app, file).await;
    until(app, &id, "staged").await;
    id
}

async fn approve(app: &TestApp, id: &str) -> Value {
    app.act(&format!("/v1/imports/{id}/approve"), &app.admin).await.expect(202);
    until(app, id, "finished").await
}

/// An import from its start to its end.
pub(crate) async fn imported(app: &TestApp, file: &str) -> String {
    let id = staged(app, file).await;
    approve(app, &id).await;
    id
}

async fn undo(app: &TestApp, id: &str) -> Value {
    app.act(&format!("/v1/imports/{id}/undo"), &app.admin).await.expect(202);
    until(app, id, "undone").await
}

/// All rows of an import, with these parameters.
async fn rows(app: &TestApp, id: &str, query: &str) -> Vec<Value> {
    let page = app.get(&format!("/v1/imports/{id}/rows?limit=200{query}"), &app.admin).await.expect(200);
    page.body["data"].as_array().unwrap().clone()
}

async fn clients(app: &TestApp) -> Vec<Value> {
    let page = app.get("/v1/clients?sort=name&limit=200&include=contacts", &app.admin).await.expect(200).body;
    page["data"].as_array().unwrap().clone()
}

/// Line and outcome of each row.
fn outcomes(rows: &[Value]) -> Vec<(i64, &str)> {
    rows.iter().map(|row| (row["line"].as_i64().unwrap(), row["outcome"].as_str().unwrap())).collect()
}
