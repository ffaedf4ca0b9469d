//! What waits, for health reports, metrics and administrators.

use kernel::{Caller, DateTime, Result};
use sea_orm::sea_query::{Expr, ExprTrait, Order, Query, SelectStatement};

use super::queue::Queue;
use crate::conn::Conn;
use crate::store::Store;

/// What stands in a queue.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    /// The queue.
    pub queue: Queue,
    /// Jobs that are due and that no worker has taken yet.
    pub due: i64,
    /// Jobs that are put off.
    pub later: i64,
    /// Jobs that run.
    pub running: i64,
    /// Jobs that failed for good.
    pub dead: i64,
    /// Since when the oldest of those that are due has waited.
    pub oldest: Option<DateTime>,
}

/// What stands in every queue, of the jobs that `narrow` lets through, in one statement.
///
/// # Errors
/// What the database says.
pub async fn waiting(conn: &mut Conn, narrow: impl FnOnce(&mut SelectStatement)) -> Result<Vec<Waiting>> {
    let mut select = Query::select();
    select
        .columns(["queue", "state", "is_due"])
        .expr(Expr::col(("job", "id")).count())
        .expr(Expr::col("run_at").min())
        .from("job")
        .and_where(Expr::col("state").is_in(["waiting", "running", "dead"]))
        .group_by_columns(["queue", "state", "is_due"]);
    narrow(&mut select);
    let empty = |queue| Waiting { queue, due: 0, later: 0, running: 0, dead: 0, oldest: None };
    let mut all: Vec<Waiting> = Queue::ALL.into_iter().map(empty).collect();
    for row in conn.rows(&select).await? {
        let (queue, state, is_due): (Queue, String, bool) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let Some(of) = all.iter_mut().find(|of| of.queue == queue) else { continue };
        let count: i64 = row.get(3)?;
        match (state.as_str(), is_due) {
            ("waiting", true) => (of.due, of.oldest) = (count, row.get(4)?),
            ("waiting", false) => of.later = count,
            ("running", _) => of.running += count,
            _ => of.dead += count,
        }
    }
    Ok(all)
}

/// Since when the job that has been due longest has waited; none where none waits. For health reports, so one look at an index for each
/// queue, however much stands in them.
///
/// # Errors
/// What the database says.
pub async fn oldest_due(store: &Store) -> Result<Option<DateTime>> {
    let caller = Caller::job(store.runtime().uuid(), None, kernel::Cause::Command);
    let mut reader = store.reader(&caller).await?;
    let mut oldest = None;
    for queue in Queue::ALL {
        let mut select = Query::select();
        select
            .column("run_at")
            .from("job")
            .and_where(Expr::col("queue").eq(queue.as_str()))
            .and_where(Expr::cust("state = 'waiting' AND is_due"))
            .order_by("run_at", Order::Asc)
            .limit(1);
        if let Some(row) = reader.row(&select).await? {
            let since: DateTime = row.get(0)?;
            oldest = Some(oldest.map_or(since, |oldest: DateTime| std::cmp::min(oldest, since)));
        }
    }
    reader.close().await?;
    Ok(oldest)
}
