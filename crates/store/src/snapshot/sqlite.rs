//! SQLite: the file that `VACUUM INTO` writes.

use std::path::{Path, PathBuf};

use kernel::{Error, Result};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::fs::{self, File};
use tokio::io::AsyncReadExt as _;

use super::take::count;
use super::{Cutter, PART, Parts, Table};
use crate::conn::{Conn, Link, values};
use crate::errors::from_sqlx;
use crate::pool::Pools;
use crate::reader::Reader;
use crate::store::Store;

/// What the one file is called in a snapshot.
pub(super) const FILE: &str = "pelatis.db";

/// A copy of the database that nobody writes to.
pub(super) struct Copy {
    path: PathBuf,
}

impl Copy {
    pub async fn make(store: &Store, scratch: &Path) -> Result<Self> {
        let Pools::Sqlite { writer, .. } = &store.pools else { return Err(Error::internal("this database is not SQLite")) };
        let copy = Self { path: scratch.join(format!("{}.db", store.runtime().uuid())) };
        // a connection of its own: it only reads, so others go on writing
        let mut own = writer.connect_options().connect().await.map_err(from_sqlx)?;
        let path = copy.path.to_str().ok_or_else(|| Error::internal("the folder's name is not UTF-8"))?;
        let made = sqlx::query("VACUUM INTO ?").bind(path).execute(&mut own).await.map_err(from_sqlx);
        own.close().await.map_err(from_sqlx)?;
        match made {
            Ok(_) => Ok(copy),
            Err(error) => {
                copy.remove().await?;
                Err(error)
            }
        }
    }

    pub async fn reader(&self, store: &Store) -> Result<Reader> {
        let options =
            SqliteConnectOptions::new().filename(&self.path).read_only(true).immutable(true).disable_statement_logging();
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.map_err(from_sqlx)?;
        let link = pool.acquire().await.map(Link::Pooled).map_err(from_sqlx)?;
        Ok(Reader::from(Conn::new(link, store.cursor_key.clone(), store.hints.clone())))
    }

    pub async fn hand_over(&self, to: &mut impl Parts) -> Result<()> {
        let mut file = File::open(&self.path).await.map_err(Error::internal)?;
        let mut out = Cutter::new(to, FILE.to_owned(), "");
        let mut piece = vec![0; PART];
        loop {
            let read = file.read(&mut piece).await.map_err(Error::internal)?;
            let Some(bytes) = piece.get(..read).filter(|bytes| !bytes.is_empty()) else { return out.end().await };
            out.push(bytes).await?;
        }
    }

    pub async fn remove(self) -> Result<()> {
        match fs::remove_file(&self.path).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::internal(error)),
            _ => Ok(()),
        }
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // one that was not ended, because something failed, goes here
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Every table that holds rows of ours: what full-text search keeps for itself is in the file, and is not counted.
pub(super) async fn tables(conn: &mut Conn) -> Result<Vec<Table>> {
    let names = "SELECT m.name, p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table' \
        AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND m.name NOT LIKE '%\\_search%' ESCAPE '\\' AND m.name <> 'seaql_migrations' \
        ORDER BY m.name, p.cid";
    let mut tables: Vec<Table> = Vec::new();
    for row in conn.sql_rows(names.to_owned(), values(Vec::new())).await? {
        let (name, column): (String, String) = (row.get(0)?, row.get(1)?);
        match tables.last_mut().filter(|table| table.name == name) {
            Some(table) => table.columns.push(column),
            None => tables.push(Table { name, columns: vec![column], rows: 0 }),
        }
    }
    for table in &mut tables {
        let rows = conn.sql_rows(format!("SELECT COUNT(*) FROM \"{}\"", table.name), values(Vec::new())).await?;
        let row = rows.first().ok_or_else(|| Error::internal("a count without a row"))?;
        table.rows = count(row.get(0)?)?;
    }
    Ok(tables)
}
