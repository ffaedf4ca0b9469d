//! `/v1/me`.

use auth::me::Me;
use auth::password_change::ChangePassword;
use auth::profile::{self, Profile, ProfilePatch};
use platform::audit::AUDIT_LIST;
use store::list::ListSpec;

use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;
use crate::routes::platform::audit::AuditEntryPage;

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_get_me, _, _>(get_me);
    registry.add::<__path_get_my_profile, _, _>(get_my_profile);
    registry.add::<__path_update_my_profile, _, _>(update_my_profile);
    registry.add::<__path_change_my_password, _, _>(change_my_password);
    registry.add::<__path_list_my_audit, _, _>(list_my_audit).list(&AUDIT_LIST);
}

/// Who am I
///
/// The account, where it belongs, and what it may do there.
#[utoipa::path(get, path = "/v1/me", tag = "auth", responses((status = 200, description = "Who you are", body = Me)))]
async fn get_me(context: Context) -> ApiResult {
    let identity = context.identity().map_err(|error| context.fail(error))?.clone();
    let auth = &context.state.auth;
    let me = context.read(async |conn, caller| auth::me::get(auth, conn, caller, &identity).await).await?;
    context.plain(&me)
}

/// Get my profile
///
/// What the account says of itself. A token has none.
#[utoipa::path(get, path = "/v1/me/profile", tag = "auth", responses((status = 200, description = "The profile", body = Profile)))]
async fn get_my_profile(context: Context) -> ApiResult {
    let query = context.record_query(&ListSpec::EMPTY)?;
    let profile = context.read(async |conn, caller| profile::get(conn, caller).await).await?;
    context.record(&profile, profile.version, &query)
}

/// Change my profile
#[utoipa::path(patch, path = "/v1/me/profile", tag = "auth", request_body = ProfilePatch,
    responses((status = 200, description = "The profile", body = Profile)))]
async fn update_my_profile(context: Context, body: Body) -> ApiResult {
    let identity = context.identity().map_err(|error| context.fail(error))?.clone();
    let work = async |uow: &mut store::UnitOfWork, seen, patch| {
        let profile = profile::update(uow, &identity, seen, patch).await?;
        Ok(Answer::ok(&profile)?.version(profile.version))
    };
    context.patch::<ProfilePatch>(body, work).await
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
