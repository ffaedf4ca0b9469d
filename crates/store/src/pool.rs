//! The pools of connections, and how a connection of each engine is set up.

use std::str::FromStr;
use std::time::Duration;

use kernel::{Caller, Error, Result};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgPool, SqlitePool};

use crate::conn::Link;
use crate::dialect::{self, Dialect, Mode};
use crate::errors::from_sqlx;

/// How long a request waits for a connection before it is answered 503.
const ACQUIRE: Duration = Duration::from_secs(10);

/// KiB of pages that SQLite's writer keeps at most, below zero because above it they are pages: an insert touches a page of each index of its
/// table, and of the 2,000 KiB that SQLite begins with most are gone when the next one comes.
const WRITER_CACHE: &str = "-16000";
/// How long the connection for long rows of writes outlives the last of them.
const UNUSED: Duration = Duration::from_mins(1);
/// How long a server may take to take leave of all connections.
const CLOSE: Duration = Duration::from_secs(3);

/// Which database, and how many connections to it.
#[derive(Clone, Debug)]
pub struct DatabaseConfig {
    /// `sqlite:<path>` or `postgres://…`.
    pub url: String,
    /// PostgreSQL: who owns the tables and migrates; without it, the first URL does both.
    pub owner_url: Option<String>,
    /// PostgreSQL: connections of the pool. SQLite: readers beside the one writer, of which four for each processor are opened at most.
    pub connections: u32,
}

impl DatabaseConfig {
    /// The engine that the URL names.
    ///
    /// # Errors
    /// `internal` with a text for the operator when it names neither.
    pub fn dialect(&self) -> Result<Dialect> {
        match self.url.split_once(':') {
            Some(("sqlite", _)) => Ok(Dialect::Sqlite),
            Some(("postgres" | "postgresql", _)) => Ok(Dialect::Postgres),
            _ => Err(Error::internal("the database URL must begin with sqlite: or postgres:")),
        }
    }

    /// Another database of the same server, for the same users.
    ///
    /// # Errors
    /// `internal` with a text for the operator on SQLite, which has no server.
    pub fn on_same_server(&self, name: &str) -> Result<Self> {
        if self.dialect()? == Dialect::Sqlite {
            return Err(Error::internal("a database is named only on PostgreSQL"));
        }
        let renamed = |given: &str| {
            let mut url = url::Url::parse(given).map_err(Error::internal)?;
            url.set_path(name);
            Ok::<_, Error>(url.into())
        };
        Ok(Self {
            url: renamed(&self.url)?,
            owner_url: self.owner_url.as_deref().map(renamed).transpose()?,
            connections: self.connections,
        })
    }
}

/// Open pools of one engine.
#[derive(Clone, Debug)]
pub(crate) enum Pools {
    /// One writer, because SQLite has one: waiting for it in our own queue is fair and short, waiting in SQLite's is neither
    /// (measured with 16 writers: p99 9 ms against 337 ms). Readers run beside it.
    Sqlite { writer: SqlitePool, readers: SqlitePool },
    Postgres {
        pool: PgPool,
        /// Connections for long rows of equal writes, two of which run beside each other: PostgreSQL plans a statement anew the first five
        /// times on each connection, which for one of thousands of parameters takes longer than to run it, and the pool hands its
        /// connections out in turn.
        many: PgPool,
    },
}

impl Pools {
    pub(crate) async fn open(config: &DatabaseConfig) -> Result<Self> {
        match config.dialect()? {
            Dialect::Sqlite => Self::open_sqlite(config).await,
            Dialect::Postgres => Self::open_postgres(config).await,
        }
    }

    async fn open_sqlite(config: &DatabaseConfig) -> Result<Self> {
        let options = sqlite_options(&config.url)?;
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(ACQUIRE)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .before_acquire(|connection, _| Box::pin(std::future::ready(Ok(is_at_rest(connection)))))
            .connect_with(options.clone().pragma("cache_size", WRITER_CACHE))
            .await
            .map_err(from_sqlx)?;
        let readers = SqlitePoolOptions::new()
            .max_connections(config.connections.min(sqlite_readers()))
            .min_connections(1)
            .acquire_timeout(ACQUIRE)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.pragma("query_only", "ON"))
            .await
            .map_err(from_sqlx)?;
        Ok(Self::Sqlite { writer, readers })
    }

    async fn open_postgres(config: &DatabaseConfig) -> Result<Self> {
        // the role is set by the connection's own start, so no statement of ours can come before it
        let options = postgres_options(&config.url)?.options([("role", dialect::ddl::APP_ROLE), ("statement_timeout", "30s")]);
        let pool = PgPoolOptions::new()
            .max_connections(config.connections)
            .acquire_timeout(ACQUIRE)
            .test_before_acquire(false)
            .connect_with(options.clone())
            .await
            .map_err(from_sqlx)?;
        let many = PgPoolOptions::new()
            .max_connections(2)
            .acquire_timeout(ACQUIRE)
            .idle_timeout(UNUSED)
            .test_before_acquire(false)
            .connect_lazy_with(options);
        let (owns, escapes): (bool, bool) = sqlx::query_as(
            "SELECT EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = 'public' AND pg_get_userbyid(c.relowner) = current_user), \
             (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user)",
        )
        .fetch_one(&pool)
        .await
        .map_err(from_sqlx)?;
        if owns || escapes {
            return Err(Error::internal("the server's database role must own nothing and obey row security"));
        }
        Ok(Self::Postgres { pool, many })
    }

    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite { .. } => Dialect::Sqlite,
            Self::Postgres { .. } => Dialect::Postgres,
        }
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place where transactions begin")]
    pub(crate) async fn begin(&self, caller: &Caller, mode: Mode) -> Result<Link> {
        match (self, mode) {
            (Self::Sqlite { readers, .. }, Mode::Read) => readers.acquire().await.map(Link::Pooled),
            // IMMEDIATE takes the write lock at once: a transaction that reads first and writes later would fail with "busy"
            (Self::Sqlite { writer, .. }, Mode::Write | Mode::WriteOnce | Mode::WriteMany) => {
                writer.begin_with("BEGIN IMMEDIATE").await.map(Link::Sqlite)
            }
            (Self::Postgres { pool, many }, mode) => {
                let pool = if mode == Mode::WriteMany { many } else { pool };
                pool.begin_with(AssertSqlSafe(dialect::begin_postgres(caller, mode))).await.map(Link::Postgres)
            }
        }
        .map_err(from_sqlx)
    }

    pub(crate) async fn ping(&self) -> Result<()> {
        let ping = self.dialect().ping();
        match self {
            Self::Sqlite { readers, .. } => sqlx::query(ping).execute(readers).await.map(|_| ()),
            Self::Postgres { pool, .. } => sqlx::query(ping).execute(pool).await.map(|_| ()),
        }
        .map_err(from_sqlx)
    }

    /// Hears of jobs that other nodes enqueue, on a connection of its own; none on SQLite, where workers look by themselves.
    pub(crate) async fn job_listener(&self) -> Result<Option<sqlx::postgres::PgListener>> {
        let Self::Postgres { pool, .. } = self else { return Ok(None) };
        let options = PgPoolOptions::new().max_connections(1).acquire_timeout(ACQUIRE).test_before_acquire(false);
        let own = options.connect_lazy_with((*pool.connect_options()).clone());
        let mut listener = sqlx::postgres::PgListener::connect_with(&own).await.map_err(from_sqlx)?;
        listener.listen("pelatis_job").await.map_err(from_sqlx)?;
        Ok(Some(listener))
    }

    /// Connections open and idle.
    pub(crate) fn size(&self) -> (u32, usize) {
        match self {
            Self::Sqlite { writer, readers } => (writer.size() + readers.size(), writer.num_idle() + readers.num_idle()),
            Self::Postgres { pool, many } => (pool.size() + many.size(), pool.num_idle() + many.num_idle()),
        }
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            // connections on which a statement waits for a server that does not answer go with the process
            Self::Postgres { pool, many } => {
                let closed = futures::future::join(pool.close(), many.close());
                drop(tokio::time::timeout(CLOSE, closed).await);
            }
        }
    }
}

/// Whether a connection is in no transaction. SQLite rolls one back by itself when the disk is full, sqlx goes on counting it, and the
/// connection would never begin another; so it is replaced.
fn is_at_rest(connection: &SqliteConnection) -> bool {
    !sqlx::Connection::is_in_transaction(connection)
}

/// As many readers of SQLite as there may be. Each has a thread of this process, and many more of them than the processors can run only take
/// turns in the middle of their work instead of waiting for its end: lists of 1,000,000 for 16 callers on two processors have a p99 of 66 ms with
/// 16 readers and 33 to 41 with 8, which answer half as many again. With 4 they do no better, and reads of one record, which are short, wait for
/// each other (7,000 a second; 11,500 with 8, 13,000 with 16).
pub fn sqlite_readers() -> u32 {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    u32::try_from(4 * processors).unwrap_or(u32::MAX)
}

fn sqlite_options(url: &str) -> Result<SqliteConnectOptions> {
    Ok(SqliteConnectOptions::from_str(url)
        .map_err(from_sqlx)?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // what was answered survives a power cut
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        // pages, 16 MB of them: a page that many transactions in a row change is copied into the database once for all of them (an import of
        // 100,000 clients takes a tenth less than with the 1,000 that SQLite begins with)
        .pragma("wal_autocheckpoint", "4000")
        .statement_cache_capacity(200)
        .disable_statement_logging())
}

fn postgres_options(url: &str) -> Result<PgConnectOptions> {
    Ok(PgConnectOptions::from_str(url)
        .map_err(from_sqlx)?
        .application_name("pelatis")
        .statement_cache_capacity(200)
        .disable_statement_logging())
}

/// Where the file of a SQLite database is.
pub(crate) fn sqlite_path(config: &DatabaseConfig) -> Result<std::path::PathBuf> {
    Ok(sqlite_options(&config.url)?.get_filename().to_owned())
}

/// How the owner of PostgreSQL's tables connects.
pub(crate) fn owner_options(config: &DatabaseConfig) -> Result<PgConnectOptions> {
    // a restore that looks for servers must not find itself
    Ok(postgres_options(config.owner_url.as_deref().unwrap_or(&config.url))?.application_name("pelatis-owner"))
}

/// A connection of the owner, for migrations.
///
/// # Errors
/// What the database says when it cannot be reached.
pub async fn owner_connection(config: &DatabaseConfig) -> Result<sea_orm::DatabaseConnection> {
    match config.dialect()? {
        Dialect::Sqlite => {
            let options = sqlite_options(&config.url)?;
            if let Some(folder) = options.get_filename().parent() {
                std::fs::create_dir_all(folder).map_err(Error::internal)?;
            }
            let pool = SqlitePoolOptions::new()
                .max_connections(1)
                .connect_with(sqlite_options(&config.url)?)
                .await
                .map_err(from_sqlx)?;
            Ok(sea_orm::SqlxSqliteConnector::from_sqlx_sqlite_pool(pool))
        }
        Dialect::Postgres => {
            // a step that a crash takes back is taken again; whatever the server commits later brings the steps to disk with it
            let options = owner_options(config)?.options([("synchronous_commit", "off")]);
            let pool = PgPoolOptions::new()
                .max_connections(1)
                .acquire_timeout(ACQUIRE)
                .connect_with(options)
                .await
                .map_err(from_sqlx)?;
            Ok(sea_orm::SqlxPostgresConnector::from_sqlx_postgres_pool(pool))
        }
    }
}

/// Whether this process is to migrate: always on SQLite; on PostgreSQL where the owner's URL is given, or where the one URL there
/// is signs in as the owner, which is how a first try begins.
///
/// # Errors
/// What the database says when it cannot be reached.
pub async fn may_migrate(config: &DatabaseConfig) -> Result<bool> {
    if config.dialect()? == Dialect::Sqlite || config.owner_url.is_some() {
        return Ok(true);
    }
    let mut connection = postgres_options(&config.url)?.connect().await.map_err(from_sqlx)?;
    // before the first migration nobody owns anything, and whoever may make tables is the owner to be
    let (may,): (bool,) = sqlx::query_as(
        "SELECT COALESCE((SELECT pg_has_role(current_user, relowner, 'MEMBER') FROM pg_class \
         WHERE oid = to_regclass('public.installation')), has_schema_privilege('public', 'CREATE'))",
    )
    .fetch_one(&mut connection)
    .await
    .map_err(from_sqlx)?;
    sqlx::Connection::close(connection).await.map_err(from_sqlx)?;
    Ok(may)
}
