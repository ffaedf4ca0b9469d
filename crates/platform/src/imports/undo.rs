//! What the journal knows of records that an import wrote: what they were before, and whether something newer stands on them.

use std::collections::HashMap;

use kernel::{Result, TypedId as _};
use serde_json::{Map, Value};
use store::journal::JournalEntry;
use store::list::Listed as _;
use store::query::{Expr, ExprTrait, Order};
use store::{Action, Conn};
use uuid::Uuid;

use super::rows::ImportRunId;

/// What an import did to one record.
#[derive(Clone, Debug, Default)]
pub struct Trail {
    /// Whether it made the record.
    pub made: bool,
    /// Whether it wrote it at all.
    pub wrote: bool,
    /// Fields that it changed, with what they were before.
    pub former: Map<String, Value>,
    /// Whether one of those values was erased since.
    pub is_erased: bool,
    /// Whether somebody else wrote it after the import did.
    pub is_newer: bool,
    /// Whether somebody else wrote something that hangs on it after the import did.
    pub has_newer: bool,
    /// The number of the first entry of the import.
    first: Option<i64>,
}

/// Records in one query: an engine takes only so many parameters.
const AT_ONCE: usize = 500;

/// The trails of these records.
///
/// # Errors
/// What the database says.
pub async fn trails(conn: &mut Conn, run: ImportRunId, records: &[Uuid]) -> Result<HashMap<Uuid, Trail>> {
    let mut trails: HashMap<Uuid, Trail> = HashMap::new();
    for (of, records) in
        ["record_id", "subject_id"].into_iter().flat_map(|of| records.chunks(AT_ONCE).map(move |some| (of, some)))
    {
        let mut select = JournalEntry::select();
        select
            .and_where(Expr::col(("journal_entry", of)).is_in(records.iter().copied()))
            .order_by(("journal_entry", "number"), Order::Asc);
        for row in conn.rows(&select).await? {
            let entry = JournalEntry::read(&row, 0)?;
            let id = if of == "record_id" { entry.record_id } else { entry.subject_id };
            if let Some(id) = id {
                note(trails.entry(id).or_default(), run, entry, of == "record_id");
            }
        }
    }
    Ok(trails)
}

fn note(trail: &mut Trail, run: ImportRunId, entry: JournalEntry, is_itself: bool) {
    let is_ours = entry.cause_kind == "import" && entry.cause_id == Some(run.uuid());
    if !is_ours {
        let is_later = trail.first.is_some_and(|first| entry.number > first);
        if is_itself {
            trail.is_newer |= is_later;
        } else {
            trail.has_newer |= is_later;
        }
        return;
    }
    if !is_itself {
        return;
    }
    trail.first.get_or_insert(entry.number);
    trail.wrote = true;
    match entry.action {
        Action::Create => trail.made = true,
        Action::Update => {
            for (field, change) in entry.changes {
                trail.is_erased |= change.get("erased").is_some();
                if let Some(from) = change.get("from") {
                    trail.former.entry(field).or_insert_with(|| from.clone());
                }
            }
        }
        _ => {}
    }
}
