//! What is kept of an import, and for how long.

use chrono::Duration as Time;
use files::imports::ImportCleanup;
use harness::{Engine, TestApp};
use kernel::{Caller, Cause, Clock as _, TypedId as _, WorkspaceId};
use serde_json::json;
use store::jobs::Job;

use super::*;

/// Makes an import as old as this.
async fn age(app: &TestApp, id: &str, age: Time) {
    let moment = (app.clock.now() - age).to_rfc3339_opts(chrono::SecondsFormat::Micros, false);
    let kind = if app.db.engine == Engine::Postgres { "::timestamptz" } else { "" };
    let sql = format!("UPDATE import_run SET created_at = '{moment}'{kind} WHERE id = {}", app.db.uuid(id));
    assert_eq!(app.db.execute(&sql).await, Ok(1));
}

async fn clean_up(app: &TestApp) {
    let store = app.store().await;
    let workspace = WorkspaceId::from_uuid(app.workspace.parse().unwrap());
    let caller = std::sync::Arc::new(Caller::job(kernel::Runtime::system().uuid(), Some(workspace), Cause::Command));
    let id = store.write(&caller, async |uow| uow.enqueue(Job::of(&ImportCleanup {})).await).await.unwrap().unwrap();
    store.close().await;
    let done = format!("job WHERE id = {} AND state = 'done'", app.db.uuid(&id.to_string()));
    let began = Instant::now();
    while app.count(&done).await == 0 {
        assert!(began.elapsed() < Duration::from_secs(20), "the clean-up does not end");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn files_and_rows_go_after_thirty_days_and_what_is_younger_or_worked_at_stays() {
    let app = working().await;
    let (inside, outside, busy) =
        (staged(&app, "name\nA\n").await, imported(&app, "name\nB\n").await, staged(&app, "name\nC\n").await);
    let margin = Time::minutes(1);
    age(&app, &inside, Time::days(30) - margin).await;
    age(&app, &outside, Time::days(30) + margin).await;
    age(&app, &busy, Time::days(31)).await;
    let sql = format!("UPDATE import_run SET state = 'undoing' WHERE id = {}", app.db.uuid(&busy));
    assert_eq!(app.db.execute(&sql).await, Ok(1));
    clean_up(&app).await;
    assert_eq!(
        (rows(&app, &inside, "").await.len(), rows(&app, &outside, "").await.len(), rows(&app, &busy, "").await.len()),
        (1, 0, 1)
    );
    assert_eq!((app.count("import_run WHERE storage_key IS NOT NULL").await, app.count("file_removal").await), (2, 1));
    let gone = run(&app, &outside).await;
    assert!(gone["removed_at"].is_string() && gone["created"] == 1 && gone.get("file").is_none(), "{gone}");
    app.act(&format!("/v1/imports/{outside}/undo"), &app.admin).await.expect_problem(409, "import_state");
    // what it has written stays
    assert_eq!(app.count("client").await, 1);
}

#[tokio::test]
async fn a_purged_import_leaves_neither_rows_nor_file_and_what_it_wrote_stays() {
    let app = working().await;
    let id = imported(&app, "name\nAlpha\n").await;
    let path = format!("/v1/imports/{id}");
    app.act(&format!("{path}/purge"), &app.admin).await.expect(204);
    app.get(&path, &app.admin).await.expect_problem(404, "not_found");
    assert_eq!((app.count("import_row").await, app.count("import_issue").await, app.count("client").await), (0, 0, 1));
    let began = Instant::now();
    while objects(&app) > 0 {
        assert!(began.elapsed() < Duration::from_secs(10), "the file stays");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Files in the storage.
fn objects(app: &TestApp) -> usize {
    fn count(folder: &std::path::Path) -> usize {
        let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
        entries.map(|entry| entry.unwrap().path()).map(|path| if path.is_dir() { count(&path) } else { 1 }).sum()
    }
    count(&app.folder.path().join("files"))
}

#[tokio::test]
async fn what_rows_say_of_a_client_goes_when_the_client_is_purged() {
    let app = working().await;
    let id = imported(&app, "name,city\nAlpha,Athens\nBeta,Athens\n").await;
    let client = clients(&app).await[0]["id"].as_str().unwrap().to_owned();
    app.delete(&format!("/v1/clients/{client}"), &app.admin).await.expect(204);
    app.act(&format!("/v1/clients/{client}/purge"), &app.admin).await.expect(204);
    let left = rows(&app, &id, "").await;
    assert_eq!((&left[0]["values"], &left[1]["values"]["name"]), (&json!({}), &json!("Beta")));
}

#[tokio::test]
async fn the_clean_up_of_files_knows_the_files_of_imports() {
    let app = TestApp::spawn().await;
    start(&app, "name\nAlpha\n").await;
    assert_eq!(objects(&app), 1);
    let files = app.files(app.store().await);
    app.clock.advance(Time::days(2));
    files::cleanup::clean_up(&files).await.unwrap();
    assert_eq!(objects(&app), 1);
}
