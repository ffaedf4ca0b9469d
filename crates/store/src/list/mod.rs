//! The list engine: the one way to filter, sort, search and page.
//!
//! A record type declares a [`ListSpec`]; [`ListQuery::parse`] reads a query string against it and finds everything that is wrong
//! with it at once; [`page`] runs it. Paging is by key: the values of the last row under the sort, with the id as tie-breaker,
//! signed and bound to list, filter, sort and workspace. A page costs the same however deep it is, and rows that come and go
//! never make another row skip or repeat. Whether a page is found along the sort's index or from the few that pass a filter is
//! chosen here too, because the engines choose wrongly now and then. A [`Whole`] list is read to its end, for exports.
//!
//! Every sort needs an index over workspace, what is sorted by, and id; every field that says [`ListField::indexed`] one that begins with
//! workspace and field. A test asks the engines (`tests/it/store/list_indexes.rs`).

mod approach;
mod conditions;
mod cursor;
mod custom;
mod page;
mod query;
mod spec;
mod value;
mod values;
mod whole;

pub use conditions::{index_condition, is_among};
pub use custom::{CustomFields, NO_VALUE, SortBy, VALUES, ValueCondition, ValueFilter, ValueKey, Wrong, custom_key};
pub use page::{Listed, go_on, page, page_of_parts, select_of_parts, sort};
pub use query::{Archived, Direction, Filter, ListQuery, MAX_IN, OF_A_PAGE, Operator, RecordQuery, like_pattern};
pub use spec::{CustomFilter, FieldKind, ListField, ListSpec};
pub use value::parse_value;
pub use values::HeldValue;
pub use whole::Whole;
