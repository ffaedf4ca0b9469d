//! `/v1/me/second-factor` and `/v1/users/{user_id}/second-factor/reset`.

use auth::second_factor::{
    self as factor, BegunSecondFactor, CodeInput, DisableSecondFactor, OwnPassword, RecoveryCodes, SecondFactor,
};
use kernel::UserId;
use store::UnitOfWork;

use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_get_my_second_factor, _, _>(get_my_second_factor);
    registry.add::<__path_begin_my_second_factor, _, _>(begin_my_second_factor);
    registry.add::<__path_confirm_my_second_factor, _, _>(confirm_my_second_factor);
    registry.add::<__path_renew_my_recovery_codes, _, _>(renew_my_recovery_codes);
    registry.add::<__path_disable_my_second_factor, _, _>(disable_my_second_factor);
    registry.add::<__path_reset_user_second_factor, _, _>(reset_user_second_factor);
}

/// Do I sign in with a second factor
#[utoipa::path(get, path = "/v1/me/second-factor", tag = "auth",
    responses((status = 200, description = "Whether it is on", body = SecondFactor)))]
async fn get_my_second_factor(context: Context) -> ApiResult {
    let identity = context.identity().map_err(|error| context.fail(error))?.clone();
    let found = context.read(async |conn, caller| factor::get(conn, caller, &identity).await).await?;
    context.plain(&found)
}

/// Begin a second factor
///
/// Makes the secret for an authenticator app. It is on once a code of it is confirmed.
#[utoipa::path(post, path = "/v1/me/second-factor", tag = "auth", request_body = OwnPassword,
    responses((status = 200, description = "What the app is to be given", body = BegunSecondFactor)))]
async fn begin_my_second_factor(context: Context, body: Body) -> ApiResult {
    let (auth, caller) = (&context.state.auth, context.caller());
    let prepare = async |input: OwnPassword| auth.prepare_factor(input.password, None, caller).await;
    let work = async |uow: &mut UnitOfWork, prepared: &_| {
        Ok(Answer::ok(&factor::begin(auth, uow, prepared).await?)?.secrets(&["secret", "otpauth_url"]))
    };
    context.post_own_prepared(body, prepare, work).await
}

/// Switch the second factor on
///
/// With the first code of the app. The recovery codes are shown this once.
#[utoipa::path(post, path = "/v1/me/second-factor/confirm", tag = "auth", request_body = CodeInput,
    responses((status = 200, description = "The recovery codes", body = RecoveryCodes)))]
async fn confirm_my_second_factor(context: Context, body: Body) -> ApiResult {
    let auth = &context.state.auth;
    let work = async |uow: &mut UnitOfWork, input: CodeInput| {
        Ok(Answer::ok(&factor::confirm(auth, uow, &input).await?)?.secrets(&["recovery_codes"]))
    };
    context.post::<CodeInput>(body, work).await
}

/// Get new recovery codes
///
/// Those before work no more.
#[utoipa::path(post, path = "/v1/me/second-factor/recovery-codes", tag = "auth", request_body = OwnPassword,
    responses((status = 200, description = "The recovery codes", body = RecoveryCodes)))]
async fn renew_my_recovery_codes(context: Context, body: Body) -> ApiResult {
    let (auth, caller) = (&context.state.auth, context.caller());
    let prepare = async |input: OwnPassword| auth.prepare_factor(input.password, None, caller).await;
    let work = async |uow: &mut UnitOfWork, prepared: &_| {
        Ok(Answer::ok(&factor::renew_codes(uow, prepared).await?)?.secrets(&["recovery_codes"]))
    };
    context.post_own_prepared(body, prepare, work).await
}

/// Switch the second factor off
#[utoipa::path(post, path = "/v1/me/second-factor/disable", tag = "auth", request_body = DisableSecondFactor,
    responses((status = 204, description = "It is off")))]
async fn disable_my_second_factor(context: Context, body: Body) -> ApiResult {
    let (auth, caller) = (&context.state.auth, context.caller());
    let prepare = async |input: DisableSecondFactor| auth.prepare_factor(input.password, Some(input.code), caller).await;
    let work = async |uow: &mut UnitOfWork, prepared: &_| {
        factor::disable(auth, uow, prepared).await?;
        Ok(Answer::nothing())
    };
    context.post_own_prepared(body, prepare, work).await
}

/// Take the second factor from a user
///
/// Who has lost the app and the recovery codes, and signs in with the password alone from then on.
#[utoipa::path(post, path = "/v1/users/{user_id}/second-factor/reset", tag = "users",
    responses((status = 204, description = "It is off")))]
async fn reset_user_second_factor(context: Context, body: Body) -> ApiResult {
    let id: UserId = context.id("user_id")?;
    let auth = &context.state.auth;
    let work = async |uow: &mut UnitOfWork, _| {
        factor::reset_of(auth, uow, id).await?;
        Ok(Answer::nothing())
    };
    context.act(body, work).await
}
