//! A list of numbers as one parameter, so that a statement is the same however many they are.

use sea_orm::sea_query::{Alias, Condition, Expr, ExprTrait, Func, JoinType, Order, Query, SelectStatement, SimpleExpr};

use super::Dialect;

/// A select of these numbers, in a column of this name.
pub fn numbers(dialect: Dialect, list: &[i64], name: &'static str) -> SelectStatement {
    let text = list.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
    let mut select = Query::select();
    match dialect {
        Dialect::Sqlite => {
            let each = Func::cust("json_each").arg(Expr::value(format!("[{text}]")));
            select.expr_as(Expr::col(("listed", "value")), name).from_function(each, "listed");
        }
        Dialect::Postgres => {
            let each = Expr::cust_with_values("unnest(CAST(string_to_array($1, ',') AS bigint[]))", [text]);
            select.expr_as(each, name);
        }
    }
    select
}

/// For each of these numbers the last rows of a table whose column `key` is it, in the order of the column `of`, at most `most`: pairs of both.
/// `within` holds of all rows, and an index has these columns after each other; with `below`, only rows whose `of` is less count.
pub fn last_of_each(
    dialect: Dialect,
    table: &'static str,
    within: (&'static str, uuid::Uuid),
    [key, of]: [&'static str; 2],
    list: &[i64],
    below: Option<uuid::Uuid>,
    most: u64,
) -> SelectStatement {
    let wanted = numbers(dialect, list, "wanted_key");
    let is_wanted = |table: &'static str| -> SimpleExpr {
        let holds = Expr::col((table, within.0)).eq(within.1);
        let holds = holds.and(Expr::col((table, key)).eq(Expr::col(("wanted", "wanted_key"))));
        match below {
            Some(below) => holds.and(Expr::col((table, of)).lt(below)),
            None => holds,
        }
    };
    let mut select = Query::select();
    select.column(("wanted", "wanted_key")).column(("holding", of)).from_subquery(wanted, "wanted");
    let mut last = Query::select();
    last.column(("own", of)).from_as(table, "own").and_where(is_wanted("own")).order_by(("own", of), Order::Desc);
    match dialect {
        Dialect::Postgres => {
            last.limit(most);
            select.join_lateral(JoinType::InnerJoin, last, "holding", Expr::value(true));
        }
        // which knows no lateral joins: from the last but so many on
        Dialect::Sqlite => {
            last.limit(1).offset(most - 1);
            let from = SimpleExpr::SubQuery(None, Box::new(last.into()));
            let from = Func::coalesce([from, Expr::cust("X''")]);
            let is_last = is_wanted("holding").and(Expr::col(("holding", of)).gte(SimpleExpr::from(from)));
            // of an inner join SQLite may read all rows of the table first (sqlite.org/optoverview.html, 7.2)
            select.join_as(JoinType::CrossJoin, table, Alias::new("holding"), Condition::all()).and_where(is_last);
        }
    }
    select
}
