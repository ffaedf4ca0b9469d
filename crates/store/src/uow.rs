//! The unit of work: one transaction that changes rows and appends what changed to the journal.

mod insert;

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use kernel::{Caller, Cause, DateTime, Error, Result, TypedId, WorkspaceId};
use sea_orm::sea_query::{Expr, ExprTrait, LockType, Order, Query, QueryStatementWriter, SelectStatement};
use uuid::Uuid;

use crate::conn::{Conn, Link};
use crate::errors::{self, from_sqlx};
use crate::field::Row;
use crate::jobs::{self, JobRow};
use crate::journal::{Action, Beside, Change, Entry, changes_between};
use crate::record::Record;
use crate::store::Store;
use crate::{dialect, journal};

pub use insert::Along;

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

    /// Reads as the installation, past the walls that the caller stands behind, in the same transaction: for what other workspaces have of an
    /// account, and the like. It tells the caller nothing of it but what follows, and writes nothing.
    ///
    /// # Errors
    /// Those of the work; what the database says.
    pub async fn as_installation<T>(&mut self, work: impl AsyncFnOnce(&mut Conn) -> Result<T>) -> Result<T> {
        self.flush().await?;
        let Link::Postgres(_) = self.conn.link else { return work(&mut self.conn).await };
        let installation = Caller::job(self.store.runtime.uuid(), None, Cause::Request);
        self.conn.sql_batch(dialect::set_caller(&installation, None)).await?;
        let found = work(&mut self.conn).await;
        let back = self.conn.sql_batch(dialect::set_caller(&self.caller, self.workspace)).await;
        let found = found?;
        back?;
        Ok(found)
    }

    /// Does work past the walls that the caller stands behind, in the same transaction: for what follows, for others, from what the caller may
    /// do. The journal says that the caller did it.
    ///
    /// # Errors
    /// Those of the work; what the database says.
    pub async fn beyond_walls<T>(&mut self, work: impl AsyncFnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.flush().await?;
        let Link::Postgres(_) = self.conn.link else { return work(self).await };
        let installation = Caller::job(self.store.runtime.uuid(), None, Cause::Request);
        self.conn.sql_batch(dialect::set_caller(&installation, None)).await?;
        let done = work(self).await;
        let flushed = if done.is_ok() { self.flush().await } else { Ok(()) };
        let back = self.conn.sql_batch(dialect::set_caller(&self.caller, self.workspace)).await;
        let done = done?;
        flushed?;
        back?;
        Ok(done)
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

    /// Holds a row so that one at a time does: others may refer to it meanwhile, as whatever belongs to a workspace does.
    ///
    /// # Errors
    /// What the database says.
    pub async fn take_turn(&mut self, table: &'static str, id: Uuid) -> Result<()> {
        if self.conn.dialect().locks_rows() {
            let mut select = Query::select();
            select.column("id").from(table).and_where(Expr::col("id").eq(id)).lock(LockType::NoKeyUpdate);
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

    fn touched_by(entry: &Entry) -> Touched {
        Touched { record_type: entry.record_type, record_id: entry.record_id, workspace: entry.workspace }
    }

    fn push(&mut self, entry: Entry) {
        self.touched.push(Self::touched_by(&entry));
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
        let beside = beside.map(|job| Beside::of(jobs::inserted(self.conn.dialect(), &job)));
        let before = self.written;
        self.written += entries.len();
        journal::append(&mut self.conn, &self.store, &self.caller, self.now, before, entries, beside).await.map(|_| ())
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
