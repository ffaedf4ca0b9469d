//! The second wall by itself: as the server's role on PostgreSQL, without any of the application's checks.
//!
//! PostgreSQL alone: SQLite has no row security, and these tests return at once there.

use std::io::Cursor;
use std::sync::Arc;

use harness::{Engine, Session, TestApp};
use kernel::{Caller, Cause, TypedId as _, WorkspaceId};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// Rows of every table of a workspace, made through the API.
async fn fill(app: &TestApp, session: &Session, name: &str) -> String {
    let client = app.client(session, name).await;
    let contact = app.contact(session, name).await;
    app.post(&format!("/v1/clients/{client}/contacts"), session, &json!({ "contact_id": contact })).await.expect(201);
    app.post(&format!("/v1/clients/{client}/notes"), session, &json!({ "body": name })).await.expect(201);
    let tag = app.post("/v1/tags", session, &json!({ "name": name })).await.expect(201).id();
    app.post(&format!("/v1/clients/{client}/tags"), session, &json!({ "tag_id": tag })).await;
    app.token(session, &["clients.view_all"]).await;
    app.post_once("/v1/clients", session, name, &json!({ "kind": "company", "name": name })).await.expect(201);
    let invitation = json!({ "email": format!("{name}@example.com"), "role": "viewer" });
    app.post("/v1/invitations", session, &invitation).await.expect(201);
    let workspace = app.db.scalar(&format!("SELECT workspace_id::text FROM client WHERE id = '{client}'")).await.unwrap();
    let run = app.store().await.runtime().uuid();
    let importer = Arc::new(Caller::job(run, Some(WorkspaceId::from_uuid(workspace.parse().unwrap())), Cause::Import(run)));
    let options = clients::import::ImportOptions {
        csv: platform::csv_source::Options::default(),
        source: name.to_owned(),
        file_name: "x.csv".to_owned(),
    };
    let file = Cursor::new("name,unknown\nx,y\n");
    clients::import::import_csv(&app.store().await, &importer, file, &options, |_| {}, |_| {}).await.unwrap();
    workspace
}

async fn two_workspaces() -> Option<(TestApp, String, String)> {
    if Engine::chosen() == Engine::Sqlite {
        return None;
    }
    let app = TestApp::spawn().await;
    let other = app.second_workspace("other").await;
    let ours = fill(&app, &app.admin, "ours").await;
    let theirs = fill(&app, &other, "theirs").await;
    assert_ne!(ours, theirs);
    Some((app, ours, theirs))
}

async fn tables(app: &TestApp) -> Vec<String> {
    app.db
        .rows(
            "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid \
             WHERE n.nspname = 'public' AND a.attname = 'workspace_id' AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1",
        )
        .await
}

/// What the server says at the beginning of each transaction.
async fn set_caller(db: &mut PgConnection, workspace: &str, account: &str, kind: &str) {
    let sql = format!(
        "SELECT set_config('pelatis.workspace', '{workspace}', true), set_config('pelatis.account', '{account}', true), \
         set_config('pelatis.kind', '{kind}', true)"
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(db).await.unwrap();
}

async fn number(db: &mut PgConnection, sql: String) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(db).await.unwrap()
}

/// How many rows a statement touched, or that it was refused. What it did is undone.
async fn attempt(db: &mut PgConnection, sql: &str, row: Option<&Value>) -> Result<u64, String> {
    let mut savepoint = db.begin().await.unwrap();
    let mut query = sqlx::query(AssertSqlSafe(sql.to_owned()));
    if let Some(row) = row {
        query = query.bind(row);
    }
    let outcome = query.execute(&mut *savepoint).await.map(|done| done.rows_affected()).map_err(|error| error.to_string());
    savepoint.rollback().await.unwrap();
    outcome
}

fn is_refused(outcome: &Result<u64, String>) -> bool {
    outcome.as_ref().is_err_and(|error| error.contains("row-level security") || error.contains("permission denied"))
}

#[tokio::test]
async fn with_the_settings_of_one_workspace_nothing_of_another_is_read_written_or_deleted() {
    let Some((app, ours, theirs)) = two_workspaces().await else { return };
    let tables = tables(&app).await;
    assert!(tables.len() >= 14, "{tables:?}");
    let agent = app.member(&app.admin, "sales_agent", "agent@example.com").await;
    let mut server = app.db.as_server().await;
    // the account of one who is in no other workspace, and a job at work in ours
    for (account, kind) in [(agent.user_id.as_str(), "user"), ("", "job"), ("", "")] {
        let mut db = server.begin().await.unwrap();
        set_caller(&mut db, &ours, account, kind).await;
        for table in &tables {
            let of = |workspace: &str| format!("workspace_id = '{workspace}'");
            let there = app.db.scalar(&format!("SELECT count(*)::text FROM {table} WHERE {}", of(&theirs))).await;
            assert_ne!(there.as_deref(), Some("0"), "nothing in {table}: let `fill` make a row of it");
            let row: Value = serde_json::from_str(
                &app.db
                    .scalar(&format!("SELECT row_to_json(t)::text FROM {table} t WHERE {} LIMIT 1", of(&theirs)))
                    .await
                    .unwrap(),
            )
            .unwrap();

            assert!(number(&mut db, format!("SELECT count(*) FROM {table} WHERE {}", of(&ours))).await > 0, "{table}");
            assert_eq!(number(&mut db, format!("SELECT count(*) FROM {table} WHERE {}", of(&theirs))).await, 0, "{table}");
            assert_eq!(number(&mut db, format!("SELECT count(*) FROM {table} WHERE NOT {}", of(&ours))).await, 0, "{table}");

            let journal = table.starts_with("journal_");
            let delete = attempt(&mut db, &format!("DELETE FROM {table} WHERE {}", of(&theirs)), None).await;
            let update =
                attempt(&mut db, &format!("UPDATE {table} SET workspace_id = workspace_id WHERE {}", of(&theirs)), None).await;
            for outcome in [delete, update] {
                assert!(if journal { is_refused(&outcome) } else { outcome == Ok(0) }, "{table}: {outcome:?}");
            }
            // ours cannot be given away
            let given =
                attempt(&mut db, &format!("UPDATE {table} SET workspace_id = '{theirs}' WHERE {}", of(&ours)), None).await;
            assert!(is_refused(&given), "{table}: {given:?}");
            // and nothing can be put there
            let insert = format!("INSERT INTO {table} SELECT * FROM jsonb_populate_record(null::{table}, $1)");
            let put = attempt(&mut db, &insert, Some(&row)).await;
            assert!(is_refused(&put), "{table}: {put:?}");
        }
        let erase = "UPDATE journal_personal SET changes = NULL, ip = NULL, user_agent = NULL, erased_at = now()";
        assert_eq!(attempt(&mut db, &format!("{erase} WHERE workspace_id = '{theirs}'"), None).await, Ok(0));
        assert_eq!(number(&mut db, format!("SELECT count(*) FROM workspace WHERE id = '{theirs}'")).await, 0);
        db.rollback().await.unwrap();
    }
}

#[tokio::test]
async fn without_settings_there_is_nothing() {
    let Some((app, ours, theirs)) = two_workspaces().await else { return };
    let mut server = app.db.as_server().await;
    for table in tables(&app).await {
        assert_eq!(number(&mut server, format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
        for workspace in [&ours, &theirs] {
            let outcome = attempt(&mut server, &format!("DELETE FROM {table} WHERE workspace_id = '{workspace}'"), None).await;
            assert!(outcome == Ok(0) || is_refused(&outcome), "{table}: {outcome:?}");
        }
    }
    assert_eq!(number(&mut server, "SELECT count(*) FROM workspace".to_owned()).await, 0);
}

#[tokio::test]
async fn what_one_transaction_says_of_its_caller_is_gone_in_the_next_on_the_same_connection() {
    let Some((app, ours, _)) = two_workspaces().await else { return };
    let mut server = app.db.as_server().await;
    let mut db = server.begin().await.unwrap();
    set_caller(&mut db, &ours, "", "user").await;
    assert!(number(&mut db, "SELECT count(*) FROM client".to_owned()).await > 0);
    db.commit().await.unwrap();
    assert_eq!(number(&mut server, "SELECT count(*) FROM client".to_owned()).await, 0);
}

#[tokio::test]
async fn an_account_sees_its_own_memberships_and_acts_elsewhere_and_no_other_row() {
    let Some((app, ours, theirs)) = two_workspaces().await else { return };
    let mut server = app.db.as_server().await;
    let mut db = server.begin().await.unwrap();
    set_caller(&mut db, &ours, &app.admin.user_id, "user").await;
    for table in tables(&app).await {
        let foreign = number(&mut db, format!("SELECT count(*) FROM {table} WHERE workspace_id = '{theirs}'")).await;
        if ["membership", "journal_entry", "journal_personal"].contains(&table.as_str()) {
            let own = number(
                &mut db,
                format!("SELECT count(*) FROM {table} WHERE workspace_id = '{theirs}' AND user_id = '{}'", app.admin.user_id),
            )
            .await;
            assert!(foreign > 0 && foreign == own, "{table}");
        } else {
            assert_eq!(foreign, 0, "{table}");
        }
    }
}
