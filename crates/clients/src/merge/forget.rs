//! What other clients' history has of one that is purged: it was merged with them once, and that was taken back.

use std::collections::HashSet;

use kernel::{Result, TypedId as _};
use serde_json::Value;
use store::UnitOfWork;
use store::journal::{self, JournalEntry};
use store::list::Listed as _;
use store::query::{Expr, ExprTrait, Query};
use uuid::Uuid;

use super::ClientMergeRow;
use super::commands::{FILLED, UNDONE};

/// Erases the values of these clients from the entries of others that they were merged with, and are no more.
pub(crate) async fn forget(uow: &mut UnitOfWork, clients: &[Uuid]) -> Result<()> {
    for some in clients.chunks(500) {
        let is_among = |side: &'static str| Expr::col(("client_merge", side)).is_in(some.iter().copied());
        let mut select = <ClientMergeRow as store::Record>::select();
        select
            .and_where(Expr::col(("client_merge", "undone_at")).is_not_null())
            .and_where(is_among("survivor_id").or(is_among("merged_id")));
        let merges = uow.all::<ClientMergeRow>(&select).await?;
        let others: HashSet<Uuid> = merges.iter().flat_map(|row| [row.survivor_id.uuid(), row.merged_id.uuid()]).collect();
        let others: Vec<Uuid> = others.into_iter().filter(|other| !clients.contains(other)).collect();
        if others.is_empty() {
            continue;
        }
        let merges: HashSet<String> = merges.iter().map(|row| row.id.to_string()).collect();
        // found by the record alone: otherwise all of the workspace's entries might be read for it
        let mut of_them = Query::select();
        of_them.column("id").from("journal_entry").and_where(Expr::col("record_id").is_in(others));
        let mut select = JournalEntry::select();
        select
            .and_where(Expr::col(("journal_entry", "id")).in_subquery(of_them))
            .and_where(Expr::col(("journal_entry", "event")).is_in([FILLED, UNDONE]));
        let mut entries = Vec::new();
        for row in uow.rows(&select).await? {
            let entry = JournalEntry::read(&row, 0)?;
            let merge = entry.changes.get("merge").and_then(|change| change.get("to")).and_then(Value::as_str);
            if merge.is_some_and(|merge| merges.contains(merge)) {
                entries.push(entry.id);
            }
        }
        journal::erase_entries(uow, &entries).await?;
    }
    Ok(())
}
