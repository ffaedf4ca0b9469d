//! The file of a snapshot of SQLite, put where the database is to be.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kernel::{Error, Result};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt as _;

use super::load::{NEW_EPOCH, PartSource, Place};
use super::take::count;
use super::{Contents, table_of};
use crate::errors::from_sqlx;
use crate::pool::{DatabaseConfig, sqlite_path};

/// A path with something after it.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

async fn open(path: &Path) -> Result<SqliteConnection> {
    let options = SqliteConnectOptions::new().filename(path).busy_timeout(Duration::ZERO).disable_statement_logging();
    options.connect().await.map_err(from_sqlx)
}

pub(super) async fn place(config: &DatabaseConfig) -> Result<Place> {
    let path = sqlite_path(config)?;
    if !fs::try_exists(&path).await.map_err(Error::internal)? {
        return Ok(Place::Bare);
    }
    let mut connection = open(&path).await?;
    let looked = look(&mut connection).await;
    connection.close().await.map_err(from_sqlx)?;
    looked
}

async fn look(connection: &mut SqliteConnection) -> Result<Place> {
    let tables = "SELECT COUNT(*) FROM sqlite_master WHERE name IN ('installation', 'seaql_migrations')";
    let tables: i64 = sqlx::query_scalar(tables).fetch_one(&mut *connection).await.map_err(from_sqlx)?;
    if tables < 2 {
        return Ok(Place::Bare);
    }
    let used = "SELECT EXISTS (SELECT 1 FROM installation WHERE set_up_at IS NOT NULL)";
    if sqlx::query_scalar(used).fetch_one(&mut *connection).await.map_err(from_sqlx)? {
        return Ok(Place::Used);
    }
    // leaving the write-ahead log is possible only where nobody else has the file open
    match sqlx::query("PRAGMA journal_mode = DELETE").execute(&mut *connection).await.map_err(from_sqlx) {
        Ok(_) => {}
        Err(error) if *error.code() == crate::errors::BUSY => return Ok(Place::Served),
        Err(error) => return Err(error),
    }
    let steps = sqlx::query_scalar("SELECT version FROM seaql_migrations ORDER BY version");
    steps.fetch_all(connection).await.map(Place::Empty).map_err(from_sqlx)
}

pub(super) async fn load(config: &DatabaseConfig, contents: &Contents, parts: &mut impl PartSource) -> Result<()> {
    let path = sqlite_path(config)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).await.map_err(Error::internal)?;
    let making = beside(&path, ".restoring");
    let made = async {
        write(&making, parts).await?;
        check(&making, contents).await
    }
    .await;
    if let Err(error) = made {
        // what cannot be removed now is written over by the next try
        let _ = fs::remove_file(&making).await;
        return Err(error);
    }
    for ending in ["-wal", "-shm"] {
        match fs::remove_file(beside(&path, ending)).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(Error::internal(error)),
            _ => {}
        }
    }
    fs::rename(&making, &path).await.map_err(Error::internal)?;
    File::open(folder).await.map_err(Error::internal)?.sync_all().await.map_err(Error::internal)
}

async fn write(making: &Path, parts: &mut impl PartSource) -> Result<()> {
    let mut file = File::create(making).await.map_err(Error::internal)?;
    while let Some((part, bytes)) = parts.next().await? {
        if table_of(&part) != Some(super::sqlite::FILE) {
            return Err(Error::internal(format!("{part} is not a part of SQLite's file")));
        }
        file.write_all(&bytes).await.map_err(Error::internal)?;
    }
    file.flush().await.map_err(Error::internal)?;
    file.sync_all().await.map_err(Error::internal)
}

async fn check(making: &Path, contents: &Contents) -> Result<()> {
    let mut connection = open(making).await?;
    let whole: String = sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_one(&mut connection).await.map_err(from_sqlx)?;
    if whole != "ok" {
        return Err(Error::internal(format!("the database in the backup is damaged: {whole}")));
    }
    for table in &contents.tables {
        let sql = format!("SELECT COUNT(*) FROM \"{}\"", table.name.replace('"', "\"\""));
        let rows = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut connection).await.map_err(from_sqlx)?;
        let rows = count(rows)?;
        if rows != table.rows {
            return Err(Error::internal(format!("{} has {rows} rows, and should have {}", table.name, table.rows)));
        }
    }
    sqlx::query(NEW_EPOCH).execute(&mut connection).await.map_err(from_sqlx)?;
    connection.close().await.map_err(from_sqlx)
}
