//! Life signs. A worker's row beats while it holds jobs; the others see it stand still, each on a clock that nobody sets.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use kernel::{Error, Result};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use uuid::Uuid;

use super::end;
use super::errors::JOB_STOPPED;
use super::follow::Followers;
use super::row::JobId;
use crate::field::Field as _;
use crate::store::Store;
use crate::uow::UnitOfWork;

/// A worker's sign of life.
#[derive(Debug)]
pub(crate) struct Life {
    /// The id under which it holds jobs.
    pub id: Uuid,
    is_known: bool,
    last: Instant,
    lease: Duration,
    others: HashMap<Uuid, (i64, Instant)>,
}

impl Life {
    pub(crate) fn new(id: Uuid, lease: Duration) -> Self {
        Self { id, is_known: false, last: Instant::now(), lease, others: HashMap::new() }
    }

    /// How often it beats.
    pub(crate) fn period(&self) -> Duration {
        (self.lease / 4).min(Duration::from_secs(5))
    }

    /// Whether it is time to beat.
    pub(crate) fn is_due(&self) -> bool {
        !self.is_known || self.last.elapsed() >= self.period()
    }

    /// Whether it must be taken for dead by now, because it could not beat.
    pub(crate) fn is_over(&self) -> bool {
        self.is_known && self.last.elapsed() >= self.lease
    }

    /// Beats, or registers before the first job is taken; to be told of by [`beaten`](Self::beaten) when it is committed.
    pub(crate) async fn beat(&self, uow: &mut UnitOfWork) -> Result<()> {
        if self.is_known {
            let mut update = Query::update();
            update.table("job_worker").value("beat", Expr::col("beat").add(1)).and_where(Expr::col("id").eq(self.id));
            return if uow.execute(&update).await? == 1 { Ok(()) } else { Err(Error::new(&JOB_STOPPED)) };
        }
        let mut insert = Query::insert();
        insert.into_table("job_worker").columns(["id", "beat", "started_at"]).values_panic([
            Expr::value(self.id),
            Expr::value(1_i64),
            Expr::value(uow.now().value()),
        ]);
        uow.execute(&insert).await.map(|_| ())
    }

    /// The beat is committed; it counts from before the transaction, as the others may see it from then on.
    pub(crate) fn beaten(&mut self, began: Instant) {
        self.is_known = true;
        self.last = began;
    }

    /// It was taken for dead: from now on it is another.
    pub(crate) fn begin_anew(&mut self, id: Uuid) {
        self.id = id;
        self.is_known = false;
    }

    /// Looks after the others: takes over what those hold whose row has stood still for a lease.
    pub(crate) async fn look_after(
        &mut self,
        store: &Store,
        caller: &std::sync::Arc<kernel::Caller>,
        followers: Followers,
    ) -> Result<usize> {
        let mut select = Query::select();
        select.columns(["id", "beat"]).from("job_worker").and_where(Expr::col("id").ne(self.id));
        let mut reader = store.reader(caller).await?;
        let rows = reader.rows(&select).await?;
        let mut lost = Query::select();
        let mut alive = Query::select();
        alive.column("id").from("job_worker");
        lost.expr(Expr::val(1))
            .from("job")
            .and_where(Expr::cust("state = 'running'"))
            .and_where(Expr::col("worker_id").not_in_subquery(alive))
            .limit(1);
        let mut is_work = reader.row(&lost).await?.is_some();
        reader.close().await?;
        let now = Instant::now();
        let mut seen = HashMap::new();
        let mut still = Vec::new();
        for row in rows {
            let (id, beat): (Uuid, i64) = (row.get(0)?, row.get(1)?);
            let since = match self.others.get(&id) {
                Some((known, since)) if *known == beat => *since,
                _ => now,
            };
            if now.duration_since(since) >= self.lease {
                still.push((id, beat));
            }
            seen.insert(id, (beat, since));
        }
        self.others = seen;
        is_work |= !still.is_empty();
        if !is_work {
            return Ok(0);
        }
        store
            .write(caller, async |uow| {
                for (id, beat) in &still {
                    let mut delete = Query::delete();
                    delete.from_table("job_worker").and_where(Expr::col("id").eq(*id)).and_where(Expr::col("beat").eq(*beat));
                    uow.execute(&delete).await?;
                }
                end::take_over(uow, followers).await
            })
            .await
    }

    /// Which of the jobs that it holds were called off.
    pub(crate) async fn called_off(&self, store: &Store, caller: &kernel::Caller) -> Result<Vec<JobId>> {
        let mut select = Query::select();
        select
            .column("id")
            .from("job")
            .and_where(Expr::cust("state = 'running'"))
            .and_where(Expr::col("worker_id").eq(self.id))
            .and_where(Expr::col("is_cancelled").eq(true));
        let mut reader = store.reader(caller).await?;
        let rows = reader.rows(&select).await?;
        reader.close().await?;
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Signs off, so that nobody waits for it.
    pub(crate) async fn leave(&self, uow: &mut UnitOfWork) -> Result<()> {
        let mut delete = Query::delete();
        delete.from_table("job_worker").and_where(Expr::col("id").eq(self.id));
        uow.execute(&delete).await.map(|_| ())
    }
}
