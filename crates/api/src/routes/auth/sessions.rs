//! `/v1/setup` and `/v1/auth`.

use auth::invitations::AcceptInvitation;
use auth::password_reset::{ForgotPassword, ResetAsked, ResetPassword};
use auth::sessions::{Login, Refresh, Tokens};
use auth::setup::{SetUp, SetUpDone};
use auth::users::User;
use kernel::{Error, Result};
use serde::Serialize;
use store::UnitOfWork;

use crate::answer::Answer;
use crate::body::{Body, Input};
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_set_up, _, _>(set_up);
    registry.add::<__path_login, _, _>(login);
    registry.add::<__path_refresh, _, _>(refresh);
    registry.add::<__path_logout, _, _>(logout);
    registry.add::<__path_accept_invitation, _, _>(accept_invitation);
    registry.add::<__path_forgot_password, _, _>(forgot_password);
    registry.add::<__path_reset_password, _, _>(reset_password);
}

const TOKENS: &[&str] = &["access_token", "refresh_token"];

/// Set up the installation
///
/// Makes the first administrator and the first workspace, with the code that the server printed at its start. Works once.
#[utoipa::path(post, path = "/v1/setup", tag = "auth", request_body = SetUp,
    responses((status = 201, description = "The administrator and the workspace", body = SetUpDone)))]
async fn set_up(context: Context, body: Body) -> ApiResult {
    let auth = &context.state.auth;
    let work = async |uow: &mut store::UnitOfWork, prepared: &_| {
        let done = auth::setup::set_up(uow, prepared).await?;
        clients::stages::provide(uow, done.workspace.id, &done.workspace.locale).await?;
        Answer::created("/v1/me".to_owned(), &done)
    };
    context.post_prepared(body, async |input: SetUp| auth.prepare_setup(input).await, work).await
}

/// Sign in
///
/// Five failures in fifteen minutes for an account from an address lock it out from there until they are out of sight. Where the account takes
/// a second factor, the answer is 401 `second_factor_required` until the same comes with its `code`.
#[utoipa::path(post, path = "/v1/auth/login", tag = "auth", request_body = Login,
    responses((status = 200, description = "A pair of tokens", body = Tokens)))]
async fn login(context: Context, body: Body) -> ApiResult {
    let auth = &context.state.auth;
    let origin = &context.caller().origin;
    let prepare = async |input: Login| auth.check_password(input, origin).await;
    tokens_or_news(&context, body, prepare, async |uow, signed_in| auth::sessions::sign_in(auth, uow, signed_in).await).await
}

/// Get the next pair of tokens
///
/// A refresh token works once. One that comes a second time was stolen, so the whole session ends.
#[utoipa::path(post, path = "/v1/auth/refresh", tag = "auth", request_body = Refresh,
    responses((status = 200, description = "A pair of tokens", body = Tokens)))]
async fn refresh(context: Context, body: Body) -> ApiResult {
    let auth = &context.state.auth;
    let prepare = async |input: Refresh| Ok::<_, Error>(input);
    tokens_or_news(&context, body, prepare, async |uow, input| auth::sessions::refresh(auth, uow, input).await).await
}

/// A pair of tokens, or a failure that is written down: it must be committed, and is told only afterwards.
pub(in crate::routes) async fn tokens_or_news<I: Input, P, T: Serialize>(
    context: &Context,
    body: Body,
    prepare: impl AsyncFnOnce(I) -> Result<P>,
    work: impl AsyncFn(&mut UnitOfWork, &P) -> Result<Result<T>>,
) -> ApiResult {
    let news = std::cell::RefCell::new(None);
    let done = async |uow: &mut UnitOfWork, prepared: &P| match work(uow, prepared).await? {
        Ok(tokens) => Ok(Answer::ok(&tokens)?.secrets(TOKENS)),
        Err(error) => {
            *news.borrow_mut() = Some(error);
            Ok(Answer::nothing().unkept())
        }
    };
    let answered = context.post_prepared(body, prepare, done).await;
    match news.into_inner() {
        Some(error) => Err(context.fail(error)),
        None => answered,
    }
}

/// Sign out
///
/// Ends the session; its access and refresh tokens stop working.
#[utoipa::path(post, path = "/v1/auth/logout", tag = "auth", responses((status = 204, description = "Signed out")))]
async fn logout(context: Context, body: Body) -> ApiResult {
    let work = async |uow: &mut store::UnitOfWork, _| -> Result<Answer> {
        auth::sessions::sign_out(uow).await?;
        Ok(Answer::nothing())
    };
    context.act(body, work).await
}

/// Accept an invitation
///
/// Makes the account, with its password, where there is none for the address; and makes it a member.
#[utoipa::path(post, path = "/v1/auth/accept-invitation", tag = "auth", request_body = AcceptInvitation,
    responses((status = 200, description = "The account", body = User)))]
async fn accept_invitation(context: Context, body: Body) -> ApiResult {
    let auth = &context.state.auth;
    let prepare = async |input: AcceptInvitation| auth.prepare_acceptance(input).await;
    let work = async |uow: &mut store::UnitOfWork, acceptance: &_| {
        let user = auth::invitations::accept(uow, acceptance).await?;
        Answer::ok(&user)
    };
    context.post_prepared(body, prepare, work).await
}

/// Ask for a new password
///
/// Where the address is that of an account, a token comes by mail that works once and for an hour. The answer is the same either way, and
/// after five requests in an hour too, when nothing more is sent.
#[utoipa::path(post, path = "/v1/auth/forgot-password", tag = "auth", request_body = ForgotPassword,
    responses((status = 202, description = "If there is such an account, a mail is on its way", body = ResetAsked)))]
async fn forgot_password(context: Context, body: Body) -> ApiResult {
    let auth = &context.state.auth;
    let origin = &context.caller().origin;
    let prepare = async |input: ForgotPassword| auth.prepare_reset_request(input, origin).await;
    let work = async |uow: &mut store::UnitOfWork, request: &_| {
        auth::password_reset::ask(uow, request).await?;
        Answer::later(&ResetAsked::default())
    };
    context.post_prepared(body, prepare, work).await
}

/// Set a new password
///
/// With the token from the mail. Every session of the account ends.
#[utoipa::path(post, path = "/v1/auth/reset-password", tag = "auth", request_body = ResetPassword,
    responses((status = 204, description = "Set")))]
async fn reset_password(context: Context, body: Body) -> ApiResult {
    let auth = &context.state.auth;
    let work = async |uow: &mut store::UnitOfWork, prepared: &_| {
        auth::password_reset::reset(auth, uow, prepared).await?;
        Ok(Answer::nothing())
    };
    context.post_prepared(body, async |input: ResetPassword| auth.prepare_reset(input).await, work).await
}
