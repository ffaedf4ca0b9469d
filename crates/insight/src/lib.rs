//! Reads that cross domains.

mod summary;
mod timeline;

pub use summary::{ClientSummary, InvoiceTotals, SummaryCounts, client_summary};
pub use timeline::{TIMELINE_LIST, TimelineEntry, TimelineKind, client_timeline, client_timeline_select};
