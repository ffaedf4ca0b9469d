//! The second wall by itself: as the server's role on PostgreSQL, without any of the application's checks. Everybody tries everything
//! on every table; then every policy is taken away in turn, and somebody must get through.
//!
//! PostgreSQL alone: SQLite has no row security, and these tests return at once there.

mod contacts;
mod mutation;
mod probes;
mod tables;
mod world;

use std::collections::BTreeSet;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use probes::{Outcome, probe};
use tables::TABLES;
use world::World;

/// A policy as the catalogue has it.
pub(super) struct Policy {
    pub table: String,
    pub name: String,
    pub command: char,
    pub has_using: bool,
    pub has_check: bool,
    pub for_server: bool,
    /// The columns of its table that it asks.
    pub columns: Vec<String>,
}

/// Columns by which something is opened to contacts, which [`contacts`] asks after.
const OPENED_TO_CONTACTS: [(&str, &str); 6] = [
    ("client_match_key", "client_id"),
    ("client", "id"),
    ("contact", "id"),
    ("portal_access", "contact_id"),
    ("session", "contact_id"),
    ("idempotency_record", "owner"),
];

type PolicyRow = (String, String, String, bool, bool, bool, Vec<String>);

async fn policies(db: &mut PgConnection) -> Vec<Policy> {
    let rows: Vec<PolicyRow> = sqlx::query_as(
        "SELECT c.relname::text, p.polname::text, p.polcmd::text, p.polqual IS NOT NULL, p.polwithcheck IS NOT NULL, \
         (p.polroles = '{0}' OR $1::regrole::oid = ANY (p.polroles)), \
         array(SELECT DISTINCT a.attname::text FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid \
               WHERE d.classid = 'pg_policy'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_class'::regclass \
               AND d.refobjid = p.polrelid AND d.refobjsubid > 0 ORDER BY 1) \
         FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid ORDER BY 1, 2",
    )
    .bind(store::Store::role())
    .fetch_all(db)
    .await
    .unwrap();
    let policy = |(table, name, command, has_using, has_check, for_server, columns): PolicyRow| Policy {
        table,
        name,
        command: command.chars().next().unwrap(),
        has_using,
        has_check,
        for_server,
        columns,
    };
    rows.into_iter().map(policy).collect()
}

/// Tables and their columns that tell whose a row is, as `table: columns`; partitions of the journal by themselves.
async fn tables_and_columns(world: &World) -> (BTreeSet<String>, Vec<String>) {
    let tables = "SELECT c.relname || ': ' || coalesce((SELECT string_agg(a.attname::text, ', ' ORDER BY a.attname) FROM pg_attribute a \
                  WHERE a.attrelid = c.oid AND a.attname IN ('workspace_id', 'user_id', 'account_id', 'team_id', 'is_shared') AND NOT a.attisdropped), '') \
                  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
                  WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition";
    let partitions = "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
                      WHERE n.nspname = 'public' AND c.relispartition AND c.relkind IN ('r', 'p') ORDER BY 1";
    (world.app.db.rows(tables).await.into_iter().collect(), world.app.db.rows(partitions).await)
}

/// What is new and unknown here, or known and gone.
async fn unknown(world: &World, db: &mut PgConnection) -> Vec<String> {
    let (tables, _) = tables_and_columns(world).await;
    let known: BTreeSet<String> = TABLES.iter().map(|table| format!("{}: {}", table.table, table.columns.join(", "))).collect();
    let mut unknown: Vec<String> = tables.symmetric_difference(&known).map(|table| format!("table {table}")).collect();
    let policies = policies(db).await;
    let there: BTreeSet<_> = policies.iter().map(|policy| (policy.table.clone(), policy.name.clone(), policy.command)).collect();
    let known: BTreeSet<_> = TABLES
        .iter()
        .flat_map(|table| table.policies().into_iter().map(|(name, command)| (table.table.to_owned(), name, command)))
        .collect();
    unknown.extend(there.symmetric_difference(&known).map(|policy| format!("policy {policy:?}")));
    for policy in &policies {
        let known = TABLES.iter().find(|table| table.table == policy.table).map(|table| table.columns).unwrap_or_default();
        for column in &policy.columns {
            let opened = OPENED_TO_CONTACTS.contains(&(policy.table.as_str(), column.as_str()));
            let is_own_id = column == "id" && ["workspace", "user_account"].contains(&policy.table.as_str());
            if !(known.contains(&column.as_str()) || opened || is_own_id) {
                unknown.push(format!("{} on {} asks {column}", policy.name, policy.table));
            }
        }
    }
    unknown
}

/// Faults that were put in to see it fail: each policy replaced by `true` (which is the next test), a table without its wall
/// (`Wall::Installation` for `note`), `WITH CHECK` left out.
#[tokio::test]
async fn everybody_reaches_of_every_table_what_its_wall_lets_through_and_nothing_else() {
    let Some(world) = World::make().await else { return };
    let mut server = world.app.db.as_server().await;
    let mut db = server.begin().await.unwrap();
    let samples = world.samples().await;
    let mut wrong = Vec::new();
    for table in TABLES {
        wrong.extend(probe(&mut db, &world, &samples, table, false).await);
    }
    let (_, partitions) = tables_and_columns(&world).await;
    assert!(partitions.len() >= 4, "{partitions:?}");
    for partition in partitions {
        for asking in world.asking() {
            probes::say(&mut db, &asking).await;
            for sql in [format!("SELECT 1 FROM {partition}"), format!("DELETE FROM {partition}")] {
                if probes::attempt(&mut db, &sql, None).await != Outcome::Refused {
                    wrong.push(format!("{}: {sql} goes past the wall of the journal", asking.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));

    // what one transaction says of its caller is gone in the next on the same connection
    probes::say(&mut db, &world.asking()[0]).await;
    let count = "SELECT count(*) FROM client";
    assert!(sqlx::query_scalar::<_, i64>(count).fetch_one(&mut *db).await.unwrap() > 0);
    db.commit().await.unwrap();
    assert_eq!(sqlx::query_scalar::<_, i64>(count).fetch_one(&mut server).await.unwrap(), 0);
}

/// Each of these was planted by itself; none may go by unsaid.
#[tokio::test]
async fn a_table_a_column_or_a_policy_that_nobody_described_is_found() {
    let Some(world) = World::make().await else { return };
    let mut owner = PgConnection::connect(world.app.db.config.owner_url.as_deref().unwrap()).await.unwrap();
    assert_eq!(unknown(&world, &mut owner).await, Vec::<String>::new());
    let plants = [
        ("CREATE TABLE plant (id uuid, workspace_id uuid)", "DROP TABLE plant"),
        ("CREATE VIEW everything AS SELECT id FROM client", "DROP VIEW everything"),
        ("ALTER TABLE note ADD COLUMN team_id uuid", "ALTER TABLE note DROP COLUMN team_id"),
        ("ALTER TABLE note ADD COLUMN user_id uuid", "ALTER TABLE note DROP COLUMN user_id"),
        (
            "CREATE POLICY more ON note FOR SELECT TO pelatis_app USING (workspace_id = current_setting('pelatis.workspace')::uuid)",
            "DROP POLICY more ON note",
        ),
        (
            "ALTER POLICY client_select ON client USING (owner_id = current_setting('pelatis.account')::uuid)",
            "ALTER POLICY client_select ON client USING (workspace_id IS NULL)",
        ),
        ("DROP POLICY tag_delete ON tag", "SELECT 1"),
    ];
    for (plant, undo) in plants {
        sqlx::raw_sql(AssertSqlSafe(plant)).execute(&mut owner).await.unwrap();
        assert!(!unknown(&world, &mut owner).await.is_empty(), "{plant}");
        sqlx::raw_sql(AssertSqlSafe(undo)).execute(&mut owner).await.unwrap();
    }
}
