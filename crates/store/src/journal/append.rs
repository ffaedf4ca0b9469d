//! Appending: as few statements as the engine takes. Values that are personal go to `journal_personal`, from which they can be
//! erased while the entry itself never changes.

use std::fmt::Write as _;

use kernel::runtime::uuid_v7;
use kernel::{Caller, DateTime, Result};
use sea_orm::sea_query::{InsertStatement, PostgresQueryBuilder, SelectStatement, SqlWriter as _, SqlWriterValues, Value};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use super::Entry;
use crate::conn::{Conn, values};
use crate::dialect::Dialect;
use crate::field::{Field, Row};
use crate::store::Store;

const ENTRY: &str = "INSERT INTO journal_entry (epoch, transaction_number, id, workspace_id, at, actor_kind, actor_id, user_id, \
    cause_kind, cause_id, request_id, record_type, record_id, subject_type, subject_id, action, event, changes) VALUES ";
const PERSONAL: &str =
    "INSERT INTO journal_personal (entry_id, workspace_id, user_id, at, record_type, record_id, changes, ip, user_agent) VALUES ";
/// Values of an entry, both parts of it.
const WIDTH: usize = 18 + 9;

/// What runs together with the first entries: on PostgreSQL in one statement with them, on SQLite before them.
pub(crate) struct Beside {
    /// Inserts of other tables' rows.
    pub parts: Vec<InsertStatement>,
    /// What is read beside it, on PostgreSQL.
    pub read: Option<SelectStatement>,
}

impl Beside {
    /// One insert.
    pub fn of(insert: InsertStatement) -> Self {
        Self { parts: vec![insert], read: None }
    }
}

/// Appends entries of one transaction, and returns what was read beside them; `place` is how many it has appended before. While the database writes a chunk, the next one is put
/// together.
pub(crate) async fn append(
    conn: &mut Conn,
    store: &Store,
    caller: &Caller,
    now: DateTime,
    mut place: usize,
    entries: Vec<Entry>,
    mut beside: Option<Beside>,
) -> Result<Vec<Row>> {
    let of = Of { dialect: conn.dialect(), store, caller, now };
    let at_a_time = of.dialect.rows_at_a_time(WIDTH);
    let mut entries = entries.into_iter();
    let mut next = async || {
        // what the database is at has its turn first
        tokio::task::yield_now().await;
        let chunk: Vec<Entry> = entries.by_ref().take(at_a_time).collect();
        let first_place = place;
        place += chunk.len();
        (!chunk.is_empty()).then(|| Chunk::new(of, first_place, chunk, beside.take().as_ref()))
    };
    let (mut chunk, mut read) = (next().await, Vec::new());
    while let Some(ready) = chunk {
        let (written, following) = tokio::join!(ready.write(conn), next());
        read.extend(written?);
        chunk = following;
    }
    Ok(read)
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

/// What is the same in all entries of a transaction.
#[derive(Clone, Copy)]
enum Common {
    Epoch,
    At,
    ActorKind,
    ActorId,
    User,
    CauseKind,
    CauseId,
    Request,
    Ip,
    UserAgent,
}

impl Common {
    /// In the order of their parameters.
    const ALL: [Self; 10] = [
        Self::Epoch,
        Self::At,
        Self::ActorKind,
        Self::ActorId,
        Self::User,
        Self::CauseKind,
        Self::CauseId,
        Self::Request,
        Self::Ip,
        Self::UserAgent,
    ];
}

/// The transaction that appends.
#[derive(Clone, Copy)]
struct Of<'a> {
    dialect: Dialect,
    store: &'a Store,
    caller: &'a Caller,
    now: DateTime,
}

impl Of<'_> {
    fn value(self, common: Common) -> Value {
        let (actor, origin) = (&self.caller.actor, &self.caller.origin);
        match common {
            Common::Epoch => self.store.epoch.value(),
            Common::At => self.now.value(),
            Common::ActorKind => text(actor.kind()),
            Common::ActorId => actor.id().value(),
            Common::User => actor.user().value(),
            Common::CauseKind => text(origin.cause.kind()),
            Common::CauseId => origin.cause.id().value(),
            Common::Request => origin.request_id.value(),
            Common::Ip => origin.ip.map(|ip| ip.to_string()).value(),
            Common::UserAgent => origin.user_agent.value(),
        }
    }
}

/// What stands at a place of a row.
enum Cell {
    Own(Value),
    Common(Common),
    /// The number of the transaction, which the database knows.
    Transaction,
}

/// Statements that write some entries.
struct Chunk {
    statements: Vec<(String, Vec<Value>)>,
    /// Worth keeping prepared: a statement for one entry is the usual one, and long sequences need those for a full chunk again and again.
    /// Of chunks in which some have personal values there are as many statements as there are numbers, and each is large.
    keep: bool,
    /// Whether the last of them returns rows.
    reads: bool,
}

impl Chunk {
    fn new(of: Of<'_>, first_place: usize, chunk: Vec<Entry>, beside: Option<&Beside>) -> Self {
        use Cell::{Common as All, Own};
        let origin = &of.caller.origin;
        let (mut entries, mut personal) = (Vec::with_capacity(chunk.len()), Vec::with_capacity(chunk.len()));
        for (place, entry) in chunk.into_iter().enumerate() {
            let id = entry_id(of.now, first_place + place, of.store.runtime().random());
            if !entry.personal.is_empty() || origin.ip.is_some() || origin.user_agent.is_some() {
                let values = (!entry.personal.is_empty()).then_some(entry.personal);
                personal.push([
                    Own(id.value()),
                    Own(entry.workspace.value()),
                    All(Common::User),
                    All(Common::At),
                    Own(text(entry.record_type)),
                    Own(entry.record_id.value()),
                    Own(json(values)),
                    All(Common::Ip),
                    All(Common::UserAgent),
                ]);
            }
            entries.push([
                All(Common::Epoch),
                Cell::Transaction,
                Own(id.value()),
                Own(entry.workspace.value()),
                All(Common::At),
                All(Common::ActorKind),
                All(Common::ActorId),
                All(Common::User),
                All(Common::CauseKind),
                All(Common::CauseId),
                All(Common::Request),
                Own(text(entry.record_type)),
                Own(entry.record_id.value()),
                Own(entry.subject.map(|(kind, _)| kind.to_owned()).value()),
                Own(entry.subject.map(|(_, id)| id).value()),
                Own(text(entry.action.as_str())),
                Own(entry.event.value()),
                Own(json(Some(entry.changes))),
            ]);
        }
        let is_full = |count: usize| count == of.dialect.rows_at_a_time(WIDTH);
        let keep = entries.len() == 1 || (is_full(entries.len()) && (personal.is_empty() || is_full(personal.len())));
        let mut inserts = Inserts::new(of, beside);
        inserts.add(ENTRY, entries);
        if !personal.is_empty() {
            inserts.next();
            inserts.add(PERSONAL, personal);
        }
        let reading = beside.filter(|_| of.dialect == Dialect::Postgres).and_then(|beside| beside.read.as_ref());
        let reads = reading.is_some();
        if let Some(read) = reading {
            inserts.next();
            inserts.read(read);
        }
        Self { statements: inserts.done(), keep, reads }
    }

    async fn write(self, conn: &mut Conn) -> Result<Vec<Row>> {
        for (sql, parameters) in self.statements {
            if self.reads {
                return conn.sql_rows(sql, values(parameters)).await;
            }
            conn.sql_run(sql, values(parameters), self.keep).await?;
        }
        Ok(Vec::new())
    }
}

fn text(word: &'static str) -> Value {
    Value::String(Some(word.to_owned()))
}

/// An object as a parameter, moved and not copied: it holds the whole record.
fn json(object: Option<Map<String, Json>>) -> Value {
    Value::Json(object.map(|object| Box::new(Json::Object(object))))
}

/// `INSERT … VALUES ($1, …), (…)`, several of them: on PostgreSQL in one statement, so in one round trip, where what is common to all rows
/// is given once; on SQLite one after the other.
struct Inserts<'a> {
    of: Of<'a>,
    statements: Vec<(String, Vec<Value>)>,
    sql: String,
    /// Where in it the insert begins that is written, and how many are before it.
    begin: usize,
    before: usize,
    values: Vec<Value>,
    /// How many values are before those that are common.
    offset: usize,
}

impl<'a> Inserts<'a> {
    fn new(of: Of<'a>, beside: Option<&Beside>) -> Self {
        let mut this =
            Self { of, statements: Vec::new(), sql: String::new(), begin: 0, before: 0, values: Vec::new(), offset: 0 };
        match (of.dialect, beside) {
            (Dialect::Postgres, None) => this.values = Common::ALL.map(|common| of.value(common)).to_vec(),
            (Dialect::Postgres, Some(beside)) => this.begin_with(beside),
            (Dialect::Sqlite, None) => {}
            (Dialect::Sqlite, Some(beside)) => {
                let words = beside.parts.iter().map(|part| of.dialect.words(part));
                this.statements.extend(words.map(|(sql, values)| (sql, values.0)));
            }
        }
        this
    }

    /// Makes what runs beside the entries the first parts of the statement.
    fn begin_with(&mut self, beside: &Beside) {
        let mut sql = SqlWriterValues::new("$", true);
        for (number, part) in beside.parts.iter().enumerate() {
            let _ = write!(sql, "{} part_{number} AS (", if number == 0 { "WITH" } else { "," });
            part.build_collect_into(PostgresQueryBuilder, &mut sql);
            let _ = sql.write_str(") ");
        }
        let (sql, values) = sql.into_parts();
        (self.begin, self.before, self.offset) = (sql.len(), beside.parts.len(), values.0.len());
        (self.sql, self.values) = (sql, values.0);
        self.values.extend(Common::ALL.map(|common| self.of.value(common)));
    }

    /// What follows is another insert.
    fn next(&mut self) {
        match self.of.dialect {
            Dialect::Sqlite => {
                self.statements.push((std::mem::take(&mut self.sql), std::mem::take(&mut self.values)));
            }
            Dialect::Postgres => {
                let with = if self.before == 0 { "WITH" } else { "," };
                self.sql.insert_str(self.begin, &format!("{with} part_{} AS (", self.before));
                self.sql.push_str(") ");
                (self.begin, self.before) = (self.sql.len(), self.before + 1);
            }
        }
    }

    fn add(&mut self, head: &str, rows: impl IntoIterator<Item = impl IntoIterator<Item = Cell>>) {
        self.sql.push_str(head);
        for (number, row) in rows.into_iter().enumerate() {
            self.sql.push_str(if number == 0 { "(" } else { ", (" });
            for (place, cell) in row.into_iter().enumerate() {
                if place > 0 {
                    self.sql.push_str(", ");
                }
                self.cell(cell);
            }
            self.sql.push(')');
        }
    }

    /// What the statement returns, which does not see what its other parts do.
    fn read(&mut self, read: &SelectStatement) {
        // its parameters are counted on
        let mut sql = SqlWriterValues::new("$", true);
        for value in std::mem::take(&mut self.values) {
            sql.push_param(value, &PostgresQueryBuilder);
        }
        let begin = sql.to_string().len();
        read.build_collect_into(PostgresQueryBuilder, &mut sql);
        let (read, values) = sql.into_parts();
        self.sql.push_str(read.get(begin..).unwrap_or_default());
        self.values = values.0;
    }

    fn cell(&mut self, cell: Cell) {
        let value = match (cell, self.of.dialect) {
            (Cell::Transaction, dialect) => return self.sql.push_str(dialect.transaction_number()),
            (Cell::Common(common), Dialect::Postgres) => {
                let _ = write!(self.sql, "${}", self.offset + common as usize + 1);
                return;
            }
            (Cell::Common(common), Dialect::Sqlite) => self.of.value(common),
            (Cell::Own(value), _) => value,
        };
        self.values.push(value);
        let _ = match self.of.dialect {
            // SQLite looks every named parameter up among all before it: thousands of them take seconds
            Dialect::Sqlite => write!(self.sql, "?"),
            Dialect::Postgres => write!(self.sql, "${}", self.values.len()),
        };
    }

    fn done(mut self) -> Vec<(String, Vec<Value>)> {
        self.statements.push((self.sql, self.values));
        self.statements
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_common_has_the_parameter_of_its_place() {
        assert!(Common::ALL.iter().enumerate().all(|(place, common)| *common as usize == place));
    }

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
