//! The bookkeeping of imports: one row for each run, one for each thing that is wrong.

use kernel::{Caller, DateTime, Error, Page, Permission, Result, TypedId as _};
use serde::{Deserialize, Serialize};
use store::list::{ListField, ListQuery, ListSpec};
use store::query::{Expr, ExprTrait, SelectStatement};
use store::{Action, Change, Conn, Record as _, UnitOfWork};
use utoipa::ToSchema;

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
    uow.caller().require(Permission::AdminImport)?;
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

async fn find(conn: &mut Conn, id: ImportRunId) -> Result<Option<ImportRunRow>> {
    let mut select = ImportRunRow::select();
    select.and_where(Expr::col(("import_run", "id")).eq(id.uuid()));
    conn.one(&select).await
}

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
    /// Counts its changes; the ETag is made from it.
    #[serde(skip)]
    pub version: i64,
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

/// How runs of imports can be listed.
pub static IMPORT_LIST: ListSpec = ListSpec {
    name: "imports",
    table: "import_run",
    fields: &[
        ListField::text("kind"),
        ListField::word("state", ImportState::TEXTS),
        ListField::time("created_at").sorted(),
        ListField::time("finished_at").nullable().sorted(),
    ],
    ..ListSpec::EMPTY
};

/// How the issues of a run can be listed.
pub static ISSUE_LIST: ListSpec = ListSpec {
    name: "import_issues",
    table: "import_issue",
    fields: &[ListField::integer("line").sorted(), ListField::text("code")],
    default_sort: &["line"],
    ..ListSpec::EMPTY
};

fn visible_to(caller: &Caller) -> Result<SelectStatement> {
    caller.require(Permission::AdminImport)?;
    let mut select = ImportRunRow::select();
    select.and_where(Expr::col(("import_run", "workspace_id")).eq(caller.workspace()?.uuid()));
    Ok(select)
}

/// Runs of imports in the workspace.
///
/// # Errors
/// `forbidden` without `admin.import`.
pub async fn list(conn: &mut Conn, caller: &Caller, query: &ListQuery) -> Result<Page<ImportRun>> {
    let page = store::list::page::<ImportRunRow>(conn, caller, visible_to(caller)?, &IMPORT_LIST, query).await?;
    Ok(page.map(ImportRun::from))
}

/// One run of an import.
///
/// # Errors
/// `forbidden` without `admin.import`; `not_found`.
pub async fn get(conn: &mut Conn, caller: &Caller, id: ImportRunId) -> Result<ImportRun> {
    let mut select = visible_to(caller)?;
    select.and_where(Expr::col(("import_run", "id")).eq(id.uuid()));
    conn.one::<ImportRunRow>(&select).await?.map(ImportRun::from).ok_or_else(Error::not_found)
}

/// What was wrong in a run of an import, by line.
///
/// # Errors
/// `forbidden` without `admin.import`; `not_found`.
pub async fn list_issues(conn: &mut Conn, caller: &Caller, id: ImportRunId, query: &ListQuery) -> Result<Page<NotedIssue>> {
    let run = get(conn, caller, id).await?;
    let mut select = ImportIssueRow::select();
    select
        .and_where(Expr::col(("import_issue", "workspace_id")).eq(caller.workspace()?.uuid()))
        .and_where(Expr::col(("import_issue", "import_run_id")).eq(run.id.uuid()));
    let page = store::list::page::<ImportIssueRow>(conn, caller, select, &ISSUE_LIST, query).await?;
    Ok(page.map(NotedIssue::from))
}
