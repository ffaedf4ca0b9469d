//! `/v1/portal/me`, and the client whose portal a contact is in.

use clients::portal::{self, PortalMe, SwitchClient};

use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_get_portal_me, _, _>(get_portal_me);
    registry.add::<__path_switch_portal_client, _, _>(switch_portal_client);
}

/// Who am I in the portal
///
/// The contact, the workspace, and the clients that let them in, each with what they may do there.
#[utoipa::path(get, path = "/v1/portal/me", tag = "portal", responses((status = 200, description = "The contact", body = PortalMe)))]
async fn get_portal_me(context: Context) -> ApiResult {
    let identity = context.identity().map_err(|error| context.fail(error))?.clone();
    let me = context.read(async |conn, caller| portal::me(conn, caller, &identity).await).await?;
    context.plain(&me)
}

/// Go on in the portal of another client
///
/// What follows on this session is in the portal of that client.
#[utoipa::path(post, path = "/v1/portal/switch-client", tag = "portal", request_body = SwitchClient,
    responses((status = 200, description = "The contact, with the client that it is now", body = PortalMe)))]
async fn switch_portal_client(context: Context, body: Body) -> ApiResult {
    let identity = context.identity().map_err(|error| context.fail(error))?.clone();
    let work = async |uow: &mut store::UnitOfWork, input: SwitchClient| {
        let me = portal::choose_client(uow, &identity, &input).await?;
        Answer::ok(&me)
    };
    context.post::<SwitchClient>(body, work).await
}
