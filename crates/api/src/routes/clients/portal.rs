//! `/v1/contacts/{contact_id}/portal`: contacts in the portal, as staff see to them.

use auth::portal::AccessPatch;
use clients::portal::{self as commands, ContactPortal, ContactPortalPatch, InviteToPortal};
use clients::{ClientId, ContactId};
use store::list::ListSpec;

use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_get_contact_portal, _, _>(get_contact_portal).record(&ListSpec::EMPTY);
    registry.add::<__path_update_contact_portal, _, _>(update_contact_portal);
    registry.add::<__path_invite_contact, _, _>(invite_contact);
    registry.add::<__path_update_contact_portal_client, _, _>(update_contact_portal_client);
}

/// Get a contact's portal account
///
/// How far they have come, and what they may do for which client.
#[utoipa::path(get, path = "/v1/contacts/{contact_id}/portal", tag = "contacts",
    responses((status = 200, description = "The contact in the portal", body = ContactPortal)))]
async fn get_contact_portal(context: Context) -> ApiResult {
    let id: ContactId = context.id("contact_id")?;
    let query = context.record_query(&ListSpec::EMPTY)?;
    let now = context.state.store.runtime().now();
    let portal = context.read(async |conn, caller| commands::get(conn, caller, id, now).await).await?;
    // what they may do changes without the account
    context.living_record(&portal, portal.version, &query)
}

/// Switch a contact's portal account on or off
///
/// Switching it off ends the contact's sessions, and what was sent by mail stops working.
#[utoipa::path(patch, path = "/v1/contacts/{contact_id}/portal", tag = "contacts", request_body = ContactPortalPatch,
    responses((status = 200, description = "The contact in the portal", body = ContactPortal)))]
async fn update_contact_portal(context: Context, body: Body) -> ApiResult {
    let id: ContactId = context.id("contact_id")?;
    let work = async |uow: &mut store::UnitOfWork, seen, patch| {
        let portal = commands::update(uow, id, seen, patch).await?;
        Ok(Answer::ok(&portal)?.version(portal.version))
    };
    context.patch::<ContactPortalPatch>(body, work).await
}

/// Invite a contact to the portal
///
/// A mail goes to the contact with a token that works once, with which they set a password. Inviting once more sends another, and the one
/// before stops working.
#[utoipa::path(post, path = "/v1/contacts/{contact_id}/portal/invitation", tag = "contacts", request_body = InviteToPortal,
    responses((status = 200, description = "The contact in the portal", body = ContactPortal)))]
async fn invite_contact(context: Context, body: Body) -> ApiResult {
    let id: ContactId = context.id("contact_id")?;
    let auth = &context.state.auth;
    let work = async |uow: &mut store::UnitOfWork, input| {
        let portal = commands::invite(auth, uow, id, input).await?;
        Ok(Answer::ok(&portal)?.version(portal.version))
    };
    context.post::<InviteToPortal>(body, work).await
}

/// Say what a contact may do for a client in the portal
///
/// All of it; without any, the client is none of their portal. It can be said before they are invited.
#[utoipa::path(patch, path = "/v1/contacts/{contact_id}/portal/clients/{client_id}", tag = "contacts", request_body = AccessPatch,
    responses((status = 200, description = "The contact in the portal", body = ContactPortal)))]
async fn update_contact_portal_client(context: Context, body: Body) -> ApiResult {
    let (id, client): (ContactId, ClientId) = (context.id("contact_id")?, context.id("client_id")?);
    let work = async |uow: &mut store::UnitOfWork, _, patch| {
        let portal = commands::set_client(uow, id, client, patch).await?;
        Ok(Answer::ok(&portal)?.version(portal.version))
    };
    context.patch::<AccessPatch>(body, work).await
}
