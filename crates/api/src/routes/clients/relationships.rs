//! `/v1/client-relationships`.

use clients::ClientRelationshipId;
use clients::relationships::{self, ClientRelationship, ClientRelationshipPatch, CreateClientRelationship, RELATIONSHIP_LIST};
use store::UnitOfWork;

use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;
use crate::routes::page_schema;

page_schema! {
    /// A page of how clients relate.
    ClientRelationshipPage of ClientRelationship
}

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_list_client_relationships, _, _>(list_client_relationships).list(&RELATIONSHIP_LIST);
    registry.add::<__path_create_client_relationship, _, _>(create_client_relationship);
    registry.add::<__path_get_client_relationship, _, _>(get_client_relationship).record(&RELATIONSHIP_LIST);
    registry.add::<__path_update_client_relationship, _, _>(update_client_relationship);
    registry.add::<__path_delete_client_relationship, _, _>(delete_client_relationship);
}

/// List how clients relate
///
/// Of clients that the caller may see, at one end or the other; `client_id` finds those of one client at either end.
#[utoipa::path(get, path = "/v1/client-relationships", tag = "client relationships",
    responses((status = 200, description = "A page of relationships", body = ClientRelationshipPage)))]
async fn list_client_relationships(context: Context) -> ApiResult {
    let query = context.list_query(&RELATIONSHIP_LIST)?;
    let page = context.read(async |conn, caller| relationships::list(conn, caller, &query).await).await?;
    context.page(&page, &query)
}

/// Write down how two clients relate
///
/// Of the same kind, for the same two and the same territory, no two hold at the same time. Of a principal and a distributor, each must have
/// that role.
#[utoipa::path(post, path = "/v1/client-relationships", tag = "client relationships", request_body = CreateClientRelationship,
    responses((status = 201, description = "The relationship", body = ClientRelationship)))]
async fn create_client_relationship(context: Context, body: Body) -> ApiResult {
    let work = async |uow: &mut UnitOfWork, input| {
        let made = relationships::create(uow, input).await?;
        Ok(Answer::created(format!("/v1/client-relationships/{}", made.id), &made)?.version(made.version))
    };
    context.post::<CreateClientRelationship>(body, work).await
}

/// Get how two clients relate
#[utoipa::path(get, path = "/v1/client-relationships/{relationship_id}", tag = "client relationships",
    responses((status = 200, description = "The relationship", body = ClientRelationship)))]
async fn get_client_relationship(context: Context) -> ApiResult {
    let id: ClientRelationshipId = context.id("relationship_id")?;
    let query = context.record_query(&RELATIONSHIP_LIST)?;
    let found = context.read(async |conn, caller| relationships::get(conn, caller, id, &query).await).await?;
    context.record(&found, found.version, &query)
}

/// Change how two clients relate
///
/// Who they are, and of which kind it is, stays.
#[utoipa::path(patch, path = "/v1/client-relationships/{relationship_id}", tag = "client relationships",
    request_body = ClientRelationshipPatch,
    responses((status = 200, description = "The relationship", body = ClientRelationship)))]
async fn update_client_relationship(context: Context, body: Body) -> ApiResult {
    let id: ClientRelationshipId = context.id("relationship_id")?;
    let work = async |uow: &mut UnitOfWork, seen, patch| {
        let changed = relationships::update(uow, id, seen, patch).await?;
        Ok(Answer::ok(&changed)?.version(changed.version))
    };
    context.patch::<ClientRelationshipPatch>(body, work).await
}

/// Delete how two clients relate
///
/// For what was written down by mistake: one that held and holds no more is better ended by its `valid_until`.
#[utoipa::path(delete, path = "/v1/client-relationships/{relationship_id}", tag = "client relationships",
    responses((status = 204, description = "Deleted")))]
async fn delete_client_relationship(context: Context) -> ApiResult {
    let id: ClientRelationshipId = context.id("relationship_id")?;
    context.delete(async |uow, seen| relationships::delete(uow, id, seen).await).await
}
