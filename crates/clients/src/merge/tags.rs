//! Tags that became one since two clients did: what a client carries may be there or gone for that alone, and who is told of it is the tag.

use std::collections::BTreeSet;

use kernel::Result;
use platform::tags::RECORDS_HAD_BOTH;
use serde_json::Value;
use store::journal::JournalEntry;
use store::list::Listed as _;
use store::query::{Expr, ExprTrait, Query};
use store::{Action, UnitOfWork};
use uuid::Uuid;

use super::ClientMergeRow;
use super::undo::entries;

/// Entries after this number of the journal by which one of the two clients lost a tag because it carried two that became one, where one of them
/// had come with the merged client: each by itself would carry it now. A tag that became part of another alone is moved back as that.
pub(super) async fn lost_since(uow: &mut UnitOfWork, row: &ClientMergeRow, number: i64) -> Result<Vec<JournalEntry>> {
    let clients = [row.survivor_id, row.merged_id].map(|id| id.to_string());
    let is_of_them = |entry: &JournalEntry| {
        let records = entry.changes.get("records").and_then(|change| change.get("to")).and_then(Value::as_array);
        records.is_some_and(|ids| ids.iter().filter_map(Value::as_str).any(|id| clients.iter().any(|client| client == id)))
    };
    let tags = tags_of(uow, row).await?;
    let mut found = Vec::new();
    for of in ["record_id", "subject_id"] {
        let mut select = entries(row, of, &tags);
        select.and_where(column("number").gt(number)).and_where(column("event").eq(RECORDS_HAD_BOTH));
        for line in uow.rows(&select).await? {
            found.push(JournalEntry::read(&line, 0)?);
        }
    }
    found.retain(is_of_them);
    Ok(found)
}

fn column(name: &'static str) -> Expr {
    Expr::col(("journal_entry", name))
}

/// The tags that were moved: those that they are now, those that they were when they were put on the client, and all that these have become.
async fn tags_of(uow: &mut UnitOfWork, row: &ClientMergeRow) -> Result<Vec<Uuid>> {
    let taggings = row.moved.0.records.get("tagging.rel_id").map(Vec::as_slice).unwrap_or_default();
    let mut now = Query::select();
    now.column("tag_id").from("tagging").and_where(Expr::col("id").is_in(taggings.iter().copied()));
    let mut tags: Vec<Uuid> = uow.rows(&now).await?.iter().map(|row| row.get(0)).collect::<Result<_>>()?;
    for line in uow.rows(&entries(row, "record_id", taggings)).await? {
        let entry = JournalEntry::read(&line, 0)?;
        let tag = entry.changes.get("tag_id").and_then(|change| change.get("to")).and_then(Value::as_str);
        tags.extend(tag.and_then(|tag| tag.parse::<Uuid>().ok()));
    }
    let mut known: BTreeSet<Uuid> = tags.iter().copied().collect();
    while !tags.is_empty() {
        let mut select = entries(row, "record_id", &tags);
        select.and_where(column("record_type").eq("tag")).and_where(column("action").eq(Action::Merge.as_str()));
        tags.clear();
        for line in uow.rows(&select).await? {
            let became = JournalEntry::read(&line, 0)?.subject_id;
            tags.extend(became.filter(|tag| known.insert(*tag)));
        }
    }
    Ok(known.into_iter().collect())
}
