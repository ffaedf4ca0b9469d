//! Where a page is found.
//!
//! Two ways lead to it. A *walk* goes along the index in the order of the sort until enough records have passed the conditions: right
//! when many pass. To *gather* is to take all records that one condition lets through, by the index of that condition, and to sort
//! them: right when few pass. A wrong choice costs thousands of times the right one. PostgreSQL chooses by its statistics where a column
//! is compared. SQLite has none, and of words and links to other tables neither engine knows how many there are; so the few are counted
//! first, as far as [`FEW`], in the condition's index. PostgreSQL's index of words cannot count a few without finding all; there a *glance*
//! at the nearest records says whether a word is frequent, and often is the page.

use kernel::{Caller, Result, TypedId as _};
use sea_orm::sea_query::{Expr, ExprTrait as _, Func, Query, SelectStatement};

use super::conditions::index_condition;
use super::query::{Filter, ListQuery};
use super::{FieldKind, ListField, ListSpec, SortBy};
use crate::conn::Conn;
use crate::dialect::{self, Found};

/// How many records are gathered and sorted rather than walked past. With a million records, of which so many pass at random places, both
/// cost about the same. Debug builds take few for many, so that the tests, which have little data, go both ways.
pub(super) const FEW: u64 = if cfg!(debug_assertions) { 8 } else { 4_000 };
/// How many records a glance walks past. Where so many do not fill a page, few pass, and they can be gathered.
pub(super) const NEAR: u64 = if cfg!(debug_assertions) { 8 } else { 2_000 };
/// How many conditions are counted at most.
const MOST_COUNTED: usize = 4;

/// Where a page is found.
pub(super) enum Approach {
    /// Along the index of the sort.
    Walk,
    /// From these.
    Gather(Found),
    /// Along the index of the sort as far as [`NEAR`], and where that is not enough, from these.
    Glance(Found),
}

/// Chooses.
pub(super) async fn choose(conn: &mut Conn, caller: &Caller, spec: &ListSpec, query: &ListQuery) -> Result<Approach> {
    if let Some(found) = few(conn, caller, spec, query).await? {
        return Ok(Approach::Gather(found));
    }
    match &query.q {
        Some(q) if !conn.dialect().counts_words() => Ok(Approach::Glance(dialect::found_by_words(conn.dialect(), spec.table, q))),
        // Words have much to do with the order of names: those who are called Psarros all stand at the end. So the walk past everybody
        // else is not risked; to gather costs no more than how many there are.
        Some(q) if sorts_by_text(spec, query) => Ok(Approach::Gather(dialect::found_by_words(conn.dialect(), spec.table, q))),
        _ => Ok(Approach::Walk),
    }
}

/// The records that one condition lets through, where they are few.
pub(super) async fn few(conn: &mut Conn, caller: &Caller, spec: &ListSpec, query: &ListQuery) -> Result<Option<Found>> {
    for found in narrowing(conn, caller, spec, query).into_iter().take(MOST_COUNTED) {
        if has_few(conn, &found).await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// What is counted when all are to be counted: from what is found fastest.
pub(super) fn to_count(conn: &Conn, spec: &ListSpec, query: &ListQuery) -> Approach {
    match &query.q {
        Some(q) => Approach::Gather(dialect::found_by_words(conn.dialect(), spec.table, q)),
        None => Approach::Walk,
    }
}

fn sorts_by_text(spec: &ListSpec, query: &ListQuery) -> bool {
    match query.sort.first() {
        Some((SortBy::Field(name), _)) => {
            spec.field(name).is_some_and(|field| matches!(field.kind, FieldKind::Text | FieldKind::Caseless))
        }
        Some((SortBy::Custom(_), _)) => true,
        None => false,
    }
}

/// The conditions by whose indexes records can be found, those first that usually let the fewest through.
fn narrowing(conn: &Conn, caller: &Caller, spec: &ListSpec, query: &ListQuery) -> Vec<Found> {
    let dialect = conn.dialect();
    let mut all: Vec<Found> = Vec::new();
    for filter in &query.filters {
        match filter {
            Filter::Custom(custom, value) => all.push(Found::of_ids(custom.found(caller, value.clone()))),
            // a walk along the field's own index begins and ends where the condition does
            Filter::Value(filter) if !query.walks_along(filter.field) => all.extend(filter.ids().map(Found::of_ids)),
            Filter::Value(_) | Filter::Field(..) => {}
        }
    }
    if let Some(q) = query.q.as_ref().filter(|q| dialect.counts_words() && narrows(q)) {
        all.push(dialect::found_by_words(dialect, spec.table, q));
    }
    if dialect.knows_values() {
        return all;
    }
    all.extend(query.among.clone().map(Found::of_ids));
    let Some(workspace) = caller.workspace else { return all };
    let mut seen: Vec<&ListField> = Vec::new();
    for filter in &query.filters {
        let Filter::Field(field, ..) = filter else { continue };
        if !field.indexed || is_bound_of_walk(spec, query, field) || seen.iter().any(|other| other.name == field.name) {
            continue;
        }
        seen.push(field);
        // a range has two ends, each a filter of its own
        let mut conditions = query
            .filters
            .iter()
            .filter_map(|other| match other {
                Filter::Field(other, operator, values) if other.name == field.name => {
                    index_condition(dialect, spec, field, *operator, values)
                }
                _ => None,
            })
            .peekable();
        if conditions.peek().is_none() {
            continue;
        }
        let mut ids = Query::select();
        ids.expr_as(Expr::col((spec.table, "id")), "found")
            .from(spec.table)
            .and_where(Expr::col((spec.table, "workspace_id")).eq(workspace.uuid()));
        for condition in conditions {
            ids.and_where(condition);
        }
        all.push(Found::of_ids(ids));
    }
    all
}

/// Whether a search has a word that few may have. One letter is how many thousands of words begin, which the index would have to put
/// together before it can count the first few (seen: 70 ms at 200,000 clients).
fn narrows(q: &str) -> bool {
    kernel::text::words(q).iter().any(|word| word.chars().nth(1).is_some())
}

/// Whether the walk begins and ends where this field's conditions do anyway.
fn is_bound_of_walk(spec: &ListSpec, query: &ListQuery, field: &ListField) -> bool {
    match query.sort.first() {
        Some((SortBy::Field(first), _)) => field.name == *first || spec.pairs.contains(&(field.name, first)),
        _ => false,
    }
}

async fn has_few(conn: &mut Conn, found: &Found) -> Result<bool> {
    let mut some: SelectStatement = found.select.clone();
    some.limit(FEW + 1);
    let mut select = Query::select();
    select.expr(Func::count(Expr::cust("*"))).from_subquery(some, "some");
    let asked = conn.dialect().show(&select);
    if let Some(known) = conn.hints().get(&asked) {
        return Ok(known);
    }
    let many: i64 = conn.row(&select).await?.map_or(Ok(0), |row| row.get(0))?;
    let has_few = u64::try_from(many).is_ok_and(|many| many <= FEW);
    conn.hints().insert(asked, has_few);
    Ok(has_few)
}
