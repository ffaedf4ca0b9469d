//! Appending: as few statements as the engine takes. Values that are personal go to `journal_personal`, from which they can be
//! erased while the entry itself never changes.

use kernel::runtime::uuid_v7;
use kernel::{Caller, DateTime, Result};
use sea_orm::sea_query::Value;
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use super::Entry;
use crate::conn::{Conn, values};
use crate::dialect::Dialect;
use crate::field::Field;
use crate::store::Store;

const ENTRY: &str = "INSERT INTO journal_entry (epoch, transaction_number, id, workspace_id, at, actor_kind, actor_id, user_id, \
    cause_kind, cause_id, request_id, record_type, record_id, subject_type, subject_id, action, event, changes) VALUES ";
const PERSONAL: &str =
    "INSERT INTO journal_personal (entry_id, workspace_id, user_id, at, record_type, record_id, changes, ip, user_agent) VALUES ";
/// Entries in one statement.
const CHUNK: usize = 500;

/// Appends entries of one transaction; `place` is how many it has appended before.
pub(crate) async fn append(
    conn: &mut Conn,
    store: &Store,
    caller: &Caller,
    now: DateTime,
    mut place: usize,
    entries: Vec<Entry>,
) -> Result<()> {
    let mut entries = entries.into_iter();
    loop {
        let chunk: Vec<Entry> = entries.by_ref().take(CHUNK).collect();
        if chunk.is_empty() {
            return Ok(());
        }
        let many = chunk.len();
        append_chunk(conn, store, caller, now, place, chunk).await?;
        place += many;
    }
}

/// The id of an entry: a UUID v7 of the transaction's moment, with the entry's place in it before the random part, so that ids sort
/// as what they name happened.
fn entry_id(now: DateTime, place: usize, mut random: [u8; 10]) -> Uuid {
    // the first two bytes become the fraction of the millisecond, the two upper bits of the third the variant
    let [high, low] = u16::try_from(place).map_or(0x3fff, |place| place.min(0x3fff)).to_be_bytes();
    random[2] = high;
    random[3] = low;
    uuid_v7(now, random)
}

async fn append_chunk(
    conn: &mut Conn,
    store: &Store,
    caller: &Caller,
    now: DateTime,
    first_place: usize,
    chunk: Vec<Entry>,
) -> Result<()> {
    let (mut entries, mut personal) = (Vec::with_capacity(chunk.len()), Vec::with_capacity(chunk.len()));
    let (actor, origin) = (&caller.actor, &caller.origin);
    let ip = origin.ip.map(|ip| ip.to_string());
    for (place, entry) in chunk.into_iter().enumerate() {
        let id = entry_id(now, first_place + place, store.runtime().random());
        if !entry.personal.is_empty() || ip.is_some() || origin.user_agent.is_some() {
            let values = (!entry.personal.is_empty()).then_some(entry.personal);
            personal.push(vec![
                id.value(),
                entry.workspace.value(),
                actor.user().value(),
                now.value(),
                text(entry.record_type),
                entry.record_id.value(),
                json(values),
                ip.value(),
                origin.user_agent.value(),
            ]);
        }
        entries.push(vec![
            store.epoch.value(),
            id.value(),
            entry.workspace.value(),
            now.value(),
            text(actor.kind()),
            actor.id().value(),
            actor.user().value(),
            text(origin.cause.kind()),
            origin.cause.id().value(),
            origin.request_id.value(),
            text(entry.record_type),
            entry.record_id.value(),
            entry.subject.map(|(kind, _)| kind.to_owned()).value(),
            entry.subject.map(|(_, id)| id).value(),
            text(entry.action.as_str()),
            entry.event.value(),
            json(Some(entry.changes)),
        ]);
    }
    // Worth keeping prepared: a statement for one entry is the usual one, and long sequences need those for a full chunk again and again. Of
    // chunks in which some have personal values there are as many statements as there are numbers, and each is large.
    let keep = entries.len() == 1 || (entries.len() == CHUNK && (personal.is_empty() || personal.len() == CHUNK));
    let dialect = conn.dialect();
    let number = |place: usize| (place == 1).then(|| dialect.transaction_number());
    let first = Rows::new(dialect, ENTRY, entries, 1, number);
    if personal.is_empty() {
        return conn.sql_run(first.sql, values(first.values), keep).await.map(|_| ());
    }
    match dialect {
        Dialect::Sqlite => {
            conn.sql_run(first.sql, values(first.values), keep).await?;
            let second = Rows::new(dialect, PERSONAL, personal, 1, |_| None);
            conn.sql_run(second.sql, values(second.values), keep).await?;
        }
        // both in one round trip
        Dialect::Postgres => {
            let second = Rows::new(dialect, PERSONAL, personal, first.values.len() + 1, |_| None);
            let sql = format!("WITH entry AS ({}) {}", first.sql, second.sql);
            let mut parameters = first.values;
            parameters.extend(second.values);
            conn.sql_run(sql, values(parameters), keep).await?;
        }
    }
    Ok(())
}

fn text(word: &'static str) -> Value {
    Value::String(Some(word.to_owned()))
}

/// An object as a parameter, moved and not copied: it holds the whole record.
fn json(object: Option<Map<String, Json>>) -> Value {
    Value::Json(object.map(|object| Box::new(Json::Object(object))))
}

/// `INSERT … VALUES ($1, …), (…)` with its parameters.
struct Rows {
    sql: String,
    values: Vec<Value>,
}

impl Rows {
    /// `inline` says what stands at a place instead of a parameter.
    fn new(
        dialect: Dialect,
        head: &str,
        rows: Vec<Vec<Value>>,
        first: usize,
        inline: impl Fn(usize) -> Option<&'static str>,
    ) -> Self {
        use std::fmt::Write as _;
        let mut sql = head.to_owned();
        let mut values = Vec::new();
        for (number, row) in rows.into_iter().enumerate() {
            sql.push_str(if number == 0 { "(" } else { ", (" });
            let mut place = 0;
            for value in row {
                while let Some(expression) = inline(place) {
                    let _ = write!(sql, "{}{expression}", if place == 0 { "" } else { ", " });
                    place += 1;
                }
                values.push(value);
                let comma = if place == 0 { "" } else { ", " };
                let _ = match dialect {
                    // SQLite looks every named parameter up among all before it: thousands of them take seconds
                    Dialect::Sqlite => write!(sql, "{comma}?"),
                    Dialect::Postgres => write!(sql, "{comma}${}", first + values.len() - 1),
                };
                place += 1;
            }
            sql.push(')');
        }
        Self { sql, values }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_the_moment_and_then_by_the_place_in_the_transaction() {
        let moment = |micros: i64| DateTime::from_timestamp_micros(1_700_000_000_000_000 + micros).unwrap();
        let ids = [
            entry_id(moment(0), 0, [0xff; 10]),
            entry_id(moment(0), 1, [0; 10]),
            entry_id(moment(0), 255, [0xff; 10]),
            entry_id(moment(0), 256, [0; 10]),
            entry_id(moment(0), 16_383, [0; 10]),
            entry_id(moment(1), 0, [0; 10]),
            entry_id(moment(999), 0, [0; 10]),
            entry_id(moment(1000), 0, [0; 10]),
        ];
        assert!(ids.is_sorted() && ids.iter().all(|id| id.get_version_num() == 7), "{ids:?}");
    }
}
