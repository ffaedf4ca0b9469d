//! `/v1/imports`: what is the same for every domain. Each starts its own.

use actix_web::HttpResponse;
use actix_web::http::header;
use bytes::Bytes;
use kernel::Error;
use kernel::error::Faults;
use platform::imports::{
    self, IMPORT_LIST, ISSUE_LIST, ImportPatch, ImportRow, ImportRun, ImportRunId, NotedIssue, ROW_LIST, ReportPage,
};
use store::UnitOfWork;
use utoipa::ToSchema;

use crate::IMPORTERS;
use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;
use crate::routes::page_schema;

page_schema! {
    /// A page of rows of an import.
    ImportRowPage of ImportRow
}

/// The report of an import.
#[derive(ToSchema)]
#[schema(value_type = String)]
#[expect(dead_code, reason = "it names the report in the document")]
pub(crate) struct ImportReport(String);

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
    registry.add::<__path_update_import, _, _>(update_import);
    registry.add::<__path_list_import_rows, _, _>(list_import_rows).list(&ROW_LIST);
    registry.add::<__path_get_import_report, _, _>(get_import_report);
    registry.add::<__path_approve_import, _, _>(approve_import);
    registry.add::<__path_cancel_import, _, _>(cancel_import);
    registry.add::<__path_undo_import, _, _>(undo_import);
    registry.add::<__path_purge_import, _, _>(purge_import);
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
///
/// With how far it is, and what was found at the beginning of its file.
#[utoipa::path(get, path = "/v1/imports/{import_id}", tag = "imports",
    responses((status = 200, description = "The run", body = ImportRun)))]
async fn get_import(context: Context) -> ApiResult {
    let id: ImportRunId = context.id("import_id")?;
    let query = context.record_query(&IMPORT_LIST)?;
    let run = context.read(async |conn, caller| imports::get(conn, caller, id).await).await?;
    // how far it is does not count as a change
    context.living_record(&run, run.version, &query)
}

/// List what was wrong in an import
///
/// By line, each with column and reason; the first 1,000 of one that came over HTTP. Its report has all.
#[utoipa::path(get, path = "/v1/imports/{import_id}/issues", tag = "imports",
    responses((status = 200, description = "A page of issues", body = NotedIssuePage)))]
async fn list_import_issues(context: Context) -> ApiResult {
    let id: ImportRunId = context.id("import_id")?;
    let query = context.list_query(&ISSUE_LIST)?;
    let page = context.read(async |conn, caller| imports::list_issues(conn, caller, id, &query).await).await?;
    context.page(&page, &query)
}

/// Have an import read otherwise
///
/// Its rows are staged anew. It is answered before that; what only shows when the file is read makes the import fail.
#[utoipa::path(patch, path = "/v1/imports/{import_id}", tag = "imports", request_body = ImportPatch,
    responses((status = 200, description = "The run, which is staged", body = ImportRun)))]
async fn update_import(context: Context, body: Body) -> ApiResult {
    let id: ImportRunId = context.id("import_id")?;
    let work = async |uow: &mut UnitOfWork, seen, patch| {
        let run = imports::update(uow, IMPORTERS, id, seen, patch).await?;
        Ok(Answer::ok(&run)?.version(run.version))
    };
    context.patch::<ImportPatch>(body, work).await
}

/// List the rows of an import
///
/// As they are staged, by line: what each would do, and what it changes.
#[utoipa::path(get, path = "/v1/imports/{import_id}/rows", tag = "imports",
    responses((status = 200, description = "A page of rows", body = ImportRowPage)))]
async fn list_import_rows(context: Context) -> ApiResult {
    let id: ImportRunId = context.id("import_id")?;
    let query = context.list_query(&ROW_LIST)?;
    let page = context.read(async |conn, caller| imports::list_rows(conn, caller, IMPORTERS, id, &query).await).await?;
    context.page(&page, &query)
}

/// Download the report of an import
///
/// Row by row as CSV: line, what came of it (or would come of it), the record, and everything that is wrong with column, code and reason.
/// What a spreadsheet would run stands behind an apostrophe.
#[utoipa::path(get, path = "/v1/imports/{import_id}/report", tag = "imports",
    responses((status = 200, description = "The report", body = ImportReport, content_type = "text/csv")))]
async fn get_import_report(context: Context) -> ApiResult {
    let id: ImportRunId = context.id("import_id")?;
    let [format] = context.parameters(["format"])?;
    if format.is_some_and(|format| format != "csv") {
        let mut faults = Faults::new();
        faults.add("?format", "unknown_value", "must be csv");
        faults.into_result().map_err(|error| context.fail(error))?;
    }
    let first = page_of_report(&context, id, None).await.map_err(|error| context.fail(error))?;
    let pages = futures::stream::try_unfold(Some((context.clone(), first)), move |at| async move {
        let Some((context, page)) = at else { return Ok::<_, Error>(None) };
        let next = match page.next {
            Some(after) => {
                let next = page_of_report(&context, id, Some(after)).await;
                Some((context, next.inspect_err(|error| tracing::warn!(?error, "a report was cut off"))?))
            }
            None => None,
        };
        Ok(Some((Bytes::from(page.csv), next)))
    });
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"import-{id}.csv\"")))
        .streaming(pages))
}

async fn page_of_report(context: &Context, id: ImportRunId, after: Option<i64>) -> kernel::Result<ReportPage> {
    let mut reader = context.state.store.reader(context.caller()).await?;
    let page = imports::report_page(&mut reader, context.caller(), id, after).await?;
    reader.close().await?;
    Ok(page)
}

/// Approve an import
///
/// What is staged is written in the background, as the one who approves it, with what they may do by then. A row whose effect is no longer
/// what was staged is left out and told.
#[utoipa::path(post, path = "/v1/imports/{import_id}/approve", tag = "imports",
    responses((status = 202, description = "The run, which writes", body = ImportRun)))]
async fn approve_import(context: Context, body: Body) -> ApiResult {
    let id: ImportRunId = context.id("import_id")?;
    let work = async |uow: &mut UnitOfWork, seen| {
        let run = imports::approve(uow, IMPORTERS, id, seen).await?;
        Ok(Answer::accepted(format!("/v1/imports/{id}"), &run)?.version(run.version))
    };
    context.act(body, work).await
}

/// Call an import off
///
/// One that writes stops after its present batch. What it has written stays, and can be taken back.
#[utoipa::path(post, path = "/v1/imports/{import_id}/cancel", tag = "imports",
    responses((status = 200, description = "The run, which is called off", body = ImportRun)))]
async fn cancel_import(context: Context, body: Body) -> ApiResult {
    let id: ImportRunId = context.id("import_id")?;
    let work = async |uow: &mut UnitOfWork, seen| {
        let run = imports::cancel(uow, id, seen).await?;
        Ok(Answer::ok(&run)?.version(run.version))
    };
    context.act(body, work).await
}

/// Take an import back
///
/// Records that it made are deleted for ever, as if they had been purged, and fields that it changed get their former values, in the
/// background. What something newer stands on is left, and told row by row.
#[utoipa::path(post, path = "/v1/imports/{import_id}/undo", tag = "imports",
    responses((status = 202, description = "The run, which is taken back", body = ImportRun)))]
async fn undo_import(context: Context, body: Body) -> ApiResult {
    let id: ImportRunId = context.id("import_id")?;
    let work = async |uow: &mut UnitOfWork, seen| {
        let run = imports::take_back(uow, IMPORTERS, id, seen).await?;
        Ok(Answer::accepted(format!("/v1/imports/{id}"), &run)?.version(run.version))
    };
    context.act(body, work).await
}

/// Purge an import
///
/// Deletes what is known of it for ever, with its rows and its file. What it has written stays, and can no longer be taken back.
#[utoipa::path(post, path = "/v1/imports/{import_id}/purge", tag = "imports", responses((status = 204, description = "Gone")))]
async fn purge_import(context: Context, body: Body) -> ApiResult {
    let id: ImportRunId = context.id("import_id")?;
    let work = async |uow: &mut UnitOfWork, seen| {
        files::imports::purge(uow, id, seen).await?;
        Ok(Answer::nothing())
    };
    let answered = context.act(body, work).await;
    context.remove_objects();
    answered
}
