//! `/v1/clients/{client_id}/contacts`.

use clients::links::{self, LinkContact, LinkPatch, LinkedContact};
use clients::{ClientId, ContactId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;

/// The contacts of a client.
#[derive(Serialize, ToSchema)]
pub(crate) struct LinkedContactList {
    /// The contacts, the primary one first.
    data: Vec<LinkedContact>,
}

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_list_client_contacts, _, _>(list_client_contacts);
    registry.add::<__path_link_client_contact, _, _>(link_client_contact);
    registry.add::<__path_get_client_contact, _, _>(get_client_contact);
    registry.add::<__path_update_client_contact, _, _>(update_client_contact);
    registry.add::<__path_unlink_client_contact, _, _>(unlink_client_contact);
}

/// List the contacts of a client
///
/// The primary one first.
#[utoipa::path(get, path = "/v1/clients/{client_id}/contacts", tag = "clients",
    responses((status = 200, description = "The contacts", body = LinkedContactList)))]
async fn list_client_contacts(context: Context) -> ApiResult {
    let id: ClientId = context.id("client_id")?;
    context.record_query(&store::list::ListSpec::EMPTY)?;
    let data = context.read(async |conn, caller| links::list(conn, caller, id).await).await?;
    context.plain(&LinkedContactList { data })
}

/// Add a contact to a client
///
/// The first one is the primary one; a later one can take its place.
#[utoipa::path(post, path = "/v1/clients/{client_id}/contacts", tag = "clients", request_body = LinkContact,
    responses((status = 201, description = "The contact as it belongs to the client", body = LinkedContact)))]
async fn link_client_contact(context: Context, body: Body) -> ApiResult {
    let id: ClientId = context.id("client_id")?;
    let work = async |uow: &mut store::UnitOfWork, input| {
        let linked = links::link(uow, id, input).await?;
        let location = format!("/v1/clients/{id}/contacts/{}", linked.contact.id);
        Ok(Answer::created(location, &linked)?.version(linked.version))
    };
    context.post::<LinkContact>(body, work).await
}

/// Get a contact as it belongs to a client
#[utoipa::path(get, path = "/v1/clients/{client_id}/contacts/{contact_id}", tag = "clients",
    responses((status = 200, description = "The contact as it belongs to the client", body = LinkedContact)))]
async fn get_client_contact(context: Context) -> ApiResult {
    let (client, contact): (ClientId, ContactId) = (context.id("client_id")?, context.id("contact_id")?);
    let query = context.record_query(&store::list::ListSpec::EMPTY)?;
    let linked = context.read(async |conn, caller| links::get(conn, caller, client, contact).await).await?;
    // it shows the contact too, which has changes of its own
    context.living_record(&linked, linked.version, &query)
}

/// Change how a contact belongs to a client
#[utoipa::path(patch, path = "/v1/clients/{client_id}/contacts/{contact_id}", tag = "clients", request_body = LinkPatch,
    responses((status = 200, description = "The contact as it belongs to the client", body = LinkedContact)))]
async fn update_client_contact(context: Context, body: Body) -> ApiResult {
    let (client, contact): (ClientId, ContactId) = (context.id("client_id")?, context.id("contact_id")?);
    let work = async |uow: &mut store::UnitOfWork, seen, patch| {
        let linked = links::update(uow, client, contact, seen, patch).await?;
        Ok(Answer::ok(&linked)?.version(linked.version))
    };
    context.patch::<LinkPatch>(body, work).await
}

/// Take a contact off a client
///
/// Where it was the primary one, the longest-standing of the others becomes it.
#[utoipa::path(delete, path = "/v1/clients/{client_id}/contacts/{contact_id}", tag = "clients",
    responses((status = 204, description = "Taken off")))]
async fn unlink_client_contact(context: Context) -> ApiResult {
    let (client, contact): (ClientId, ContactId) = (context.id("client_id")?, context.id("contact_id")?);
    context.delete(async |uow, seen| links::unlink(uow, client, contact, seen).await).await
}
