//! Reads that cross domains.

mod summary;

pub use summary::{ClientSummary, InvoiceTotals, SummaryCounts, client_summary};
