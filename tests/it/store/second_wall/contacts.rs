//! Contacts at the second wall: of every table they reach what is theirs, and everything else is closed to them, also what is added later.

use std::collections::BTreeMap;

use harness::{Session, TestApp};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::probes::{Outcome, attempt};
use super::tables::{Kept, TABLES};
use super::world::World;

/// What a contact reaches of a table, as a condition on its rows, by what they do with them.
struct Theirs {
    reads: String,
    changes: String,
    deletes: String,
}

/// A contact of one client of ours, and all that they are known by.
struct Contact {
    id: String,
    workspace: String,
}

const NOTHING: &str = "false";

impl Contact {
    async fn make(world: &World) -> Self {
        let app = &world.app;
        let by = app.admin.in_workspace("main");
        let session = in_portal(app, &by, "Theirs", "theirs@portal.example").await;
        in_portal(app, &by, "Another's", "another@portal.example").await;
        in_portal(app, &app.admin.in_workspace("other"), "Elsewhere", "theirs@portal.example").await;
        // a request of theirs that is kept
        let client = format!("SELECT client_id::text FROM portal_access WHERE contact_id = '{}'", session.user_id);
        let body = json!({ "client_id": app.db.scalar(&client).await });
        app.post_once("/v1/portal/switch-client", &session, "kept", &body).await.expect(200);
        Self { id: session.user_id, workspace: world.ours.clone() }
    }

    async fn say(&self, db: &mut PgConnection) {
        let sql = format!(
            "SELECT set_config('pelatis.place', '{}', true), set_config('pelatis.contact', '{}', true), \
             set_config('pelatis.workspace', '', true), set_config('pelatis.account', '', true), \
             set_config('pelatis.kind', 'contact', true)",
            self.workspace, self.id
        );
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(db).await.unwrap();
    }

    fn of(&self, table: &str) -> Theirs {
        let clients = format!("id IN (SELECT client_id FROM portal_access WHERE contact_id = '{}')", self.id);
        let own = format!("contact_id = '{}'", self.id);
        let (reads, changes, deletes) = match table {
            "client" => (clients.clone(), clients, NOTHING.to_owned()),
            "contact" => (format!("id = '{}'", self.id), NOTHING.to_owned(), NOTHING.to_owned()),
            "client_match_key" => {
                let keys = format!("client_{clients}");
                (keys.clone(), keys.clone(), keys)
            }
            "portal_access" => (own, NOTHING.to_owned(), NOTHING.to_owned()),
            "session" => (own.clone(), own.clone(), own),
            "idempotency_record" => {
                let kept = format!("owner LIKE 'contact:{}%'", self.id);
                (kept.clone(), kept.clone(), kept)
            }
            // what the installation provides to everybody
            "role" => ("workspace_id IS NULL".to_owned(), NOTHING.to_owned(), NOTHING.to_owned()),
            _ => (NOTHING.to_owned(), NOTHING.to_owned(), NOTHING.to_owned()),
        };
        Theirs { reads, changes, deletes }
    }
}

async fn in_portal(app: &TestApp, by: &Session, name: &str, email: &str) -> Session {
    let client = app.client(by, name).await;
    app.contact_in_portal(by, &client, email, &["company_profile"]).await
}

/// How many rows of each table there are for a contact, as the owner counts them.
async fn counted(world: &World, contact: &Contact) -> BTreeMap<&'static str, i64> {
    let mut counts = BTreeMap::new();
    for table in walled() {
        let count = format!("SELECT count(*)::text FROM {table} WHERE {}", contact.of(table).reads);
        counts.insert(table, world.app.db.scalar(&count).await.unwrap().parse().unwrap());
    }
    counts
}

fn walled() -> impl Iterator<Item = &'static str> {
    TABLES.iter().filter(|table| !matches!(table.kept, Kept::Shared | Kept::Closed)).map(|table| table.table)
}

/// Where a contact gets otherwise than expected.
async fn wrong(db: &mut PgConnection, contact: &Contact, counts: &BTreeMap<&'static str, i64>) -> Vec<String> {
    contact.say(db).await;
    let mut wrong = Vec::new();
    for (table, expected) in counts {
        let seen: i64 =
            sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {table}"))).fetch_one(&mut *db).await.unwrap();
        if seen != *expected {
            wrong.push(format!("{table}: sees {seen}, expected {expected}"));
        }
        let theirs = contact.of(table);
        let set = match *table {
            "client" => "name = 'x'",
            "session" => "client_id = NULL",
            "idempotency_record" => "fingerprint = 'x'",
            "contact" => "given_name = 'x'",
            "workspace" | "portal_account" => "name = 'x'",
            "user_account" => "phone = 'x'",
            "second_factor" | "recovery_code" => "user_id = user_id",
            _ => "workspace_id = workspace_id",
        };
        let changes = [(format!("UPDATE {table} SET {set}"), &theirs.changes), (format!("DELETE FROM {table}"), &theirs.deletes)];
        for (sql, allowed) in changes {
            let found = attempt(db, &sql, None).await;
            let is_right = if allowed == NOTHING { found != Outcome::Through } else { found == Outcome::Through };
            if !is_right {
                wrong.push(format!("{sql}: {found:?}, where {allowed}"));
            }
        }
    }
    // what is theirs goes nowhere else, and nothing is put where it is not theirs
    for sql in [
        "UPDATE client SET workspace_id = gen_random_uuid()".to_owned(),
        "UPDATE client SET id = gen_random_uuid()".to_owned(),
        "UPDATE session SET contact_id = gen_random_uuid()".to_owned(),
        "UPDATE client_match_key SET client_id = gen_random_uuid()".to_owned(),
        format!("INSERT INTO client_match_key VALUES ('{}', 1, gen_random_uuid())", contact.workspace),
        "UPDATE idempotency_record SET owner = 'contact:x'".to_owned(),
        "INSERT INTO idempotency_record (owner, key, workspace_id, fingerprint, created_at) VALUES ('user:x', 'x', NULL, '', now())"
            .to_owned(),
        "INSERT INTO session (id, contact_id, kind, expires_at, version, created_at, updated_at) \
         SELECT gen_random_uuid(), contact_id, kind, expires_at, 1, created_at, updated_at FROM session"
            .to_owned(),
        format!(
            "INSERT INTO portal_access VALUES (gen_random_uuid(), '{}', '{}', gen_random_uuid(), '[]', 1, now(), now())",
            contact.workspace, contact.id
        ),
    ] {
        if attempt_any(db, &sql).await == Outcome::Through {
            wrong.push(format!("{sql} goes through"));
        }
    }
    wrong
}

/// As [`attempt`], of a statement that may be wrong for another reason too.
async fn attempt_any(db: &mut PgConnection, sql: &str) -> Outcome {
    let mut savepoint = db.begin().await.unwrap();
    let outcome = match sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut *savepoint).await {
        Ok(done) if done.rows_affected() > 0 => Outcome::Through,
        Err(error) if error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code.starts_with("23")) => {
            Outcome::Through
        }
        _ => Outcome::Refused,
    };
    savepoint.rollback().await.unwrap();
    outcome
}

/// Each policy that is opened to contacts is replaced by `true` in turn, too: the contact then reaches more.
#[tokio::test]
async fn a_contact_reaches_what_is_theirs_and_nothing_else() {
    let Some(world) = World::make().await else { return };
    let contact = Contact::make(&world).await;
    let counts = counted(&world, &contact).await;
    for (table, least) in
        [("client", 1), ("contact", 1), ("portal_access", 1), ("session", 1), ("idempotency_record", 1), ("client_match_key", 1)]
    {
        assert!(counts[table] >= least, "{table}");
    }
    let mut server = world.app.db.as_server().await;
    let mut db = server.begin().await.unwrap();
    let found = wrong(&mut db, &contact, &counts).await;
    db.rollback().await.unwrap();
    assert!(found.is_empty(), "{} wrong:\n{}", found.len(), found.join("\n"));

    let mut owner = PgConnection::connect(world.app.db.config.owner_url.as_deref().unwrap()).await.unwrap();
    let mut missed = Vec::new();
    for (policy, halves) in [
        ("client_select ON client", "USING (true)"),
        ("client_update ON client", "USING (true) WITH CHECK (true)"),
        ("client_update ON client", "WITH CHECK (true)"),
        ("contact_select ON contact", "USING (true)"),
        ("contact_update ON contact", "USING (true) WITH CHECK (true)"),
        ("portal_access_select ON portal_access", "USING (true)"),
        ("portal_access_insert ON portal_access", "WITH CHECK (true)"),
        ("session_select ON session", "USING (true)"),
        ("session_update ON session", "WITH CHECK (true)"),
        ("idempotency_record_select ON idempotency_record", "USING (true)"),
        ("idempotency_record_insert ON idempotency_record", "WITH CHECK (true)"),
        ("idempotency_record_update ON idempotency_record", "WITH CHECK (true)"),
        ("portal_account_select ON portal_account", "USING (true)"),
        ("client_match_key_select ON client_match_key", "USING (true)"),
        ("client_match_key_insert ON client_match_key", "WITH CHECK (true)"),
        ("client_match_key_update ON client_match_key", "WITH CHECK (true)"),
        ("note_select ON note", "USING (true)"),
        ("user_account_select ON user_account", "USING (true)"),
    ] {
        let mut db = owner.begin().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(format!("ALTER POLICY {policy} {halves}"))).execute(&mut *db).await.unwrap();
        let become_server = format!("SET LOCAL ROLE {}", store::Store::role());
        sqlx::raw_sql(AssertSqlSafe(become_server)).execute(&mut *db).await.unwrap();
        if wrong(&mut db, &contact, &counts).await.is_empty() {
            missed.push(format!("{policy} {halves}"));
        }
        db.rollback().await.unwrap();
    }
    assert!(missed.is_empty(), "nothing more is reached after:\n{}", missed.join("\n"));
}
