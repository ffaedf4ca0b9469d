//! Custom fields in lists: what a query asks of them, and where their values are looked up.
//!
//! The values of a record stand in the record. Beside it each value has a row in one table, [`VALUES`], in the form in which values are
//! compared: a text first, byte by byte, and then a number. An index over field, text, number and record is the order of a sort, and finds what
//! a filter lets through. A record without a value of a field has a row of its own for it, [`NO_VALUE`], which comes after all others as it
//! does with built-in fields, so that a sort is one walk along one index.
//!
//! What fields there are differs from workspace to workspace and is in the database, so a query is read in two steps: the parser takes what
//! is asked ([`AskedCustom`]), and [`ListQuery::resolve`] finds out which fields are meant.

use kernel::error::Faults;
use kernel::{Error, Result};
use sea_orm::sea_query::{
    Alias, Condition, Expr, ExprTrait as _, Func, JoinType, LikeExpr, Query, SelectStatement, SimpleExpr, Value,
};
use uuid::Uuid;

use super::query::{Filter, ListQuery, Operator};

/// The table of values.
pub const VALUES: &str = "custom_field_value";
/// The text that stands for having no value. No text of a value is greater.
pub const NO_VALUE: &str = "\u{10FFFF}\u{10FFFF}";

/// A value in the form in which values are compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ValueKey {
    /// Compared first, byte by byte.
    pub text: String,
    /// Compared among equal texts.
    pub number: i64,
}

/// What must hold of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueCondition {
    /// It is one of these.
    Any(Vec<ValueKey>),
    /// It is not this, or there is none.
    Not(ValueKey),
    /// Its text compares so.
    Text(Operator, String),
    /// Its text is this, and its number compares so.
    Number(Operator, ValueKey),
    /// Its text, whole and folded, matches this pattern, `\` escaping what is meant literally.
    Like(String),
    /// There is none, or there is one.
    IsNone(bool),
}

/// A filter on a custom field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueFilter {
    /// The field.
    pub field: Uuid,
    /// What must hold of the record's value.
    pub condition: ValueCondition,
    /// Whether each record without a value says so.
    pub is_complete: bool,
}

/// By what a list is sorted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SortBy {
    /// A field of the record.
    Field(&'static str),
    /// A custom field.
    Custom(CustomSort),
}

/// A custom field that a list is sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomSort {
    key: String,
    field: Option<Uuid>,
}

/// A condition on a custom field as it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedCustom {
    /// The parameter's whole name.
    name: String,
    /// The field's key.
    key: String,
    operator: Operator,
    value: String,
}

/// What is wrong: a code, and a sentence.
pub type Wrong = (&'static str, String);

/// The custom fields that there are.
pub trait CustomFields {
    /// The condition that is meant.
    ///
    /// # Errors
    /// What is wrong with it.
    fn filter(&self, key: &str, operator: Operator, value: &str) -> Result<ValueFilter, Wrong>;

    /// The field that is meant, which can be sorted by.
    ///
    /// # Errors
    /// What is wrong with it.
    fn sort(&self, key: &str) -> Result<Uuid, Wrong>;
}

/// The key in `cf[key]`, and what follows it.
pub fn custom_key(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix("cf[")?.split_once(']')
}

impl AskedCustom {
    /// Reads a filter on a custom field; nothing where the name is not that of one.
    pub(super) fn read(name: &str, value: &str) -> Option<Result<Self, Wrong>> {
        let (key, rest) = custom_key(name)?;
        let word = match rest {
            "" => "eq",
            rest => rest.strip_prefix('[')?.strip_suffix(']')?,
        };
        let Some(operator) = Operator::of_name(word) else {
            let known = Operator::names().join(", ");
            return Some(Err(("unknown_operator", format!("there is no such operator; there are {known}"))));
        };
        Some(Ok(Self { name: name.to_owned(), key: key.to_owned(), operator, value: value.to_owned() }))
    }
}

impl SortBy {
    /// Reads the name of a custom field in a sort.
    pub(super) fn custom(name: &str) -> Option<Self> {
        let (key, "") = custom_key(name)? else { return None };
        Some(Self::Custom(CustomSort { key: key.to_owned(), field: None }))
    }
}

impl CustomSort {
    /// Another name of the table of values, for this key of a sort.
    fn table(place: usize) -> Alias {
        Alias::new(format!("sorted{place}"))
    }
}

impl ListQuery {
    /// Whether it asks of custom fields. Such a query must be [resolved](Self::resolve) before a list is.
    pub fn asks_of_custom_fields(&self) -> bool {
        !self.asked.is_empty() || self.sort.iter().any(|(by, _)| matches!(by, SortBy::Custom(_)))
    }

    /// Fails where nobody has found out which custom fields it asks of.
    pub(super) fn check_resolved(&self) -> Result<()> {
        let is_known = |by: &SortBy| matches!(by, SortBy::Field(_) | SortBy::Custom(CustomSort { field: Some(_), .. }));
        let is_resolved = self.asked.is_empty() && self.pending.is_empty() && self.sort.iter().all(|(by, _)| is_known(by));
        if is_resolved { Ok(()) } else { Err(Error::internal("the custom fields that a list is asked of were not found out")) }
    }

    /// The query with the custom fields that it asks of found out.
    ///
    /// # Errors
    /// `validation_failed` with everything that is wrong with the query.
    pub fn resolve(&self, fields: &impl CustomFields) -> Result<Self> {
        let mut resolved = self.clone();
        let mut faults = Faults::new();
        faults.extend(std::mem::take(&mut resolved.pending));
        for asked in std::mem::take(&mut resolved.asked) {
            match fields.filter(&asked.key, asked.operator, &asked.value) {
                Ok(filter) => resolved.filters.push(Filter::Value(filter)),
                Err((code, message)) => faults.add(format!("?{}", asked.name), code, message),
            }
        }
        for (by, _) in &mut resolved.sort {
            let SortBy::Custom(sort) = by else { continue };
            match fields.sort(&sort.key) {
                Ok(field) => sort.field = Some(field),
                Err((code, message)) => faults.add("?sort", code, message),
            }
        }
        faults.into_result()?;
        Ok(resolved)
    }

    /// The custom fields that it is sorted by, each with its place in the sort.
    fn sorted_by_values(&self) -> impl Iterator<Item = (usize, Uuid)> {
        self.sort.iter().enumerate().filter_map(|(place, (by, _))| match by {
            SortBy::Custom(sort) => Some((place, sort.field?)),
            SortBy::Field(_) => None,
        })
    }

    /// The custom fields that it is sorted by.
    pub fn sorted_by_custom_fields(&self) -> impl Iterator<Item = Uuid> {
        self.sorted_by_values().map(|(_, field)| field)
    }

    /// Whether this custom field comes first in the sort.
    pub(super) fn walks_along(&self, field: Uuid) -> bool {
        self.walks_by() == Some(field)
    }

    /// The custom field that comes first in the sort.
    fn walks_by(&self) -> Option<Uuid> {
        self.sorted_by_values().find(|(place, _)| *place == 0).map(|(_, field)| field)
    }
}

/// The text and the number that a custom field at this place of a sort sorts by.
pub(super) fn sort_expressions(place: usize) -> [SimpleExpr; 2] {
    ["text_key", "number_key"].map(|column| Expr::col((CustomSort::table(place), column)))
}

/// The id of the record, for a sort that begins with a custom field: as its index has it, so that what is asked by it is asked before the record
/// is read.
pub(super) fn id_expression(query: &ListQuery) -> Option<SimpleExpr> {
    query.walks_by().map(|_| Expr::col((CustomSort::table(0), "record_id")))
}

/// Makes a select walk along the index of the custom field that comes first in the sort, and gives it what else it sorts by.
pub(super) fn join_to_walk(select: &mut SelectStatement, table: &'static str, query: &ListQuery) {
    let Some(field) = query.walks_by() else { return join(select, table, query) };
    // in this order; SQLite keeps to it (sqlite.org/optoverview.html, 8.2)
    select.from_clear().from_as(VALUES, CustomSort::table(0)).cross_join(table);
    select.and_where(is_of(0, field)).and_where(is_on(0, table));
    let bounds = query.filters.iter().filter_map(|filter| match filter {
        Filter::Value(filter) if filter.field == field => filter.holds_of(&CustomSort::table(0)),
        _ => None,
    });
    // what must hold of the values is where the walk begins and ends
    for bound in bounds {
        select.and_where(bound);
    }
    join_further(select, table, query, 1);
}

/// Gives a select whose records are found otherwise the values that it sorts by.
pub(super) fn join(select: &mut SelectStatement, table: &'static str, query: &ListQuery) {
    join_further(select, table, query, 0);
}

fn join_further(select: &mut SelectStatement, table: &'static str, query: &ListQuery, from: usize) {
    for (place, field) in query.sorted_by_values().filter(|(place, _)| *place >= from) {
        select.join_as(JoinType::CrossJoin, VALUES, CustomSort::table(place), Condition::all());
        select.and_where(is_of(place, field)).and_where(is_on(place, table));
    }
}

fn is_of(place: usize, field: Uuid) -> SimpleExpr {
    Expr::col((CustomSort::table(place), "field_id")).eq(field)
}

fn is_on(place: usize, table: &'static str) -> SimpleExpr {
    Expr::col((table, "id")).eq(Expr::col((CustomSort::table(place), "record_id")))
}

impl ValueCondition {
    /// The condition on a row of values; none where it is one that no single row can meet.
    fn holds_of(&self, values: &Alias) -> Option<SimpleExpr> {
        let text = || Expr::col((values.clone(), "text_key"));
        let number = || Expr::col((values.clone(), "number_key"));
        let is = |key: &ValueKey| text().eq(key.text.as_str()).and(number().eq(key.number));
        Some(match self {
            Self::Any(keys) => keys.iter().map(is).reduce(|any, one| any.or(one)).unwrap_or_else(|| Expr::value(false)),
            Self::Text(operator, than) => compare(text(), *operator, than.as_str())?.and(text().lt(NO_VALUE)),
            Self::Number(operator, than) => text().eq(than.text.as_str()).and(compare(number(), *operator, than.number)?),
            Self::Like(pattern) => {
                let whole = Func::coalesce([Expr::col((values.clone(), "whole_text")), text()]);
                Expr::expr(whole).like(LikeExpr::new(pattern.as_str()).escape('\\')).and(text().lt(NO_VALUE))
            }
            Self::IsNone(false) => text().lt(NO_VALUE),
            Self::Not(_) | Self::IsNone(true) => return None,
        })
    }

    /// The condition whose contrary this one is.
    fn contrary(&self) -> Option<Self> {
        match self {
            Self::Not(key) => Some(Self::Any(vec![key.clone()])),
            Self::IsNone(true) => Some(Self::IsNone(false)),
            _ => None,
        }
    }
}

fn compare<T: Into<Value>>(column: SimpleExpr, operator: Operator, than: T) -> Option<SimpleExpr> {
    let than = than.into();
    match operator {
        Operator::Gt => Some(column.gt(than)),
        Operator::Gte => Some(column.gte(than)),
        Operator::Lt => Some(column.lt(than)),
        Operator::Lte => Some(column.lte(than)),
        _ => None,
    }
}

impl ValueFilter {
    /// The condition on the record of this id, whatever found it, which `exists` asks of its values.
    pub(super) fn condition(&self, id: &SimpleExpr, exists: &impl Fn(SelectStatement) -> SimpleExpr) -> SimpleExpr {
        let held = Alias::new("held");
        let on = Expr::col((held.clone(), "record_id")).eq(id.clone());
        let has = |condition: &ValueCondition| {
            let holds = condition.holds_of(&held)?;
            let mut rows = self.rows(&held);
            rows.expr(Expr::value(1)).and_where(on.clone()).and_where(holds);
            Some(exists(rows))
        };
        let found = match self.condition.contrary() {
            Some(contrary) => has(&contrary).map(|has| has.not()),
            None => has(&self.condition),
        };
        found.unwrap_or_else(|| Expr::value(false))
    }

    /// The ids of the records that pass it, each once, in a column called `found`; none where its index does not find them.
    pub(super) fn ids(&self) -> Option<SelectStatement> {
        let held = Alias::new("held");
        let holds = match &self.condition {
            ValueCondition::Like(_) => return None,
            // of several values one
            ValueCondition::IsNone(false) => self.holds_of(&held)?.and(Expr::col((held.clone(), "nth")).eq(0_i64)),
            _ => self.holds_of(&held)?,
        };
        let mut ids = self.rows(&held);
        ids.expr_as(Expr::col((held, "record_id")), "found").and_where(holds);
        if matches!(&self.condition, ValueCondition::Any(keys) if keys.len() > 1) {
            // of several options one record may have more than one
            ids.distinct();
        }
        Some(ids)
    }

    /// The condition on a row of values; none where it is one that no single row can meet.
    fn holds_of(&self, values: &Alias) -> Option<SimpleExpr> {
        match self.condition {
            ValueCondition::IsNone(true) if self.is_complete => Some(Expr::col((values.clone(), "text_key")).eq(NO_VALUE)),
            _ => self.condition.holds_of(values),
        }
    }

    fn rows(&self, name: &Alias) -> SelectStatement {
        let mut rows = Query::select();
        rows.from_as(VALUES, name.clone()).and_where(Expr::col((name.clone(), "field_id")).eq(self.field));
        rows
    }
}
