//! How jobs end, and how they come to wait again. Each statement asks for the worker that holds the job: one that has lost it, and with it
//! its id, changes nothing.

use kernel::{DateTime, Error, Result, TypedId as _};
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, Order, Query, UpdateStatement};
use serde_json::json;
use uuid::Uuid;

use super::claim::Claimed;
use super::follow::Followers;
use super::row::{JobId, JobRow, JobState};
use crate::field::Field as _;
use crate::journal::{Action, Change};
use crate::record::Record as _;
use crate::uow::UnitOfWork;

/// Characters of an error that a job keeps.
const KEPT: usize = 500;
/// How often a job may bring its worker down before it is held to be the reason.
pub(crate) const MOST_LOST: i64 = 20;
/// The longest back-off.
const LONGEST: i64 = 3_600_000;

/// How an attempt ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The handler is done; that is yet to be written.
    Done,
    /// The handler has written it already, with its effect.
    Completed,
    /// The attempt failed.
    Failed(Failure),
    /// It was called off while it ran.
    Cancelled,
    /// It did not come to its end, for no fault of its own.
    GivenBack,
}

/// Why an attempt failed.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What people outside may read, cut to what is kept.
    pub text: String,
    /// Whether trying again may help.
    pub is_final: bool,
    /// How long to wait, where the kind says so.
    pub pause: Option<std::time::Duration>,
}

impl Failure {
    pub(crate) fn new(error: &Error, pause: Option<std::time::Duration>) -> Self {
        // the source, which may hold anything, goes to the log alone
        let is_final = *error.code() == super::errors::JOB_GIVEN_UP;
        Self { text: error.to_string().chars().take(KEPT).collect(), is_final, pause }
    }
}

fn held(update: &mut UpdateStatement, worker: Uuid, ids: impl IntoIterator<Item = JobId>) {
    update
        .and_where(Expr::col("id").is_in(ids.into_iter().map(JobId::uuid)))
        .and_where(Expr::col("worker_id").eq(worker))
        .and_where(Expr::cust("state = 'running'"));
}

/// An update to an end.
fn ending(state: JobState, now: DateTime, error: Option<&str>) -> UpdateStatement {
    let mut update = Query::update();
    update
        .table("job")
        .value("state", state.value())
        .value("worker_id", Option::<Uuid>::None.value())
        .value("finished_at", now.value())
        .value("version", Expr::col("version").add(1))
        .value("updated_at", now.value());
    if let Some(error) = error {
        update.value("last_error", error.to_owned());
    }
    update
}

/// Writes that jobs are done, all in one statement; returns how many the worker still held.
pub(crate) async fn done(uow: &mut UnitOfWork, worker: Uuid, ids: impl IntoIterator<Item = JobId>) -> Result<u64> {
    let mut update = ending(JobState::Done, uow.now(), None);
    held(&mut update, worker, ids);
    uow.run_once(&update).await
}

/// Writes that a job that was called off has stopped.
pub(crate) async fn cancelled(uow: &mut UnitOfWork, followers: Followers, worker: Uuid, id: JobId) -> Result<()> {
    let mut update = ending(JobState::Cancelled, uow.now(), None);
    held(&mut update, worker, [id]);
    uow.execute(&update).await?;
    tell(uow, followers, [id]).await
}

/// Tells who follows those of these jobs that have ended, and were not done. One that made way for another of its key goes on in that one.
async fn tell(uow: &mut UnitOfWork, followers: Followers, ids: impl IntoIterator<Item = JobId>) -> Result<()> {
    let mut select = JobRow::select();
    select
        .and_where(Expr::col(("job", "id")).is_in(ids.into_iter().map(|id| id.uuid())))
        .and_where(Expr::cust("(state = 'dead' OR (state = 'cancelled' AND is_cancelled))"))
        .order_by(("job", "id"), Order::Asc);
    for row in uow.all::<JobRow>(&select).await? {
        uow.enter(row.workspace_id).await?;
        followers.tell(uow, &row).await?;
        uow.enter(None).await?;
    }
    Ok(())
}

/// An update that makes a job wait again, from a moment on or (none) from where it stood; one that is called off meanwhile ends here.
fn again(now: DateTime, run_at: Option<DateTime>) -> UpdateStatement {
    let ends = || Expr::col("is_cancelled");
    let state = CaseStatement::new().case(ends(), JobState::Cancelled.value()).finally(JobState::Waiting.value());
    let finished = CaseStatement::new().case(ends(), now.value()).finally(Option::<DateTime>::None.value());
    let mut update = Query::update();
    update
        .table("job")
        .value("state", state)
        .value("is_due", run_at.is_none())
        .value("worker_id", Option::<Uuid>::None.value())
        .value("finished_at", finished)
        .value("version", Expr::col("version").add(1))
        .value("updated_at", now.value());
    if let Some(run_at) = run_at {
        update.value("run_at", run_at.value());
    }
    update
}

/// How long a job waits after so many failures: a second, then twice as long each time, with up to a quarter more so that what failed
/// together does not come back together.
fn back_off(failures: i64, dice: u8) -> chrono::Duration {
    let doubled = std::cmp::min(1000 << (failures - 1).clamp(0, 20), LONGEST);
    chrono::Duration::milliseconds(doubled + doubled * i64::from(dice) / 1024)
}

/// Writes that an attempt failed: the job waits for the next one, or is dead.
pub(crate) async fn failed(
    uow: &mut UnitOfWork,
    followers: Followers,
    worker: Uuid,
    job: &Claimed,
    failure: &Failure,
) -> Result<()> {
    let (now, failures) = (uow.now(), job.failures + 1);
    if failure.is_final || failures >= job.max_attempts {
        let mut update = ending(JobState::Dead, now, Some(&failure.text));
        held(&mut update, worker, [job.id]);
        update.value("failures", failures);
        if uow.execute(&update).await? == 1 {
            tell_of_death(uow, job, &failure.text).await?;
        }
        return tell(uow, followers, [job.id]).await;
    }
    let pause = failure.pause.and_then(|pause| chrono::Duration::from_std(pause).ok());
    let [dice] = uow.random();
    let run_at = now + pause.unwrap_or_else(|| back_off(failures, dice));
    let mut update = again(now, Some(run_at));
    update.value("failures", failures).value("last_error", failure.text.clone());
    wait_or_make_way(uow, worker, job.id, job.unique_key.as_deref(), update).await?;
    tell(uow, followers, [job.id]).await
}

/// A job that is dead stands in the journal, so that people can be told.
async fn tell_of_death(uow: &mut UnitOfWork, job: &Claimed, text: &str) -> Result<()> {
    let change = Change::of(Action::Update).event("system.job_failed").detail("kind", job.kind.as_str());
    let change = change.detail("state", JobState::Dead.as_str()).detail("last_error", text);
    uow.enter(job.workspace).await?;
    uow.record(Action::Update, "job", Some(job.id.uuid()), change);
    uow.enter(None).await
}

/// Lets a job wait again; where another of its key waits already, that one does what this one would, and this one is called off.
async fn wait_or_make_way(
    uow: &mut UnitOfWork,
    worker: Uuid,
    id: JobId,
    key: Option<&str>,
    mut update: UpdateStatement,
) -> Result<()> {
    if let Some(key) = key {
        let mut twin = Query::select();
        twin.column("id").from("job").and_where(Expr::col("unique_key").eq(key)).and_where(Expr::cust("state = 'waiting'"));
        if uow.row(&twin).await?.is_some() {
            update = ending(JobState::Cancelled, uow.now(), Some("another one of its key waits"));
        }
    }
    held(&mut update, worker, [id]);
    uow.execute(&update).await.map(|_| ())
}

/// Gives jobs back that were not done, for no fault of theirs: the attempt does not count.
pub(crate) async fn give_back(
    uow: &mut UnitOfWork,
    followers: Followers,
    worker: Uuid,
    jobs: &[(JobId, Option<String>)],
) -> Result<()> {
    let now = uow.now();
    let plain: Vec<JobId> = jobs.iter().filter(|(_, key)| key.is_none()).map(|(id, _)| *id).collect();
    if !plain.is_empty() {
        let mut update = again(now, None);
        held(&mut update, worker, plain);
        uow.run_once(&update).await?;
    }
    for (id, key) in jobs.iter().filter(|(_, key)| key.is_some()) {
        wait_or_make_way(uow, worker, *id, key.as_deref(), again(now, None)).await?;
    }
    uow.wake_workers();
    tell(uow, followers, jobs.iter().map(|(id, _)| *id)).await
}

/// Takes from workers that are gone what they held: it waits again, or is dead where it was lost too often.
pub(crate) async fn take_over(uow: &mut UnitOfWork, followers: Followers) -> Result<usize> {
    let mut alive = Query::select();
    alive.column("id").from("job_worker");
    let mut orphans = Query::select();
    orphans
        .columns(["id", "worker_id", "unique_key", "lost", "kind", "workspace_id"])
        .from("job")
        .and_where(Expr::cust("state = 'running'"))
        .and_where(Expr::col("worker_id").not_in_subquery(alive));
    let rows = uow.rows(&orphans).await?;
    for row in &rows {
        let (id, worker): (JobId, Uuid) = (row.get(0)?, row.get(1)?);
        let (key, lost): (Option<String>, i64) = (row.get(2)?, row.get(3)?);
        let mut count = Query::update();
        count.table("job").value("lost", lost + 1);
        held(&mut count, worker, [id]);
        uow.execute(&count).await?;
        if lost + 1 < MOST_LOST {
            give_back(uow, followers, worker, &[(id, key)]).await?;
            continue;
        }
        let text = "its worker died each time";
        let mut update = ending(JobState::Dead, uow.now(), Some(text));
        held(&mut update, worker, [id]);
        if uow.execute(&update).await? == 1 {
            let change = Change::of(Action::Update).event("system.job_failed").detail("kind", row.get::<String>(4)?);
            let change = change.detail("state", json!("dead")).detail("last_error", text);
            uow.enter(row.get(5)?).await?;
            uow.record(Action::Update, "job", Some(id.uuid()), change);
            uow.enter(None).await?;
        }
        tell(uow, followers, [id]).await?;
    }
    Ok(rows.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_back_off_begins_with_a_second_and_doubles_up_to_an_hour() {
        let seconds = |failures, dice| back_off(failures, dice).num_milliseconds();
        assert_eq!([seconds(1, 0), seconds(2, 0), seconds(3, 0), seconds(4, 0)], [1000, 2000, 4000, 8000]);
        assert!((1001..=1250).contains(&seconds(1, 255)), "{}", seconds(1, 255));
        assert_eq!(seconds(40, 0), 3_600_000);
    }
}
