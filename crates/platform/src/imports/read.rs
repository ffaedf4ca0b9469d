//! Reading imports.

use kernel::{Actor, Caller, Error, Page, Permission, Result, TypedId as _};
use store::list::{ListField, ListQuery, ListSpec};
use store::query::{Expr, ExprTrait, SelectStatement};
use store::{Conn, Record as _};

use super::importer::Importers;
use super::rows::{ImportIssueRow, ImportRowRow, ImportRunId, ImportRunRow, ImportState, RowException, RowOutcome};
use super::wire::{ImportRow, ImportRun, NotedIssue};

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

/// How the rows of an import can be listed.
pub static ROW_LIST: ListSpec = ListSpec {
    name: "import_rows",
    table: "import_row",
    fields: &[
        ListField::integer("line").sorted(),
        ListField::word("outcome", RowOutcome::TEXTS),
        ListField::word("exception", RowException::TEXTS).nullable(),
        ListField::uuid("record_id").nullable(),
    ],
    default_sort: &["line"],
    ..ListSpec::EMPTY
};

pub(super) fn visible_to(caller: &Caller) -> Result<SelectStatement> {
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
    Ok(page.map(ImportRunRow::listed))
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

/// The rows of a run that the caller may see.
pub(super) fn rows_of(caller: &Caller, run: ImportRunId) -> Result<SelectStatement> {
    caller.require(Permission::AdminImport)?;
    let mut select = ImportRowRow::select();
    select
        .and_where(Expr::col(("import_row", "workspace_id")).eq(caller.workspace()?.uuid()))
        .and_where(Expr::col(("import_row", "import_run_id")).eq(run.uuid()));
    Ok(select)
}

/// The rows of an import as they are staged, by line.
///
/// # Errors
/// `forbidden` without `admin.import`; `not_found`.
pub async fn list_rows(
    conn: &mut Conn,
    caller: &Caller,
    importers: Importers,
    id: ImportRunId,
    query: &ListQuery,
) -> Result<Page<ImportRow>> {
    let run = get(conn, caller, id).await?;
    // a token may see less than the one who made it
    let is_own = matches!(caller.actor, Actor::User { user, .. } if run.started_by == Some(user));
    let sees_all = importers.find(&run.kind).is_some_and(|importer| caller.can(importer.to_see_all()));
    let page = store::list::page::<ImportRowRow>(conn, caller, rows_of(caller, id)?, &ROW_LIST, query).await?;
    Ok(page.map(|row| row.view(is_own || sees_all)))
}
