//! `/v1/invitations`.

use auth::InvitationId;
use auth::invitations::{self, CreateInvitation, INVITATION_LIST, Invitation};

use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;
use crate::routes::page_schema;

page_schema! {
    /// A page of invitations.
    InvitationPage of Invitation
}

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_list_invitations, _, _>(list_invitations).list(&INVITATION_LIST);
    registry.add::<__path_create_invitation, _, _>(create_invitation);
    registry.add::<__path_get_invitation, _, _>(get_invitation).record(&INVITATION_LIST);
    registry.add::<__path_revoke_invitation, _, _>(revoke_invitation);
}

/// List invitations
#[utoipa::path(get, path = "/v1/invitations", tag = "users",
    responses((status = 200, description = "A page of invitations", body = InvitationPage)))]
async fn list_invitations(context: Context) -> ApiResult {
    let query = context.list_query(&INVITATION_LIST)?;
    let page = context.read(async |conn, caller| invitations::list(conn, caller, &query).await).await?;
    context.page(&page, &query)
}

/// Invite somebody
///
/// The mail with the token waits to be sent.
#[utoipa::path(post, path = "/v1/invitations", tag = "users", request_body = CreateInvitation,
    responses((status = 201, description = "The invitation", body = Invitation)))]
async fn create_invitation(context: Context, body: Body) -> ApiResult {
    let auth = &context.state.auth;
    let work = async |uow: &mut store::UnitOfWork, input| {
        let invitation = invitations::create(auth, uow, input).await?;
        Ok(Answer::created(format!("/v1/invitations/{}", invitation.id), &invitation)?.version(invitation.version))
    };
    context.post::<CreateInvitation>(body, work).await
}

/// Get an invitation
#[utoipa::path(get, path = "/v1/invitations/{invitation_id}", tag = "users",
    responses((status = 200, description = "The invitation", body = Invitation)))]
async fn get_invitation(context: Context) -> ApiResult {
    let id: InvitationId = context.id("invitation_id")?;
    let query = context.record_query(&INVITATION_LIST)?;
    let invitation = context.read(async |conn, caller| invitations::get(conn, caller, id).await).await?;
    context.record(&invitation, invitation.version, &query)
}

/// Take an invitation back
#[utoipa::path(delete, path = "/v1/invitations/{invitation_id}", tag = "users",
    responses((status = 204, description = "Taken back")))]
async fn revoke_invitation(context: Context) -> ApiResult {
    let id: InvitationId = context.id("invitation_id")?;
    context.delete(async |uow, seen| invitations::revoke(uow, id, seen).await).await
}
