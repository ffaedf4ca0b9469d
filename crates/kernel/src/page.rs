//! The shape of lists on the wire.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A page of a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Page<T> {
    /// The records, in the order that was asked for.
    pub data: Vec<T>,
    /// Where the list goes on.
    pub page: PageInfo,
}

/// Where a list goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PageInfo {
    /// Hand it back as `cursor` to get the next page. Opaque, signed, and good for this list with this filter and sort only.
    pub next_cursor: Option<String>,
    /// Whether there is a next page.
    pub has_more: bool,
    /// How many records there are in all; present with `count=exact` only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub total: Option<i64>,
}

impl<T> Page<T> {
    /// The same page with other contents.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { data: self.data.into_iter().map(change).collect(), page: self.page }
    }
}
