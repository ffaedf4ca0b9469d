//! Enqueueing, inside the unit of work.

use kernel::{DateTime, Error, Result, TypedId as _, WorkspaceId};
use sea_orm::sea_query::{Expr, InsertStatement, OnConflict, Query};

use super::kind::JobKind;
use super::queue::Queue;
use super::row::{JobId, JobRow, JobState};
use crate::conn::Conn;
use crate::dialect::Dialect;
use crate::field::Json;
use crate::record::Record as _;
use crate::uow::UnitOfWork;

/// Something to be done later, before it is enqueued.
#[derive(Clone, Debug)]
pub struct Job {
    queue: Queue,
    kind: &'static str,
    payload: Result<serde_json::Value, String>,
    attempts: i64,
    delay: Option<chrono::Duration>,
    at: Option<DateTime>,
    key: Option<String>,
}

impl Job {
    /// As soon as a worker is free.
    pub fn of<K: JobKind>(payload: &K) -> Self {
        let payload = serde_json::to_value(payload).map_err(|error| error.to_string());
        Self { queue: K::QUEUE, kind: K::KIND, payload, attempts: K::attempts(), delay: None, at: None, key: None }
    }

    /// Not before so long.
    #[must_use]
    pub fn after(self, delay: chrono::Duration) -> Self {
        Self { delay: Some(delay), ..self }
    }

    /// Not before this moment.
    #[must_use]
    pub fn at(self, moment: DateTime) -> Self {
        Self { at: Some(moment), ..self }
    }

    /// Only where none of the same key waits in the workspace already. One that runs does not count: it may have read what was before.
    #[must_use]
    pub fn unique(self, key: impl std::fmt::Display) -> Self {
        Self { key: Some(key.to_string()), ..self }
    }
}

impl UnitOfWork {
    /// Enqueues a job of the workspace that this works in, or of none. It is there when this commits, and not otherwise, and then workers
    /// hear of it. None where one of the same key waits already.
    ///
    /// # Errors
    /// What the database says.
    pub async fn enqueue(&mut self, job: Job) -> Result<Option<JobId>> {
        let (id, now, workspace): (JobId, DateTime, Option<WorkspaceId>) = (self.id(), self.now(), self.workspace().ok());
        let run_at = job.at.unwrap_or(now) + job.delay.unwrap_or_default();
        let place = || workspace.map_or_else(|| "-".to_owned(), |id| id.uuid().simple().to_string());
        let row = JobRow {
            id,
            workspace_id: workspace,
            queue: job.queue,
            kind: job.kind.to_owned(),
            payload: Json(job.payload.map_err(Error::internal)?),
            state: JobState::Waiting,
            is_due: run_at <= now,
            run_at,
            attempt: 0,
            failures: 0,
            max_attempts: job.attempts,
            lost: 0,
            worker_id: None,
            progress: 0,
            total: None,
            unique_key: job.key.map(|key| format!("{}:{key}", place())),
            is_cancelled: false,
            last_error: None,
            started_at: None,
            finished_at: None,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        if row.unique_key.is_none() {
            // nobody waits for an answer: it goes with the journal, as a round trip more would be the larger part of what a job costs
            self.enqueue_at_the_end(row);
            return Ok(Some(id));
        }
        let is_new = insert(self, &row).await?;
        if is_new {
            self.wake_workers();
        }
        Ok(is_new.then_some(id))
    }

    /// Tells the workers of all nodes, when this commits, that something waits again.
    ///
    /// # Errors
    /// What the database says.
    pub async fn tell_workers(&mut self) -> Result<()> {
        if let Some(tell) = self.dialect().tell_workers() {
            let mut select = Query::select();
            select.expr(Expr::cust(tell));
            self.rows(&select).await?;
        }
        self.wake_workers();
        Ok(())
    }
}

/// Inserts a job; whether it is new.
pub(crate) async fn insert(conn: &mut Conn, row: &JobRow) -> Result<bool> {
    let mut insert = inserted(conn.dialect(), row);
    if row.unique_key.is_some() {
        insert.on_conflict(OnConflict::new().do_nothing().to_owned());
    }
    Ok(conn.run(&insert).await? == 1)
}

/// The statement that inserts a job, and tells workers of it.
pub(crate) fn inserted(dialect: Dialect, row: &JobRow) -> InsertStatement {
    let mut insert = Query::insert();
    insert
        .into_table(JobRow::TABLE)
        .columns(JobRow::COLUMNS.iter().map(|column| column.name))
        .values_panic(row.values().into_iter().map(Expr::value));
    if let Some(tell) = dialect.tell_workers() {
        insert.returning(Query::returning().expr(Expr::cust(tell)));
    }
    insert
}
