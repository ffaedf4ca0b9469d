//! What a view asks of its list.

use std::collections::BTreeMap;

use kernel::error::Faults;
use kernel::{Patch, Result, percent};
use serde::{Deserialize, Serialize};
use store::list::{ListQuery, ListSpec, OF_A_PAGE, custom_key};
use utoipa::ToSchema;
use validator::Validate;

use crate::custom_fields::Fields;

/// What the query string of a list says beside its filters.
const BESIDE: [&str; 3] = ["sort", "q", "archived"];
/// The member in which the values of all custom fields stand.
const CUSTOM_MEMBER: &str = "custom_fields";
/// Bytes of a whole query at most.
const LONGEST: usize = 20_000;

store::text_enum! {
    /// What a view does with archived records.
    pub enum ViewArchived {
        /// Leaves them out.
        Without = "false",
        /// Adds them.
        With = "true",
        /// Leaves all others out.
        Only = "only",
    }
}

/// Whether the name of a filter, a sort or a column is that of a custom field.
fn is_of_custom(name: &str, key: &str) -> bool {
    custom_key(name.trim_start_matches('-')).is_some_and(|(named, _)| named == key)
}

/// What a view asks of its list, in the words of the list's own query string.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct ViewQuery {
    /// Filters by their names, such as `status`, `created_at[gte]` or `cf[key]`, each with its value as text.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub filters: BTreeMap<String, String>,
    /// Full text to search for.
    #[schema(max_length = 200)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// What becomes of archived records; they are left out unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archived: Option<ViewArchived>,
    /// By what it is sorted, `-` for descending; as the list does unless given.
    #[schema(max_items = 10)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sort: Vec<String>,
    /// The members to show, in this order, custom fields as `cf[key]`; those that the frontend chooses unless given.
    #[schema(max_items = 100)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
}

/// A change of what a view asks: what is absent stays, null clears.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct ViewQueryPatch {
    /// Filters by their names; null takes one away.
    #[schema(value_type = Option<BTreeMap<String, Option<String>>>)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub filters: Patch<BTreeMap<String, Option<String>>>,
    /// Full text to search for.
    #[schema(value_type = Option<String>, max_length = 200)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub q: Patch<String>,
    /// What becomes of archived records.
    #[schema(value_type = Option<ViewArchived>)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub archived: Patch<ViewArchived>,
    /// By what it is sorted.
    #[schema(value_type = Option<Vec<String>>, max_items = 10)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub sort: Patch<Vec<String>>,
    /// The members to show.
    #[schema(value_type = Option<Vec<String>>, max_items = 100)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub columns: Patch<Vec<String>>,
}

impl ViewQueryPatch {
    /// Applies the change, as a merge patch says (RFC 7396).
    pub(super) fn apply(self, query: &mut ViewQuery) {
        match self.filters {
            Patch::Absent => {}
            Patch::Null => query.filters.clear(),
            Patch::Value(filters) => {
                for (name, value) in filters {
                    match value {
                        Some(value) => query.filters.insert(name, value),
                        None => query.filters.remove(&name),
                    };
                }
            }
        }
        self.q.apply(&mut query.q);
        self.archived.apply(&mut query.archived);
        let list = |patch: Patch<Vec<String>>, target: &mut Vec<String>| match patch {
            Patch::Absent => {}
            Patch::Null => target.clear(),
            Patch::Value(list) => *target = list,
        };
        list(self.sort, &mut query.sort);
        list(self.columns, &mut query.columns);
    }
}

/// A name as it stands in a JSON pointer.
fn pointed(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

impl ViewQuery {
    /// What is looked for: the words of the search, and the values of filters.
    pub(super) fn sought(&self) -> impl Iterator<Item = &str> {
        self.q.iter().chain(self.filters.values()).map(String::as_str)
    }

    /// What it asks, but for its columns, as the parameters of the list.
    fn parameters(&self) -> Vec<(String, String)> {
        let mut pairs: Vec<(String, String)> = self.filters.clone().into_iter().collect();
        pairs.extend(self.q.clone().map(|q| ("q".to_owned(), q)));
        pairs.extend(self.archived.map(|archived| ("archived".to_owned(), archived.as_str().to_owned())));
        if !self.sort.is_empty() {
            pairs.push(("sort".to_owned(), self.sort.join(",")));
        }
        pairs
    }

    /// It as a query string of the list.
    pub fn query_string(&self) -> String {
        let mut pairs = self.parameters();
        if !self.columns.is_empty() {
            let mut members: Vec<&str> = Vec::new();
            for column in &self.columns {
                let member = custom_key(column).map_or(column.as_str(), |_| CUSTOM_MEMBER);
                if !members.contains(&member) {
                    members.push(member);
                }
            }
            pairs.push(("fields".to_owned(), members.join(",")));
        }
        percent::query_string(&pairs)
    }

    /// Whether it asks for an option of a custom field.
    pub(crate) fn asks_for_option(&self, key: &str, option: &str) -> bool {
        let of_field = |name: &str| custom_key(name).is_some_and(|(named, _)| named == key);
        self.filters.iter().any(|(name, value)| of_field(name) && value.split(',').any(|part| part == option))
    }

    /// The options that it asks for by their keys, where it names them by their labels, which may change.
    pub(super) fn name_options(&mut self, fields: &Fields) {
        for (name, value) in &mut self.filters {
            let Some((key, operator)) = custom_key(name) else { continue };
            if let Some(shape) = fields.shape(key).filter(|shape| shape.field_type.has_options() && operator != "[is_null]") {
                *value = value.split(',').map(|part| shape.option_key(part.trim())).collect::<Vec<_>>().join(",");
            }
        }
    }

    /// Whether it asks for a custom field or shows it.
    pub(crate) fn names_custom(&self, key: &str) -> bool {
        self.filters.keys().chain(&self.sort).chain(&self.columns).any(|name| is_of_custom(name, key))
    }

    /// The same without a custom field.
    pub(crate) fn without_custom(&self, key: &str) -> Self {
        let mut rest = self.clone();
        rest.filters.retain(|name, _| !is_of_custom(name, key));
        rest.sort.retain(|name| !is_of_custom(name, key));
        rest.columns.retain(|name| !is_of_custom(name, key));
        rest
    }

    /// The same without some options of a custom field: a filter by nothing else is none.
    pub(crate) fn without_options(&self, key: &str, options: &[&str]) -> Self {
        let mut rest = self.clone();
        rest.filters.retain(|name, value| {
            if !is_of_custom(name, key) {
                return true;
            }
            let kept: Vec<&str> = value.split(',').filter(|part| !options.contains(part)).collect();
            *value = kept.join(",");
            !value.is_empty()
        });
        rest
    }

    /// Whether the list can be asked so, as its own parser says.
    ///
    /// # Errors
    /// `validation_failed` with everything that is wrong, each unknown name with the names there are.
    pub(super) fn check(&self, list: &'static ListSpec, fields: &Fields) -> Result<()> {
        let mut faults = Faults::new();
        let mut parameters = self.parameters();
        for name in self.filters.keys() {
            // it would be taken for what it is beside the filters
            if BESIDE.contains(&name.as_str()) || OF_A_PAGE.contains(&name.as_str()) {
                let known: Vec<&str> = list.filter_names().collect();
                let message = format!("there is no such filter; there are {}", known.join(", "));
                faults.add(format!("/query/filters/{}", pointed(name)), "unknown_filter", message);
                let value = self.filters.get(name);
                parameters.retain(|(known, given)| known != name || Some(given) != value);
            }
        }
        let asked = ListQuery::parse_whole(list, &parameters, &[]).and_then(|query| query.resolve(fields));
        if let Err(error) = asked {
            if error.kind() != kernel::Kind::Invalid {
                return Err(error);
            }
            faults.extend(error.fields().iter().cloned().map(|mut field| {
                let name = field.pointer.trim_start_matches('?');
                field.pointer = match name {
                    "" => "/query/filters".to_owned(),
                    name if BESIDE.contains(&name) => format!("/query/{name}"),
                    name => format!("/query/filters/{}", pointed(name)),
                };
                field
            }));
        }
        for (place, column) in self.columns.iter().enumerate() {
            let pointer = format!("/query/columns/{place}");
            let is_custom = custom_key(column).is_some_and(|(key, rest)| rest.is_empty() && fields.shape(key).is_some());
            if !is_custom && !list.members.contains(&column.as_str()) {
                let message = format!("there is no such column; there are {}", list.members.join(", "));
                faults.add(pointer, "unknown_column", message);
            } else if self.columns.iter().take(place).any(|before| before == column) {
                faults.add(pointer, "repeated", "is named twice");
            }
        }
        if self.query_string().len() > LONGEST {
            faults.add("/query", "too_long", format!("must be at most {LONGEST} bytes as a query string"));
        }
        faults.into_result()
    }
}
