//! A list query, read from its query string with everything that is wrong with it.

use kernel::error::Faults;
use kernel::{FieldError, Result};
use sea_orm::sea_query::{SelectStatement, Value};

use super::custom::{AskedCustom, SortBy, ValueFilter};
use super::value::parse_value;
use super::{CustomFilter, FieldKind, ListField, ListSpec};

/// Records on a page unless asked otherwise.
const DEFAULT_LIMIT: u64 = 25;
/// Records on a page at most.
const MAX_LIMIT: u64 = 200;
/// Conditions in one query at most: what a query costs is bounded.
const MAX_FILTERS: usize = 30;
/// What can be asked of a page, and not of a whole list.
pub const OF_A_PAGE: [&str; 5] = ["limit", "cursor", "count", "include", "fields"];
/// Names in one sort at most: each may be a join.
const MAX_SORTS: usize = 10;
/// Values of one `in` at most.
pub const MAX_IN: usize = 200;

/// Which way a sort runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Smallest first; what is empty comes last.
    Ascending,
    /// Largest first; what is empty comes first.
    Descending,
}

/// How a filter compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// Equal.
    Eq,
    /// Not equal, or empty.
    Ne,
    /// One of several, separated by commas.
    In,
    /// Greater.
    Gt,
    /// Greater or equal.
    Gte,
    /// Less.
    Lt,
    /// Less or equal.
    Lte,
    /// Contains, without regard to case and accents; `%` stands for anything.
    Like,
    /// Whether it is empty.
    IsNull,
}

impl Operator {
    const ALL: [(&'static str, Self); 9] = [
        ("eq", Self::Eq),
        ("ne", Self::Ne),
        ("in", Self::In),
        ("gt", Self::Gt),
        ("gte", Self::Gte),
        ("lt", Self::Lt),
        ("lte", Self::Lte),
        ("like", Self::Like),
        ("is_null", Self::IsNull),
    ];

    /// The operator of this name.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, operator)| *operator)
    }

    /// The names of all.
    pub(super) fn names() -> Vec<&'static str> {
        Self::ALL.iter().map(|(name, _)| *name).collect()
    }

    /// Whether a field can be compared so.
    pub fn fits(self, field: &ListField) -> bool {
        match self {
            Self::Eq | Self::Ne | Self::In => true,
            Self::Gt | Self::Gte | Self::Lt | Self::Lte => {
                matches!(field.kind, FieldKind::Time | FieldKind::Date | FieldKind::Integer | FieldKind::Text)
            }
            Self::Like => field.like.is_some(),
            Self::IsNull => field.nullable,
        }
    }

    /// The operators that fit a field, by name.
    pub fn names_for(field: &ListField) -> Vec<&'static str> {
        Self::ALL.iter().filter(|(_, operator)| operator.fits(field)).map(|(name, _)| *name).collect()
    }
}

/// One condition.
#[derive(Clone, Debug)]
pub enum Filter {
    /// On a field.
    Field(&'static ListField, Operator, Vec<Value>),
    /// On something else.
    Custom(&'static CustomFilter, Value),
    /// On a custom field.
    Value(ValueFilter),
}

/// What to do with archived records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Archived {
    /// Leave them out.
    #[default]
    Without,
    /// Include them.
    With,
    /// Nothing but them.
    Only,
}

/// A list query that fits its list.
#[derive(Clone, Debug, Default)]
pub struct ListQuery {
    /// The conditions, all of which must hold.
    pub filters: Vec<Filter>,
    /// The sort, without the tie-breaker.
    pub sort: Vec<(SortBy, Direction)>,
    /// Records on a page.
    pub limit: u64,
    /// Where to go on.
    pub cursor: Option<String>,
    /// Full text to search for.
    pub q: Option<String>,
    /// Whether to count them all.
    pub count: bool,
    /// What to do with archived records.
    pub archived: Archived,
    /// Related records and members to answer with.
    pub record: RecordQuery,
    /// Ids of records, each once, of which all that can be listed are some.
    pub(super) among: Option<SelectStatement>,
    /// What is asked of custom fields and not found out yet.
    pub(super) asked: Vec<AskedCustom>,
    /// What else is wrong with such a query, to be told with what is found out then.
    pub(super) pending: Vec<FieldError>,
    /// Names filter and sort, for the cursor.
    pub(super) bound_to: String,
}

/// What to answer with, of one record or of each in a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordQuery {
    /// Related records to include.
    pub include: Vec<&'static str>,
    /// Members to answer with; all of them where this is empty.
    pub fields: Vec<&'static str>,
}

impl RecordQuery {
    /// Reads the query string of a single record.
    ///
    /// # Errors
    /// `validation_failed` with everything that is wrong.
    pub fn parse(spec: &ListSpec, pairs: &[(String, String)]) -> Result<Self> {
        let (mut query, mut faults) = (Self::default(), Faults::new());
        for (name, value) in pairs {
            if !query.take(spec, name, value, &mut faults) {
                faults.add(
                    format!("?{name}"),
                    "unknown_parameter",
                    format!("there is no such parameter; there are {}", known(&["include", "fields"])),
                );
            }
        }
        faults.into_result().map(|()| query)
    }

    /// Whether a related record is asked for.
    pub fn includes(&self, name: &str) -> bool {
        self.include.contains(&name)
    }

    /// Whether everything is as it is by default.
    pub fn is_plain(&self) -> bool {
        self.include.is_empty() && self.fields.is_empty()
    }

    fn take(&mut self, spec: &ListSpec, name: &str, value: &str, faults: &mut Faults) -> bool {
        let (list, known_names, what) = match name {
            "include" => (&mut self.include, spec.includes, "include"),
            "fields" => (&mut self.fields, spec.members, "field"),
            _ => return false,
        };
        for part in value.split(',') {
            match known_names.iter().find(|known| **known == part) {
                Some(found) if list.contains(found) => {}
                Some(found) => list.push(*found),
                None => faults.add(
                    format!("?{name}"),
                    format!("unknown_{what}"),
                    format!("there is no such {what}; there are {}", known(known_names)),
                ),
            }
        }
        true
    }
}

fn known(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

impl ListQuery {
    /// The same query of the list that hangs on one record: a cursor of another record's list is none of this one.
    #[must_use]
    pub fn within(&self, record: uuid::Uuid) -> Self {
        Self { bound_to: format!("{record}/{}", self.bound_to), ..self.clone() }
    }

    /// The same query, told that all records that the caller may see are among these `ids`, which an index finds, each once, in a column
    /// called `found`. It changes nothing in what is listed, which is for the select's own conditions to say: only where the page is found.
    #[must_use]
    pub fn found_among(&self, ids: SelectStatement) -> Self {
        Self { among: Some(ids), ..self.clone() }
    }

    /// Whether something decides which records are listed, and so where they are found.
    pub(super) fn narrows(&self) -> bool {
        !self.filters.is_empty() || self.q.is_some() || self.among.is_some()
    }

    /// Whether nothing narrows the list but values of custom fields.
    pub(super) fn asks_values_alone(&self) -> bool {
        let values = self.filters.iter().all(|filter| matches!(filter, Filter::Value(_)));
        values && self.q.is_none() && self.among.is_none()
    }

    /// Reads a query string, already decoded into pairs.
    ///
    /// # Errors
    /// `validation_failed` with everything that is wrong, each unknown name with the names there are.
    pub fn parse(spec: &'static ListSpec, pairs: &[(String, String)]) -> Result<Self> {
        Self::parse_beside(spec, pairs, &["limit", "cursor", "sort", "count", "include", "fields"])
    }

    /// Reads what is asked of a whole list: as [`parse`](Self::parse), without what is said of pages. `others` are further parameters that
    /// there are where it stands.
    ///
    /// # Errors
    /// `validation_failed` with everything that is wrong, each unknown name with the names there are.
    pub fn parse_whole(spec: &'static ListSpec, pairs: &[(String, String)], others: &[&str]) -> Result<Self> {
        let beside: Vec<&str> = std::iter::once("sort").chain(others.iter().copied()).collect();
        Self::parse_beside(spec, pairs, &beside)
    }

    /// Reads a query string that may have these parameters besides filters and what is searched.
    fn parse_beside(spec: &'static ListSpec, pairs: &[(String, String)], beside: &[&str]) -> Result<Self> {
        let mut query = Self { limit: DEFAULT_LIMIT, ..Self::default() };
        let mut faults = Faults::new();
        let mut bound: Vec<String> = Vec::new();
        let mut sort_given = None;
        for (name, value) in pairs {
            let here = format!("?{name}");
            match name.as_str() {
                name if OF_A_PAGE.contains(&name) && !beside.contains(&name) => {
                    faults.add(here, "unknown_parameter", "says something of pages, and this is the whole list");
                }
                "limit" => match value.parse() {
                    Ok(limit) if (1..=MAX_LIMIT).contains(&limit) => query.limit = limit,
                    _ => faults.add(here, "out_of_range", format!("must be from 1 to {MAX_LIMIT}")),
                },
                "cursor" => query.cursor = Some(value.clone()),
                "sort" => sort_given = Some(value.as_str()),
                "count" if value == "exact" => query.count = true,
                "count" => faults.add(here, "unknown_value", "must be exact"),
                "q" if spec.searched => {
                    bound.push(format!("q={value}"));
                    if value.chars().count() > 200 {
                        faults.add(here, "too_long", "must be at most 200 characters");
                    }
                    query.q = Some(value.clone());
                }
                "archived" if spec.archived => {
                    bound.push(format!("archived={value}"));
                    match value.as_str() {
                        "true" => query.archived = Archived::With,
                        "only" => query.archived = Archived::Only,
                        "false" => query.archived = Archived::Without,
                        _ => faults.add(here, "unknown_value", "must be true, false or only"),
                    }
                }
                _ if query.record.take(spec, name, value, &mut faults) => {}
                _ => {
                    bound.push(format!("{name}={value}"));
                    query.take_filter(spec, name, value, beside, &mut faults);
                }
            }
            if value.contains('\0') {
                faults.add(format!("?{name}"), "nul_character", "must not contain the NUL character");
            }
        }
        if query.filters.len() + query.asked.len() > MAX_FILTERS {
            faults.add("?", "too_many_filters", format!("at most {MAX_FILTERS} filters can be combined"));
        }
        match sort_given {
            Some(given) => query.take_sort(spec, given.split(','), &mut faults),
            None => query.take_sort(spec, spec.default_sort.iter().copied(), &mut faults),
        }
        match faults.into_result() {
            Err(error) if query.asks_of_custom_fields() => query.pending = error.fields().to_vec(),
            other => other?,
        }
        bound.sort();
        query.bound_to = format!("{}?{:?}&{}", spec.name, query.sort, bound.join("&"));
        Ok(query)
    }

    fn take_sort<'a>(&mut self, spec: &'static ListSpec, names: impl Iterator<Item = &'a str>, faults: &mut Faults) {
        for (place, given) in names.enumerate() {
            if place == MAX_SORTS {
                faults.add("?sort", "too_many_sorts", format!("can have {MAX_SORTS} names at most"));
                return;
            }
            let (name, direction) = match given.strip_prefix('-') {
                Some(name) => (name, Direction::Descending),
                None => (given, Direction::Ascending),
            };
            let field = || spec.field(name).filter(|field| field.sort.is_some()).map(|field| SortBy::Field(field.name));
            let by = SortBy::custom(name).filter(|_| spec.custom_fields).or_else(field);
            match by {
                Some(by) if self.sort.iter().any(|(sorted, _)| *sorted == by) => {
                    faults.add("?sort", "repeated_sort", "names a field twice");
                }
                Some(by) => self.sort.push((by, direction)),
                None => {
                    let sorts: Vec<&str> = spec.sorts().collect();
                    faults.add(
                        "?sort",
                        "unknown_sort",
                        format!("there is no such sort; there are {}, each with - for descending", known(&sorts)),
                    );
                }
            }
        }
    }

    fn take_filter(&mut self, spec: &'static ListSpec, given: &str, text: &str, beside: &[&str], faults: &mut Faults) {
        let here = format!("?{given}");
        if let Some(asked) = AskedCustom::read(given, text).filter(|_| spec.custom_fields) {
            match asked {
                Ok(asked) => self.asked.push(asked),
                Err((code, message)) => faults.add(here, code, message),
            }
            return;
        }
        let (name, operator) = match given.strip_suffix(']').and_then(|rest| rest.split_once('[')) {
            Some((name, operator)) => (name, operator),
            None => (given, "eq"),
        };
        if let Some(custom) = spec.filters.iter().find(|filter| filter.name == name) {
            match parse_value(custom.kind, text) {
                Ok(value) if operator == "eq" => self.filters.push(Filter::Custom(custom, value)),
                Ok(_) => faults.add(here, "unknown_operator", "there is no such operator; there is eq"),
                Err(message) => faults.add(here, "invalid_value", message),
            }
            return;
        }
        let Some(field) = spec.field(name) else {
            let mut names: Vec<&str> = spec.filter_names().collect();
            names.extend(beside.iter().copied());
            names.extend(spec.searched.then_some("q"));
            names.extend(spec.archived.then_some("archived"));
            faults.add(here, "unknown_filter", format!("there is no such filter; there are {}", known(&names)));
            return;
        };
        let Some(operator) = Operator::of_name(operator).filter(|operator| operator.fits(field)) else {
            faults.add(
                here,
                "unknown_operator",
                format!("there is no such operator here; there are {}", known(&Operator::names_for(field))),
            );
            return;
        };
        let parsed = match operator {
            Operator::IsNull => parse_value(FieldKind::Boolean, text).map(|value| vec![value]),
            Operator::Like => Ok(vec![Value::String(Some(like_pattern(text)))]),
            Operator::In if text.split(',').count() > MAX_IN => Err(format!("must be at most {MAX_IN} values")),
            Operator::In => text.split(',').map(|part| parse_value(field.kind, part)).collect(),
            _ => parse_value(field.kind, text).map(|value| vec![value]),
        };
        match parsed {
            Ok(values) => self.filters.push(Filter::Field(field, operator, values)),
            Err(message) => faults.add(here, "invalid_value", message),
        }
    }
}

/// A pattern for a folded column, `\` escaping what is meant literally.
pub fn like_pattern(text: &str) -> String {
    let folded = kernel::text::fold(text).replace('\\', "\\\\").replace('_', "\\_");
    if folded.contains('%') { folded } else { format!("%{folded}%") }
}
