//! What a list query asks for, as conditions of its select.

use sea_orm::sea_query::{Expr, ExprTrait as _, LikeExpr, SelectStatement, SimpleExpr, Value};

use super::query::{Archived, Filter, ListQuery, Operator};
use super::{ListField, ListSpec, SortBy};
use crate::dialect::{self, Dialect};

/// Whether a condition may be looked up in an index of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lookup {
    /// As the engine likes.
    Free,
    /// No: each record is looked at, in the order in which something else finds it.
    Barred,
}

impl Lookup {
    /// How it is asked whether a record has such rows elsewhere.
    fn exists(self, dialect: Dialect) -> impl Fn(SelectStatement) -> SimpleExpr {
        move |rows| match self {
            Self::Free => Expr::exists(rows),
            Self::Barred => dialect::exists_for_each(dialect, rows),
        }
    }
}

/// The column that a field sorts by, as its index has it: what is empty is a value of its own.
pub(super) fn sort_expression(dialect: Dialect, spec: &ListSpec, field: &ListField, column: &'static str) -> SimpleExpr {
    if field.nullable { dialect::empty_last(dialect, spec.table, column, field.kind) } else { Expr::col((spec.table, column)) }
}

/// All filters, the search and what is archived. Each holds by itself, whatever found the record, which other tables know by `id`.
pub(super) fn conditions(
    dialect: Dialect,
    spec: &ListSpec,
    query: &ListQuery,
    lookup: Lookup,
    id: &SimpleExpr,
) -> Vec<SimpleExpr> {
    let mut conditions: Vec<SimpleExpr> = query
        .filters
        .iter()
        .map(|filter| match filter {
            Filter::Field(field, operator @ (Operator::Eq | Operator::In), values) if dialect.knows_values() => {
                // equal in the words of the index is equal, and the engine may find it there
                index_condition(dialect, spec, field, *operator, values).unwrap_or_else(|| {
                    field_condition(spec.table, field, Expr::col((spec.table, field.column)), *operator, values)
                })
            }
            Filter::Field(field, operator, values) => {
                let column = match lookup {
                    Lookup::Free => Expr::col((spec.table, field.column)),
                    Lookup::Barred => dialect::unindexed(dialect, spec.table, field.column),
                };
                field_condition(spec.table, field, column, *operator, values)
            }
            Filter::Custom(custom, value) => custom.condition(id, value.clone(), &lookup.exists(dialect)),
            Filter::Value(filter) => filter.condition(id, &lookup.exists(dialect)),
        })
        .collect();
    if let Some(q) = &query.q {
        conditions.push(dialect::has_words(dialect, spec.table, q));
    }
    if spec.archived {
        let archived_at = Expr::col((spec.table, "archived_at"));
        match query.archived {
            Archived::Without => conditions.push(archived_at.is_null()),
            Archived::Only => conditions.push(archived_at.is_not_null()),
            Archived::With => {}
        }
    }
    conditions
}

/// Conditions on the field that comes first in the sort, in the words of its index, so that a walk begins and ends where they do.
/// They let through what the exact ones let through, and perhaps more.
pub(super) fn bounds_of_walk(dialect: Dialect, spec: &ListSpec, query: &ListQuery) -> Vec<SimpleExpr> {
    let Some((SortBy::Field(first), _)) = query.sort.first() else { return Vec::new() };
    // what is compared as it stands is its own bound where the engine may look it up
    let needed = |field: &ListField| !dialect.knows_values() || field.nullable;
    query
        .filters
        .iter()
        .filter_map(|filter| match filter {
            Filter::Field(field, operator, values) if field.name == *first && needed(field) => {
                index_condition(dialect, spec, field, *operator, values)
            }
            Filter::Field(field, Operator::Eq, values)
                if spec.pairs.contains(&(field.name, first)) && !dialect.knows_values() =>
            {
                values.first().map(|value| Expr::col((spec.table, field.column)).eq(value.clone()))
            }
            _ => None,
        })
        .collect()
}

/// The condition that a field of a list has one of these values, in the words of its index: compared as it stands, a column that may be empty
/// is looked up in no index, and of a million records each is looked at.
pub fn is_among(dialect: Dialect, spec: &'static ListSpec, name: &str, values: &[Value]) -> SimpleExpr {
    let Some(field) = spec.field(name) else { return Expr::value(false) };
    let indexed = index_condition(dialect, spec, field, Operator::In, values);
    indexed.unwrap_or_else(|| field_condition(spec.table, field, Expr::col((spec.table, field.column)), Operator::In, values))
}

/// A condition on a field in the words of the index that begins with it, or nothing where an index does not help.
pub fn index_condition(
    dialect: Dialect,
    spec: &ListSpec,
    field: &ListField,
    operator: Operator,
    values: &[Value],
) -> Option<SimpleExpr> {
    let is_range = matches!(operator, Operator::Gt | Operator::Gte | Operator::Lt | Operator::Lte);
    if !is_range && !matches!(operator, Operator::Eq | Operator::In) {
        return None;
    }
    let expression = match field.sort {
        // a folded twin sorts otherwise than the field itself compares
        Some(sorted) if sorted == field.column => sort_expression(dialect, spec, field, sorted),
        Some(_) => return None,
        None => Expr::col((spec.table, field.column)),
    };
    Some(field_condition(spec.table, field, expression, operator, values))
}

fn field_condition(
    table: &'static str,
    field: &ListField,
    column: SimpleExpr,
    operator: Operator,
    values: &[Value],
) -> SimpleExpr {
    let Some(value) = values.first().cloned() else { return Expr::value(false) };
    match operator {
        Operator::Eq => column.eq(value),
        Operator::Ne if field.nullable => column.clone().ne(value).or(column.is_null()),
        Operator::Ne => column.ne(value),
        Operator::In => column.is_in(values.iter().cloned()),
        Operator::Gt => column.gt(value),
        Operator::Gte => column.gte(value),
        Operator::Lt => column.lt(value),
        Operator::Lte => column.lte(value),
        Operator::Like => match value {
            Value::String(Some(pattern)) => {
                Expr::col((table, field.like.unwrap_or(field.column))).like(LikeExpr::new(pattern).escape('\\'))
            }
            _ => Expr::value(false),
        },
        Operator::IsNull => match value {
            Value::Bool(Some(true)) => column.is_null(),
            _ => column.is_not_null(),
        },
    }
}
