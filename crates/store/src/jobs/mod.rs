//! Background work: jobs that are never lost, and never run by two workers at once.
//!
//! - A job is enqueued in the transaction that needs it ([`UnitOfWork::enqueue`](crate::UnitOfWork::enqueue)), so that both are there or
//!   neither. Its payload holds ids, numbers and declared words ([`PayloadField`]).
//! - A [`Worker`] takes jobs in batches, each batch in one transaction that also writes how the last ones ended. What it holds is its own
//!   as long as its row in `job_worker` beats. The others watch that row on their own steady clocks, so a machine whose clock is set does
//!   not lose its jobs; when it has stood still for the time of a lease, they take over what the worker held.
//! - Every end is fenced by the worker's id, which it loses with its lease: whoever lost a job changes nothing. A handler whose effect is
//!   in the database ends its job in the same transaction ([`JobContext::complete`]), and then it happens exactly once. All others happen at
//!   least once, so a handler gives the job's id to whatever it calls.
//! - A failure waits in the row, from a second on and twice as long each time, and after the last attempt the job is dead and kept.
//! - [`schedule`]: recurring jobs, once across nodes, right through changes of the clock.
//!
//! # Why our own
//! No library that was looked at enqueues inside our transaction on both engines: apalis 1.0 cannot join one, burns its attempts within
//! milliseconds, and sets `synchronous=OFF` on our SQLite; graphile_worker is for PostgreSQL alone; underway, fang and sqlxmq bring a
//! second sqlx; backie needs diesel, effectum a database of its own. `croner` is for cron expressions, which nothing here needs: what
//! recurs is said in code.

mod claim;
mod context;
mod end;
mod enqueue;
pub mod errors;
mod follow;
mod handlers;
mod hold;
mod kind;
mod measure;
mod queue;
mod row;
mod running;
pub mod schedule;
mod tidy;
mod turn;
mod wake;
mod watch;
mod worker;

pub use context::JobContext;
pub use enqueue::Job;
pub(crate) use enqueue::{insert, inserted};
pub use follow::{Follower, Followers};
pub use handlers::Handlers;
pub use kind::{JobKind, Noop, PayloadField, fits};
pub use measure::{Waiting, oldest_due, waiting};
pub use queue::Queue;
pub use row::{JobId, JobRow, JobState};
pub use running::{Running, WorkerOptions};
pub use tidy::{IdempotencyCleanup, JobCleanup, PrepareMonths, handle};
pub(crate) use wake::Wake;
pub use worker::Worker;
