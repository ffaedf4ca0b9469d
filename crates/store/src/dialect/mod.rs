//! Everything in which SQLite and PostgreSQL differ. Nothing outside this folder asks which engine it runs on; the
//! architecture test sees to it.

pub mod ddl;
pub mod numbers;
pub mod portal;
pub mod provide;
mod search;
pub mod triggers;
mod wall;

use std::time::Duration;

use kernel::{Actor, Caller, Permission, TypedId, WorkspaceId};
use sea_orm::sea_query::{
    Expr, PostgresQueryBuilder, QueryStatementWriter, SelectStatement, SimpleExpr, SqliteQueryBuilder, Value, Values,
};
use uuid::Uuid;

use crate::list::FieldKind;

pub(crate) use search::{Found, found_by_words, has_words};

/// The engine that a statement is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Embedded, one writer.
    Sqlite,
    /// A server.
    Postgres,
}

impl Dialect {
    /// The engine's name in health reports and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }

    /// Whether the engine keeps statistics of what columns hold and chooses indexes by them. To count what a filter lets through before each
    /// page would then only cost (seen on PostgreSQL: 3 ms, because an index over an expression does not spare the rows).
    pub(crate) fn knows_values(self) -> bool {
        self == Self::Postgres
    }

    /// Whether a comparison of rows finds its place in an index where what is compared first is no plain column. SQLite's plan then walks from
    /// the beginning, unless it is told a bound of the first by itself.
    pub(crate) fn finds_rows_of_expressions(self) -> bool {
        self == Self::Postgres
    }

    /// Whether the first few records that have a word are found without finding all of them. PostgreSQL's index of words makes a map of
    /// all first (seen: 80 ms for a word that 50,000 of a million have).
    pub(crate) fn counts_words(self) -> bool {
        self == Self::Sqlite
    }

    /// A select as text with its values in it: to be looked at, and to ask the engine for its plan. Statements that run have parameters.
    pub fn show(self, select: &SelectStatement) -> String {
        match self {
            Self::Sqlite => select.to_string(SqliteQueryBuilder),
            Self::Postgres => select.to_string(PostgresQueryBuilder),
        }
    }

    /// A statement in the engine's own words.
    pub(crate) fn words(self, statement: &impl QueryStatementWriter) -> (String, Values) {
        match self {
            Self::Sqlite => statement.build(SqliteQueryBuilder),
            Self::Postgres => limited(statement.build(PostgresQueryBuilder)),
        }
    }

    /// How many rows of so many values are inserted at a time; only statements for one row and for so many are kept prepared. Where
    /// each costs a round trip, many (PostgreSQL counts parameters in 16 bits); where it costs none, few: of 500 clients SQLite would
    /// hold a program of a megabyte, and we their values.
    pub(crate) fn rows_at_a_time(self, values: usize) -> usize {
        match self {
            Self::Sqlite => 50,
            Self::Postgres => (65_000 / values.max(1)).clamp(1, 150),
        }
    }

    /// Whether several transactions can write at a time.
    pub fn has_many_writers(self) -> bool {
        self == Self::Postgres
    }

    /// The suffix that locks the selected rows until the transaction ends. SQLite has one writer and needs none.
    pub(crate) fn locks_rows(self) -> bool {
        self == Self::Postgres
    }

    /// Whether one statement can be made of several that do not see each other's effects, and whether that saves a round trip.
    pub(crate) fn takes_several_as_one(self) -> bool {
        self == Self::Postgres
    }

    /// The number of the running transaction, as the journal keeps it, and the number below which all have ended. SQLite has
    /// one writer, so that entries become visible in the order in which they are numbered.
    pub(crate) fn transaction_number(self) -> &'static str {
        match self {
            Self::Sqlite => "0",
            Self::Postgres => "CAST(CAST(pg_current_xact_id() AS text) AS bigint)",
        }
    }

    pub(crate) fn settled_below(self) -> &'static str {
        match self {
            Self::Sqlite => "1",
            Self::Postgres => "CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)",
        }
    }

    /// Tells the workers of other nodes, once the transaction commits, that a job waits. SQLite has no such word: they look.
    pub(crate) fn tell_workers(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("pg_notify('pelatis_job', '')"),
        }
    }

    /// How often an idle worker looks for jobs that nobody told it of.
    pub(crate) fn look_for_jobs(self) -> Duration {
        match self {
            Self::Sqlite => Duration::from_millis(50),
            // only for what comes due, and where word got lost
            Self::Postgres => Duration::from_secs(1),
        }
    }

    /// A statement that costs nothing, for health checks.
    pub(crate) fn ping(self) -> &'static str {
        "SELECT 1"
    }
}

/// How a transaction begins, for a caller whom row security on PostgreSQL shall know. One simple query, one round trip.
pub(crate) fn begin_postgres(caller: &Caller, mode: Mode) -> String {
    let begin = match mode {
        Mode::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        Mode::Write | Mode::WriteOnce | Mode::WriteMany => "BEGIN",
    };
    let wait = match mode {
        // how long a request waits for the first one with the same idempotency key
        Mode::WriteOnce => "; SET LOCAL lock_timeout = '10s'",
        Mode::Read | Mode::Write | Mode::WriteMany => "",
    };
    format!("{begin}; {}{wait}", set_caller(caller, caller.workspace))
}

/// The statement that tells row security who asks. Everything in it is a UUID or a word of ours, so nothing needs quoting. A contact is in
/// no workspace as staff are, only in its place: what is not opened to contacts is closed to them.
pub(crate) fn set_caller(caller: &Caller, workspace: Option<WorkspaceId>) -> String {
    let text = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    let workspace = text(workspace.map(TypedId::uuid));
    if let Actor::Contact { contact, .. } = caller.actor {
        return format!(
            "SELECT set_config('pelatis.place', '{workspace}', true), set_config('pelatis.contact', '{contact}', true), \
             set_config('pelatis.workspace', '', true), set_config('pelatis.account', '', true), \
             set_config('pelatis.kind', 'contact', true), set_config('pelatis.manages', '', true)"
        );
    }
    format!(
        "SELECT set_config('pelatis.workspace', '{workspace}', true), set_config('pelatis.account', '{}', true), \
         set_config('pelatis.kind', '{}', true), set_config('pelatis.manages', '{}', true)",
        text(caller.actor.user().map(TypedId::uuid)),
        caller.actor.kind(),
        manages(caller),
    )
}

/// Whose own rows a caller reaches besides their own, in words that row security knows: the `accounts` of members, their `tokens`, and `views`
/// that the workspace shares. It follows from the permissions by themselves, so that a command that forgets to ask for one reaches nothing.
fn manages(caller: &Caller) -> String {
    let words = [
        (Permission::AdminManageUsers, "accounts"),
        (Permission::AdminManageTokens, "tokens"),
        (Permission::AdminManageSettings, "views"),
    ];
    words.into_iter().filter(|(permission, _)| caller.can(*permission)).map(|(_, word)| word).collect::<Vec<_>>().join(" ")
}

/// What a transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Read,
    Write,
    /// A write with an idempotency key.
    WriteOnce,
    /// One of hundreds of equal writes.
    WriteMany,
}

/// An expression that sorts a column with what is empty last, as a value of its own. Comparing values needs no case for
/// "empty" then, and an index over the same expression serves it. A value that equals the stand-in only ties with it, and
/// the id breaks ties.
pub(crate) fn empty_last(dialect: Dialect, table: &str, column: &str, kind: FieldKind) -> SimpleExpr {
    Expr::cust(filled(dialect, &format!("\"{table}\".\"{column}\""), kind))
}

/// A column with the stand-in where it is empty. PostgreSQL puts only what cannot tell of a row's values before the question of row security,
/// and of COALESCE it does not know that: what is filtered by it reads the whole table, though an index over it is there.
fn filled(dialect: Dialect, column: &str, kind: FieldKind) -> String {
    let stand_in = stand_in(dialect, kind);
    match dialect {
        Dialect::Sqlite => format!("COALESCE({column}, {stand_in})"),
        Dialect::Postgres => format!("CASE WHEN {column} IS NULL THEN {stand_in} ELSE {column} END"),
    }
}

/// What stands for "empty" in a sort: after everything else.
fn stand_in(dialect: Dialect, kind: FieldKind) -> &'static str {
    match (kind, dialect) {
        (FieldKind::Text | FieldKind::Caseless | FieldKind::Word(_), _) => "'\u{10FFFF}\u{10FFFF}'",
        (FieldKind::Time, _) => "'9999-12-31T23:59:59.999999+00:00'",
        (FieldKind::Date, _) => "'9999-12-31'",
        (FieldKind::Integer, _) => "9223372036854775807",
        (FieldKind::Boolean, _) => "true",
        (FieldKind::Uuid, Dialect::Postgres) => "'ffffffff-ffff-ffff-ffff-ffffffffffff'",
        (FieldKind::Uuid, Dialect::Sqlite) => "X'ffffffffffffffffffffffffffffffff'",
    }
}

/// A column that is compared without its index. SQLite knows how to be told so (sqlite.org/optoverview.html, 7.1); PostgreSQL chooses by
/// its statistics.
pub fn unindexed(dialect: Dialect, table: &'static str, column: &'static str) -> SimpleExpr {
    match dialect {
        Dialect::Sqlite => Expr::cust(format!("+\"{table}\".\"{column}\"")),
        Dialect::Postgres => Expr::col((table, column)),
    }
}

/// The limit at the end of a statement as a number instead of a parameter. Of a limit that it does not know PostgreSQL thinks that it is a tenth
/// of the table, so that no plan for any value is good enough for it, and each page of a list is planned anew.
fn limited((sql, mut values): (String, Values)) -> (String, Values) {
    let last = match values.0.last() {
        Some(Value::BigUnsigned(Some(limit))) => {
            sql.strip_suffix(&format!("LIMIT ${}", values.0.len())).map(|head| (head, *limit))
        }
        _ => None,
    };
    let Some((head, limit)) = last else { return (sql, values) };
    let sql = format!("{head}LIMIT {limit}");
    values.0.pop();
    (sql, values)
}

/// What makes the engine plan the statements of a transaction by the values that they ask for. PostgreSQL otherwise takes one plan for all
/// values once it has seen a statement five times and thinks that this costs no more, and of a filter it cannot know: what few have is then
/// looked for where many have it, or the other way round (seen: 2.3 s instead of 20 ms at a million clients).
pub(crate) fn by_values(dialect: Dialect) -> Option<&'static str> {
    match dialect {
        Dialect::Sqlite => None,
        Dialect::Postgres => Some("SET LOCAL plan_cache_mode = force_custom_plan"),
    }
}

/// That a select finds something, asked of one record after the other. Of a plain one PostgreSQL makes a join, and takes that for a small one
/// as soon as several things must hold; then it reads a million records where the first few were enough. An offset keeps it from that.
pub(crate) fn exists_for_each(dialect: Dialect, mut select: SelectStatement) -> SimpleExpr {
    if dialect == Dialect::Postgres {
        select.offset(0);
    }
    Expr::exists(select)
}

impl From<sea_orm::DbBackend> for Dialect {
    fn from(backend: sea_orm::DbBackend) -> Self {
        match backend {
            sea_orm::DbBackend::Sqlite => Self::Sqlite,
            _ => Self::Postgres,
        }
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::sea_query::{ExprTrait as _, Query};

    use super::*;

    #[test]
    fn the_limit_at_the_end_of_a_statement_is_a_number_on_postgresql_and_no_parameter() {
        let mut select = Query::select();
        select.column("id").from("client").and_where(Expr::col("name").eq("Acme")).limit(26);
        let (sql, values) = Dialect::Postgres.words(&select);
        assert!(sql.ends_with("= $1 LIMIT 26"), "{sql}");
        assert_eq!(values.0.len(), 1);
        assert_eq!(Dialect::Sqlite.words(&select).1.0.len(), 2);
    }

    #[test]
    fn whose_rows_a_caller_manages_follows_from_their_permissions_and_nothing_else() {
        use Permission::{AdminManageSettings, AdminManageTokens, AdminManageUsers};
        let everything = Caller::job(Uuid::nil(), None, kernel::Cause::Request);
        let said = |permissions| set_caller(&Caller { permissions, ..everything.clone() }, None);
        for (held, words) in [
            (&[][..], ""),
            (&[AdminManageUsers], "accounts"),
            (&[AdminManageTokens], "tokens"),
            (&[AdminManageSettings], "views"),
            (&[AdminManageUsers, AdminManageTokens], "accounts tokens"),
            (&[AdminManageUsers, AdminManageSettings], "accounts views"),
            (&[AdminManageTokens, AdminManageSettings], "tokens views"),
            (&[AdminManageUsers, AdminManageTokens, AdminManageSettings], "accounts tokens views"),
        ] {
            let expected = format!("set_config('pelatis.manages', '{words}', true)");
            assert!(said(held.iter().copied().collect()).ends_with(&expected), "{held:?}");
        }
        let others = Permission::ALL
            .iter()
            .copied()
            .filter(|one| ![AdminManageSettings, AdminManageTokens, AdminManageUsers].contains(one));
        assert!(said(others.collect()).ends_with("set_config('pelatis.manages', '', true)"));
        let contact = Actor::Contact { contact: Uuid::nil(), session: Uuid::nil() };
        let contact = set_caller(&Caller { actor: contact, ..everything.clone() }, None);
        assert!(contact.ends_with("set_config('pelatis.manages', '', true)"), "{contact}");
    }
}
