//! Row security as PostgreSQL's catalogue has it: no table without a wall, no wall with a hole.
//!
//! PostgreSQL alone: SQLite has no row security, and these tests return at once there.

use std::collections::BTreeSet;

use harness::{Database, Engine};
use sqlx::Connection as _;

/// Tables that belong to no workspace. `workspace` itself has a wall of its own.
const OF_THE_INSTALLATION: [&str; 17] = [
    "backup_run",
    "job_worker",
    "job_schedule",
    "installation",
    "installation_settings",
    "signing_key",
    "user_account",
    "credential",
    "session",
    "second_factor",
    "recovery_code",
    "refresh_token",
    "password_reset",
    "known_device",
    "portal_device",
    "seaql_migrations",
    "workspace",
];

/// Tables that nobody may change or delete rows of.
const APPEND_ONLY: [&str; 2] = ["journal_entry", "journal_personal"];

#[derive(Debug)]
struct Table {
    name: String,
    owner: String,
    has_workspace: bool,
    enabled: bool,
    forced: bool,
    is_partition: bool,
    granted: bool,
}

#[derive(Debug)]
struct Policy {
    table: String,
    name: String,
    /// `r`, `a`, `w`, `d` or `*`.
    command: String,
    permissive: bool,
    for_server: bool,
    using: Option<String>,
    check: Option<String>,
}

type PolicyRow = (String, String, String, bool, bool, Option<String>, Option<String>);

#[derive(Debug, Default)]
struct Catalogue {
    tables: Vec<Table>,
    policies: Vec<Policy>,
}

impl Catalogue {
    async fn read(db: &mut sqlx::PgConnection) -> Self {
        let server = store::Store::role();
        let tables: Vec<(String, String, bool, bool, bool, bool, bool)> = sqlx::query_as(
            "SELECT c.relname::text AS name, pg_get_userbyid(c.relowner)::text AS owner, \
             EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'workspace_id' AND NOT a.attisdropped) AS has_workspace, \
             c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced, c.relispartition AS is_partition, \
             has_any_column_privilege($1, c.oid, 'SELECT,INSERT,UPDATE') OR has_table_privilege($1, c.oid, 'DELETE,TRUNCATE') AS granted \
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY 1",
        )
        .bind(server)
        .fetch_all(&mut *db)
        .await
        .unwrap();
        let policies: Vec<PolicyRow> = sqlx::query_as(
            "SELECT c.relname::text AS table, p.polname::text AS name, p.polcmd::text AS command, p.polpermissive AS permissive, \
             (p.polroles = '{0}' OR $1::regrole::oid = ANY (p.polroles)) AS for_server, \
             pg_get_expr(p.polqual, p.polrelid) AS using, pg_get_expr(p.polwithcheck, p.polrelid) AS check \
             FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid ORDER BY 1, 2",
        )
        .bind(server)
        .fetch_all(&mut *db)
        .await
        .unwrap();
        let tables = tables
            .into_iter()
            .map(|(name, owner, has_workspace, enabled, forced, is_partition, granted)| Table {
                name,
                owner,
                has_workspace,
                enabled,
                forced,
                is_partition,
                granted,
            })
            .collect();
        let policies = policies
            .into_iter()
            .map(|(table, name, command, permissive, for_server, using, check)| Policy {
                table,
                name,
                command,
                permissive,
                for_server,
                using,
                check,
            })
            .collect();
        Self { tables, policies }
    }

    fn faults(&self) -> BTreeSet<String> {
        let mut faults = BTreeSet::new();
        for table in &self.tables {
            let name = &table.name;
            if table.owner == store::Store::role() {
                faults.insert(format!("{name} belongs to the server's role"));
            }
            if table.is_partition {
                if table.granted {
                    faults.insert(format!("{name} is a partition that the server may read or write past its table's wall"));
                }
                continue;
            }
            if !table.has_workspace {
                if !OF_THE_INSTALLATION.contains(&name.as_str()) {
                    faults.insert(format!("{name} has no workspace_id and is not known to belong to the installation"));
                }
                if name != "workspace" {
                    continue;
                }
            }
            if !table.enabled {
                faults.insert(format!("{name} has no row security"));
            }
            if !table.forced {
                faults.insert(format!("{name} does not force row security on its owner"));
            }
            let policies: Vec<&Policy> =
                self.policies.iter().filter(|policy| policy.table == *name && policy.permissive && policy.for_server).collect();
            let has = |command: &str| policies.iter().any(|policy| policy.command == command || policy.command == "*");
            let needed: &[(&str, &str)] = if APPEND_ONLY.contains(&name.as_str()) {
                &[("r", "select"), ("a", "insert")]
            } else {
                &[("r", "select"), ("a", "insert"), ("w", "update"), ("d", "delete")]
            };
            for (command, word) in needed {
                if !has(command) {
                    faults.insert(format!("{name} has no policy for {word}"));
                }
            }
            if APPEND_ONLY.contains(&name.as_str()) && has("d") {
                faults.insert(format!("{name} is append-only and has a policy for delete"));
            }
        }
        for policy in &self.policies {
            let Policy { table, name, command, .. } = policy;
            let is_true = |condition: &Option<String>| {
                condition.as_deref().is_some_and(|text| text.trim_matches(['(', ')', ' ']) == "true")
            };
            let writes = command != "r";
            if (writes || policy.for_server) && policy.permissive && (is_true(&policy.using) || is_true(&policy.check)) {
                faults.insert(format!("{name} on {table} is always true"));
            }
            if writes && command != "d" && policy.check.is_none() {
                faults.insert(format!("{name} on {table} has no WITH CHECK"));
            }
            let workspace = |condition: &Option<String>| condition.as_deref().is_none_or(|text| text.contains("pelatis."));
            if policy.for_server && !(workspace(&policy.using) && workspace(&policy.check)) {
                faults.insert(format!("{name} on {table} does not ask who it is"));
            }
        }
        faults
    }
}

/// A migrated database, and a connection that may do everything in it.
async fn database() -> Option<(Database, sqlx::PgConnection)> {
    let folder = tempfile::TempDir::new().unwrap();
    if Engine::chosen() == Engine::Sqlite {
        return None;
    }
    let db = Database::fresh(&folder).await;
    let owner = sqlx::PgConnection::connect(db.config.owner_url.as_deref().unwrap()).await.unwrap();
    Some((db, owner))
}

#[tokio::test]
async fn every_table_of_a_workspace_has_a_wall_without_holes() {
    let Some((_, mut owner)) = database().await else { return };
    let catalogue = Catalogue::read(&mut owner).await;
    assert!(catalogue.tables.len() >= 20 && catalogue.policies.len() >= 50, "{catalogue:?}");
    assert_eq!(catalogue.faults(), BTreeSet::new());
    let there: BTreeSet<&str> =
        catalogue.tables.iter().filter(|table| !table.has_workspace).map(|table| table.name.as_str()).collect();
    assert_eq!(there, OF_THE_INSTALLATION.into_iter().collect(), "the list names what is not there");
}

#[tokio::test]
async fn a_planted_table_or_policy_with_a_hole_is_found() {
    let Some((_, mut owner)) = database().await else { return };
    let good = "CREATE TABLE planted (id uuid, workspace_id uuid); ALTER TABLE planted ENABLE ROW LEVEL SECURITY; \
                ALTER TABLE planted FORCE ROW LEVEL SECURITY; GRANT SELECT ON planted TO pelatis_app; \
                CREATE POLICY s ON planted FOR SELECT TO pelatis_app USING (workspace_id = current_setting('pelatis.workspace')::uuid); \
                CREATE POLICY i ON planted FOR INSERT TO pelatis_app WITH CHECK (workspace_id = current_setting('pelatis.workspace')::uuid); \
                CREATE POLICY u ON planted FOR UPDATE TO pelatis_app USING (workspace_id = current_setting('pelatis.workspace')::uuid) \
                    WITH CHECK (workspace_id = current_setting('pelatis.workspace')::uuid); \
                CREATE POLICY d ON planted FOR DELETE TO pelatis_app USING (workspace_id = current_setting('pelatis.workspace')::uuid);";
    let plants: [(&str, &[&str]); 14] = [
        ("", &[]),
        ("ALTER TABLE planted DISABLE ROW LEVEL SECURITY", &["planted has no row security"]),
        ("ALTER TABLE planted NO FORCE ROW LEVEL SECURITY", &["planted does not force row security on its owner"]),
        ("DROP POLICY s ON planted", &["planted has no policy for select"]),
        ("DROP POLICY i ON planted", &["planted has no policy for insert"]),
        ("DROP POLICY u ON planted", &["planted has no policy for update"]),
        ("DROP POLICY d ON planted", &["planted has no policy for delete"]),
        (
            "CREATE POLICY x ON planted FOR INSERT TO pelatis_app WITH CHECK (true)",
            &["x on planted is always true", "x on planted does not ask who it is"],
        ),
        (
            "CREATE POLICY x ON planted FOR DELETE USING (true)",
            &["x on planted is always true", "x on planted does not ask who it is"],
        ),
        (
            "CREATE POLICY x ON planted FOR SELECT USING (true)",
            &["x on planted is always true", "x on planted does not ask who it is"],
        ),
        (
            "CREATE POLICY x ON planted FOR ALL TO pelatis_app USING (id = current_setting('pelatis.account')::uuid)",
            &["x on planted has no WITH CHECK"],
        ),
        (
            "CREATE POLICY x ON planted FOR UPDATE TO pelatis_app USING (id = current_setting('pelatis.account')::uuid)",
            &["x on planted has no WITH CHECK"],
        ),
        ("CREATE POLICY x ON planted FOR DELETE TO pelatis_app USING (id IS NOT NULL)", &["x on planted does not ask who it is"]),
        (
            "CREATE TABLE other_planted (id uuid)",
            &["other_planted has no workspace_id and is not known to belong to the installation"],
        ),
    ];
    for (plant, expected) in plants {
        let mut transaction = owner.begin().await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("{good} {plant}"))).execute(&mut *transaction).await.unwrap();
        let faults = Catalogue::read(&mut transaction).await.faults();
        assert_eq!(faults, expected.iter().map(|fault| (*fault).to_owned()).collect(), "{plant}");
        transaction.rollback().await.unwrap();
    }
    let mut transaction = owner.begin().await.unwrap();
    let plant = "GRANT SELECT ON journal_entry_default TO pelatis_app; \
                 CREATE POLICY x ON journal_entry FOR DELETE TO pelatis_app USING (workspace_id = current_setting('pelatis.workspace')::uuid)";
    sqlx::raw_sql(plant).execute(&mut *transaction).await.unwrap();
    let faults = Catalogue::read(&mut transaction).await.faults();
    assert_eq!(faults.len(), 2, "{faults:?}");
}

#[tokio::test]
async fn the_servers_role_owns_nothing_and_cannot_become_anybody_who_does() {
    let Some((db, mut owner)) = database().await else { return };
    let role = "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = $1";
    let role: (bool, bool, bool, bool) = sqlx::query_as(role).bind(store::Store::role()).fetch_one(&mut owner).await.unwrap();
    assert_eq!(role, (false, false, false, false));
    let owned: Vec<String> = sqlx::query_scalar(
        "SELECT relname::text FROM pg_class WHERE relowner = $1::regrole UNION ALL SELECT proname::text FROM pg_proc WHERE proowner = $1::regrole \
         UNION ALL SELECT nspname::text FROM pg_namespace WHERE nspowner = $1::regrole UNION ALL SELECT typname::text FROM pg_type WHERE typowner = $1::regrole",
    )
    .bind(store::Store::role())
    .fetch_all(&mut owner)
    .await
    .unwrap();
    assert!(owned.is_empty(), "{owned:?}");
    let above: Vec<String> =
        sqlx::query_scalar("SELECT rolname::text FROM pg_roles WHERE pg_has_role($1, oid, 'MEMBER') AND rolname <> $1")
            .bind(store::Store::role())
            .fetch_all(&mut owner)
            .await
            .unwrap();
    assert!(above.is_empty(), "{above:?}");
    let mut server = db.as_server().await;
    let who: String = sqlx::query_scalar("SELECT current_user::text").fetch_one(&mut server).await.unwrap();
    assert_eq!(who, store::Store::role());
    for statement in [
        "CREATE TABLE public.mine (id int)",
        "ALTER TABLE client DISABLE ROW LEVEL SECURITY",
        "DROP TABLE client",
        "TRUNCATE client",
        "ALTER TABLE journal_entry DISABLE TRIGGER ALL",
        "DROP POLICY client_select ON client",
        "SET ROLE pelatis_test_owner",
        "SET session_replication_role = replica",
        "SELECT * FROM journal_entry_default",
    ] {
        let refused = sqlx::raw_sql(statement).execute(&mut server).await.expect_err(statement).to_string();
        assert!(refused.contains("permission denied") || refused.contains("must be owner"), "{statement}: {refused}");
    }
}

#[tokio::test]
async fn a_store_does_not_open_as_a_role_that_could_get_round_row_security() {
    let Some((db, mut owner)) = database().await else { return };
    // the role comes to own a table
    sqlx::raw_sql("CREATE TABLE planted (id int)").execute(&mut owner).await.unwrap();
    db.execute("ALTER TABLE planted OWNER TO pelatis_app").await.unwrap();
    let runtime = kernel::Runtime::system();
    let shared = store::shared::Shared::in_process(runtime.clone());
    let refused = store::Store::open(&db.config, store::Secret::new([7; 32]), shared, runtime).await;
    assert_eq!(refused.expect_err("it owns a table").kind(), kernel::Kind::Internal);
}
