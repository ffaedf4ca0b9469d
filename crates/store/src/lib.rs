//! The database of an installation, on SQLite or PostgreSQL, from one code: the only place that knows a dialect.
//!
//! - [`Store::write`]: the *unit of work*. One transaction that changes rows and appends what changed to the journal.
//! - [`journal`]: the one record of every change.
//! - [`list`]: declared filters, sorts, searches and keyset paging.
//! - [`idempotency`]: at most once for a key, in the same transaction.
//! - [`jobs`]: background work, enqueued in the same transaction.
//! - [`shared`]: limits and invalidations, in process or through Redis.
//! - [`snapshot`]: the whole database as of one moment, and its way into an empty one.
//! - [`dialect`]: what differs between the engines.
//!
//! # Why not SeaORM's entities
//! Statements are written with SeaORM's query builder and run on sqlx directly. Measured on this schema, SeaORM's executor and row
//! mapping cost 0.39 of a single-row read on SQLite and its transactions need a round trip more than ours on PostgreSQL, where
//! `BEGIN` and the caller for row security go out as one simple query. A [`record!`] declaration also knows what the journal keeps of
//! each column, which an entity does not.
//!
//! # What stands on the journal
//! An entry holds each changed field before and after, and a create holds the whole record, so that:
//!
//! - *Undo* of an entry writes `from` back for each of its fields, as a new unit of work with the action `revert`, and is refused
//!   where a field is no longer what `to` says: something newer stands on it. Undoing a merge or an import does the same for every
//!   entry of its cause, newest first.
//! - *History* (`as_of`) starts from the record as it is and walks its entries backwards, putting `from` in the place of `to`, down to the
//!   moment asked for. A deleted record starts from its `delete` entry. The index on (record, id) makes this one range scan.
//! - A *hash chain* would add to each entry the digest of the one before it in [`journal::Position`] order and of its own content, with
//!   a salted digest of the personal side in place of its values, so that erasing them does not break it. A job that walks the feed would
//!   write the digests to a table of their own: the entry is append-only, and the order is known only once it is settled.
//! - *Erasure* sets the personal side of a person's entries to null ([`journal::erase`]); the triggers allow this change only.

mod conn;
pub mod dialect;
pub mod errors;
mod field;
pub mod idempotency;
pub mod jobs;
pub mod journal;
pub mod list;
mod pool;
mod reader;
mod record;
mod secret;
pub mod shared;
pub mod snapshot;
mod store;
mod uow;

/// The query builder, so that other crates name it from here.
pub mod query {
    pub use sea_orm::sea_query::{
        Alias, Asterisk, CaseStatement, Condition, Expr, ExprTrait, Func, InsertStatement, JoinType, OnConflict, Order, Query,
        SelectStatement, SimpleExpr, UnionType, UpdateStatement, Value,
    };
}

pub use conn::Conn;
pub use errors::OnUnique;
pub use field::{Field, Json, Row};
pub use idempotency::{KeptAnswer, Once, Outcome};
pub use journal::{Action, Change};
pub use pool::{DatabaseConfig, may_migrate, owner_connection, sqlite_readers};
pub use reader::Reader;
pub use record::{Column, Keeping, Record, bare};
pub use secret::{Secret, digest};
pub use store::{Listener, Store};
pub use uow::{Along, Savepoint, Touched, UnitOfWork};
