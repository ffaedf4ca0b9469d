//! `/v1/imports`.

use platform::imports::{self, IMPORT_LIST, ISSUE_LIST, ImportRun, ImportRunId, NotedIssue};

use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;
use crate::routes::page_schema;

page_schema! {
    /// A page of runs of imports.
    ImportRunPage of ImportRun
}

page_schema! {
    /// A page of what was wrong in an import.
    NotedIssuePage of NotedIssue
}

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_list_imports, _, _>(list_imports).list(&IMPORT_LIST);
    registry.add::<__path_get_import, _, _>(get_import).record(&IMPORT_LIST);
    registry.add::<__path_list_import_issues, _, _>(list_import_issues).list(&ISSUE_LIST);
}

/// List imports
///
/// Runs of imports, newest first.
#[utoipa::path(get, path = "/v1/imports", tag = "imports",
    responses((status = 200, description = "A page of runs", body = ImportRunPage)))]
async fn list_imports(context: Context) -> ApiResult {
    let query = context.list_query(&IMPORT_LIST)?;
    let page = context.read(async |conn, caller| imports::list(conn, caller, &query).await).await?;
    context.page(&page, &query)
}

/// Get an import
#[utoipa::path(get, path = "/v1/imports/{import_id}", tag = "imports",
    responses((status = 200, description = "The run", body = ImportRun)))]
async fn get_import(context: Context) -> ApiResult {
    let id: ImportRunId = context.id("import_id")?;
    let query = context.record_query(&IMPORT_LIST)?;
    let run = context.read(async |conn, caller| imports::get(conn, caller, id).await).await?;
    context.record(&run, run.version, &query)
}

/// List what was wrong in an import
///
/// By line, each with column and reason.
#[utoipa::path(get, path = "/v1/imports/{import_id}/issues", tag = "imports",
    responses((status = 200, description = "A page of issues", body = NotedIssuePage)))]
async fn list_import_issues(context: Context) -> ApiResult {
    let id: ImportRunId = context.id("import_id")?;
    let query = context.list_query(&ISSUE_LIST)?;
    let page = context.read(async |conn, caller| imports::list_issues(conn, caller, id, &query).await).await?;
    context.page(&page, &query)
}
