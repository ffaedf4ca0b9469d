//! A database for each test, copied from a template.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::{AssertSqlSafe, Connection as _, Row as _};
use store::DatabaseConfig;
use tempfile::TempDir;
use tokio::sync::Mutex;

/// Which engine the tests run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Embedded.
    Sqlite,
    /// A server.
    Postgres,
}

impl Engine {
    /// The one that the environment names.
    pub fn chosen() -> Self {
        match std::env::var("PELATIS_TEST_DATABASE").as_deref() {
            Ok("postgres") => Self::Postgres,
            Ok("sqlite") | Err(_) => Self::Sqlite,
            Ok(other) => panic!("PELATIS_TEST_DATABASE is {other}; it can be sqlite or postgres"),
        }
    }
}

/// A database of one test.
#[derive(Clone, Debug)]
pub struct Database {
    /// The engine.
    pub engine: Engine,
    /// What the server is given.
    pub config: DatabaseConfig,
    /// Under which row security does not bind.
    admin_url: String,
    /// PostgreSQL: a connection to there that is used again, because each one costs a process.
    held: Arc<Mutex<Option<sqlx::PgConnection>>>,
}

/// The role that owns the tables, and the one that the server signs in as.
const OWNER: &str = "pelatis_test_owner";
const LOGIN: &str = "pelatis_test_login";

/// Names the template: a build that changes the schema makes another.
fn template_key() -> String {
    let program = std::env::current_exe().unwrap();
    let data = fs::metadata(&program).unwrap();
    let changed = data.modified().unwrap().duration_since(std::time::UNIX_EPOCH).unwrap().as_micros();
    let name = program.file_stem().unwrap().to_string_lossy().replace('-', "_");
    format!("{name}_{changed:x}_{:x}", data.len())
}

/// Lets one process at a time go on.
fn lock(name: &str) -> File {
    let path = std::env::temp_dir().join(format!("pelatis-test-{name}.lock"));
    let file = File::options().create(true).truncate(false).write(true).open(path).unwrap();
    file.lock().unwrap();
    file
}

impl Database {
    /// A migrated database with nothing in it.
    pub async fn fresh(folder: &TempDir) -> Self {
        match Engine::chosen() {
            Engine::Sqlite => Self::fresh_sqlite(folder.path()).await,
            Engine::Postgres => {
                Self::fresh_on(&std::env::var("PELATIS_TEST_POSTGRES").expect("PELATIS_TEST_POSTGRES names a server")).await
            }
        }
    }

    async fn fresh_sqlite(folder: &Path) -> Self {
        let template = std::env::temp_dir().join(format!("pelatis-{}.db", template_key()));
        if !template.exists() {
            let _lock = lock("sqlite");
            if !template.exists() {
                make_sqlite_template(&template).await;
            }
        }
        let path = folder.join("test.db");
        fs::copy(&template, &path).unwrap();
        Self::sqlite_at(&path)
    }

    /// A file, which need not be there yet.
    pub fn sqlite_at(path: &Path) -> Self {
        let url = format!("sqlite:{}", path.display());
        let config = DatabaseConfig { url: url.clone(), owner_url: None, connections: 4 };
        Self { engine: Engine::Sqlite, config, admin_url: url, held: Arc::default() }
    }

    /// A migrated database with nothing in it on this PostgreSQL, whose URL names a superuser and no database.
    pub async fn fresh_on(server: &str) -> Self {
        let template = format!("pelatis_{}", template_key());
        let name = format!("pelatis_test_{}", kernel::Runtime::system().uuid().simple());
        let mut admin = sqlx::PgConnection::connect(&format!("{server}/postgres")).await.unwrap();
        {
            let _lock = lock("postgres");
            let known = sqlx::query("SELECT 1 FROM pg_database WHERE datname = $1").bind(&template);
            if known.fetch_optional(&mut admin).await.unwrap().is_none() {
                make_postgres_template(server, &mut admin, &template).await;
            }
        }
        // the template's files as they are, not each of their pages through the log
        run(&mut admin, &format!("CREATE DATABASE {name} TEMPLATE {template} OWNER {OWNER} STRATEGY file_copy")).await;
        admin.close().await.unwrap();
        Self::on(server, &name)
    }

    fn on(server: &str, name: &str) -> Self {
        Self {
            engine: Engine::Postgres,
            config: DatabaseConfig {
                url: as_role(server, LOGIN, name),
                owner_url: Some(as_role(server, OWNER, name)),
                connections: 8,
            },
            admin_url: format!("{server}/{name}"),
            held: Arc::default(),
        }
    }

    /// A database of the same engine without even a schema.
    pub async fn bare(folder: &TempDir) -> Self {
        match Engine::chosen() {
            Engine::Sqlite => Self::sqlite_at(&folder.path().join("bare.db")),
            Engine::Postgres => {
                let server = std::env::var("PELATIS_TEST_POSTGRES").expect("PELATIS_TEST_POSTGRES names a server");
                let name = format!("pelatis_test_{}", kernel::Runtime::system().uuid().simple());
                let mut admin = sqlx::PgConnection::connect(&format!("{server}/postgres")).await.unwrap();
                run(&mut admin, &format!("CREATE DATABASE {name} OWNER {OWNER}")).await;
                admin.close().await.unwrap();
                Self::on(&server, &name)
            }
        }
    }

    /// Where it is reached past row security.
    pub fn admin_url(&self) -> &str {
        &self.admin_url
    }

    /// The first column of the first row, as text, past row security.
    pub async fn scalar(&self, sql: &str) -> Option<String> {
        self.rows(sql).await.into_iter().next()
    }

    /// The first column of every row, as text, past row security. Cast it to text in the query.
    pub async fn rows(&self, sql: &str) -> Vec<String> {
        match self.engine {
            Engine::Sqlite => {
                let mut db = sqlx::SqliteConnection::connect(&self.admin_url).await.unwrap();
                let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut db).await.unwrap();
                db.close().await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
            Engine::Postgres => {
                let mut held = self.held.lock().await;
                let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(self.admin(&mut held).await).await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
        }
    }

    /// Runs a statement past row security, and returns what the database says against it.
    pub async fn execute(&self, sql: &str) -> Result<u64, String> {
        match self.engine {
            Engine::Sqlite => {
                let mut db = sqlx::SqliteConnection::connect(&self.admin_url).await.unwrap();
                sqlx::query(AssertSqlSafe(sql))
                    .execute(&mut db)
                    .await
                    .map(|done| done.rows_affected())
                    .map_err(|error| error.to_string())
            }
            Engine::Postgres => {
                let mut held = self.held.lock().await;
                sqlx::query(AssertSqlSafe(sql))
                    .execute(self.admin(&mut held).await)
                    .await
                    .map(|done| done.rows_affected())
                    .map_err(|error| error.to_string())
            }
        }
    }

    /// Runs a statement as a migration does: as the owner of the tables, whom row security binds too.
    pub async fn execute_as_owner(&self, sql: &str) {
        match &self.config.owner_url {
            None => drop(self.execute(sql).await.unwrap()),
            Some(url) => {
                let mut owner = sqlx::PgConnection::connect(url).await.unwrap();
                sqlx::query(AssertSqlSafe(sql)).execute(&mut owner).await.unwrap();
                owner.close().await.unwrap();
            }
        }
    }

    /// A uuid as it stands in SQL.
    pub fn uuid(&self, id: &str) -> String {
        match self.engine {
            Engine::Sqlite => format!("X'{}'", id.replace('-', "")),
            Engine::Postgres => format!("'{id}'::uuid"),
        }
    }

    /// How many rows a table has.
    pub async fn count(&self, table: &str) -> i64 {
        self.scalar(&format!("SELECT CAST(COUNT(*) AS text) FROM {table}")).await.unwrap().parse().unwrap()
    }

    /// The connection that is held, made anew where it was cut.
    async fn admin<'a>(&self, held: &'a mut Option<sqlx::PgConnection>) -> &'a mut sqlx::PgConnection {
        let well = match held.as_mut() {
            Some(connection) => connection.ping().await.is_ok(),
            None => false,
        };
        if !well {
            *held = Some(sqlx::PgConnection::connect(&self.admin_url).await.unwrap());
        }
        held.as_mut().unwrap()
    }

    /// A connection as the server's own role, for tests of row security.
    pub async fn as_server(&self) -> sqlx::PgConnection {
        let options: sqlx::postgres::PgConnectOptions = self.config.url.parse().unwrap();
        let options = options.options([("role", store::Store::role())]);
        sqlx::PgConnection::connect_with(&options).await.unwrap()
    }
}

async fn make_sqlite_template(template: &PathBuf) {
    let making = template.with_extension("making");
    let _ = fs::remove_file(&making);
    let database = Database::sqlite_at(&making);
    migration::migrate(&database.config).await.unwrap();
    let mut db = sqlx::SqliteConnection::connect(&database.admin_url).await.unwrap();
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut db).await.unwrap();
    db.close().await.unwrap();
    fs::rename(&making, template).unwrap();
}

async fn make_postgres_template(server: &str, admin: &mut sqlx::PgConnection, template: &str) {
    // the owner is no superuser, so that forced row security binds it as it would in production
    for (role, rights) in [(OWNER, "CREATEROLE"), (LOGIN, "")] {
        run(
            admin,
            &format!(
                "DO $$ BEGIN CREATE ROLE {role} LOGIN NOSUPERUSER {rights}; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
            ),
        )
        .await;
    }
    let making = format!("{template}_making");
    run(admin, &format!("DROP DATABASE IF EXISTS {making}")).await;
    run(admin, &format!("CREATE DATABASE {making} OWNER {OWNER}")).await;
    let url = as_role(server, OWNER, &making);
    let config = DatabaseConfig { url: url.clone(), owner_url: Some(url), connections: 1 };
    migration::migrate(&config).await.unwrap();
    run(admin, &format!("GRANT {} TO {LOGIN}", store::Store::role())).await;
    run(admin, &format!("ALTER DATABASE {making} RENAME TO {template}")).await;
}

async fn run(connection: &mut sqlx::PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.unwrap();
}

/// The URL of a database on the test server, as a role.
fn as_role(server: &str, role: &str, database: &str) -> String {
    let (_, host) = server.rsplit_once('@').expect("the server's URL names a user");
    format!("postgres://{role}@{host}/{database}")
}
