//! `/v1/memberships`.

use auth::MembershipId;
use auth::memberships::{self, MEMBERSHIP_LIST, Membership, MembershipPatch};

use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;
use crate::routes::page_schema;

page_schema! {
    /// A page of memberships.
    MembershipPage of Membership
}

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_list_memberships, _, _>(list_memberships).list(&MEMBERSHIP_LIST);
    registry.add::<__path_get_membership, _, _>(get_membership).record(&MEMBERSHIP_LIST);
    registry.add::<__path_update_membership, _, _>(update_membership);
    registry.add::<__path_delete_membership, _, _>(delete_membership);
}

/// List memberships
///
/// Who has which role in the workspace.
#[utoipa::path(get, path = "/v1/memberships", tag = "users",
    responses((status = 200, description = "A page of memberships", body = MembershipPage)))]
async fn list_memberships(context: Context) -> ApiResult {
    let query = context.list_query(&MEMBERSHIP_LIST)?;
    let page = context.read(async |conn, caller| memberships::list(conn, caller, &query).await).await?;
    context.page(&page, &query)
}

/// Get a membership
#[utoipa::path(get, path = "/v1/memberships/{membership_id}", tag = "users",
    responses((status = 200, description = "The membership", body = Membership)))]
async fn get_membership(context: Context) -> ApiResult {
    let id: MembershipId = context.id("membership_id")?;
    let query = context.record_query(&MEMBERSHIP_LIST)?;
    let membership = context.read(async |conn, caller| memberships::get(conn, caller, id, &query).await).await?;
    context.record(&membership, membership.version, &query)
}

/// Give a member another role
///
/// None that allows more than the caller may; and the last super admin stays one.
#[utoipa::path(patch, path = "/v1/memberships/{membership_id}", tag = "users", request_body = MembershipPatch,
    responses((status = 200, description = "The membership", body = Membership)))]
async fn update_membership(context: Context, body: Body) -> ApiResult {
    let id: MembershipId = context.id("membership_id")?;
    let work = async |uow: &mut store::UnitOfWork, seen, patch| {
        let membership = memberships::update(uow, id, seen, patch).await?;
        Ok(Answer::ok(&membership)?.version(membership.version))
    };
    context.patch::<MembershipPatch>(body, work).await
}

/// Take a member out of the workspace
///
/// The account stays; the last super admin does too.
#[utoipa::path(delete, path = "/v1/memberships/{membership_id}", tag = "users",
    responses((status = 204, description = "Taken out")))]
async fn delete_membership(context: Context) -> ApiResult {
    let id: MembershipId = context.id("membership_id")?;
    context.delete(async |uow, seen| memberships::delete(uow, id, seen).await).await
}
