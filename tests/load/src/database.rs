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

/// Prints ids, one a line.
pub(crate) fn ids(options: &Ids) -> Result<()> {
    const DRAWN: &str = "SELECT id FROM client ORDER BY random() LIMIT $1";
    let ids: Vec<Uuid> = actix_web::rt::System::new().block_on(async {
        if is_postgres(&options.url) {
            let mut owner = PgConnection::connect(&options.url).await?;
            sqlx::query_scalar(DRAWN).bind(options.count).fetch_all(&mut owner).await
        } else {
            let mut owner = SqliteConnection::connect(&options.url).await?;
            sqlx::query_scalar(DRAWN).bind(options.count).fetch_all(&mut owner).await
        }
    })?;
    if i64::try_from(ids.len())? < options.count {
        return Err(format!("there are only {} clients", ids.len()).into());
    }
    ids.iter().try_for_each(|id| say(&id.to_string()))
}
