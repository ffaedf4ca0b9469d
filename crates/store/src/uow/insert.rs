//! How records come to be: one, with its entry and what goes along in one statement where the engine takes several as one, or many.

use kernel::{Error, Result};
use sea_orm::sea_query::{Expr, InsertStatement, Query, SelectStatement};

use super::{UnitOfWork, entry_of};
use crate::conn::Conn;
use crate::field::Row;
use crate::journal::{self, Action, Beside, Change};
use crate::record::Record;

/// Entries that are put together before the database has its turn again.
const AT_A_TIME: usize = 50;

/// What goes along with the insert of a record.
#[derive(Clone, Debug, Default)]
pub struct Along {
    /// Rows that the journal does not keep.
    pub rows: Option<InsertStatement>,
    /// What is read, which does not see what is inserted.
    pub read: Option<SelectStatement>,
}

impl UnitOfWork {
    /// Inserts a record and journals its creation.
    ///
    /// # Errors
    /// `already_exists` when a unique value is taken.
    pub async fn insert<R: Record>(&mut self, record: &R, change: Change) -> Result<()> {
        self.insert_along(record, change, Along::default(), |_, _| Ok(())).await.map(|_| ())
    }

    /// As [`insert`](Self::insert), with what goes along, and returns what was read, each row by `each`, which is told where its columns begin.
    ///
    /// # Errors
    /// As [`insert`](Self::insert).
    pub async fn insert_along<R: Record, T>(
        &mut self,
        record: &R,
        change: Change,
        along: Along,
        each: impl Fn(&Row, usize) -> Result<T>,
    ) -> Result<Vec<T>> {
        let Along { rows, read } = along;
        let columns = R::COLUMNS.iter().map(|column| column.name);
        let mut insert = Query::insert();
        insert.into_table(R::TABLE).columns(columns).values_panic(record.values().into_iter().map(Expr::value));
        let entry = entry_of(self.workspace, None, Some(record), change);
        let entry = entry.ok_or_else(|| Error::internal("a creation has an entry"))?;
        // entries that wait may be of before a savepoint, and are not to be written behind it
        if !self.conn.dialect().takes_several_as_one() || !self.entries.is_empty() || !self.jobs.is_empty() {
            let read = match read {
                Some(read) => self.conn.rows(&read).await?.iter().map(|row| each(row, 0)).collect::<Result<_>>()?,
                None => Vec::new(),
            };
            self.conn.run(&insert).await?;
            if let Some(rows) = rows {
                self.conn.run(&rows).await?;
            }
            self.push(entry);
            return Ok(read);
        }
        let beside = Beside { parts: std::iter::once(insert).chain(rows).collect(), read };
        self.touched.push(Self::touched_by(&entry));
        let before = self.written;
        self.written += 1;
        let written = journal::append(&mut self.conn, &self.store, &self.caller, self.now, before, vec![entry], Some(beside));
        // apart, so that whoever inserts something does not carry it along
        let rows = Box::pin(written).await?;
        rows.iter().map(|row| each(row, 0)).collect()
    }

    /// Inserts a record that was there once, as a backup holds it, and journals that it is back; returns it as it is now. Versions name
    /// states, and nobody knows how many there were after the backup: it goes on at the second of this moment, a number that counting
    /// never came to.
    ///
    /// # Errors
    /// `already_exists` when it is there, or a unique value of it is taken.
    pub async fn bring_back<R: Record>(&mut self, mut record: R, mut change: Change) -> Result<R> {
        record.touch(std::cmp::max(record.version() + 1, self.now.timestamp()), std::cmp::max(record.updated_at(), self.now));
        change.action = Some(Action::Restore);
        self.insert(&record, change).await?;
        Ok(record)
    }

    /// Inserts many records of one type in as few statements as the engine takes, and journals each. What the journal is to keep is put
    /// together while the database works.
    ///
    /// # Errors
    /// `already_exists` when a unique value is taken; nothing tells which record it was.
    pub async fn insert_all<R: Record>(&mut self, records: &[R], change: impl Fn(&R) -> Change) -> Result<()> {
        let workspace = self.workspace;
        let noted = async {
            let mut entries = Vec::with_capacity(records.len());
            for some in records.chunks(AT_A_TIME) {
                tokio::task::yield_now().await;
                entries.extend(some.iter().filter_map(|record| entry_of(workspace, None, Some(record), change(record))));
            }
            entries
        };
        let (inserted, noted) = tokio::join!(insert_rows(&mut self.conn, records), noted);
        inserted?;
        noted.into_iter().for_each(|entry| self.push(entry));
        Ok(())
    }

    /// Inserts many records that the journal does not keep: lines of a report, say.
    ///
    /// # Errors
    /// `already_exists` when a unique value is taken.
    pub async fn insert_quietly<R: Record>(&mut self, records: &[R]) -> Result<()> {
        insert_rows(&mut self.conn, records).await
    }
}

/// Inserts records. While the database is at some, the next ones are put together.
async fn insert_rows<R: Record>(conn: &mut Conn, records: &[R]) -> Result<()> {
    let (dialect, at_a_time) = (conn.dialect(), conn.dialect().rows_at_a_time(R::COLUMNS.len()));
    let statement = |chunk: &[R]| {
        let mut insert = Query::insert();
        insert.into_table(R::TABLE).columns(R::COLUMNS.iter().map(|column| column.name));
        for record in chunk {
            insert.values_panic(record.values().into_iter().map(Expr::value));
        }
        // those for one and for as many as there can be come again; of the others there are as many as there are numbers
        let keep = chunk.len() == 1 || chunk.len() == at_a_time;
        (dialect.words(&insert), keep)
    };
    let mut chunks = records.chunks(at_a_time);
    let mut ready = chunks.next().map(statement);
    while let Some(((sql, values), keep)) = ready {
        let following = async {
            // what the database is at has its turn first
            tokio::task::yield_now().await;
            chunks.next().map(statement)
        };
        let (inserted, following) = tokio::join!(conn.sql_run(sql, values, keep), following);
        inserted?;
        ready = following;
    }
    Ok(())
}
