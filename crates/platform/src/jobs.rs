//! Background work as administrators see it: what waits, runs and failed, to be tried again, called off or thrown away.
//!
//! An administrator sees the jobs of the workspace. Those of no workspace are the installation's: they are for its super admins, signed in
//! themselves and not through a token.

use kernel::{Caller, DateTime, Error, Page, Permission, Result, TypedId as _, WorkspaceId};
use serde::{Deserialize, Serialize};
use store::jobs::{Followers, JobRow, JobState, Queue};
use store::list::{ListField, ListQuery, ListSpec};
use store::query::{Condition, Expr, ExprTrait};
use store::{Change, Conn, OnUnique as _, Record as _, UnitOfWork};
use utoipa::ToSchema;

pub use store::jobs::JobId;

use crate::errors::{JOB_STATE, JOB_WAITS};

/// Something that is done in the background.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct JobView {
    /// Its id, the same in all attempts.
    pub id: JobId,
    /// The workspace it belongs to; none where it is the installation's.
    pub workspace_id: Option<WorkspaceId>,
    /// What it waits in.
    pub queue: Queue,
    /// What it does.
    pub kind: String,
    /// What it does it to: ids, numbers and words.
    #[schema(value_type = Object)]
    pub payload: serde_json::Value,
    /// How far it is.
    pub state: JobState,
    /// When it is due, or was.
    pub run_at: DateTime,
    /// Attempts that failed.
    pub failures: i64,
    /// Attempts that it has.
    pub max_attempts: i64,
    /// How much of `total` is done, where it says so.
    pub progress: i64,
    /// How much there is to do, where it says so.
    pub total: Option<i64>,
    /// Whether it was called off and is yet to stop.
    pub is_cancelled: bool,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// When the last attempt began.
    pub started_at: Option<DateTime>,
    /// When it ended.
    pub finished_at: Option<DateTime>,
    /// When it was enqueued.
    pub created_at: DateTime,
    /// When it last changed.
    pub updated_at: DateTime,
    /// Counts its changes; the ETag is made from it.
    #[serde(skip)]
    pub version: i64,
}

impl From<JobRow> for JobView {
    fn from(row: JobRow) -> Self {
        Self {
            id: row.id,
            workspace_id: row.workspace_id,
            queue: row.queue,
            kind: row.kind,
            payload: row.payload.0,
            state: row.state,
            run_at: row.run_at,
            failures: row.failures,
            max_attempts: row.max_attempts,
            progress: row.progress,
            total: row.total,
            is_cancelled: row.is_cancelled,
            last_error: row.last_error,
            started_at: row.started_at,
            finished_at: row.finished_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

/// What stands in a queue.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct QueueView {
    /// The queue.
    pub queue: Queue,
    /// Jobs that are due and wait for a worker.
    pub waiting: i64,
    /// Jobs that are put off.
    pub later: i64,
    /// Jobs that run.
    pub running: i64,
    /// Jobs that failed for good.
    pub dead: i64,
    /// Seconds for which the oldest of those that are due has waited.
    pub oldest_seconds: Option<i64>,
}

/// All queues.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct QueueList {
    /// The queues.
    pub data: Vec<QueueView>,
}

/// How jobs can be listed.
pub static JOB_LIST: ListSpec = ListSpec {
    name: "jobs",
    table: "job",
    fields: &[
        ListField::word("queue", Queue::TEXTS),
        ListField::word("state", JobState::TEXTS),
        ListField::text("kind"),
        ListField::time("run_at"),
        ListField::time("finished_at").nullable(),
        ListField::time("created_at").sorted().indexed(),
    ],
    ..ListSpec::EMPTY
};

/// The condition that a caller may see a job.
fn visible_to(caller: &Caller) -> Result<Condition> {
    caller.require(Permission::AdminManageSettings)?;
    let workspace = Expr::col(("job", "workspace_id"));
    let here = Condition::any().add(workspace.clone().eq(caller.workspace()?.uuid()));
    Ok(if caller.is_super_admin { here.add(workspace.is_null()) } else { here })
}

/// Jobs of the workspace, and for a super admin those of the installation.
///
/// # Errors
/// `forbidden` without `admin.manage_settings`.
pub async fn list(conn: &mut Conn, caller: &Caller, query: &ListQuery) -> Result<Page<JobView>> {
    let mut base = JobRow::select();
    base.cond_where(visible_to(caller)?);
    let page = store::list::page::<JobRow>(conn, caller, base, &JOB_LIST, query).await?;
    Ok(page.map(JobView::from))
}

/// One job.
///
/// # Errors
/// `forbidden` without `admin.manage_settings`; `not_found`.
pub async fn get(conn: &mut Conn, caller: &Caller, id: JobId) -> Result<JobView> {
    let mut select = JobRow::select();
    select.cond_where(visible_to(caller)?).and_where(Expr::col(("job", "id")).eq(id.uuid()));
    conn.one::<JobRow>(&select).await?.map(JobView::from).ok_or_else(Error::not_found)
}

/// What stands in every queue, of the jobs that the caller may see.
///
/// # Errors
/// `forbidden` without `admin.manage_settings`.
pub async fn queues(conn: &mut Conn, caller: &Caller, now: DateTime) -> Result<QueueList> {
    let visible = visible_to(caller)?;
    let waiting = store::jobs::waiting(conn, |select| {
        select.cond_where(visible);
    })
    .await?;
    let view = |of: store::jobs::Waiting| QueueView {
        queue: of.queue,
        waiting: of.due,
        later: of.later,
        running: of.running,
        dead: of.dead,
        oldest_seconds: of.oldest.map(|since| std::cmp::max((now - since).num_seconds(), 0)),
    };
    Ok(QueueList { data: waiting.into_iter().map(view).collect() })
}

/// A job, locked, with the unit of work in its own workspace, so that what is done stands in the right trail.
async fn find_locked(uow: &mut UnitOfWork, id: JobId, seen: Option<i64>) -> Result<JobRow> {
    let mut select = JobRow::select();
    select.cond_where(visible_to(&uow.caller())?).and_where(Expr::col(("job", "id")).eq(id.uuid()));
    let row = uow.locked::<JobRow>(select).await?.ok_or_else(Error::not_found)?;
    auth::check_seen(seen, row.version)?;
    if row.workspace_id != uow.workspace().ok() {
        uow.enter(row.workspace_id).await?;
    }
    Ok(row)
}

fn wrong_state(row: &JobRow) -> Error {
    Error::new(&JOB_STATE).with_detail(format!("It is {}.", row.state.as_str()))
}

/// Tries a job again that is dead or was called off, with all its attempts, or at once one that is put off.
///
/// # Errors
/// `forbidden` without `admin.manage_settings`; `not_found`; `stale`; `job_state` when it runs or is done; `job_waits` when another one
/// for the same thing waits already.
pub async fn retry(uow: &mut UnitOfWork, id: JobId, seen: Option<i64>) -> Result<JobView> {
    let before = find_locked(uow, id, seen).await?;
    if matches!(before.state, JobState::Running | JobState::Done) {
        return Err(wrong_state(&before));
    }
    let after = JobRow {
        state: JobState::Waiting,
        is_due: true,
        run_at: uow.now(),
        failures: 0,
        lost: 0,
        is_cancelled: false,
        finished_at: None,
        ..before.clone()
    };
    let done = uow.update(&before, after, Change::plain().event("job.retried")).await;
    let row = done.on_unique(|| Error::new(&JOB_WAITS))?;
    uow.tell_workers().await?;
    Ok(row.into())
}

/// Calls a job off: one that waits at once, of which its followers are told; one that runs as soon as it comes to a place where it can
/// stop.
///
/// # Errors
/// `forbidden` without `admin.manage_settings`; `not_found`; `stale`; `job_state` when it has ended.
pub async fn cancel(uow: &mut UnitOfWork, followers: Followers, id: JobId, seen: Option<i64>) -> Result<JobView> {
    let before = find_locked(uow, id, seen).await?;
    let after = match before.state {
        JobState::Waiting => JobRow { state: JobState::Cancelled, finished_at: Some(uow.now()), ..before.clone() },
        JobState::Running => JobRow { is_cancelled: true, ..before.clone() },
        JobState::Done | JobState::Dead | JobState::Cancelled => return Err(wrong_state(&before)),
    };
    let row = uow.update(&before, after, Change::plain().event("job.cancelled")).await?;
    if row.state == JobState::Cancelled {
        followers.tell(uow, &row).await?;
    }
    Ok(row.into())
}

/// Throws a job away, whatever came of it; not one that runs. The followers of one that was not done are told.
///
/// # Errors
/// `forbidden` without `admin.manage_settings`; `not_found`; `stale`; `job_state` when it runs.
pub async fn discard(uow: &mut UnitOfWork, followers: Followers, id: JobId, seen: Option<i64>) -> Result<()> {
    let before = find_locked(uow, id, seen).await?;
    if before.state == JobState::Running {
        return Err(wrong_state(&before));
    }
    uow.delete(&before, Change::plain().event("job.discarded")).await?;
    if before.state == JobState::Done { Ok(()) } else { followers.tell(uow, &before).await }
}
