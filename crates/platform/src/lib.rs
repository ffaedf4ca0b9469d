//! What any record can have: tags, notes, custom fields, the audit trail, the brands of a workspace, saved views, exports, the bookkeeping of imports, who uses
//! names that go, and background work as administrators see it.
//!
//! What hangs on a record follows that record: the record's own domain decides who may see or edit it, and then calls this crate.
//!
//! CSV is read with `csv` and `encoding_rs`, the field's standard crates for it.

pub mod archive;
pub mod audit;
pub mod brands;
pub mod csv_source;
pub mod custom_fields;
pub mod deprecated_uses;
pub mod errors;
pub mod export;
pub mod imports;
pub mod jobs;
pub mod notes;
pub mod saved_views;
pub mod table;
pub mod tags;
