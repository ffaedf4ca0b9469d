//! `/v1/client-groups` and `/v1/clients/{client_id}/groups`.

use clients::groups::{self, AddToGroup, ClientGroup, ClientGroupPatch, CreateClientGroup, GROUP_LIST};
use clients::{ClientGroupId, ClientId};
use store::UnitOfWork;

use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;
use crate::routes::page_schema;

page_schema! {
    /// A page of groups of clients.
    ClientGroupPage of ClientGroup
}

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_list_client_groups, _, _>(list_client_groups).list(&GROUP_LIST);
    registry.add::<__path_create_client_group, _, _>(create_client_group);
    registry.add::<__path_get_client_group, _, _>(get_client_group).record(&GROUP_LIST);
    registry.add::<__path_update_client_group, _, _>(update_client_group);
    registry.add::<__path_delete_client_group, _, _>(delete_client_group);
    registry.add::<__path_add_client_to_group, _, _>(add_client_to_group);
    registry.add::<__path_remove_client_from_group, _, _>(remove_client_from_group).without_etag();
}

/// List groups of clients
#[utoipa::path(get, path = "/v1/client-groups", tag = "client groups",
    responses((status = 200, description = "A page of groups", body = ClientGroupPage)))]
async fn list_client_groups(context: Context) -> ApiResult {
    let query = context.list_query(&GROUP_LIST)?;
    let page = context.read(async |conn, caller| groups::list(conn, caller, &query).await).await?;
    context.page(&page, &query)
}

/// Make a group of clients
#[utoipa::path(post, path = "/v1/client-groups", tag = "client groups", request_body = CreateClientGroup,
    responses((status = 201, description = "The group", body = ClientGroup)))]
async fn create_client_group(context: Context, body: Body) -> ApiResult {
    let work = async |uow: &mut UnitOfWork, input| {
        let group = groups::create(uow, input).await?;
        Ok(Answer::created(format!("/v1/client-groups/{}", group.id), &group)?.version(group.version))
    };
    context.post::<CreateClientGroup>(body, work).await
}

/// Get a group of clients
#[utoipa::path(get, path = "/v1/client-groups/{client_group_id}", tag = "client groups",
    responses((status = 200, description = "The group", body = ClientGroup)))]
async fn get_client_group(context: Context) -> ApiResult {
    let id: ClientGroupId = context.id("client_group_id")?;
    let query = context.record_query(&GROUP_LIST)?;
    let group = context.read(async |conn, caller| groups::get(conn, caller, id).await).await?;
    context.record(&group, group.version, &query)
}

/// Change a group of clients
#[utoipa::path(patch, path = "/v1/client-groups/{client_group_id}", tag = "client groups", request_body = ClientGroupPatch,
    responses((status = 200, description = "The group", body = ClientGroup)))]
async fn update_client_group(context: Context, body: Body) -> ApiResult {
    let id: ClientGroupId = context.id("client_group_id")?;
    let work = async |uow: &mut UnitOfWork, seen, patch| {
        let group = groups::update(uow, id, seen, patch).await?;
        Ok(Answer::ok(&group)?.version(group.version))
    };
    context.patch::<ClientGroupPatch>(body, work).await
}

/// Delete a group of clients
///
/// Its clients stay, and are in it no more.
#[utoipa::path(delete, path = "/v1/client-groups/{client_group_id}", tag = "client groups",
    responses((status = 204, description = "Deleted")))]
async fn delete_client_group(context: Context) -> ApiResult {
    let id: ClientGroupId = context.id("client_group_id")?;
    context.delete(async |uow, seen| groups::delete(uow, id, seen).await).await
}

/// Put a client into a group
///
/// One that is in it stays in it.
#[utoipa::path(post, path = "/v1/clients/{client_id}/groups", tag = "client groups", request_body = AddToGroup,
    responses((status = 200, description = "The group", body = ClientGroup)))]
async fn add_client_to_group(context: Context, body: Body) -> ApiResult {
    let id: ClientId = context.id("client_id")?;
    let work = async |uow: &mut UnitOfWork, input: AddToGroup| Answer::ok(&groups::add(uow, id, &input).await?);
    context.post::<AddToGroup>(body, work).await
}

/// Take a client out of a group
#[utoipa::path(delete, path = "/v1/clients/{client_id}/groups/{client_group_id}", tag = "client groups",
    responses((status = 204, description = "Taken out")))]
async fn remove_client_from_group(context: Context) -> ApiResult {
    let (id, group): (ClientId, ClientGroupId) = (context.id("client_id")?, context.id("client_group_id")?);
    context.remove(async |uow| groups::remove(uow, id, group).await).await
}
