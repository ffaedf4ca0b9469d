//! `/v1/clients`.

use clients::ClientId;
use clients::clients::{
    self as commands, CLIENT_LIST, Client, ClientExport, ClientPatch, CreateClient, TransferClients, TransferredClients,
};
use clients::merge::{self, MergeClients, MergePreview, MergedClients, UndoMerge};
use insight::{ClientSummary, TIMELINE_LIST, TimelineEntry};
use platform::audit::AUDIT_LIST;

use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::export::{self, ExportedTable};
use crate::problem::ApiResult;
use crate::registry::Registry;
use crate::routes::page_schema;
use crate::routes::platform::audit::AuditEntryPage;

page_schema! {
    /// A page of clients.
    ClientPage of Client
}

page_schema! {
    /// A page of what happened.
    TimelinePage of TimelineEntry
}

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_list_clients, _, _>(list_clients).list(&CLIENT_LIST);
    registry.add::<__path_export_clients, _, _>(export_clients).export(&CLIENT_LIST);
    registry.add::<__path_create_client, _, _>(create_client);
    registry.add::<__path_get_client, _, _>(get_client).record(&CLIENT_LIST);
    registry.add::<__path_update_client, _, _>(update_client);
    registry.add::<__path_archive_client, _, _>(archive_client);
    registry.add::<__path_restore_client, _, _>(restore_client);
    registry.add::<__path_purge_client, _, _>(purge_client);
    registry.add::<__path_get_client_summary, _, _>(get_client_summary);
    registry.add::<__path_transfer_clients, _, _>(transfer_clients);
    registry.add::<__path_preview_client_merge, _, _>(preview_client_merge);
    registry.add::<__path_merge_client, _, _>(merge_client);
    registry.add::<__path_undo_client_merge, _, _>(undo_client_merge);
    registry.add::<__path_list_client_timeline, _, _>(list_client_timeline).list(&TIMELINE_LIST);
    registry.add::<__path_list_client_audit, _, _>(list_client_audit).list(&AUDIT_LIST);
}

/// List clients
///
/// With `clients.view_own` alone, those that the caller owns, made or is responsible for.
#[utoipa::path(get, path = "/v1/clients", tag = "clients",
    responses((status = 200, description = "A page of clients", body = ClientPage)))]
async fn list_clients(context: Context) -> ApiResult {
    let query = context.list_query(&CLIENT_LIST)?;
    let page = context.read(async |conn, caller| commands::list(conn, caller, &query).await).await?;
    context.page(&page, &query)
}

/// Export clients
///
/// All clients of the list as a table, CSV or an Excel workbook, in the order of the sort and with the same filters; with
/// `clients.view_own` alone, those that the caller owns or made. A list in a cell is separated by `; `, times are as elsewhere. What a
/// spreadsheet would run stands behind an apostrophe in CSV; in a workbook every cell is text. A workbook of more than a million records
/// goes on in another sheet.
///
/// It is sent while it is read, so it is no picture of one moment: each record is as it was when its turn came, and comes at most once
/// unless its place in the sort changes meanwhile. It counts as a bulk call. The audit trail tells who exported what, and how many.
#[utoipa::path(get, path = "/v1/clients/export", tag = "clients", responses((status = 200, description = "The table", content(
    (ExportedTable = "text/csv"),
    (ExportedTable = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))))]
async fn export_clients(context: Context) -> ApiResult {
    export::send::<ClientExport>(&context).await
}

/// Create a client
#[utoipa::path(post, path = "/v1/clients", tag = "clients", request_body = CreateClient,
    responses((status = 201, description = "The client", body = Client)))]
async fn create_client(context: Context, body: Body) -> ApiResult {
    let work = async |uow: &mut store::UnitOfWork, input| {
        let client = commands::create(uow, input).await?;
        Ok(Answer::created(format!("/v1/clients/{}", client.id), &client)?.version(client.version))
    };
    context.post::<CreateClient>(body, work).await
}

/// Get a client
#[utoipa::path(get, path = "/v1/clients/{client_id}", tag = "clients",
    responses((status = 200, description = "The client", body = Client)))]
async fn get_client(context: Context) -> ApiResult {
    let id: ClientId = context.id("client_id")?;
    let query = context.record_query(&CLIENT_LIST)?;
    let client = context.read(async |conn, caller| commands::get(conn, caller, id, &query).await).await?;
    context.record(&client, client.version, &query)
}

/// Change a client
///
/// What changes nothing writes nothing.
#[utoipa::path(patch, path = "/v1/clients/{client_id}", tag = "clients", request_body = ClientPatch,
    responses((status = 200, description = "The client", body = Client)))]
async fn update_client(context: Context, body: Body) -> ApiResult {
    let id: ClientId = context.id("client_id")?;
    let work = async |uow: &mut store::UnitOfWork, seen, patch| {
        let client = commands::update(uow, id, seen, patch).await?;
        Ok(Answer::ok(&client)?.version(client.version))
    };
    context.patch::<ClientPatch>(body, work).await
}

/// Archive a client
///
/// It is left out of lists, and can be restored.
#[utoipa::path(delete, path = "/v1/clients/{client_id}", tag = "clients",
    responses((status = 204, description = "Archived")))]
async fn archive_client(context: Context) -> ApiResult {
    let id: ClientId = context.id("client_id")?;
    context.delete(async |uow, seen| commands::archive(uow, id, seen).await).await
}

/// Restore a client
#[utoipa::path(post, path = "/v1/clients/{client_id}/restore", tag = "clients",
    responses((status = 200, description = "The client", body = Client)))]
async fn restore_client(context: Context, body: Body) -> ApiResult {
    let id: ClientId = context.id("client_id")?;
    let work = async |uow: &mut store::UnitOfWork, seen| {
        let client = commands::restore(uow, id, seen).await?;
        Ok(Answer::ok(&client)?.version(client.version))
    };
    context.act(body, work).await
}

/// Purge a client
///
/// Deletes an archived client for ever, with its notes, interactions, relationships and files, and erases what the audit trail holds of the person.
#[utoipa::path(post, path = "/v1/clients/{client_id}/purge", tag = "clients",
    responses((status = 204, description = "Gone")))]
async fn purge_client(context: Context, body: Body) -> ApiResult {
    let id: ClientId = context.id("client_id")?;
    let work = async |uow: &mut store::UnitOfWork, seen| {
        commands::purge(uow, id, seen).await?;
        Ok(Answer::nothing())
    };
    let answered = context.act(body, work).await;
    context.remove_objects();
    answered
}

/// See a client at a glance
///
/// Eleven counts and what is owed, in one query.
#[utoipa::path(get, path = "/v1/clients/{client_id}/summary", tag = "clients",
    responses((status = 200, description = "The summary", body = ClientSummary)))]
async fn get_client_summary(context: Context) -> ApiResult {
    let id: ClientId = context.id("client_id")?;
    context.record_query(&store::list::ListSpec::EMPTY)?;
    let summary = context.read(async |conn, caller| insight::client_summary(conn, caller, id).await).await?;
    context.plain(&summary)
}

/// Give clients to somebody else
///
/// All of somebody, up to 1,000 at a time, or those that are named. What is archived stays.
#[utoipa::path(post, path = "/v1/clients/transfer", tag = "clients", request_body = TransferClients,
    responses((status = 200, description = "What became of it", body = TransferredClients)))]
async fn transfer_clients(context: Context, body: Body) -> ApiResult {
    let work = async |uow: &mut store::UnitOfWork, input| Answer::ok(&commands::transfer(uow, &input).await?);
    context.post::<TransferClients>(body, work).await
}

/// See what a merge of two clients would do
///
/// Nothing is changed. What would be refused is refused in the same way.
#[utoipa::path(post, path = "/v1/clients/{client_id}/merge/preview", tag = "clients", request_body = MergeClients,
    responses((status = 200, description = "What it would do", body = MergePreview)))]
async fn preview_client_merge(context: Context, body: Body) -> ApiResult {
    let id: ClientId = context.id("client_id")?;
    let work = async |uow: &mut store::UnitOfWork, input| Answer::ok(&merge::preview(uow, id, input).await?);
    context.post::<MergeClients>(body, work).await
}

/// Merge another client into a client
///
/// What hangs on the other one hangs on this one then, and what both had is there once. The other one is put away, out of every list: a read
/// under its id is answered with 301 and the address of this one, anything else with `client_merged` and its id as `survivor_id`. It can be taken back while
/// nothing newer stands on it.
#[utoipa::path(post, path = "/v1/clients/{client_id}/merge", tag = "clients", request_body = MergeClients,
    responses((status = 200, description = "What became of it", body = MergedClients)))]
async fn merge_client(context: Context, body: Body) -> ApiResult {
    let id: ClientId = context.id("client_id")?;
    let seen = context.if_match();
    let work = async |uow: &mut store::UnitOfWork, input| {
        let merged = merge::merge(uow, id, seen, input).await?;
        Ok(Answer::ok(&merged)?.version(merged.client.version))
    };
    context.post::<MergeClients>(body, work).await
}

/// Take a merge of clients back
///
/// Both are as they were, with what hung on each. Where something newer stands on the merge, the answer is `merge_built_on`, and its
/// `newer` says what.
#[utoipa::path(post, path = "/v1/clients/{client_id}/merge/undo", tag = "clients", request_body = UndoMerge,
    responses((status = 200, description = "The client that had become part of this one", body = Client)))]
async fn undo_client_merge(context: Context, body: Body) -> ApiResult {
    let id: ClientId = context.id("client_id")?;
    let seen = context.if_match();
    let work = async |uow: &mut store::UnitOfWork, input| {
        let client = merge::undo(uow, id, seen, input).await?;
        Ok(Answer::ok(&client)?.version(client.version))
    };
    context.post::<UndoMerge>(body, work).await
}

/// See what happened with a client
///
/// Interactions, notes and changes in one stream, the newest first. Changes are masked as in the audit trail; whoever does not read that sees
/// their own.
#[utoipa::path(get, path = "/v1/clients/{client_id}/timeline", tag = "clients",
    responses((status = 200, description = "A page of what happened", body = TimelinePage)))]
async fn list_client_timeline(context: Context) -> ApiResult {
    let id: ClientId = context.id("client_id")?;
    let query = context.list_query(&TIMELINE_LIST)?;
    let page = context.read(async |conn, caller| insight::client_timeline(conn, caller, id, &query).await).await?;
    context.page(&page, &query)
}

/// Read the audit trail of a client
///
/// Its own changes, and those of what hangs on it, field by field.
#[utoipa::path(get, path = "/v1/clients/{client_id}/audit", tag = "audit",
    responses((status = 200, description = "A page of entries", body = AuditEntryPage)))]
async fn list_client_audit(context: Context) -> ApiResult {
    let id: ClientId = context.id("client_id")?;
    let query = context.list_query(&AUDIT_LIST)?;
    let page = context.read(async |conn, caller| commands::audit(conn, caller, id, &query).await).await?;
    context.page(&page, &query)
}
