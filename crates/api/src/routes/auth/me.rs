//! `/v1/me`.

use auth::me::Me;
use auth::password_change::ChangePassword;
use platform::audit::AUDIT_LIST;

use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;
use crate::routes::platform::audit::AuditEntryPage;

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_get_me, _, _>(get_me);
    registry.add::<__path_change_my_password, _, _>(change_my_password);
    registry.add::<__path_list_my_audit, _, _>(list_my_audit).list(&AUDIT_LIST);
}

/// Who am I
///
/// The account, where it belongs, and what it may do there.
#[utoipa::path(get, path = "/v1/me", tag = "auth", responses((status = 200, description = "Who you are", body = Me)))]
async fn get_me(context: Context) -> ApiResult {
    let identity = context.identity().map_err(|error| context.fail(error))?.clone();
    let me = context.read(async |conn, caller| auth::me::get(conn, caller, &identity).await).await?;
    context.plain(&me)
}

/// Change my password
///
/// Every other session of the account ends, and the owner is told by mail.
#[utoipa::path(post, path = "/v1/me/password", tag = "auth", request_body = ChangePassword,
    responses((status = 204, description = "Changed")))]
async fn change_my_password(context: Context, body: Body) -> ApiResult {
    let auth = &context.state.auth;
    let caller = context.caller();
    let prepare = async |input: ChangePassword| auth.prepare_password_change(input, caller).await;
    let work = async |uow: &mut store::UnitOfWork, prepared: &_| {
        auth::password_change::change(auth, uow, prepared).await?;
        Ok(Answer::nothing())
    };
    context.post_prepared(body, prepare, work).await
}

/// What did I do
///
/// The caller's own acts, in any workspace. A token's are those that were done with it.
#[utoipa::path(get, path = "/v1/me/audit", tag = "audit",
    responses((status = 200, description = "A page of entries", body = AuditEntryPage)))]
async fn list_my_audit(context: Context) -> ApiResult {
    let query = context.list_query(&AUDIT_LIST)?;
    let page = context.read(async |conn, caller| platform::audit::mine(conn, caller, &query).await).await?;
    context.page(&page, &query)
}
