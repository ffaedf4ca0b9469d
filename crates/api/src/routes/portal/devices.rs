//! `/v1/portal/me/sessions`: where a contact is signed in.

use auth::SessionId;
use auth::sessions::{self, EndSessions, EndedSessions, SESSION_LIST};
use store::UnitOfWork;

use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;
use crate::routes::auth::devices::SessionPage;

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_list_portal_sessions, _, _>(list_portal_sessions).list(&SESSION_LIST);
    registry.add::<__path_end_portal_sessions, _, _>(end_portal_sessions);
    registry.add::<__path_end_portal_session, _, _>(end_portal_session);
}

/// Where am I signed in to the portal
///
/// Sessions that go on.
#[utoipa::path(get, path = "/v1/portal/me/sessions", tag = "portal",
    responses((status = 200, description = "A page of sessions", body = SessionPage)))]
async fn list_portal_sessions(context: Context) -> ApiResult {
    let query = context.list_query(&SESSION_LIST)?;
    let now = context.state.store.runtime().now();
    let page = context.read(async |conn, caller| sessions::list_own(conn, caller, now, &query).await).await?;
    context.page(&page, &query)
}

/// Sign out of the portal everywhere
///
/// On every other device, or with `keep_current: false` on this one too.
#[utoipa::path(post, path = "/v1/portal/me/sessions/end", tag = "portal", request_body = EndSessions,
    responses((status = 200, description = "How many ended", body = EndedSessions)))]
async fn end_portal_sessions(context: Context, body: Body) -> ApiResult {
    let work = async |uow: &mut UnitOfWork, input| Answer::ok(&sessions::end_all_own(uow, &input).await?);
    context.post::<EndSessions>(body, work).await
}

/// Sign out of the portal on one device
#[utoipa::path(delete, path = "/v1/portal/me/sessions/{session_id}", tag = "portal",
    responses((status = 204, description = "Ended")))]
async fn end_portal_session(context: Context) -> ApiResult {
    let id: SessionId = context.id("session_id")?;
    context.remove(async |uow| sessions::end_own(uow, id).await).await
}
