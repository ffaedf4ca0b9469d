//! The unit of work: one transaction that changes rows and appends what changed to the journal.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use kernel::{Caller, DateTime, Error, Result, TypedId, WorkspaceId};
use sea_orm::sea_query::{
    CommonTableExpression, Expr, ExprTrait, InsertStatement, LockType, Order, Query, QueryStatementWriter, SelectStatement, WithClause,
};
use uuid::Uuid;

use crate::conn::{Conn, Link};
use crate::errors::{self, from_sqlx};
use crate::field::Row;
use crate::jobs::{self, JobRow};
use crate::journal::{Action, Change, Entry, changes_between};
use crate::record::Record;
use crate::store::Store;
use crate::{dialect, journal};

/// Entries that are put together before the database has its turn again.
const AT_A_TIME: usize = 50;

/// A record that a commit changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    /// The record's type.
    pub record_type: &'static str,
    /// The record's id.
    pub record_id: Option<Uuid>,
    /// The workspace it belongs to.
    pub workspace: Option<WorkspaceId>,
}

/// One transaction. Rows, journal and the idempotency answer commit together or not at all; dropping it rolls back.
pub struct UnitOfWork {
    conn: Conn,
    store: Store,
    caller: Arc<Caller>,
    workspace: Option<WorkspaceId>,
    now: DateTime,
    entries: Vec<Entry>,
    /// Jobs that are enqueued with the entries.
    jobs: Vec<JobRow>,
    /// How many entries were written already.
    written: usize,
    touched: Vec<Touched>,
    /// Whether workers are to be woken when it commits.
    wakes: bool,
}

impl UnitOfWork {
    pub(crate) fn new(store: Store, conn: Conn, caller: Arc<Caller>) -> Self {
        let (now, workspace) = (store.runtime.now(), caller.workspace);
        Self {
            conn,
            store,
            caller,
            workspace,
            now,
            entries: Vec::new(),
            jobs: Vec::new(),
            written: 0,
            touched: Vec::new(),
            wakes: false,
        }
    }

    /// Who asks.
    pub fn caller(&self) -> Arc<Caller> {
        self.caller.clone()
    }

    /// The moment at which everything in this transaction happens.
    pub fn now(&self) -> DateTime {
        self.now
    }

    /// A new id.
    pub fn id<T: TypedId>(&self) -> T {
        self.store.runtime.id()
    }

    /// Random bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        self.store.runtime.random()
    }

    /// The store it works on.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The workspace it works in.
    ///
    /// # Errors
    /// `no_workspace` where there is none.
    pub fn workspace(&self) -> Result<WorkspaceId> {
        self.workspace.ok_or_else(|| Error::new(&kernel::error::codes::NO_WORKSPACE))
    }

    /// Goes on in another workspace: for what makes one, and for signing in, which begins in none.
    ///
    /// # Errors
    /// What the database says.
    pub async fn enter(&mut self, workspace: Option<WorkspaceId>) -> Result<()> {
        self.flush().await?;
        self.workspace = workspace;
        if let Link::Postgres(_) = self.conn.link {
            self.conn.sql_batch(dialect::set_caller(&self.caller, workspace)).await?;
        }
        Ok(())
    }

    /// Inserts a record and journals its creation.
    ///
    /// # Errors
    /// `already_exists` when a unique value is taken.
    pub async fn insert<R: Record>(&mut self, record: &R, change: Change) -> Result<()> {
        let columns = R::COLUMNS.iter().map(|column| column.name);
        let mut insert = Query::insert();
        insert.into_table(R::TABLE).columns(columns).values_panic(record.values().into_iter().map(Expr::value));
        self.conn.run(&insert).await?;
        self.note(None, Some(record), change);
        Ok(())
    }

    /// As [`insert`](Self::insert), unless a row says otherwise: whether it was inserted. What the row says stays so until the unit of work
    /// ends, as far as those heed it who lock the row before they change it.
    ///
    /// # Errors
    /// As [`insert`](Self::insert).
    pub async fn insert_unless<R: Record>(&mut self, record: &R, change: Change, flag: Flag) -> Result<bool> {
        let Flag { table, column, id } = flag;
        let mut select = Query::select();
        select
            .exprs(record.values().into_iter().map(Expr::value))
            .from(table)
            .and_where(Expr::col((table, "id")).eq(id))
            .and_where(Expr::col((table, column)).eq(false));
        if self.conn.dialect().locks_rows() {
            // one that waits for the row sees what was said meanwhile
            select.lock(LockType::KeyShare);
        }
        let mut insert = Query::insert();
        insert.into_table(R::TABLE).columns(R::COLUMNS.iter().map(|column| column.name));
        insert.select_from(select).map_err(Error::internal)?;
        let is_inserted = self.conn.run(&insert).await? == 1;
        if is_inserted {
            self.note(None, Some(record), change);
        }
        Ok(is_inserted)
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

    /// Writes what differs between the two states of a record and journals it. Where nothing differs, nothing is written and
    /// the record comes back as it was.
    ///
    /// # Errors
    /// `busy` when it was changed in between, so that the unit of work runs again.
    pub async fn update<R: Record>(&mut self, before: &R, mut after: R, change: Change) -> Result<R> {
        let (old, new) = (before.values(), after.values());
        let mut update = Query::update();
        let mut changed = false;
        for ((column, old), new) in R::COLUMNS.iter().zip(&old).zip(new) {
            if *old != new {
                changed = true;
                update.value(column.name, new);
            }
        }
        if !changed {
            return Ok(after);
        }
        after.touch(before.version() + 1, std::cmp::max(self.now, before.updated_at()));
        let meta = after.values();
        for (column, value) in R::COLUMNS.iter().zip(meta) {
            if matches!(column.name, "version" | "updated_at") {
                update.value(column.name, value);
            }
        }
        update
            .table(R::TABLE)
            .and_where(Expr::col("id").eq(before.id().uuid()))
            .and_where(Expr::col("version").eq(before.version()));
        if self.conn.run(&update).await? != 1 {
            return Err(Error::new(&errors::BUSY).with_retry_after(1));
        }
        self.note(Some(before), Some(&after), change);
        Ok(after)
    }

    /// Deletes a record for ever and journals what it was.
    ///
    /// # Errors
    /// `in_use` when others still need it.
    pub async fn delete<R: Record>(&mut self, record: &R, change: Change) -> Result<()> {
        let mut delete = Query::delete();
        delete.from_table(R::TABLE).and_where(Expr::col("id").eq(record.id().uuid()));
        self.conn.run(&delete).await?;
        self.note(Some(record), None, change);
        Ok(())
    }

    /// Deletes many records of one type for ever and journals what each was.
    ///
    /// # Errors
    /// `in_use` when others still need one.
    pub async fn delete_all<R: Record>(&mut self, records: &[R], change: impl Fn(&R) -> Change) -> Result<()> {
        for chunk in records.chunks(500) {
            let mut delete = Query::delete();
            delete.from_table(R::TABLE).and_where(Expr::col("id").is_in(chunk.iter().map(|record| record.id().uuid())));
            self.conn.run(&delete).await?;
        }
        for record in records {
            self.note(Some(record), None, change(record));
        }
        Ok(())
    }

    /// Deletes a record for ever; the journal keeps that it was deleted, and nothing personal of what it was.
    ///
    /// # Errors
    /// `in_use` when others still need it.
    pub async fn delete_and_forget<R: Record>(&mut self, record: &R, change: Change) -> Result<()> {
        self.delete(record, change).await?;
        if let Some(entry) = self.entries.last_mut() {
            entry.personal.clear();
        }
        Ok(())
    }

    /// Deletes many records of one type for ever; the journal keeps that they were deleted, and nothing personal of what they were.
    ///
    /// # Errors
    /// `in_use` when others still need one.
    pub async fn delete_and_forget_all<R: Record>(&mut self, records: &[R], change: impl Fn(&R) -> Change) -> Result<()> {
        let before = self.entries.len();
        self.delete_all(records, change).await?;
        for entry in self.entries.iter_mut().skip(before) {
            entry.personal.clear();
        }
        Ok(())
    }

    /// Runs a statement that the journal does not keep: for bookkeeping that is no change of a record.
    ///
    /// # Errors
    /// What the database says.
    pub async fn execute(&mut self, statement: &impl QueryStatementWriter) -> Result<u64> {
        self.conn.run(statement).await
    }

    /// As [`execute`](Self::execute), for a statement whose number of parameters differs each time.
    pub(crate) async fn execute_once(&mut self, statement: &impl QueryStatementWriter) -> Result<u64> {
        self.conn.run_once(statement).await
    }

    /// Runs an insert that the journal does not keep and a select that does not see what it inserts, in one round trip where the engine
    /// takes both as one statement.
    ///
    /// # Errors
    /// What the database says.
    pub async fn insert_beside(&mut self, insert: InsertStatement, select: SelectStatement) -> Result<Vec<Row>> {
        if !self.conn.dialect().inserts_in_selects() {
            let rows = self.conn.rows(&select).await?;
            self.conn.run(&insert).await?;
            return Ok(rows);
        }
        let inserting = CommonTableExpression::new().table_name("inserting").query(insert).to_owned();
        let both = WithClause::new().cte(inserting).to_owned().query(select);
        self.conn.returned(&both).await
    }

    /// As [`execute`](Self::execute), and reads what the statement returns: for many rows at once, of which the caller journals what
    /// became of them.
    ///
    /// # Errors
    /// What the database says.
    pub async fn execute_returning(&mut self, statement: &impl QueryStatementWriter) -> Result<Vec<Row>> {
        self.conn.returned(statement).await
    }

    /// Enqueues a job with the journal's entries.
    pub(crate) fn enqueue_at_the_end(&mut self, job: JobRow) {
        self.wakes = true;
        self.jobs.push(job);
    }

    /// Wakes this process's workers when it commits.
    pub(crate) fn wake_workers(&mut self) {
        self.wakes = true;
    }

    /// A record of a select, locked until the transaction ends.
    ///
    /// # Errors
    /// What the database says.
    pub async fn locked<R: Record>(&mut self, mut select: SelectStatement) -> Result<Option<R>> {
        if self.conn.dialect().locks_rows() {
            select.lock_with_tables(LockType::Update, [R::TABLE]);
        }
        self.conn.one(&select).await
    }

    /// The records of a select, locked in the order of their ids until the transaction ends, so that two who lock some of the same wait for
    /// each other and do not block each other.
    ///
    /// # Errors
    /// What the database says.
    pub async fn locked_all<R: Record>(&mut self, mut select: SelectStatement) -> Result<Vec<R>> {
        select.order_by((R::TABLE, "id"), Order::Asc);
        if self.conn.dialect().locks_rows() {
            select.lock_with_tables(LockType::Update, [R::TABLE]);
        }
        self.conn.all(&select).await
    }

    /// Holds a row as a reference to it does: until the transaction ends nobody locks or deletes it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn hold_row(&mut self, table: &'static str, id: Uuid) -> Result<()> {
        if self.conn.dialect().locks_rows() {
            let mut select = Query::select();
            select.column("id").from(table).and_where(Expr::col("id").eq(id)).lock(LockType::KeyShare);
            self.conn.rows(&select).await?;
        }
        Ok(())
    }

    /// The records of a select, which nobody else changes until the transaction ends, though others may read them in the same way.
    ///
    /// # Errors
    /// What the database says.
    pub async fn held_all<R: Record>(&mut self, mut select: SelectStatement) -> Result<Vec<R>> {
        if self.conn.dialect().locks_rows() {
            select.lock_with_tables(LockType::Share, [R::TABLE]);
        }
        self.conn.all(&select).await
    }

    /// Journals something that is no change of a row: a sign-in, a refusal, an export.
    pub fn record(&mut self, action: Action, record_type: &'static str, record_id: Option<Uuid>, change: Change) {
        let workspace = self.workspace;
        self.push(Entry::new(action, record_type, record_id, workspace, change));
    }

    fn note<R: Record>(&mut self, before: Option<&R>, after: Option<&R>, change: Change) {
        if let Some(entry) = entry_of(self.workspace, before, after, change) {
            self.push(entry);
        }
    }

    fn push(&mut self, entry: Entry) {
        self.touched.push(Touched { record_type: entry.record_type, record_id: entry.record_id, workspace: entry.workspace });
        self.entries.push(entry);
    }

    /// Writes the journal entries and the jobs that are waiting.
    pub(crate) async fn flush(&mut self) -> Result<()> {
        let (entries, mut jobs) = (std::mem::take(&mut self.entries), std::mem::take(&mut self.jobs));
        let beside = if entries.is_empty() { None } else { jobs.pop() };
        for job in &jobs {
            jobs::insert(&mut self.conn, job).await?;
        }
        if entries.is_empty() {
            return Ok(());
        }
        let beside = beside.map(|job| jobs::beside(self.conn.dialect(), &job));
        let before = self.written;
        self.written += entries.len();
        journal::append(&mut self.conn, &self.store, &self.caller, self.now, before, entries, beside).await
    }

    /// Keeps what follows apart, so that [`back_to`](Self::back_to) can undo it alone.
    ///
    /// # Errors
    /// What the database says.
    pub async fn savepoint(&mut self) -> Result<Savepoint> {
        self.conn.sql_batch("SAVEPOINT step".to_owned()).await?;
        Ok(Savepoint { entries: self.entries.len(), jobs: self.jobs.len(), touched: self.touched.len() })
    }

    /// Keeps what was done since the savepoint.
    ///
    /// # Errors
    /// What the database says.
    pub async fn keep(&mut self, _savepoint: Savepoint) -> Result<()> {
        self.conn.sql_batch("RELEASE SAVEPOINT step".to_owned()).await
    }

    /// Undoes what was done since the savepoint, journal included.
    ///
    /// # Errors
    /// What the database says.
    pub async fn back_to(&mut self, savepoint: Savepoint) -> Result<()> {
        self.conn.sql_batch("ROLLBACK TO SAVEPOINT step; RELEASE SAVEPOINT step".to_owned()).await?;
        self.entries.truncate(savepoint.entries);
        self.jobs.truncate(savepoint.jobs);
        self.touched.truncate(savepoint.touched);
        Ok(())
    }

    pub(crate) async fn commit(mut self) -> Result<()> {
        self.flush().await?;
        let Self { conn, store, touched, wakes, .. } = self;
        match conn.link {
            Link::Sqlite(transaction) => transaction.commit().await,
            Link::Postgres(transaction) => transaction.commit().await,
            Link::Pooled(_) => Ok(()),
        }
        .map_err(from_sqlx)?;
        if !touched.is_empty() {
            store.tell(&touched);
        }
        if wakes {
            store.wake().tell();
        }
        Ok(())
    }

    pub(crate) async fn rollback(self) {
        let rolled_back = match self.conn.link {
            Link::Sqlite(transaction) => transaction.rollback().await,
            Link::Postgres(transaction) => transaction.rollback().await,
            Link::Pooled(_) => Ok(()),
        };
        if let Err(error) = rolled_back {
            // the transaction is gone either way; the connection is not used again
            tracing::debug!(%error, "rollback failed");
        }
    }
}

/// What the journal keeps of a record that has come to be, has changed or is gone. `here` is where the unit of work is.
fn entry_of<R: Record>(here: Option<WorkspaceId>, before: Option<&R>, after: Option<&R>, change: Change) -> Option<Entry> {
    let record = after.or(before)?;
    let action = change.action.unwrap_or(match (before, after) {
        (None, _) => Action::Create,
        (_, None) => Action::Delete,
        _ => Action::Update,
    });
    let changes = changes_between(before, after);
    // a change of derived columns alone means nothing to anybody
    if changes.is_empty() && action == Action::Update {
        return None;
    }
    let place = record.workspace().or(here).or(change.workspace);
    let mut entry = Entry::new(action, R::TABLE, Some(record.id().uuid()), place, change);
    entry.changes.extend(changes.plain);
    entry.personal.extend(changes.personal);
    Some(entry)
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

/// A column of a row that says yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flag {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The row.
    pub id: Uuid,
}

/// A place in a unit of work to go back to.
#[derive(Debug)]
pub struct Savepoint {
    entries: usize,
    jobs: usize,
    touched: usize,
}

impl Deref for UnitOfWork {
    type Target = Conn;
    fn deref(&self) -> &Conn {
        &self.conn
    }
}

impl DerefMut for UnitOfWork {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.conn
    }
}
