//! Addresses that somebody has no more, and that mail went to while they had them. Their journal knows them.

use kernel::Result;
use serde_json::Value;
use store::Conn;
use store::journal::JournalEntry;
use store::list::Listed as _;
use store::query::{Expr, ExprTrait, Query};
use uuid::Uuid;

/// The members of changes that hold addresses: of contacts and clients, and of the accounts that contacts sign in with.
const HOLD_ADDRESSES: [&str; 2] = ["emails", "email"];

/// All addresses that these contacts or clients had at any time, and that contacts signed in with, as far as the journal still says.
pub(super) async fn addresses(conn: &mut Conn, records: &[Uuid]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for (of, types) in [("record_id", &["client", "contact"][..]), ("subject_id", &["portal_account"])] {
        // found by the record alone: otherwise all of the workspace's entries might be read for it
        let mut of_them = Query::select();
        of_them.column("id").from("journal_entry").and_where(Expr::col(of).is_in(records.iter().copied()));
        let mut select = JournalEntry::select();
        select
            .and_where(Expr::col(("journal_entry", "id")).in_subquery(of_them))
            .and_where(Expr::col(("journal_entry", "record_type")).is_in(types.iter().copied()));
        for row in conn.rows(&select).await? {
            let entry = JournalEntry::read(&row, 0)?;
            for change in HOLD_ADDRESSES.iter().filter_map(|name| entry.changes.get(*name)) {
                gather(change, &mut found);
            }
        }
    }
    Ok(found)
}

/// Every text in a value that is an address.
fn gather(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) if text.contains('@') => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| gather(item, found)),
        Value::Object(members) => members.values().for_each(|member| gather(member, found)),
        _ => {}
    }
}
