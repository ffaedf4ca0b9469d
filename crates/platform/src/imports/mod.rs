//! Imports: the bookkeeping of those over the command line, and everything of those over HTTP that is the same for every domain: what a
//! run is about and how far it is, the rows that are staged before anything is written, approving, writing, the report, taking back.
//!
//! What must always hold:
//! - Nothing is written that was not staged and approved: a row whose effect is no longer what was staged is left out and told.
//! - What a batch writes, and that it is written, commit together, so that a run that is cut off goes on behind its last batch.
//! - A job does what somebody asked for with what they may do at the time it runs.
//! - Files and rows are kept for 30 days, and hold what is personal: the journal keeps none of it.

mod commands;
mod follow;
mod importer;
pub mod jobs;
pub mod people;
mod read;
mod report;
mod rows;
mod source;
mod stage;
mod undo;
mod wire;
mod write;

use kernel::{Error, Permission, Result, TypedId as _};
use serde::{Deserialize, Serialize};
use store::query::{Expr, ExprTrait};
use store::{Action, Change, Conn, Record as _, UnitOfWork};
use utoipa::ToSchema;

pub use commands::{NewImport, StoredSource, approve, begin, cancel, check_start, forget, purge, undo as take_back, update};
pub use follow::FollowImports;
pub use importer::{
    Came, Columns, Importer, Importers, PlannedRow, Planner, ReadCells, StagedRow, UndoneRow, Writer, WrittenRow,
};
pub use read::{IMPORT_LIST, ISSUE_LIST, ROW_LIST, get, list, list_issues, list_rows};
pub use report::{ReportPage, report_page};
pub use rows::{Found, GivenReading, ImportIssueId, ImportRowId, ImportRunId, ImportState, RowException, RowOutcome};
use rows::{ImportIssueRow, ImportRunRow};
pub use source::{look, reading_of};
pub use stage::{Fetched, clear_old, keys_among, stage, to_stage};
pub use undo::{Trail, trails};
pub use wire::{
    ImportFailure, ImportFile, ImportPatch, ImportProgress, ImportRow, ImportRun, NotedIssue, StagedCounts, StartImport,
};

/// What an import has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ImportCounts {
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
}

/// Something that is wrong, before it is written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportIssue {
    /// The line of the file, counted from 1.
    pub line: u64,
    /// The column.
    pub column: Option<String>,
    /// Stable and machine-readable.
    pub code: String,
    /// A sentence for people.
    pub reason: String,
}

/// Opens a run.
///
/// # Errors
/// `forbidden` without `admin.import`.
pub async fn start(uow: &mut UnitOfWork, id: ImportRunId, kind: &str, source_name: &str) -> Result<()> {
    uow.caller().require(Permission::AdminImport)?;
    let (now, caller) = (uow.now(), uow.caller());
    let row = ImportRunRow {
        kind: kind.to_owned(),
        source_name: source_name.to_owned(),
        started_by: caller.actor.user(),
        ..ImportRunRow::new(id, uow.workspace()?, now)
    };
    uow.insert(&row, Change::of(Action::Import).event("import.started")).await
}

/// Writes down what is wrong.
///
/// # Errors
/// What the database says.
pub async fn note_issues(uow: &mut UnitOfWork, run: ImportRunId, issues: &[ImportIssue]) -> Result<()> {
    let (workspace, now) = (uow.workspace()?, uow.now());
    let rows: Vec<ImportIssueRow> = issues
        .iter()
        .map(|issue| ImportIssueRow {
            id: uow.id(),
            workspace_id: workspace,
            import_run_id: run,
            line: i64::try_from(issue.line).unwrap_or(i64::MAX),
            column_name: issue.column.clone(),
            code: issue.code.clone(),
            reason: issue.reason.clone(),
            version: 1,
            created_at: now,
            updated_at: now,
        })
        .collect();
    uow.insert_quietly(&rows).await
}

/// Closes a run.
///
/// # Errors
/// `not_found` when there is no such run.
pub async fn finish(uow: &mut UnitOfWork, id: ImportRunId, counts: ImportCounts) -> Result<()> {
    let before = find(uow, id).await?.ok_or_else(Error::not_found)?;
    let after = ImportRunRow {
        state: ImportState::Finished,
        rows_read: counts.rows_read,
        created: counts.created,
        changed: counts.changed,
        unchanged: counts.unchanged,
        wrong: counts.wrong,
        finished_at: Some(uow.now()),
        ..before.clone()
    };
    uow.update(&before, after, Change::of(Action::Import).event("import.finished")).await.map(|_| ())
}

impl ImportRunRow {
    /// A run that writes, of nothing yet.
    fn new(id: ImportRunId, workspace_id: kernel::WorkspaceId, now: kernel::DateTime) -> Self {
        Self {
            id,
            workspace_id,
            kind: String::new(),
            source_name: String::new(),
            state: ImportState::Running,
            rows_read: 0,
            created: 0,
            changed: 0,
            unchanged: 0,
            wrong: 0,
            finished_at: None,
            started_by: None,
            approved_by: None,
            asked_by: None,
            asked_token: None,
            source: None,
            storage_bucket: None,
            storage_key: None,
            file_type: None,
            filesize_bytes: None,
            reading: None,
            found: None,
            round: 0,
            position: 0,
            done: 0,
            total: None,
            staged_new: 0,
            staged_changed: 0,
            staged_same: 0,
            staged_wrong: 0,
            changed_meanwhile: 0,
            undone: 0,
            kept: 0,
            failure_code: None,
            failure: None,
            staged_at: None,
            approved_at: None,
            undone_at: None,
            removed_at: None,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }
}

async fn find(conn: &mut Conn, id: ImportRunId) -> Result<Option<ImportRunRow>> {
    let mut select = ImportRunRow::select();
    select.and_where(Expr::col(("import_run", "id")).eq(id.uuid()));
    conn.one(&select).await
}

/// A header that stands for what another one stands for.
pub fn repeated_column(header: &str) -> ImportIssue {
    ImportIssue {
        line: 1,
        column: Some(header.to_owned()),
        code: "repeated_column".to_owned(),
        reason: "stands for the same as another column; it was not read".to_owned(),
    }
}

/// A header that nobody knows.
pub fn unknown_column(header: &str) -> ImportIssue {
    ImportIssue {
        line: 1,
        column: Some(header.to_owned()),
        code: "unknown_column".to_owned(),
        reason: "is not a column that is known; it was not read".to_owned(),
    }
}
