//! The worker: takes jobs, runs their handlers, writes how they ended.
//!
//! It is one task on its thread's own executor (a `LocalSet`), and so are the handlers.

use std::any::Any;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use kernel::{Caller, Cause, Error, Result};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::claim::{self, Claimed, Look};
use super::context::{JobContext, Signals};
use super::end::{Failure, Outcome};
use super::errors::JOB_STOPPED;
use super::handlers::Handlers;
use super::hold::Hold;
use super::row::JobId;
use super::running::{Running, WorkerOptions};
use super::schedule;
use super::turn::{Ended, Turn};
use super::wake;
use super::watch::Life;
use crate::store::Store;

/// How many ends are written together at most.
const TOGETHER: usize = 250;
/// How long an end may wait to be written with others.
const TOGETHER_FOR: Duration = Duration::from_millis(20);
/// How often recurring jobs are looked at, and jobs that were called off.
const MINDED: Duration = Duration::from_secs(1);
/// How often workspaces are looked at for what recurs in them, and queues for kinds that nobody here can do.
const SURVEYED: Duration = Duration::from_mins(1);
/// How long a worker that was told to stop may take beside what its jobs are given. A database that does not answer keeps it no longer.
const GETS_THROUGH: Duration = Duration::from_secs(5);
/// The pause after the database did not answer.
const PAUSE: Duration = Duration::from_millis(200);

/// A worker.
pub struct Worker {
    store: Store,
    handlers: Rc<Handlers>,
    options: WorkerOptions,
    caller: Arc<Caller>,
    life: Life,
    holds: Vec<Hold>,
    /// Handlers that run.
    tasks: JoinSet<(JobId, Outcome, Duration)>,
    signals: HashMap<JobId, (Rc<Claimed>, Rc<Signals>)>,
    ended: Vec<Ended>,
    ended_since: Option<Instant>,
    stop: watch::Receiver<bool>,
}

impl Worker {
    /// Starts a worker on this thread, which must be inside a `LocalSet`.
    pub fn start(store: Store, handlers: Handlers, options: WorkerOptions) -> Running {
        let (tell, stop) = watch::channel(false);
        let runtime = store.runtime().clone();
        let worker = Self {
            caller: Arc::new(Caller::job(runtime.uuid(), None, Cause::Command)),
            life: Life::new(runtime.uuid(), options.lease),
            holds: handlers.doable().into_iter().map(Hold::new).collect(),
            store,
            handlers: Rc::new(handlers),
            options,
            tasks: JoinSet::new(),
            signals: HashMap::new(),
            ended: Vec::new(),
            ended_since: None,
            stop,
        };
        let task = tokio::task::spawn_local(async move {
            let overdue = overdue(worker.stop.clone(), options.shutdown + GETS_THROUGH);
            tokio::select! {
                () = worker.run() => {}
                () = overdue => tracing::warn!("a worker did not get through to the database when it stopped; others take over what it holds"),
            }
        });
        Running { stop: tell, task }
    }

    /// Works until it is told to stop. What it only asks the database is broken off then, as the database may not answer; a turn is not,
    /// as it may have been committed.
    async fn run(mut self) {
        let mut woken = self.store.wake().listen();
        let mut told = wake::ears(&self.store);
        let mut stop = self.stop.clone();
        let (mut minded, mut surveyed, mut cared) = (None, None, None);
        let is_time = |last: &mut Option<Instant>, period: Duration| {
            let due = last.is_none_or(|last| last.elapsed() >= period);
            if due {
                *last = Some(Instant::now());
            }
            due
        };
        let mut is_woken = true;
        while !*stop.borrow() {
            let is_cared = is_time(&mut cared, self.life.period());
            if is_cared {
                self.show_life().await;
            }
            let looked = async {
                if is_time(&mut surveyed, SURVEYED) {
                    self.survey().await;
                }
                if is_time(&mut minded, MINDED) {
                    self.mind().await;
                    is_woken = true;
                }
                if is_cared {
                    self.look_after().await;
                }
                if is_woken { self.look().await } else { Ok(Look::default()) }
            };
            let looked = tokio::select! {
                biased;
                _ = stop.changed() => break,
                looked = looked => looked,
            };
            let turn = match looked {
                Ok(look) => self.round(&look).await,
                Err(error) => Err(error),
            };
            let wait;
            (is_woken, wait) = match turn {
                Ok(next) => (false, next.min(wait_for(minded, MINDED))),
                Err(error) => {
                    tracing::warn!(%error, "jobs wait for the database");
                    (true, PAUSE)
                }
            };
            if wait.is_zero() {
                // handlers and everything else on this thread have their turn
                tokio::task::yield_now().await;
                continue;
            }
            tokio::select! {
                Some(done) = self.tasks.join_next(), if !self.tasks.is_empty() => self.note(done),
                _ = woken.changed() => is_woken = true,
                Ok(()) = told.changed() => is_woken = true,
                _ = stop.changed() => {}
                () = tokio::time::sleep(wait) => is_woken = true,
            }
            while let Some(done) = self.tasks.try_join_next() {
                self.note(done);
            }
        }
        self.wind_up().await;
    }

    /// Looks what is due for the queues of which it holds nothing that could begin.
    async fn look(&self) -> Result<Look> {
        let free: Vec<_> = self.holds.iter().filter(|hold| hold.next.is_empty()).map(|hold| hold.doable.clone()).collect();
        let mut reader = self.store.reader(&self.caller).await?;
        let look = claim::look(&mut reader, &free).await?;
        reader.close().await?;
        Ok(look)
    }

    /// Begins what may begin, and has its turn at the database where that is worth it. Returns how long there is nothing to do.
    async fn round(&mut self, look: &Look) -> Result<Duration> {
        let mut turn = Turn::default();
        let mut next = self.store.dialect().look_for_jobs();
        for hold in &mut self.holds {
            hold.is_hungry |= look.due.contains(&hold.doable.0);
        }
        if let Some(at) = look.next {
            let until = at - self.store.runtime().now();
            turn.comes_due = until <= chrono::Duration::zero();
            next = next.min(until.to_std().unwrap_or_default().max(Duration::from_millis(1)));
        }
        if turn.comes_due {
            self.holds.iter_mut().for_each(|hold| hold.is_hungry = true);
        }
        for hold in &mut self.holds {
            let back = hold.impatient();
            if !back.is_empty() {
                self.ended_since.get_or_insert_with(Instant::now);
            }
            self.ended.extend(back.into_iter().map(|job| Ended { job, outcome: Outcome::GivenBack }));
        }
        turn.rooms = self.holds.iter().map(Hold::room).collect();
        let is_idle = self.tasks.is_empty() && self.holds.iter().all(|hold| hold.next.is_empty());
        let is_full = self.ended.len() >= TOGETHER || self.ended_since.is_some_and(|since| since.elapsed() >= TOGETHER_FOR);
        let is_worth = is_idle || is_full || turn.comes_due || turn.rooms.iter().any(|room| *room > 0);
        if is_worth {
            turn.ended = std::mem::take(&mut self.ended);
        }
        if !turn.is_empty() {
            let done = turn.run(&self.store, &self.caller, &mut self.life, &self.holds, self.handlers.followers()).await;
            let taken = match done {
                Ok(taken) => taken,
                Err(error) => {
                    // nothing was written: it is written with the next turn, unless it is another's by then
                    self.ended.extend(turn.ended);
                    if *error.code() == JOB_STOPPED {
                        self.lose();
                        return Ok(Duration::ZERO);
                    }
                    return Err(error);
                }
            };
            self.ended_since = None;
            for ((hold, asked), claimed) in self.holds.iter_mut().zip(&turn.rooms).zip(taken) {
                if *asked > 0 {
                    hold.take(*asked, claimed);
                }
            }
        }
        self.begin();
        let more = self.holds.iter().any(|hold| hold.room() > 0);
        let ends = match self.ended_since {
            Some(since) => TOGETHER_FOR.saturating_sub(since.elapsed()),
            None => next,
        };
        Ok(if more { Duration::ZERO } else { next.min(ends) })
    }

    /// Begins what may begin.
    fn begin(&mut self) {
        for hold in &mut self.holds {
            while let Some(job) = hold.begin() {
                let signals = Rc::new(Signals::default());
                self.signals.insert(job.id, (job.clone(), signals.clone()));
                let context = JobContext::new(self.store.clone(), job.clone(), self.life.id, signals.clone());
                let handlers = self.handlers.clone();
                self.tasks.spawn_local(async move {
                    let began = Instant::now();
                    let outcome = work(&handlers, &job, context, &signals).await;
                    (job.id, outcome, began.elapsed())
                });
            }
        }
    }

    /// A handler has ended.
    fn note(&mut self, done: std::result::Result<(JobId, Outcome, Duration), tokio::task::JoinError>) {
        let Ok((id, outcome, took)) = done else { return };
        let Some((job, _)) = self.signals.remove(&id) else { return };
        let word = match &outcome {
            Outcome::Done | Outcome::Completed => "done",
            Outcome::Failed(_) => "failed",
            Outcome::Cancelled => "cancelled",
            Outcome::GivenBack => "given_back",
        };
        let (queue, kind) = (job.queue.as_str(), job.kind.clone());
        metrics::counter!("pelatis_jobs_total", "queue" => queue, "kind" => kind.clone(), "outcome" => word).increment(1);
        metrics::histogram!("pelatis_job_seconds", "queue" => queue, "kind" => kind).record(took.as_secs_f64());
        if let Some(hold) = self.holds.iter_mut().find(|hold| hold.doable.0 == job.queue) {
            hold.ended(took);
            // the next one begins at once, and is not kept by a turn at the database
        }
        self.ended_since.get_or_insert_with(Instant::now);
        self.ended.push(Ended { job, outcome });
        self.begin();
    }

    /// It was taken for dead: what it holds is another's.
    fn lose(&mut self) {
        tracing::warn!("this worker was taken for dead; what it held is another's");
        self.stop_all();
        for hold in &mut self.holds {
            (hold.running, hold.is_hungry) = (0, true);
            hold.next.clear();
        }
        self.tasks.abort_all();
        self.signals.clear();
        self.ended.clear();
        self.ended_since = None;
        self.life.begin_anew(self.store.runtime().uuid());
    }

    fn stop_all(&self) {
        for (_, signals) in self.signals.values() {
            signals.stopping.set(true);
            signals.tell();
        }
    }

    /// Shows that it lives while it holds jobs.
    async fn show_life(&mut self) {
        if self.signals.is_empty() || !self.life.is_due() {
            return;
        }
        let began = Instant::now();
        match self.store.write(&self.caller, async |uow| self.life.beat(uow).await).await {
            Ok(()) => self.life.beaten(began),
            Err(error) if *error.code() == JOB_STOPPED || self.life.is_over() => self.lose(),
            Err(error) => tracing::warn!(%error, "a worker could not show that it lives"),
        }
    }

    /// Looks after the other workers.
    async fn look_after(&mut self) {
        match self.life.look_after(&self.store, &self.caller, self.handlers.followers()).await {
            Ok(0) => {}
            Ok(jobs) => tracing::warn!(jobs, "took over what a dead worker held"),
            Err(error) => tracing::debug!(%error, "other workers could not be looked after"),
        }
    }

    /// Enqueues what recurs and is due, and tells jobs that they were called off.
    async fn mind(&mut self) {
        if let Err(error) = schedule::enqueue_due(&self.store, &self.caller, self.handlers.schedules()).await {
            tracing::warn!(%error, "recurring jobs were not looked at");
        }
        if self.signals.is_empty() {
            return;
        }
        for id in self.life.called_off(&self.store, &self.caller).await.unwrap_or_default() {
            if let Some((_, signals)) = self.signals.get(&id) {
                signals.cancelled.set(true);
                signals.tell();
            }
        }
    }

    /// Writes when things recur, and says what waits that nobody here can do.
    async fn survey(&mut self) {
        if let Err(error) = schedule::prepare(&self.store, &self.caller, self.handlers.schedules()).await {
            tracing::warn!(%error, "the times of recurring jobs were not written");
        }
        let doable: Vec<_> = self.holds.iter().map(|hold| hold.doable.clone()).collect();
        let found = async {
            let mut reader = self.store.reader(&self.caller).await?;
            let found = claim::strangers(&mut reader, &doable).await?;
            reader.close().await?;
            Ok::<_, Error>(found)
        };
        for kind in found.await.unwrap_or_default() {
            tracing::warn!(kind, "jobs of this kind wait, and this worker has no handler for it");
        }
    }

    /// Stops: gives back what has not begun, waits for what runs, gives the rest back, and signs off.
    async fn wind_up(mut self) {
        let deadline = Instant::now() + self.options.shutdown;
        self.stop_all();
        let waiting: Vec<_> = self.holds.iter_mut().flat_map(|hold| hold.next.drain(..)).collect();
        self.ended.extend(waiting.into_iter().map(|job| Ended { job, outcome: Outcome::GivenBack }));
        loop {
            self.write_ends().await;
            if self.tasks.is_empty() {
                break;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            tokio::select! {
                Some(done) = self.tasks.join_next() => self.note(done),
                () = tokio::time::sleep(left.min(self.life.period())) => self.show_life().await,
            }
        }
        self.tasks.shutdown().await;
        let cut: Vec<_> = self.signals.drain().map(|(_, (job, _))| Ended { job, outcome: Outcome::GivenBack }).collect();
        if !cut.is_empty() {
            tracing::warn!(jobs = cut.len(), "jobs that took too long are given back");
        }
        self.ended.extend(cut);
        self.write_ends().await;
        if let Err(error) = self.store.write(&self.caller, async |uow| self.life.leave(uow).await).await {
            tracing::warn!(%error, "a worker could not sign off; what it holds is taken over when its lease has run out");
        }
    }

    async fn write_ends(&mut self) {
        let turn = Turn { ended: std::mem::take(&mut self.ended), ..Turn::default() };
        if turn.is_empty() {
            return;
        }
        if let Err(error) = turn.run(&self.store, &self.caller, &mut self.life, &self.holds, self.handlers.followers()).await {
            tracing::warn!(%error, "how jobs ended was not written");
            self.ended = turn.ended;
        }
    }
}

/// Comes back when it was told to stop so long ago; never where whoever could tell it is gone.
async fn overdue(mut stop: watch::Receiver<bool>, after: Duration) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(after).await;
}

fn wait_for(last: Option<Instant>, period: Duration) -> Duration {
    last.map_or(Duration::ZERO, |last| period.saturating_sub(last.elapsed())).max(Duration::from_millis(1))
}

/// Runs a handler to its end, whatever that is.
async fn work(handlers: &Handlers, job: &Claimed, context: JobContext, signals: &Signals) -> Outcome {
    let Some(handler) = handlers.find(&job.kind) else {
        return Outcome::GivenBack;
    };
    let span_id = job.id;
    let run = std::panic::AssertUnwindSafe((handler.run)(context, job.payload.clone()));
    let error = match run.catch_unwind().await {
        Ok(Ok(())) if signals.completed.get() => return Outcome::Completed,
        Ok(Ok(())) => return Outcome::Done,
        // what was committed stands, whatever the handler says afterwards
        Ok(Err(_)) if signals.completed.get() => return Outcome::Completed,
        Ok(Err(_)) if signals.cancelled.get() => return Outcome::Cancelled,
        Ok(Err(error)) if *error.code() == JOB_STOPPED => return Outcome::GivenBack,
        Ok(Err(error)) => error,
        Err(panic) => Error::internal(format!("panicked: {}", words(panic.as_ref()))),
    };
    let failures = job.failures + 1;
    tracing::warn!(job = %span_id, kind = job.kind, attempt = failures, of = job.max_attempts, ?error, "a job failed");
    Outcome::Failed(Failure::new(&error, (handler.pause)(failures)))
}

/// What a panic said.
fn words(panic: &(dyn Any + Send)) -> &str {
    panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no words")
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Worker({})", self.life.id)
    }
}
