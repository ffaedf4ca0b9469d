//! `/v1/me/sessions` and `/v1/users/{user_id}/sessions`: where one is signed in.

use auth::SessionId;
use auth::sessions::{self, EndSessions, EndedSessions, SESSION_LIST, Session};
use kernel::UserId;
use store::UnitOfWork;

use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;
use crate::routes::page_schema;

page_schema! {
    /// A page of sessions.
    SessionPage of Session
}

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_list_my_sessions, _, _>(list_my_sessions).list(&SESSION_LIST);
    registry.add::<__path_end_my_sessions, _, _>(end_my_sessions);
    registry.add::<__path_end_my_session, _, _>(end_my_session);
    registry.add::<__path_list_user_sessions, _, _>(list_user_sessions).list(&SESSION_LIST);
    registry.add::<__path_end_user_sessions, _, _>(end_user_sessions);
    registry.add::<__path_end_user_session, _, _>(end_user_session);
}

/// Where am I signed in
///
/// Sessions that go on. A token has none.
#[utoipa::path(get, path = "/v1/me/sessions", tag = "auth",
    responses((status = 200, description = "A page of sessions", body = SessionPage)))]
async fn list_my_sessions(context: Context) -> ApiResult {
    let query = context.list_query(&SESSION_LIST)?;
    let now = context.state.store.runtime().now();
    let page = context.read(async |conn, caller| sessions::list_own(conn, caller, now, &query).await).await?;
    context.page(&page, &query)
}

/// Sign out everywhere
///
/// On every other device, or with `keep_current: false` on this one too.
#[utoipa::path(post, path = "/v1/me/sessions/end", tag = "auth", request_body = EndSessions,
    responses((status = 200, description = "How many ended", body = EndedSessions)))]
async fn end_my_sessions(context: Context, body: Body) -> ApiResult {
    let work = async |uow: &mut UnitOfWork, input| Answer::ok(&sessions::end_all_own(uow, &input).await?);
    context.post::<EndSessions>(body, work).await
}

/// Sign out on one device
#[utoipa::path(delete, path = "/v1/me/sessions/{session_id}", tag = "auth", responses((status = 204, description = "Ended")))]
async fn end_my_session(context: Context) -> ApiResult {
    let id: SessionId = context.id("session_id")?;
    context.remove(async |uow| sessions::end_own(uow, id).await).await
}

/// List where a user is signed in
#[utoipa::path(get, path = "/v1/users/{user_id}/sessions", tag = "users",
    responses((status = 200, description = "A page of sessions", body = SessionPage)))]
async fn list_user_sessions(context: Context) -> ApiResult {
    let id: UserId = context.id("user_id")?;
    let query = context.list_query(&SESSION_LIST)?;
    let now = context.state.store.runtime().now();
    let page = context.read(async |conn, caller| sessions::list_of(conn, caller, id, now, &query).await).await?;
    context.page(&page, &query)
}

/// Sign a user out everywhere
///
/// Its API tokens go on; they are ended one by one, or by switching the account off.
#[utoipa::path(post, path = "/v1/users/{user_id}/sessions/end", tag = "users",
    responses((status = 200, description = "How many ended", body = EndedSessions)))]
async fn end_user_sessions(context: Context, body: Body) -> ApiResult {
    let id: UserId = context.id("user_id")?;
    let work = async |uow: &mut UnitOfWork, _| Answer::ok(&sessions::end_all_of(uow, id).await?);
    context.act(body, work).await
}

/// Sign a user out on one device
#[utoipa::path(delete, path = "/v1/users/{user_id}/sessions/{session_id}", tag = "users",
    responses((status = 204, description = "Ended")))]
async fn end_user_session(context: Context) -> ApiResult {
    let (user, id): (UserId, SessionId) = (context.id("user_id")?, context.id("session_id")?);
    context.remove(async |uow| sessions::end_of(uow, user, id).await).await
}
