//! How contacts sign in to the portal, and set their passwords.

use auth::password_change::ChangePassword;
use auth::password_reset::ResetAsked;
use auth::portal::{self, ForgotPortalPassword, NewPortalPassword, PortalLogin, PortalRefresh, PortalTokens};
use clients::portal::begins_at;
use kernel::{Error, Result};

use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;
use crate::routes::auth::sessions::tokens_or_news;

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_portal_login, _, _>(portal_login);
    registry.add::<__path_portal_refresh, _, _>(portal_refresh);
    registry.add::<__path_portal_logout, _, _>(portal_logout);
    registry.add::<__path_set_portal_password, _, _>(set_portal_password);
    registry.add::<__path_forgot_portal_password, _, _>(forgot_portal_password);
    registry.add::<__path_change_portal_password, _, _>(change_portal_password);
}

/// Sign in to the portal
///
/// For contacts, in one workspace. The tokens open nothing but the portal. Five failures in fifteen minutes for an account from an address
/// lock it out from there until they are out of sight.
#[utoipa::path(post, path = "/v1/portal/login", tag = "portal", request_body = PortalLogin,
    responses((status = 200, description = "A pair of tokens", body = PortalTokens)))]
async fn portal_login(context: Context, body: Body) -> ApiResult {
    let auth = &context.state.auth;
    let origin = &context.caller().origin;
    let prepare = async |input: PortalLogin| auth.check_portal_password(input, origin).await;
    tokens_or_news(&context, body, prepare, async |uow, signed_in| portal::sign_in(auth, uow, signed_in, begins_at).await.map(Ok))
        .await
}

/// Get the next pair of tokens of the portal
///
/// A refresh token works once. One that comes a second time was stolen, so the whole session ends.
#[utoipa::path(post, path = "/v1/portal/refresh", tag = "portal", request_body = PortalRefresh,
    responses((status = 200, description = "A pair of tokens", body = PortalTokens)))]
async fn portal_refresh(context: Context, body: Body) -> ApiResult {
    let auth = &context.state.auth;
    let prepare = async |input: PortalRefresh| Ok::<_, Error>(input);
    tokens_or_news(&context, body, prepare, async |uow, input| portal::refresh(auth, uow, input, begins_at).await).await
}

/// Sign out of the portal
///
/// Ends the session; its access and refresh tokens stop working.
#[utoipa::path(post, path = "/v1/portal/logout", tag = "portal", responses((status = 204, description = "Signed out")))]
async fn portal_logout(context: Context, body: Body) -> ApiResult {
    let work = async |uow: &mut store::UnitOfWork, _| -> Result<Answer> {
        auth::sessions::sign_out(uow).await?;
        Ok(Answer::nothing())
    };
    context.act(body, work).await
}

/// Set a password for the portal
///
/// With the token from the mail: an invitation, or one that was asked for. Every session of the contact ends.
#[utoipa::path(post, path = "/v1/portal/set-password", tag = "portal", request_body = NewPortalPassword,
    responses((status = 204, description = "Set")))]
async fn set_portal_password(context: Context, body: Body) -> ApiResult {
    let auth = &context.state.auth;
    let work = async |uow: &mut store::UnitOfWork, prepared: &_| {
        portal::set_password(auth, uow, prepared).await?;
        Ok(Answer::nothing())
    };
    context.post_prepared(body, async |input: NewPortalPassword| auth.prepare_portal_password(input).await, work).await
}

/// Ask for a new password for the portal
///
/// Where a contact of the workspace signs in with the address, a token comes by mail that works once and for an hour. The answer is the same
/// either way, and after five requests in an hour too, when nothing more is sent.
#[utoipa::path(post, path = "/v1/portal/forgot-password", tag = "portal", request_body = ForgotPortalPassword,
    responses((status = 202, description = "If there is such an account, a mail is on its way", body = ResetAsked)))]
async fn forgot_portal_password(context: Context, body: Body) -> ApiResult {
    let auth = &context.state.auth;
    let origin = &context.caller().origin;
    let prepare = async |input: ForgotPortalPassword| auth.prepare_portal_reset(input, origin).await;
    let work = async |uow: &mut store::UnitOfWork, asked: &_| {
        portal::ask(uow, asked).await?;
        Answer::later(&ResetAsked::default())
    };
    context.post_prepared(body, prepare, work).await
}

/// Change my password for the portal
///
/// Every other session of the contact ends.
#[utoipa::path(post, path = "/v1/portal/me/password", tag = "portal", request_body = ChangePassword,
    responses((status = 204, description = "Changed")))]
async fn change_portal_password(context: Context, body: Body) -> ApiResult {
    let auth = &context.state.auth;
    let caller = context.caller();
    let prepare = async |input: ChangePassword| auth.prepare_portal_change(input, caller).await;
    let work = async |uow: &mut store::UnitOfWork, prepared: &_| {
        portal::change_password(auth, uow, prepared).await?;
        Ok(Answer::nothing())
    };
    context.post_prepared(body, prepare, work).await
}
