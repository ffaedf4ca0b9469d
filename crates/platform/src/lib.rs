//! What any record can have: tags, notes, the audit trail, the brands of a workspace, the bookkeeping of imports, and background work as administrators see it.
//!
//! What hangs on a record follows that record: the record's own domain decides who may see or edit it, and then calls this crate.
//!
//! CSV is read with `csv` and `encoding_rs`, the field's standard crates for it.

pub mod audit;
pub mod brands;
pub mod csv_source;
pub mod errors;
pub mod imports;
pub mod jobs;
pub mod notes;
pub mod table;
pub mod tags;
