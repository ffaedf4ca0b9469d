//! Imports on the wire.

use std::collections::BTreeMap;

use kernel::{DateTime, Patch, UserId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::ImportIssue;
use super::rows::{
    ImportIssueId, ImportIssueRow, ImportRowId, ImportRowRow, ImportRunId, ImportRunRow, ImportState, RowException, RowOutcome,
};
use crate::table::TableForm;

/// A run of an import.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ImportRun {
    /// Its id.
    pub id: ImportRunId,
    /// What was imported, such as `clients_csv`.
    pub kind: String,
    /// The file's name.
    pub source_name: String,
    /// How far it is.
    pub state: ImportState,
    /// Rows that were read.
    pub rows_read: i64,
    /// Records that were made.
    pub created: i64,
    /// Records that were changed.
    pub changed: i64,
    /// Rows that changed nothing.
    pub unchanged: i64,
    /// Rows that were left out.
    pub wrong: i64,
    /// When it had read everything.
    pub finished_at: Option<DateTime>,
    /// When it began.
    pub created_at: DateTime,
    /// When it last changed.
    pub updated_at: DateTime,
    /// Who started it.
    pub started_by: Option<UserId>,
    /// Who approved it.
    pub approved_by: Option<UserId>,
    /// The name under which the file's ids are unique.
    pub source: Option<String>,
    /// The form of the file; none where it came over the command line.
    pub file_type: Option<TableForm>,
    /// Bytes of the file.
    pub filesize_bytes: Option<i64>,
    /// What the rows would do, as they are staged.
    pub staged: StagedCounts,
    /// How far the present step is.
    pub progress: ImportProgress,
    /// Rows that were left out because their record had changed since they were staged.
    pub changed_meanwhile: i64,
    /// Rows that were taken back.
    pub undone: i64,
    /// Rows that were not taken back, because something newer stands on what they wrote.
    pub kept: i64,
    /// Why it could not go on.
    pub failure: Option<ImportFailure>,
    /// When everything was staged.
    pub staged_at: Option<DateTime>,
    /// When it was approved.
    pub approved_at: Option<DateTime>,
    /// When it was taken back.
    pub undone_at: Option<DateTime>,
    /// When its file and its rows were removed: 30 days after it began.
    pub removed_at: Option<DateTime>,
    /// What was found at the beginning of the file; left out in lists.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<ImportFile>,
    /// Counts its changes; the ETag is made from it.
    #[serde(skip)]
    pub version: i64,
}

/// What the rows of an import would do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StagedCounts {
    /// Rows that make a record.
    pub new: i64,
    /// Rows that change one.
    pub changed: i64,
    /// Rows that say what is so already.
    pub same: i64,
    /// Rows that cannot be written.
    pub wrong: i64,
}

/// How far the present step of an import is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportProgress {
    /// Rows that are done.
    pub done: i64,
    /// Rows that there are, where that is known.
    pub total: Option<i64>,
}

/// Why an import could not go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportFailure {
    /// Stable and machine-readable.
    pub code: String,
    /// A sentence for people.
    pub reason: String,
}

/// What was found at the beginning of the file of an import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportFile {
    /// Its headers, in their order.
    pub headers: Vec<String>,
    /// For each header that is used the column that it stands for.
    pub mapping: BTreeMap<String, String>,
    /// Headers that stand for nothing that is known; they are not read.
    pub unknown_columns: Vec<String>,
    /// Headers that stand for what another one stands for already; they are not read.
    pub repeated_columns: Vec<String>,
    /// The encoding of CSV.
    pub encoding: Option<String>,
    /// The delimiter of CSV.
    pub delimiter: Option<String>,
    /// The sheet of a workbook that is read.
    pub sheet: Option<String>,
    /// All sheets of a workbook.
    pub sheets: Vec<String>,
    /// The first rows, with long values cut.
    pub preview: Vec<Vec<String>>,
}

impl ImportRunRow {
    /// The run as one of a list.
    pub(super) fn listed(self) -> ImportRun {
        ImportRun { file: None, ..self.into() }
    }
}

impl From<ImportRunRow> for ImportRun {
    fn from(row: ImportRunRow) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            source_name: row.source_name,
            state: row.state,
            rows_read: row.rows_read,
            created: row.created,
            changed: row.changed,
            unchanged: row.unchanged,
            wrong: row.wrong,
            finished_at: row.finished_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            started_by: row.started_by,
            approved_by: row.approved_by,
            source: row.source,
            file_type: row.file_type,
            filesize_bytes: row.filesize_bytes,
            staged: StagedCounts {
                new: row.staged_new,
                changed: row.staged_changed,
                same: row.staged_same,
                wrong: row.staged_wrong,
            },
            progress: ImportProgress { done: row.done, total: row.total },
            changed_meanwhile: row.changed_meanwhile,
            undone: row.undone,
            kept: row.kept,
            failure: row.failure_code.zip(row.failure).map(|(code, reason)| ImportFailure { code, reason }),
            staged_at: row.staged_at,
            approved_at: row.approved_at,
            undone_at: row.undone_at,
            removed_at: row.removed_at,
            file: row.found.map(|found| ImportFile {
                headers: found.0.headers,
                mapping: found.0.mapping,
                unknown_columns: found.0.unknown,
                repeated_columns: found.0.repeated,
                encoding: found.0.encoding,
                delimiter: found.0.delimiter,
                sheet: found.0.sheet,
                sheets: found.0.sheets,
                preview: found.0.preview,
            }),
            version: row.version,
        }
    }
}

/// Something that is wrong in an import, as it was written down.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct NotedIssue {
    /// Its id.
    pub id: ImportIssueId,
    /// The line of the file, counted from 1.
    pub line: i64,
    /// The column.
    pub column: Option<String>,
    /// Stable and machine-readable.
    pub code: String,
    /// A sentence for people.
    pub reason: String,
}

impl From<ImportIssueRow> for NotedIssue {
    fn from(row: ImportIssueRow) -> Self {
        Self { id: row.id, line: row.line, column: row.column_name, code: row.code, reason: row.reason }
    }
}

/// A row of an import, as it is staged.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ImportRow {
    /// Its id.
    pub id: ImportRowId,
    /// The line of the file that it begins in, counted from 1.
    pub line: i64,
    /// What it would do.
    pub outcome: RowOutcome,
    /// What came of it where that was not done.
    pub exception: Option<RowException>,
    /// The record that it changes, or that it will have made.
    pub record_id: Option<Uuid>,
    /// What it says, by column.
    #[schema(value_type = Object)]
    pub values: Map<String, Value>,
    /// What it changes of records that are there, each `{"from": …, "to": …}`; null for one who may not see all such records and has
    /// not started the import.
    #[schema(value_type = Option<Object>)]
    pub differences: Option<Map<String, Value>>,
    /// What is wrong with it.
    pub issues: Vec<ImportIssue>,
}

impl ImportRowRow {
    pub(super) fn view(self, with_differences: bool) -> ImportRow {
        ImportRow {
            id: self.id,
            line: self.line,
            outcome: self.outcome,
            exception: self.exception,
            record_id: self.record_id,
            values: self.cells.0,
            differences: self.differences.filter(|_| with_differences).map(|json| json.0),
            issues: self.issues.map(|json| json.0).unwrap_or_default(),
        }
    }
}

/// The parts of a form that starts an import, in any order. One that is empty says nothing, as forms send what nobody filled in.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct StartImport {
    /// The file itself: CSV, or an Excel workbook.
    #[schema(format = Binary)]
    pub file: String,
    /// The name under which the file's ids are unique; `csv` unless given.
    #[schema(nullable = false, min_length = 1, max_length = 50)]
    #[validate(custom(function = kernel::shape::filled), length(max = 50))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The encoding of CSV, such as `utf-8` or `windows-1253`; found out unless given.
    #[schema(nullable = false, max_length = 50)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// The delimiter of CSV: `comma`, `semicolon`, `tab` or `pipe`; found out unless given.
    #[schema(nullable = false, max_length = 20)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<String>,
    /// The sheet of a workbook; the first unless given.
    #[schema(nullable = false, max_length = 200)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// For each header the column that it stands for, as JSON; found out by their names unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<BTreeMap<String, Option<String>>>,
}

/// The body of `PATCH /v1/imports/{import_id}`: how its file is to be read. It is staged anew.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct ImportPatch {
    /// The name under which the file's ids are unique.
    #[schema(nullable = false, min_length = 1, max_length = 50)]
    #[validate(custom(function = kernel::shape::filled), length(max = 50))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The encoding of CSV; null finds it out.
    #[schema(value_type = Option<String>, max_length = 50)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub encoding: Patch<String>,
    /// The delimiter of CSV; null finds it out.
    #[schema(value_type = Option<String>, max_length = 20)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub delimiter: Patch<String>,
    /// The sheet of a workbook; null takes the first.
    #[schema(value_type = Option<String>, max_length = 200)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub sheet: Patch<String>,
    /// For each header the column that it stands for, all of it; null finds it out by their names.
    #[schema(value_type = Option<BTreeMap<String, Option<String>>>)]
    #[serde(skip_serializing_if = "Patch::is_absent")]
    pub mapping: Patch<BTreeMap<String, Option<String>>>,
}
