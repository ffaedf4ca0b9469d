//! A page of a list.

use kernel::{Caller, Error, Page, PageInfo, Result, TypedId};
use sea_orm::sea_query::{Asterisk, Expr, ExprTrait, Func, Order, Query, SelectStatement, SimpleExpr, UnionType, Value};

use super::approach::{self, Approach};
use super::conditions::{self, Lookup, sort_expression};
use super::query::{Direction, ListQuery};
use super::value::{key_text, key_value};
use super::{FieldKind, ListSpec, SortBy, cursor, custom};
use crate::conn::Conn;
use crate::dialect::{Dialect, Found};
use crate::errors::INVALID_CURSOR;
use crate::field::Row;
use crate::record::Record;

/// What can be listed: every record, and the journal.
pub trait Listed: Sized {
    /// The table that ids and filters refer to.
    const TABLE: &'static str;
    /// How many columns the select has.
    const WIDTH: usize;
    /// A select of those columns, and of nothing else yet.
    fn select() -> SelectStatement;
    /// Reads one from a row whose columns from `offset` on are those.
    ///
    /// # Errors
    /// `internal` when the row is of another shape.
    fn read(row: &Row, offset: usize) -> Result<Self>;
}

impl<R: Record> Listed for R {
    const TABLE: &'static str = R::TABLE;
    const WIDTH: usize = R::COLUMNS.len();
    fn select() -> SelectStatement {
        R::select()
    }
    fn read(row: &Row, offset: usize) -> Result<Self> {
        R::read(row, offset)
    }
}

/// A key of the sort: what is compared, what it is, and which way.
pub(super) struct Key {
    expression: SimpleExpr,
    kind: FieldKind,
    direction: Direction,
}

/// Runs a list query over `base`, a [`Listed::select`] that carries the conditions of what the caller may see.
///
/// # Errors
/// `invalid_cursor` when the cursor belongs elsewhere; what the database says.
pub async fn page<L: Listed>(
    conn: &mut Conn,
    caller: &Caller,
    base: SelectStatement,
    spec: &ListSpec,
    query: &ListQuery,
) -> Result<Page<L>> {
    let (asked, bound_to) = Asked::open(conn, caller, spec, query)?;
    // a walk past records without a value is one plan, whatever the value
    let by_values = query.narrows() && (query.count || !query.asks_values_alone());
    if by_values {
        conn.plan_by_values().await?;
    }
    let total = if query.count { Some(count(conn, base.clone(), spec, query).await?) } else { None };
    let approach = approach::choose(conn, caller, spec, query).await?;
    if !by_values && !matches!(approach, Approach::Walk) {
        conn.plan_by_values().await?;
    }
    let rows = match approach {
        Approach::Walk => conn.rows(&asked.walk(base)).await?,
        Approach::Gather(found) => conn.rows(&asked.gather(base, found)).await?,
        Approach::Glance(found) => match conn.rows(&asked.glance::<L>(base.clone())).await? {
            near if near.len() > asked.limit()? => near,
            _ => conn.rows(&asked.gather(base, found)).await?,
        },
    };
    asked.page(conn, &bound_to, &rows, total)
}

/// As [`page`], of what is kept in several tables: each of `parts` is a select of the columns of [`Listed::select`], by their names, with the
/// conditions of what the caller may see. Of each no more is read than fits on the page, by an index of its own in the order of the sort.
///
/// # Errors
/// As [`page`].
pub async fn page_of_parts<L: Listed>(
    conn: &mut Conn,
    caller: &Caller,
    parts: Vec<SelectStatement>,
    spec: &ListSpec,
    query: &ListQuery,
) -> Result<Page<L>> {
    let (asked, bound_to) = Asked::open(conn, caller, spec, query)?;
    let total = match of_all::<L>(spec, parts.clone()) {
        Some(base) if query.count => Some(count(conn, base, spec, query).await?),
        _ => None,
    };
    let rows = match asked.of_parts::<L>(parts) {
        Some(select) => conn.rows(&select).await?,
        None => Vec::new(),
    };
    asked.page(conn, &bound_to, &rows, total)
}

/// The select of [`page_of_parts`], for whoever looks at its plan.
///
/// # Errors
/// As [`page_of_parts`].
pub fn select_of_parts<L: Listed>(
    conn: &Conn,
    caller: &Caller,
    parts: Vec<SelectStatement>,
    spec: &ListSpec,
    query: &ListQuery,
) -> Result<Option<SelectStatement>> {
    Ok(Asked::open(conn, caller, spec, query)?.0.of_parts::<L>(parts))
}

/// A select over all parts together; none where there are none.
fn of_all<L: Listed>(spec: &ListSpec, parts: Vec<SelectStatement>) -> Option<SelectStatement> {
    let mut parts = parts.into_iter();
    let mut all = parts.next()?;
    for part in parts {
        all.union(UnionType::All, part);
    }
    let mut select = L::select();
    select.from_clear().from_subquery(all, spec.table);
    Some(select)
}

/// What is asked for, to be made a select in one way or another.
pub(super) struct Asked<'a> {
    pub dialect: Dialect,
    pub spec: &'a ListSpec,
    pub query: &'a ListQuery,
    pub keys: Vec<Key>,
    /// The condition that a record comes after the cursor.
    pub after: Option<SimpleExpr>,
}

impl<'a> Asked<'a> {
    /// What is asked for, and what cursors of it are bound to.
    fn open(conn: &Conn, caller: &Caller, spec: &'a ListSpec, query: &'a ListQuery) -> Result<(Self, String)> {
        query.check_resolved()?;
        let workspace = caller.workspace.map(TypedId::uuid).unwrap_or_default();
        let bound_to = format!("{workspace}/{}", query.bound_to);
        let keys = keys(conn.dialect(), spec, query);
        let after = match &query.cursor {
            Some(cursor) => Some(after_keys(conn.dialect(), &keys, &cursor::open(&conn.cursor_key(), &bound_to, cursor)?)?),
            None => None,
        };
        Ok((Self { dialect: conn.dialect(), spec, query, keys, after }, bound_to))
    }

    fn limit(&self) -> Result<usize> {
        usize::try_from(self.query.limit).map_err(Error::internal)
    }

    /// The page that these rows are, one of which may be the first of the next.
    fn page<L: Listed>(&self, conn: &Conn, bound_to: &str, rows: &[Row], total: Option<i64>) -> Result<Page<L>> {
        let limit = self.limit()?;
        let has_more = rows.len() > limit;
        let next_cursor = match rows.get(limit.saturating_sub(1)) {
            Some(last) if has_more => Some(cursor::seal(&conn.cursor_key(), bound_to, &key_texts::<L>(&self.keys, last)?)),
            _ => None,
        };
        let data = rows.iter().take(limit).map(|row| L::read(row, 0)).collect::<Result<_>>()?;
        Ok(Page { data, page: PageInfo { next_cursor, has_more, total } })
    }

    /// Of each part what may be on the page, and of that the page. The engines put the parts together in one order only where each part has
    /// its own.
    fn of_parts<L: Listed>(&self, parts: Vec<SelectStatement>) -> Option<SelectStatement> {
        let first_of_it = |part: SelectStatement| {
            let mut nearest = L::select();
            nearest.from_clear().from_subquery(part, self.spec.table).and_where_option(self.after.clone());
            for condition in conditions::conditions(self.dialect, self.spec, self.query, Lookup::Barred, &self.id()) {
                nearest.and_where(condition);
            }
            order(&mut nearest, &self.keys);
            nearest.limit(self.query.limit + 1);
            // a select that has an order is no member of a union by itself
            let mut member = L::select();
            member.from_clear().from_subquery(nearest, self.spec.table);
            member
        };
        of_all::<L>(self.spec, parts.into_iter().map(first_of_it).collect()).map(|all| self.end(all, &self.id()))
    }

    pub fn walk(&self, base: SelectStatement) -> SelectStatement {
        let mut select = base;
        custom::join_to_walk(&mut select, self.spec.table, self.query);
        for bound in conditions::bounds_of_walk(self.dialect, self.spec, self.query) {
            select.and_where(bound);
        }
        select.and_where_option(self.after.clone());
        let id = custom::id_expression(self.query).unwrap_or_else(|| self.id());
        self.end(select, &id)
    }

    /// The id of a record as its own table has it.
    fn id(&self) -> SimpleExpr {
        Expr::col((self.spec.table, "id"))
    }

    pub fn gather(&self, base: SelectStatement, found: Found) -> SelectStatement {
        let mut select = base;
        found.join(&mut select, self.spec.table);
        custom::join(&mut select, self.spec.table, self.query);
        select.and_where_option(self.after.clone());
        self.end(select, &self.id())
    }

    /// As a walk, of the nearest records alone.
    fn glance<L: Listed>(&self, base: SelectStatement) -> SelectStatement {
        let mut near = base;
        near.clear_selects().expr(Expr::col((self.spec.table, Asterisk))).and_where_option(self.after.clone());
        custom::join_to_walk(&mut near, self.spec.table, self.query);
        order(&mut near, &self.keys);
        near.limit(approach::NEAR);
        let mut select = L::select();
        select.from_clear().from_subquery(near, self.spec.table);
        custom::join(&mut select, self.spec.table, self.query);
        self.end(select, &self.id())
    }

    fn end(&self, mut select: SelectStatement, id: &SimpleExpr) -> SelectStatement {
        for condition in conditions::conditions(self.dialect, self.spec, self.query, Lookup::Barred, id) {
            select.and_where(condition);
        }
        for key in &self.keys {
            select.expr(key.expression.clone());
        }
        order(&mut select, &self.keys);
        select.limit(self.query.limit + 1);
        select
    }
}

async fn count(conn: &mut Conn, base: SelectStatement, spec: &ListSpec, query: &ListQuery) -> Result<i64> {
    let mut inner = base;
    inner.clear_selects().expr(Expr::value(1));
    if let Approach::Gather(found) = approach::to_count(conn, spec, query) {
        found.join(&mut inner, spec.table);
    }
    let id = Expr::col((spec.table, "id"));
    for condition in conditions::conditions(conn.dialect(), spec, query, Lookup::Free, &id) {
        inner.and_where(condition);
    }
    let mut select = Query::select();
    select.expr(Func::count(Expr::cust("*"))).from_subquery(inner, "counted");
    conn.row(&select).await?.map_or(Ok(0), |row| row.get(0))
}

/// Puts the records of a select over the list's table in the order of a query, as [`page`] does.
pub fn sort(select: &mut SelectStatement, dialect: Dialect, spec: &ListSpec, query: &ListQuery) {
    order(select, &keys(dialect, spec, query));
}

/// Lets a select over the list's table go on after the record with these sort keys, the id last, as a cursor tells [`page`] to.
///
/// # Errors
/// `invalid_cursor` when there are not as many keys as the sort has, or one is of another kind.
pub fn go_on(select: &mut SelectStatement, dialect: Dialect, spec: &ListSpec, query: &ListQuery, after: &[String]) -> Result<()> {
    select.and_where(after_keys(dialect, &keys(dialect, spec, query), after)?);
    Ok(())
}

fn order(select: &mut SelectStatement, keys: &[Key]) {
    for key in keys {
        let order = match key.direction {
            Direction::Ascending => Order::Asc,
            Direction::Descending => Order::Desc,
        };
        select.order_by_expr(key.expression.clone(), order);
    }
}

/// The sort's keys, the id last.
pub(super) fn keys(dialect: Dialect, spec: &ListSpec, query: &ListQuery) -> Vec<Key> {
    let column = |name: &'static str| Expr::col((spec.table, name));
    let mut keys: Vec<Key> = Vec::with_capacity(query.sort.len() + 1);
    for (place, (by, direction)) in query.sort.iter().enumerate() {
        let name = match by {
            SortBy::Field(name) => name,
            SortBy::Custom(_) => {
                let [text, number] = custom::sort_expressions(place);
                keys.push(Key { expression: text, kind: FieldKind::Text, direction: *direction });
                keys.push(Key { expression: number, kind: FieldKind::Integer, direction: *direction });
                continue;
            }
        };
        let Some((field, sorted)) = spec.field(name).and_then(|field| Some((field, field.sort?))) else { continue };
        if sorted == "id" {
            // ids are unique, so nothing needs to be compared after them
            keys.push(Key { expression: column("id"), kind: FieldKind::Uuid, direction: *direction });
            return keys;
        }
        let expression = sort_expression(dialect, spec, field, sorted);
        keys.push(Key { expression, kind: field.kind, direction: *direction });
    }
    let direction = keys.last().map_or(Direction::Ascending, |key| key.direction);
    keys.push(Key { expression: custom::id_expression(query).unwrap_or_else(|| column("id")), kind: FieldKind::Uuid, direction });
    keys
}

pub(super) fn key_texts<L: Listed>(keys: &[Key], row: &Row) -> Result<Vec<String>> {
    keys.iter().enumerate().map(|(place, key)| key_text(key.kind, row, L::WIDTH + place)).collect()
}

/// The condition that a row comes after the one with these keys.
pub(super) fn after_keys(dialect: Dialect, keys: &[Key], after: &[String]) -> Result<SimpleExpr> {
    let invalid = || Error::new(&INVALID_CURSOR);
    if keys.len() != after.len() {
        return Err(invalid());
    }
    let values: Vec<Value> =
        keys.iter().zip(after).map(|(key, text)| key_value(key.kind, text).ok_or_else(invalid)).collect::<Result<_>>()?;
    let Some((first, value)) = keys.first().zip(values.first().cloned()) else { return Err(invalid()) };
    // a bound on the first key, by which an index skips what comes before
    let bound = match first.direction {
        Direction::Ascending => first.expression.clone().gte(value),
        Direction::Descending => first.expression.clone().lte(value),
    };
    if keys.iter().all(|key| key.direction == first.direction) {
        // one comparison of rows, which an index over the keys answers by going straight to the place
        let left = Expr::tuple(keys.iter().map(|key| key.expression.clone()));
        let right = Expr::tuple(values.into_iter().map(Expr::value));
        let rows = compare(left, first.direction, right);
        let finds = dialect.finds_rows_of_expressions() || matches!(first.expression, SimpleExpr::Column(_));
        return Ok(if finds { rows } else { bound.and(rows) });
    }
    // directions differ: key by key
    let mut any: Option<SimpleExpr> = None;
    for place in 0..keys.len() {
        let mut all: Option<SimpleExpr> = None;
        for (key, value) in keys.iter().zip(&values).take(place) {
            let equal = key.expression.clone().eq(value.clone());
            all = Some(all.map_or_else(|| equal.clone(), |all| all.and(equal.clone())));
        }
        if let (Some(key), Some(value)) = (keys.get(place), values.get(place)) {
            let beyond = compare(key.expression.clone(), key.direction, Expr::value(value.clone()));
            all = Some(all.map_or_else(|| beyond.clone(), |all| all.and(beyond.clone())));
        }
        any = match (any, all) {
            (Some(any), Some(all)) => Some(any.or(all)),
            (any, all) => any.or(all),
        };
    }
    Ok(bound.and(any.ok_or_else(invalid)?))
}

fn compare(left: SimpleExpr, direction: Direction, right: SimpleExpr) -> SimpleExpr {
    match direction {
        Direction::Ascending => left.gt(right),
        Direction::Descending => left.lt(right),
    }
}
