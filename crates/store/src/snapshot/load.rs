//! Bringing a snapshot into an empty database.

use kernel::{Error, Result};

use super::postgres::{quote, quoted};
use super::{Contents, sqlite_file, table_of};
use crate::dialect::Dialect;
use crate::errors::from_sqlx;
use crate::pool::{DatabaseConfig, owner_options};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

/// Where the parts of a snapshot come from, in the order in which they were handed over.
pub trait PartSource {
    /// The next part; none after the last.
    ///
    /// # Errors
    /// What hinders it; nothing is brought in then.
    fn next(&mut self) -> impl Future<Output = Result<Option<(String, Vec<u8>)>>>;
}

/// What stands in the place where a snapshot is to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nothing, not even a schema.
    Bare,
    /// A schema of these steps, and nobody has set it up.
    Empty(Vec<String>),
    /// Somebody's data.
    Used,
    /// Tables that are not ours.
    Foreign,
    /// A server, which must be stopped first.
    Served,
}

/// Looks at the place.
///
/// # Errors
/// What the database says when it cannot be reached.
pub async fn place(config: &DatabaseConfig) -> Result<Place> {
    match config.dialect()? {
        Dialect::Sqlite => sqlite_file::place(config).await,
        Dialect::Postgres => {
            let mut owner = owner_options(config)?.connect().await.map_err(from_sqlx)?;
            let found = postgres_place(&mut owner).await;
            owner.close().await.map_err(from_sqlx)?;
            found
        }
    }
}

/// Brings a snapshot in, whole or not at all. On PostgreSQL the schema of its steps must be there; on SQLite the file brings it.
///
/// # Errors
/// What the database says; `internal` where the parts are not what `contents` says.
pub async fn load(config: &DatabaseConfig, contents: &Contents, parts: &mut impl PartSource) -> Result<()> {
    match config.dialect()? {
        Dialect::Sqlite => sqlite_file::load(config, contents, parts).await,
        Dialect::Postgres => {
            let mut owner = owner_options(config)?.connect().await.map_err(from_sqlx)?;
            let loaded = into_postgres(&mut owner, contents, parts).await;
            if loaded.is_ok() {
                // without it, every plan of the first hours would be made for empty tables
                run(&mut owner, "ANALYZE").await?;
            }
            owner.close().await.map_err(from_sqlx)?;
            loaded
        }
    }
}

async fn run(owner: &mut PgConnection, sql: &str) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(owner).await.map(|_| ()).map_err(from_sqlx)
}

async fn postgres_place(owner: &mut PgConnection) -> Result<Place> {
    let is_bare: bool = sqlx::query_scalar("SELECT to_regclass('public.installation') IS NULL")
        .fetch_one(&mut *owner)
        .await
        .map_err(from_sqlx)?;
    if is_bare {
        // those of an extension are nobody's data
        let is_foreign: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') \
             AND relname <> 'seaql_migrations' AND NOT EXISTS (SELECT 1 FROM pg_depend \
             WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e'))",
        )
        .fetch_one(&mut *owner)
        .await
        .map_err(from_sqlx)?;
        return Ok(if is_foreign { Place::Foreign } else { Place::Bare });
    }
    let (is_used, is_served): (bool, bool) = sqlx::query_as(
        "SELECT EXISTS (SELECT 1 FROM installation WHERE set_up_at IS NOT NULL), EXISTS (SELECT 1 FROM pg_stat_activity \
         WHERE datname = current_database() AND application_name = 'pelatis' AND pid <> pg_backend_pid())",
    )
    .fetch_one(&mut *owner)
    .await
    .map_err(from_sqlx)?;
    if is_used || is_served {
        return Ok(if is_used { Place::Used } else { Place::Served });
    }
    let steps = sqlx::query_scalar("SELECT version::text FROM seaql_migrations ORDER BY version");
    steps.fetch_all(owner).await.map(Place::Empty).map_err(from_sqlx)
}

async fn into_postgres(owner: &mut PgConnection, contents: &Contents, parts: &mut impl PartSource) -> Result<()> {
    run(owner, "BEGIN; LOCK TABLE installation IN ACCESS EXCLUSIVE MODE").await?;
    // somebody may have set it up since it was looked at
    let is_used: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM installation WHERE set_up_at IS NOT NULL)")
        .fetch_one(&mut *owner)
        .await
        .map_err(from_sqlx)?;
    if is_used {
        return Err(Error::internal("the database is not empty any more"));
    }
    let walled: Vec<String> = sqlx::query_scalar(
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relforcerowsecurity \
         AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY relname",
    )
    .fetch_all(&mut *owner)
    .await
    .map_err(from_sqlx)?;
    // rows are copied by the owner, whom the wall keeps out like everybody; it is up again before anybody can look
    for table in &walled {
        run(owner, &format!("ALTER TABLE public.{} NO FORCE ROW LEVEL SECURITY", quote(table))).await?;
    }
    // what the database does by itself when rows come was done when they first came
    let triggered: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT c.relname::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid \
         WHERE NOT t.tgisinternal AND c.relnamespace = 'public'::regnamespace AND NOT c.relispartition ORDER BY 1",
    )
    .fetch_all(&mut *owner)
    .await
    .map_err(from_sqlx)?;
    for table in &triggered {
        run(owner, &format!("ALTER TABLE public.{} DISABLE TRIGGER USER", quote(table))).await?;
    }
    for table in contents.tables.iter().rev() {
        run(owner, &format!("DELETE FROM public.{}", quote(&table.name))).await?;
    }
    let mut next = parts.next().await?;
    for table in &contents.tables {
        let statement = format!("COPY public.{} ({}) FROM STDIN", quote(&table.name), quoted(&table.columns));
        let mut copy = owner.copy_in_raw(&statement).await.map_err(from_sqlx)?;
        while let Some((_, bytes)) = next.take_if(|(part, _)| table_of(part) == Some(&table.name)) {
            copy.send(bytes).await.map_err(from_sqlx)?;
            next = parts.next().await?;
        }
        let rows = copy.finish().await.map_err(from_sqlx)?;
        if rows != table.rows {
            return Err(Error::internal(format!("{} has {rows} rows, and should have {}", table.name, table.rows)));
        }
    }
    if let Some((part, _)) = next {
        return Err(Error::internal(format!("{part} belongs to no table")));
    }
    for sequence in &contents.sequences {
        sqlx::query("SELECT setval($1::regclass, $2)")
            .bind(format!("public.{}", quote(&sequence.name)))
            .bind(sequence.last)
            .execute(&mut *owner)
            .await
            .map_err(from_sqlx)?;
    }
    for table in &triggered {
        run(owner, &format!("ALTER TABLE public.{} ENABLE TRIGGER USER", quote(table))).await?;
    }
    for table in &walled {
        run(owner, &format!("ALTER TABLE public.{} FORCE ROW LEVEL SECURITY", quote(table))).await?;
    }
    run(owner, NEW_EPOCH).await?;
    run(owner, "COMMIT").await
}

/// What is written after this moment comes after all that was written before, whatever numbers this server gives to its transactions.
pub(super) const NEW_EPOCH: &str = "UPDATE installation SET journal_epoch = journal_epoch + 1";
