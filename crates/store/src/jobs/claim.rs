//! Taking jobs: one statement for as many as a queue has room for, so that no two workers take the same one.

use std::rc::Rc;

use kernel::{Result, WorkspaceId};
use sea_orm::sea_query::{CommonTableExpression, Expr, ExprTrait, LockBehavior, LockType, Order, Query, UnionType};
use uuid::Uuid;

use super::queue::Queue;
use super::row::{JobId, JobState};
use crate::conn::Conn;
use crate::field::{Field as _, Json};
use crate::uow::UnitOfWork;

/// A job that a worker holds.
#[derive(Clone, Debug)]
pub(crate) struct Claimed {
    pub id: JobId,
    pub workspace: Option<WorkspaceId>,
    pub queue: Queue,
    pub kind: String,
    pub payload: serde_json::Value,
    pub attempt: i64,
    pub failures: i64,
    pub max_attempts: i64,
    pub unique_key: Option<String>,
}

/// A queue with the kinds of it that this worker can do.
pub(crate) type Doable = (Queue, Rc<[&'static str]>);

/// The condition that a job of a queue could be taken now.
fn takeable(select: &mut sea_orm::sea_query::SelectStatement, (queue, kinds): &Doable) {
    select
        .from("job")
        .and_where(Expr::col("queue").eq(queue.as_str()))
        // spelled out and no parameters, so that the partial index is known to serve
        .and_where(Expr::cust("state = 'waiting' AND is_due"))
        .and_where(Expr::col("kind").is_in(kinds.iter().copied()));
}

/// Takes at most so many jobs of a queue, those that are due longest first.
pub(crate) async fn claim(uow: &mut UnitOfWork, worker: Uuid, doable: &Doable, most: usize) -> Result<Vec<Claimed>> {
    let now = uow.now();
    let mut due = Query::select();
    takeable(&mut due, doable);
    due.column("id").order_by("run_at", Order::Asc).order_by("id", Order::Asc).limit(most as u64);
    if uow.dialect().locks_rows() {
        due.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    }
    // by itself, so that it is read and locked once, however the update is planned: as a subquery it might be asked again for each row,
    // and then more would be taken than there is room for
    let mut apart = CommonTableExpression::new();
    apart.table_name("due").column("id").query(due);
    let mut taken = Query::select();
    taken.column("id").from("due");
    let mut update = Query::update();
    update
        .table("job")
        .value("state", JobState::Running.value())
        .value("attempt", Expr::col("attempt").add(1))
        .value("worker_id", worker.value())
        .value("started_at", now.value())
        .value("version", Expr::col("version").add(1))
        .value("updated_at", now.value())
        .with_cte(apart)
        .and_where(Expr::col("id").in_subquery(taken))
        .returning(Query::returning().columns([
            "id",
            "workspace_id",
            "kind",
            "payload",
            "attempt",
            "failures",
            "max_attempts",
            "unique_key",
            "run_at",
        ]));
    let mut jobs = Vec::with_capacity(most);
    for row in uow.returned(&update).await? {
        let job = Claimed {
            id: row.get(0)?,
            workspace: row.get(1)?,
            queue: doable.0,
            kind: row.get(2)?,
            payload: row.get::<Json<serde_json::Value>>(3)?.0,
            attempt: row.get(4)?,
            failures: row.get(5)?,
            max_attempts: row.get(6)?,
            unique_key: row.get(7)?,
        };
        jobs.push((row.get::<kernel::DateTime>(8)?, job));
    }
    // an update returns its rows in any order
    jobs.sort_by_key(|(run_at, job)| (*run_at, job.id));
    Ok(jobs.into_iter().map(|(_, job)| job).collect())
}

/// What an idle worker needs to know.
#[derive(Debug, Default)]
pub(crate) struct Look {
    /// Queues in which something that it can do is due.
    pub due: Vec<Queue>,
    /// When the next job comes due that was put off.
    pub next: Option<kernel::DateTime>,
}

/// Looks whether something is due, in one statement.
pub(crate) async fn look(conn: &mut Conn, doable: &[Doable]) -> Result<Look> {
    let mut found = Look::default();
    let mut later = Query::select();
    later
        .expr(Expr::val(""))
        .expr(Expr::col("run_at").min())
        .from("job")
        .and_where(Expr::cust("state = 'waiting' AND NOT is_due"));
    for of_queue in doable {
        let mut first = Query::select();
        takeable(&mut first, of_queue);
        first.expr(Expr::val(1)).limit(1);
        let mut queue = Query::select();
        // the moment is of no use here, and its type comes from the first select
        queue.expr(Expr::val(of_queue.0.as_str())).expr(Expr::cust("NULL")).and_where(Expr::exists(first));
        later.union(UnionType::All, queue);
    }
    for row in conn.rows(&later).await? {
        match row.get::<String>(0)?.parse() {
            Ok(queue) => found.due.push(queue),
            Err(_) => found.next = row.get(1)?,
        }
    }
    Ok(found)
}

/// Makes due what was put off until now.
pub(crate) async fn come_due(uow: &mut UnitOfWork) -> Result<u64> {
    let now = uow.now();
    let mut update = Query::update();
    update
        .table("job")
        .value("is_due", true)
        .and_where(Expr::cust("state = 'waiting' AND NOT is_due"))
        .and_where(Expr::col("run_at").lte(now.value()));
    uow.execute(&update).await
}

/// Kinds that wait and that no handler of this worker is for.
pub(crate) async fn strangers(conn: &mut Conn, doable: &[Doable]) -> Result<Vec<String>> {
    let known: Vec<&str> = doable.iter().flat_map(|(_, kinds)| kinds.iter().copied()).collect();
    let mut select = Query::select();
    select
        .distinct()
        .column("kind")
        .from("job")
        .and_where(Expr::cust("state = 'waiting' AND is_due"))
        .and_where(Expr::col("kind").is_not_in(known));
    conn.rows(&select).await?.iter().map(|row| row.get(0)).collect()
}
