//! The bookkeeping of imports: one row for each run, one for each thing that is wrong.

use kernel::{DateTime, Result, TypedId as _};
use serde::Serialize;
use store::query::{Expr, ExprTrait};
use store::{Action, Change, Conn, Record as _, UnitOfWork};

kernel::typed_id! {
    /// Names an import run.
    pub ImportRunId
}
kernel::typed_id! {
    /// Names something that is wrong in an import.
    pub ImportIssueId
}
store::id_fields!(ImportRunId, ImportIssueId);

store::text_enum! {
    /// How far an import is.
    pub enum ImportState {
        /// It runs, or was cut off.
        Running = "running",
        /// It has read everything.
        Finished = "finished",
    }
}

store::record! {
    /// A run of an import.
    pub struct ImportRunRow in "import_run" of workspace {
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
    }
}

store::record! {
    /// Something that is wrong in an import.
    pub struct ImportIssueRow in "import_issue" of workspace {
        id: ImportIssueId;
        import_run_id: ImportRunId,
        line: i64,
        column_name: Option<String>,
        code: String,
        reason: String,
    }
}

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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
    uow.caller().require(kernel::Permission::AdminImport)?;
    let now = uow.now();
    let row = ImportRunRow {
        id,
        workspace_id: uow.workspace()?,
        kind: kind.to_owned(),
        source_name: source_name.to_owned(),
        state: ImportState::Running,
        rows_read: 0,
        created: 0,
        changed: 0,
        unchanged: 0,
        wrong: 0,
        finished_at: None,
        version: 1,
        created_at: now,
        updated_at: now,
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
    let before = find(uow, id).await?.ok_or_else(kernel::Error::not_found)?;
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

async fn find(conn: &mut Conn, id: ImportRunId) -> Result<Option<ImportRunRow>> {
    let mut select = ImportRunRow::select();
    select.and_where(Expr::col(("import_run", "id")).eq(id.uuid()));
    conn.one(&select).await
}
