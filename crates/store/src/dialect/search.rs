//! Full-text search over a folded `search_text` column.
//!
//! Text is folded to words in Rust ([`kernel::text`]), so both engines are given plain tokens and need no language of their
//! own. SQLite keeps them in an FTS5 table beside the searched one. PostgreSQL has a GIN index over the same words, read
//! through a function of the owner: under row security the planner may use an index only for operators that are marked
//! leakproof, and `@@` is not (PostgreSQL manual, 41.5), so a plain condition would read the whole workspace. The function
//! keeps to the workspace of the transaction by itself.

use kernel::text;
use sea_orm::sea_query::{Alias, Expr, ExprTrait as _, Query, SelectStatement, SimpleExpr};

use super::Dialect;

/// Records that an index found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// A select of one column, `found`, each value once.
    pub select: SelectStatement,
    /// The column of the record that it holds.
    column: &'static str,
}

impl Found {
    /// Those with these ids; the select calls them `found`.
    pub fn of_ids(select: SelectStatement) -> Self {
        Self { select, column: "id" }
    }

    /// Makes a select over `table` begin from these. The join comes first and, for SQLite, in this order: `CROSS JOIN` keeps the
    /// planner from turning it round (sqlite.org/optoverview.html, 8.2).
    pub fn join(self, select: &mut SelectStatement, table: &'static str) {
        select.from_clear().from_subquery(self.select, "found").cross_join(table);
        select.and_where(Expr::col((table, self.column)).eq(Expr::col(("found", "found"))));
    }
}
/// The condition that a record of `table` has every word of `query`, each by its beginning, read from the record itself.
pub(crate) fn has_words(dialect: Dialect, table: &'static str, query: &str) -> SimpleExpr {
    let place = match dialect {
        Dialect::Sqlite => format!("instr(' ' || \"{table}\".\"search_text\", ?) > 0"),
        Dialect::Postgres => format!("strpos(' ' || \"{table}\".\"search_text\", $1) > 0"),
    };
    text::words(query)
        .into_iter()
        .map(|word| Expr::cust_with_values(place.clone(), [format!(" {word}")]))
        .reduce(|all, one| all.and(one))
        .unwrap_or_else(|| Expr::value(false))
}

/// The words that are looked up in the index; all are compared afterwards ([`has_words`]). A long word with a digit is a number or a name
/// with one, which few have, so beside it the others are not looked up: to put together what begins with `info` or `example` takes the
/// longer the more records there are (seen: 60 ms for an address among a million).
fn told_apart(words: Vec<String>) -> Vec<String> {
    let tells = |word: &String| word.chars().count() >= 5 && word.chars().any(char::is_numeric);
    if words.iter().any(tells) { words.into_iter().filter(tells).collect() } else { words }
}

/// The records of `table` of which all that have every word of `query`, each by its beginning, are some, from the index.
pub(crate) fn found_by_words(dialect: Dialect, table: &'static str, query: &str) -> Found {
    let words = told_apart(text::words(query));
    let mut select = Query::select();
    if words.is_empty() {
        select.expr_as(Expr::col((table, "id")), "found").from(table).and_where(Expr::value(false));
        return Found::of_ids(select);
    }
    match dialect {
        Dialect::Sqlite => {
            let query = words.iter().map(|word| format!("\"{word}\"*")).collect::<Vec<_>>().join(" ");
            let index = format!("{table}_search");
            select
                .expr_as(Expr::cust("\"rowid\""), "found")
                .from(Alias::new(&index))
                .and_where(Expr::cust_with_values(format!("\"{index}\" MATCH ?"), [query]));
            Found { select, column: "rowno" }
        }
        Dialect::Postgres => {
            let query = words.iter().map(|word| format!("'{word}':*")).collect::<Vec<_>>().join(" & ");
            select.expr_as(Expr::cust_with_values(format!("pelatis_search_{table}($1)"), [query]), "found");
            Found::of_ids(select)
        }
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::sea_query::{PostgresQueryBuilder, SqliteQueryBuilder};

    use super::*;

    #[test]
    fn a_query_of_no_words_matches_nothing_and_quotes_cannot_escape() {
        let found = |dialect, query: &str| found_by_words(dialect, "client", query).select;
        assert!(found(Dialect::Sqlite, "\"--'").to_string(SqliteQueryBuilder).ends_with("WHERE FALSE"));
        assert_eq!(has_words(Dialect::Sqlite, "client", "\"--'"), Expr::value(false));
        let (_, values) = found(Dialect::Sqlite, "Γιώργος' \"x").build(SqliteQueryBuilder);
        assert!(format!("{values:?}").contains(r#"\"γιωργοσ\"* \"x\"*"#), "{values:?}");
        let (sql, values) = found(Dialect::Postgres, "Γιώργος' x").build(PostgresQueryBuilder);
        assert!(sql.contains("pelatis_search_client($"), "{sql}");
        assert!(format!("{values:?}").contains("'γιωργοσ':* & 'x':*"), "{values:?}");
        let (_, values) = found(Dialect::Postgres, "info@client77.example 12").build(PostgresQueryBuilder);
        assert!(format!("{values:?}").contains("\"'client77':*\""), "{values:?}");
    }
}
