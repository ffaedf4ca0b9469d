//! What is done to the database itself between the steps.

use sqlx::{Connection as _, PgConnection, SqliteConnection};
use uuid::Uuid;

use crate::{Result, say};

#[derive(clap::Args)]
pub(crate) struct Settle {
    /// The database, as its owner
    #[arg(long)]
    url: String,
}

#[derive(clap::Args)]
pub(crate) struct Ids {
    /// The database, as its owner
    #[arg(long)]
    url: String,
    /// How many
    #[arg(long, default_value_t = 1000)]
    count: i64,
    /// How many clients there must be, and as many contacts
    #[arg(long)]
    of: i64,
}

#[derive(clap::Args)]
pub(crate) struct Make {
    /// A database of the server, as its owner
    #[arg(long)]
    url: String,
    /// What the new one is called
    #[arg(long)]
    name: String,
}

/// Makes a database on a PostgreSQL.
pub(crate) fn make(options: &Make) -> Result<()> {
    if !options.name.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Err(format!("{} is no name for a database here", options.name).into());
    }
    actix_web::rt::System::new().block_on(async {
        let mut owner = PgConnection::connect(&options.url).await?;
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {}", options.name))).execute(&mut owner).await?;
        Ok(())
    })
}

pub(crate) fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres:") || url.starts_with("postgresql:")
}

/// Does now what the engine would do of its own accord during the measurement: cleaning up after the import.
pub(crate) fn settle(options: &Settle) -> Result<()> {
    actix_web::rt::System::new().block_on(async {
        if is_postgres(&options.url) {
            let mut owner = PgConnection::connect(&options.url).await?;
            sqlx::raw_sql("VACUUM (ANALYZE)").execute(&mut owner).await?;
            sqlx::raw_sql("CHECKPOINT").execute(&mut owner).await?;
        } else {
            let mut owner = SqliteConnection::connect(&options.url).await?;
            sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut owner).await?;
        }
        Ok(())
    })
}

/// Prints ids, one a line, once it is sure that everything was imported.
pub(crate) fn ids(options: &Ids) -> Result<()> {
    const COUNTED: &str = "SELECT (SELECT count(*) FROM client), (SELECT count(*) FROM contact)";
    const DRAWN: &str = "SELECT id FROM client ORDER BY random() LIMIT $1";
    let (counted, ids): ((i64, i64), Vec<Uuid>) = actix_web::rt::System::new().block_on(async {
        if is_postgres(&options.url) {
            let mut owner = PgConnection::connect(&options.url).await?;
            let counted = sqlx::query_as(COUNTED).fetch_one(&mut owner).await?;
            sqlx::query_scalar(DRAWN).bind(options.count).fetch_all(&mut owner).await.map(|ids| (counted, ids))
        } else {
            let mut owner = SqliteConnection::connect(&options.url).await?;
            let counted = sqlx::query_as(COUNTED).fetch_one(&mut owner).await?;
            sqlx::query_scalar(DRAWN).bind(options.count).fetch_all(&mut owner).await.map(|ids| (counted, ids))
        }
    })?;
    if counted != (options.of, options.of) {
        return Err(format!("there are {} clients and {} contacts, not {} of each", counted.0, counted.1, options.of).into());
    }
    ids.iter().try_for_each(|id| say(&id.to_string()))
}
