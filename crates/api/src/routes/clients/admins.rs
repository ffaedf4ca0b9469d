//! `/v1/clients/{client_id}/admins`.

use clients::ClientId;
use clients::admins::{self, AddClientAdmin, ClientAdmin};
use kernel::UserId;
use serde::Serialize;
use store::UnitOfWork;
use utoipa::ToSchema;

use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;

/// Who is responsible for a client.
#[derive(Serialize, ToSchema)]
pub(crate) struct ClientAdminList {
    /// They, the longest-standing first.
    data: Vec<ClientAdmin>,
}

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_list_client_admins, _, _>(list_client_admins);
    registry.add::<__path_add_client_admin, _, _>(add_client_admin);
    registry.add::<__path_remove_client_admin, _, _>(remove_client_admin).without_etag();
}

/// List who is responsible for a client
///
/// The staff beside its owner, the longest-standing first.
#[utoipa::path(get, path = "/v1/clients/{client_id}/admins", tag = "clients",
    responses((status = 200, description = "Who is responsible", body = ClientAdminList)))]
async fn list_client_admins(context: Context) -> ApiResult {
    let id: ClientId = context.id("client_id")?;
    context.record_query(&store::list::ListSpec::EMPTY)?;
    let data = context.read(async |conn, caller| admins::list(conn, caller, id).await).await?;
    context.plain(&ClientAdminList { data })
}

/// Make somebody responsible for a client
///
/// A member of the workspace. Whoever sees only their own clients sees this one from then on.
#[utoipa::path(post, path = "/v1/clients/{client_id}/admins", tag = "clients", request_body = AddClientAdmin,
    responses((status = 201, description = "Who is responsible", body = ClientAdmin)))]
async fn add_client_admin(context: Context, body: Body) -> ApiResult {
    let id: ClientId = context.id("client_id")?;
    let work = async |uow: &mut UnitOfWork, input| {
        let admin = admins::add(uow, id, &input).await?;
        Answer::created(format!("/v1/clients/{id}/admins"), &admin)
    };
    context.post::<AddClientAdmin>(body, work).await
}

/// Make somebody no longer responsible for a client
#[utoipa::path(delete, path = "/v1/clients/{client_id}/admins/{user_id}", tag = "clients",
    responses((status = 204, description = "No longer responsible")))]
async fn remove_client_admin(context: Context) -> ApiResult {
    let (id, user): (ClientId, UserId) = (context.id("client_id")?, context.id("user_id")?);
    context.remove(async |uow| admins::remove(uow, id, user).await).await
}
