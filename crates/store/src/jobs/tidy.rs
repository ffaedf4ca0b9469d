//! What the store tidies up after itself. Each clean-up says what goes; whatever does not fit that stays.

use chrono::Duration;
use kernel::{DateTime, Result};
use sea_orm::sea_query::{Condition, Expr, ExprTrait, Order, Query};

use super::context::JobContext;
use super::handlers::Handlers;
use super::row::JobState;
use super::schedule::When;
use crate::field::Field as _;
use crate::idempotency::KEPT_DAYS;

/// Rows that go in one transaction, so that nobody waits long for it.
const AT_A_TIME: u64 = 1000;
/// How long a job that was done or called off is kept.
const DONE: Duration = Duration::days(1);
/// How long one that failed for good is kept.
const DEAD: Duration = Duration::days(7);

crate::job_kind! {
    /// Makes what the coming months need: the journal's partitions.
    pub struct PrepareMonths as "prepare_months" on Maintenance {}
}
crate::job_kind! {
    /// Deletes the answers that were kept for idempotency keys more than 7 days ago. They are no longer replayed then either.
    pub struct IdempotencyCleanup as "idempotency_cleanup" on Maintenance {}
}
crate::job_kind! {
    /// Deletes jobs that were done or called off more than a day ago, and those that failed for good more than 7 days ago. What waits or
    /// runs stays, however old it is.
    pub struct JobCleanup as "job_cleanup" on Maintenance {}
}

/// Registers what the store does for itself.
pub fn handle(handlers: &mut Handlers) {
    handlers.on(|_, super::Noop {}| std::future::ready(Ok(())));
    handlers.on(async |context: JobContext, PrepareMonths {}| context.store().prepare_months().await);
    handlers.on(async |context: JobContext, IdempotencyCleanup {}| {
        let before = context.store().runtime().now() - Duration::days(KEPT_DAYS);
        context.delete_before("idempotency_record", "created_at", before, Condition::all).await.map(|_| ())
    });
    handlers.on(async |context: JobContext, JobCleanup {}| {
        let now = context.store().runtime().now();
        let ended = || Condition::all().add(Expr::col("state").is_in([JobState::Done.as_str(), JobState::Cancelled.as_str()]));
        let dead = || Condition::all().add(Expr::col("state").eq(JobState::Dead.as_str()));
        context.delete_before("job", "finished_at", now - DONE, ended).await?;
        context.delete_before("job", "finished_at", now - DEAD, dead).await.map(|_| ())
    });
    handlers.recurring("prepare-months", When::Daily(0, 30), PrepareMonths {});
    handlers.recurring("idempotency-cleanup", When::Daily(3, 10), IdempotencyCleanup {});
    handlers.recurring("job-cleanup", When::EveryMinutes(60), JobCleanup {});
}

impl JobContext {
    /// Deletes what a table has from before a moment, oldest first, so many at a time; returns how many. The journal does not keep it:
    /// what a clean-up takes away has outlived its use, and is no change that somebody made.
    ///
    /// # Errors
    /// `job_stopped` when the job is to stop, and what the database says.
    pub async fn delete_before(
        &self,
        table: &'static str,
        column: &'static str,
        before: DateTime,
        which: impl Fn() -> Condition,
    ) -> Result<u64> {
        let old = || which().add(Expr::col(column).lt(before.value()));
        let mut deleted = 0;
        loop {
            self.go_on()?;
            let (gone, is_all) = self
                .write(async |uow| {
                    let mut last = Query::select();
                    last.column(column).from(table).cond_where(old()).order_by(column, Order::Asc).limit(1).offset(AT_A_TIME - 1);
                    let last = uow.row(&last).await?.map(|row| row.get::<DateTime>(0)).transpose()?;
                    let mut delete = Query::delete();
                    delete.from_table(table).cond_where(old());
                    if let Some(last) = last {
                        delete.and_where(Expr::col(column).lte(last.value()));
                    }
                    Ok((uow.execute(&delete).await?, last.is_none()))
                })
                .await?;
            deleted += gone;
            if is_all {
                return Ok(deleted);
            }
        }
    }
}
