//! `/v1/me`.

use auth::me::Me;
use platform::audit::AUDIT_LIST;

use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;
use crate::routes::platform::audit::AuditEntryPage;

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_get_me, _, _>(get_me);
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
