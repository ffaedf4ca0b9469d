//! Reading in the order of commits.
//!
//! On PostgreSQL numbers are taken before a transaction commits, so a reader that went by number alone would skip an entry
//! whose transaction commits after one with a higher number. Each entry therefore carries the number of its transaction;
//! readers go by (epoch, transaction, number) and stop below the oldest transaction that still runs
//! (`pg_snapshot_xmin`): whatever commits later comes after what was read. On SQLite there is one writer, and the number is the
//! order.
//!
//! Transaction numbers belong to a cluster. A database that is restored into another one gets a new epoch
//! (`installation.journal_epoch` plus one), so that positions go on rising.

use kernel::{Caller, Cause, Error, Result};
use sea_orm::sea_query::{Expr, ExprTrait, Order, Query};

use super::JournalEntry;
use crate::conn::Conn;
use crate::list::Listed;
use crate::store::Store;

/// A place in the journal's order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Counts restores.
    pub epoch: i32,
    /// The transaction, 0 on SQLite.
    pub transaction: i64,
    /// The entry's number.
    pub number: i64,
}

/// An entry with its place.
#[derive(Clone, Debug)]
pub struct Fed {
    /// Hand it to [`feed`] to go on after this entry.
    pub position: Position,
    /// The entry.
    pub entry: JournalEntry,
}

/// Up to `limit` entries after `after`, in the order in which their transactions became visible for good. An entry that is
/// returned has every earlier one before it, now and later.
///
/// # Errors
/// What the database says.
pub async fn feed(conn: &mut Conn, epoch: i32, after: Position, limit: u64) -> Result<Vec<Fed>> {
    let column = |name| Expr::col(("journal_entry", name));
    let place = Expr::tuple([column("epoch"), column("transaction_number"), column("number")]);
    let from = Expr::tuple([Expr::value(after.epoch), Expr::value(after.transaction), Expr::value(after.number)]);
    let settled = column("epoch").lt(epoch).or(column("transaction_number").lt(Expr::cust(conn.dialect().settled_below())));
    let mut select = JournalEntry::select();
    select
        .columns([("journal_entry", "epoch"), ("journal_entry", "transaction_number")])
        .and_where(place.gt(from))
        .and_where(settled)
        .order_by(("journal_entry", "epoch"), Order::Asc)
        .order_by(("journal_entry", "transaction_number"), Order::Asc)
        .order_by(("journal_entry", "number"), Order::Asc)
        .limit(limit);
    let mut fed = Vec::new();
    for row in conn.rows(&select).await? {
        let entry = JournalEntry::read(&row, 0)?;
        let (epoch, transaction) = (row.get(JournalEntry::WIDTH)?, row.get(JournalEntry::WIDTH + 1)?);
        fed.push(Fed { position: Position { epoch, transaction, number: entry.number }, entry });
    }
    Ok(fed)
}

/// How often the database has been restored.
pub(crate) async fn epoch(store: &Store) -> Result<i32> {
    let caller = Caller::job(store.runtime.uuid(), None, Cause::Command);
    let mut reader = store.reader(&caller).await?;
    let mut select = Query::select();
    select.column("journal_epoch").from("installation");
    let row = reader.row(&select).await?.ok_or_else(|| Error::internal("the database is not migrated"))?;
    let epoch = row.get(0)?;
    reader.close().await?;
    Ok(epoch)
}
