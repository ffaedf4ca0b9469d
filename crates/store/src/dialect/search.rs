//! Full-text search over a folded `search_text` column.
//!
//! Text is folded to words in Rust ([`kernel::text`]), so both engines are given plain tokens and need no language of their
//! own. SQLite keeps them in an FTS5 table beside the searched one. PostgreSQL has a GIN index over the same words, read
//! through a function of the owner: under row security the planner may use an index only for operators that are marked
//! leakproof, and `@@` is not (PostgreSQL manual, 41.5), so a plain condition would read the whole workspace. The function
//! keeps to the workspace of the transaction by itself.

use kernel::text;
use sea_orm::sea_query::{Expr, SimpleExpr};

use super::Dialect;

/// The condition that a record of `table` has every word of `query`, each by its beginning.
pub fn matches(dialect: Dialect, table: &'static str, query: &str) -> SimpleExpr {
    let words = text::words(query);
    if words.is_empty() {
        return Expr::value(false);
    }
    match dialect {
        Dialect::Sqlite => {
            let query = words.iter().map(|word| format!("\"{word}\"*")).collect::<Vec<_>>().join(" ");
            let search =
                format!("\"{table}\".\"rowno\" IN (SELECT \"rowid\" FROM \"{table}_search\" WHERE \"{table}_search\" MATCH ?)");
            Expr::cust_with_values(search, [query])
        }
        Dialect::Postgres => {
            let query = words.iter().map(|word| format!("'{word}':*")).collect::<Vec<_>>().join(" & ");
            let search = format!("\"{table}\".\"id\" IN (SELECT pelatis_search_{table}($1))");
            Expr::cust_with_values(search, [query])
        }
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::sea_query::{PostgresQueryBuilder, Query, SqliteQueryBuilder};

    use super::*;

    #[test]
    fn a_query_of_no_words_matches_nothing_and_quotes_cannot_escape() {
        let select =
            |dialect, query: &str| Query::select().expr(Expr::value(1)).and_where(matches(dialect, "client", query)).to_owned();
        assert!(select(Dialect::Sqlite, "\"--'").to_string(SqliteQueryBuilder).ends_with("WHERE FALSE"));
        let (_, values) = select(Dialect::Sqlite, "Γιώργος' \"x").build(SqliteQueryBuilder);
        assert!(format!("{values:?}").contains(r#"\"γιωργοσ\"* \"x\"*"#), "{values:?}");
        let (sql, values) = select(Dialect::Postgres, "Γιώργος' x").build(PostgresQueryBuilder);
        assert!(sql.contains("pelatis_search_client($"), "{sql}");
        assert!(format!("{values:?}").contains("'γιωργοσ':* & 'x':*"), "{values:?}");
    }
}
