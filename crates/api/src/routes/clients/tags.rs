//! `/v1/clients/{client_id}/tags`.

use clients::ClientId;
use clients::clients as commands;
use platform::tags::{Tag, TagId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;

/// The body of `POST /v1/clients/{client_id}/tags`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddTag {
    /// The tag.
    tag_id: TagId,
}

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_tag_client, _, _>(tag_client);
    registry.add::<__path_untag_client, _, _>(untag_client).without_etag();
}

/// Put a tag on a client
///
/// One that is on it stays on it.
#[utoipa::path(post, path = "/v1/clients/{client_id}/tags", tag = "tags", request_body = AddTag,
    responses((status = 200, description = "The tag", body = Tag)))]
async fn tag_client(context: Context, body: Body) -> ApiResult {
    let id: ClientId = context.id("client_id")?;
    let work = async |uow: &mut store::UnitOfWork, input: AddTag| {
        let tag = commands::tag(uow, id, input.tag_id).await?;
        Answer::ok(&tag)
    };
    context.post::<AddTag>(body, work).await
}

/// Take a tag off a client
#[utoipa::path(delete, path = "/v1/clients/{client_id}/tags/{tag_id}", tag = "tags",
    responses((status = 204, description = "Taken off")))]
async fn untag_client(context: Context) -> ApiResult {
    let (id, tag): (ClientId, TagId) = (context.id("client_id")?, context.id("tag_id")?);
    context.remove(async |uow| commands::untag(uow, id, tag).await).await
}
