//! The tables of imports. A row never leaves this crate, but for what an importer is given.

use std::collections::BTreeMap;

use kernel::{DateTime, UserId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::Json;
use uuid::Uuid;

use super::ImportIssue;
use crate::table::TableForm;

kernel::typed_id! {
    /// Names an import run.
    pub ImportRunId
}
kernel::typed_id! {
    /// Names something that is wrong in an import.
    pub ImportIssueId
}
kernel::typed_id! {
    /// Names a row of an import.
    pub ImportRowId
}
store::id_fields!(ImportRunId, ImportIssueId, ImportRowId);

store::text_enum! {
    /// How far an import is.
    pub enum ImportState {
        /// Its file is read, and nothing is written yet.
        Staging = "staging",
        /// It has read everything, and waits for somebody to approve it.
        Staged = "staged",
        /// It writes, or was cut off.
        Running = "running",
        /// It has written everything.
        Finished = "finished",
        /// It could not go on.
        Failed = "failed",
        /// Somebody called it off. What was written by then stays.
        Cancelled = "cancelled",
        /// What it has written is being taken back.
        Undoing = "undoing",
        /// What it had written was taken back, as far as nothing newer stood on it.
        Undone = "undone",
    }
}

store::text_enum! {
    /// What a row would do.
    pub enum RowOutcome {
        /// Makes a record.
        New = "new",
        /// Changes a record.
        Changed = "changed",
        /// Says what is so already.
        Same = "same",
        /// Cannot be written.
        Wrong = "wrong",
    }
}

store::text_enum! {
    /// What came of a row that was not done as it was staged.
    pub enum RowException {
        /// The record was no longer what it was when the row was staged, so the row was left out.
        ChangedMeanwhile = "changed_meanwhile",
        /// It was refused when it was written.
        Refused = "refused",
        /// It was not taken back, because something newer stands on what it wrote.
        Kept = "kept",
    }
}

store::record! {
    pub(crate) struct ImportRunRow in "import_run" of workspace {
        id: ImportRunId;
        kind: String,
        source_name: String,
        state: ImportState,
        rows_read: i64,
        created: i64,
        changed: i64,
        unchanged: i64,
        wrong: i64,
        finished_at: Option<DateTime>,
        started_by: Option<UserId>,
        approved_by: Option<UserId>,
        // for whom the present job works, and through which token
        asked_by: Option<UserId> => Derived,
        asked_token: Option<Uuid> => Derived,
        source: Option<String>,
        storage_bucket: Option<String> => Derived,
        storage_key: Option<String> => Derived,
        file_type: Option<TableForm>,
        filesize_bytes: Option<i64>,
        // they hold what a person typed, and a few rows: the journal keeps none of it
        reading: Option<Json<GivenReading>> => Derived,
        found: Option<Json<Found>> => Derived,
        // counts the times that it was staged: a job of an earlier one stops
        round: i64 => Derived,
        // up to which line the present step is done
        position: i64 => Derived,
        done: i64 => Derived,
        total: Option<i64> => Derived,
        staged_new: i64,
        staged_changed: i64,
        staged_same: i64,
        staged_wrong: i64,
        changed_meanwhile: i64,
        undone: i64,
        kept: i64,
        failure_code: Option<String>,
        failure: Option<String> => Derived,
        staged_at: Option<DateTime>,
        approved_at: Option<DateTime>,
        undone_at: Option<DateTime>,
        removed_at: Option<DateTime>,
    }
}

store::record! {
    pub(crate) struct ImportIssueRow in "import_issue" of workspace {
        id: ImportIssueId;
        import_run_id: ImportRunId,
        line: i64,
        column_name: Option<String>,
        code: String,
        reason: String,
    }
}

store::record! {
    pub(crate) struct ImportRowRow in "import_row" of workspace {
        id: ImportRowId;
        import_run_id: ImportRunId,
        line: i64,
        outcome: RowOutcome,
        exception: Option<RowException>,
        record_id: Option<Uuid>,
        further: Option<Json<BTreeMap<String, Uuid>>>,
        further_id: Option<Uuid> => Derived,
        cells: Json<Map<String, Value>> => Personal,
        differences: Option<Json<Map<String, Value>>> => Personal,
        issues: Option<Json<Vec<ImportIssue>>>,
    }
}

/// How somebody wants a file to be read. What is not given is found out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenReading {
    /// The encoding.
    pub encoding: Option<String>,
    /// The delimiter.
    pub delimiter: Option<String>,
    /// The sheet.
    pub sheet: Option<String>,
    /// For each header the column that it stands for.
    pub mapping: Option<BTreeMap<String, Option<String>>>,
}

/// What was found at the beginning of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The headers.
    pub headers: Vec<String>,
    /// For each header that is used the column that it stands for.
    pub mapping: BTreeMap<String, String>,
    /// Headers that stand for nothing.
    pub unknown: Vec<String>,
    /// Headers that stand for what another one stands for.
    pub repeated: Vec<String>,
    /// The encoding.
    pub encoding: Option<String>,
    /// The delimiter.
    pub delimiter: Option<String>,
    /// The sheet.
    pub sheet: Option<String>,
    /// All sheets.
    pub sheets: Vec<String>,
    /// The first rows, cut.
    pub preview: Vec<Vec<String>>,
}
