//! A whole database as of one moment, and its way into an empty one: what a backup is made of.
//!
//! Each engine gives its own best copy: SQLite the file that `VACUUM INTO` writes, PostgreSQL the rows of each table as `COPY` writes them,
//! in one transaction that sees one state. Others go on writing meanwhile. The server's role can read all of it, workspace by workspace, so
//! a backup needs no owner; bringing it back does, as migrating does.

mod load;
mod postgres;
mod sqlite;
mod sqlite_file;
mod take;

pub use load::{PartSource, Place, load, place};
pub use take::Snapshot;

use kernel::Result;
use serde::{Deserialize, Serialize};

/// Bytes of a part at most: so much of it is in memory at a time.
pub const PART: usize = 1 << 20;

/// Where the parts of a snapshot go, in their order.
pub trait Parts {
    /// Takes the next part.
    ///
    /// # Errors
    /// What hinders it; the snapshot ends with it.
    fn part(&mut self, name: String, bytes: Vec<u8>) -> impl Future<Output = Result<()>>;
}

/// What a snapshot holds of one table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns, in the order in which each row has them.
    pub columns: Vec<String>,
    /// Its rows.
    pub rows: u64,
}

/// Where a sequence of PostgreSQL stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sequence {
    /// Its name.
    pub name: String,
    /// The last number that it gave.
    pub last: i64,
}

/// What a snapshot holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// The steps of the schema that had been taken, by name.
    pub steps: Vec<String>,
    /// Every table, in an order in which they can be filled.
    pub tables: Vec<Table>,
    /// Every sequence; SQLite has none.
    pub sequences: Vec<Sequence>,
}

/// Cuts what comes in pieces of any length into parts, and names them.
struct Cutter<'a, P> {
    to: &'a mut P,
    folder: String,
    ending: &'static str,
    number: u32,
    waiting: Vec<u8>,
}

impl<'a, P: Parts> Cutter<'a, P> {
    fn new(to: &'a mut P, folder: String, ending: &'static str) -> Self {
        Self { to, folder, ending, number: 0, waiting: Vec::new() }
    }

    async fn push(&mut self, bytes: &[u8]) -> Result<()> {
        let mut rest = bytes;
        while self.waiting.len() + rest.len() >= PART {
            let (now, later) = rest.split_at(PART - self.waiting.len());
            self.waiting.extend_from_slice(now);
            rest = later;
            self.send().await?;
        }
        self.waiting.extend_from_slice(rest);
        Ok(())
    }

    async fn send(&mut self) -> Result<()> {
        self.number += 1;
        let name = format!("{}/{:08}{}", self.folder, self.number, self.ending);
        self.to.part(name, std::mem::take(&mut self.waiting)).await
    }

    async fn end(mut self) -> Result<()> {
        if self.waiting.is_empty() { Ok(()) } else { self.send().await }
    }
}

/// Whether a snapshot brings its schema with it; otherwise the place it goes to must have that schema.
///
/// # Errors
/// `internal` when the URL names no engine.
pub fn brings_schema(config: &crate::DatabaseConfig) -> Result<bool> {
    Ok(config.dialect()? == crate::dialect::Dialect::Sqlite)
}

/// Which table a part belongs to; none for a part of SQLite's one file.
fn table_of(part: &str) -> Option<&str> {
    part.split_once('/').map(|(table, _)| table)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Kept(Vec<(String, usize)>, Vec<u8>);

    impl Parts for Kept {
        async fn part(&mut self, name: String, bytes: Vec<u8>) -> Result<()> {
            self.0.push((name, bytes.len()));
            self.1.extend(bytes);
            Ok(())
        }
    }

    #[tokio::test]
    async fn pieces_of_any_length_become_parts_of_one_length_and_lose_nothing() {
        for pieces in [vec![], vec![1], vec![PART], vec![PART - 1, 2], vec![3 * PART + 7, 0, 5], vec![PART; 2]] {
            let mut kept = Kept(Vec::new(), Vec::new());
            let mut all = Vec::new();
            let mut cutter = Cutter::new(&mut kept, "client".to_owned(), ".copy");
            for (number, length) in pieces.iter().enumerate() {
                let piece = vec![u8::try_from(number + 1).unwrap(); *length];
                all.extend_from_slice(&piece);
                cutter.push(&piece).await.unwrap();
            }
            cutter.end().await.unwrap();
            assert_eq!(kept.1, all);
            assert!(kept.0.iter().rev().skip(1).all(|(_, length)| *length == PART));
            assert!(kept.0.iter().all(|(name, length)| *length > 0 && table_of(name) == Some("client")));
        }
    }
}
