//! What a handler works with.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kernel::{Caller, Cause, Error, Result, TypedId as _, WorkspaceId};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use uuid::Uuid;

use super::claim::Claimed;
use super::errors::{JOB_GIVEN_UP, JOB_STOPPED};
use super::row::JobId;
use super::{JobRow, end};
use crate::field::Field as _;
use crate::record::Record as _;
use crate::store::Store;
use crate::uow::UnitOfWork;

/// How often progress is written at most.
const PROGRESS: Duration = Duration::from_millis(250);

/// What the worker tells a job that runs.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    /// It was called off.
    pub cancelled: Cell<bool>,
    /// The worker stops, or has lost the job.
    pub stopping: Cell<bool>,
    /// The handler has ended it itself.
    pub completed: Cell<bool>,
    told: tokio::sync::Notify,
}

impl Signals {
    /// Lets those go on who wait in [`JobContext::stopped`].
    pub(crate) fn tell(&self) {
        self.told.notify_waiters();
    }
}

/// What a handler works with: the store, who it is, and the ways to write that are good for as long as the job is its own.
#[derive(Clone)]
pub struct JobContext {
    store: Store,
    caller: Arc<Caller>,
    job: Rc<Claimed>,
    worker: Uuid,
    signals: Rc<Signals>,
    written: Rc<RefCell<Option<Instant>>>,
}

impl JobContext {
    pub(crate) fn new(store: Store, job: Rc<Claimed>, worker: Uuid, signals: Rc<Signals>) -> Self {
        let id = job.id.uuid();
        let caller = Arc::new(Caller::job(id, job.workspace, Cause::Job(id)));
        Self { store, caller, job, worker, signals, written: Rc::default() }
    }

    /// The job's id: the same in every attempt, so that whatever is called with it can tell that it was called before.
    pub fn id(&self) -> JobId {
        self.job.id
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The installation at work in the job's workspace, with the job as the cause of what it changes.
    pub fn caller(&self) -> &Arc<Caller> {
        &self.caller
    }

    /// The job's workspace; none where it is the installation's.
    pub fn workspace(&self) -> Option<WorkspaceId> {
        self.job.workspace
    }

    /// Which attempt it is, counted from 1, failures only.
    pub fn attempt(&self) -> i64 {
        self.job.failures + 1
    }

    /// Whether this is the last attempt.
    pub fn is_last_attempt(&self) -> bool {
        self.attempt() >= self.job.max_attempts
    }

    /// Whether somebody called the job off.
    pub fn is_cancelled(&self) -> bool {
        self.signals.cancelled.get()
    }

    /// To be asked at every place where stopping harms nothing: whether to go on.
    ///
    /// # Errors
    /// `job_stopped` when the job was called off, the worker stops, or it has lost the job. It goes to the worker as it is.
    pub fn go_on(&self) -> Result<()> {
        if self.signals.cancelled.get() || self.signals.stopping.get() {
            return Err(Error::new(&JOB_STOPPED));
        }
        Ok(())
    }

    /// Waits until [`go_on`](Self::go_on) fails: for a handler that waits for something else meanwhile.
    pub async fn stopped(&self) {
        loop {
            let told = self.signals.told.notified();
            if self.go_on().is_err() {
                return;
            }
            told.await;
        }
    }

    /// The failure that ends the job at once, because trying again will not help.
    pub fn give_up(&self, why: impl Into<String>) -> Error {
        Error::new(&JOB_GIVEN_UP).with_detail(why)
    }

    /// Says how far it is; written a few times a second at most.
    ///
    /// # Errors
    /// `job_stopped` when the worker has lost the job, and what the database says.
    pub async fn progress(&self, progress: i64, total: Option<i64>) -> Result<()> {
        let at_the_end = total == Some(progress);
        let recent = self.written.borrow().is_some_and(|at| at.elapsed() < PROGRESS);
        if recent && !at_the_end {
            return Ok(());
        }
        *self.written.borrow_mut() = Some(Instant::now());
        self.store
            .write(&self.caller, async |uow| {
                let now = uow.now();
                let mut update = Query::update();
                update
                    .table("job")
                    .value("progress", progress)
                    .value("total", total.value())
                    .value("version", Expr::col("version").add(1))
                    .value("updated_at", now.value())
                    .and_where(Expr::col("id").eq(self.job.id.uuid()))
                    .and_where(Expr::col("worker_id").eq(self.worker))
                    .and_where(Expr::col("attempt").eq(self.job.attempt))
                    .and_where(Expr::cust("state = 'running'"));
                if uow.execute(&update).await? == 1 { Ok(()) } else { Err(Error::new(&JOB_STOPPED)) }
            })
            .await
    }

    /// A unit of work that commits only while the job is this worker's: one that was taken for dead changes nothing.
    ///
    /// # Errors
    /// `job_stopped` when the worker has lost the job, and what `work` returns.
    pub async fn write<T>(&self, work: impl AsyncFnMut(&mut UnitOfWork) -> Result<T>) -> Result<T> {
        self.write_as(&self.caller, work).await
    }

    /// As [`write`](Self::write), for somebody of the job's workspace, with what they may do there: where the job does what somebody
    /// has asked for.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub async fn write_as<T>(&self, caller: &Arc<Caller>, mut work: impl AsyncFnMut(&mut UnitOfWork) -> Result<T>) -> Result<T> {
        self.store
            .write_as(caller, self.job.queue.mode(), async |uow| {
                self.hold(uow).await?;
                work(uow).await
            })
            .await
    }

    /// As [`write_as`](Self::write_as), for one of a row of writes that commit one after the other. `work` runs beside the write before
    /// it, where the engine has several writers and `is_apart` says that the two have no record in common; otherwise behind it. When `turn`
    /// says that the one before has committed, `settle` gets what `work` returned. Only then is the job locked: the next write waits for it.
    ///
    /// # Errors
    /// As [`write`](Self::write), and what `turn` returns.
    pub async fn write_in_turn<D, T>(
        &self,
        caller: &Arc<Caller>,
        is_apart: bool,
        turn: impl AsyncFn() -> Result<()>,
        mut work: impl AsyncFnMut(&mut UnitOfWork) -> Result<D>,
        mut settle: impl AsyncFnMut(&mut UnitOfWork, D) -> Result<T>,
    ) -> Result<T> {
        if !(is_apart && self.store.dialect().has_many_writers()) {
            turn().await?;
        }
        self.store
            .write_as(caller, self.job.queue.mode(), async |uow| {
                let done = work(uow).await?;
                uow.flush().await?;
                turn().await?;
                self.hold(uow).await?;
                settle(uow, done).await
            })
            .await
    }

    /// Locks the job until the transaction ends, where it is still this worker's.
    async fn hold(&self, uow: &mut UnitOfWork) -> Result<()> {
        let mut own = JobRow::select();
        own.and_where(Expr::col(("job", "id")).eq(self.job.id.uuid()))
            .and_where(Expr::col(("job", "worker_id")).eq(self.worker))
            .and_where(Expr::col(("job", "attempt")).eq(self.job.attempt));
        if uow.locked::<JobRow>(own).await?.is_none() {
            return Err(Error::new(&JOB_STOPPED));
        }
        Ok(())
    }

    /// The last unit of work: the job is done when it commits, so that its effect happens exactly once.
    ///
    /// # Errors
    /// `job_stopped` when the worker has lost the job, and what `work` returns.
    pub async fn complete<T>(&self, mut work: impl AsyncFnMut(&mut UnitOfWork) -> Result<T>) -> Result<T> {
        let done = self
            .store
            .write(&self.caller, async |uow| {
                if end::done(uow, self.worker, [self.job.id]).await? == 0 {
                    return Err(Error::new(&JOB_STOPPED));
                }
                work(uow).await
            })
            .await?;
        self.signals.completed.set(true);
        Ok(done)
    }
}

impl std::fmt::Debug for JobContext {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "JobContext({}, {})", self.job.kind, self.job.id)
    }
}
