//! `/v1/tokens`.

use auth::ApiTokenId;
use auth::api_tokens::{self, ApiToken, ApiTokenPatch, CreateApiToken, NewApiToken, RotateApiToken, TOKEN_LIST, TokenUsage};

use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;
use crate::routes::page_schema;

page_schema! {
    /// A page of API tokens.
    ApiTokenPage of ApiToken
}

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_list_tokens, _, _>(list_tokens).list(&TOKEN_LIST);
    registry.add::<__path_create_token, _, _>(create_token);
    registry.add::<__path_get_token, _, _>(get_token).record(&TOKEN_LIST);
    registry.add::<__path_update_token, _, _>(update_token);
    registry.add::<__path_delete_token, _, _>(delete_token);
    registry.add::<__path_rotate_token, _, _>(rotate_token);
    registry.add::<__path_get_token_usage, _, _>(get_token_usage);
}

/// List API tokens
///
/// One's own; all of the workspace with `admin.manage_tokens`.
#[utoipa::path(get, path = "/v1/tokens", tag = "tokens",
    responses((status = 200, description = "A page of tokens", body = ApiTokenPage)))]
async fn list_tokens(context: Context) -> ApiResult {
    let query = context.list_query(&TOKEN_LIST)?;
    let page = context.read(async |conn, caller| api_tokens::list(conn, caller, &query).await).await?;
    context.page(&page, &query)
}

/// Create an API token
///
/// The secret is answered this once. A token never does more than its maker may at the time.
#[utoipa::path(post, path = "/v1/tokens", tag = "tokens", request_body = CreateApiToken,
    responses((status = 201, description = "The token with its secret", body = NewApiToken)))]
async fn create_token(context: Context, body: Body) -> ApiResult {
    let work = async |uow: &mut store::UnitOfWork, input| {
        let made = api_tokens::create(uow, input).await?;
        let location = format!("/v1/tokens/{}", made.token.id);
        Ok(Answer::created(location, &made)?.version(made.token.version).secrets(&["secret"]))
    };
    context.post::<CreateApiToken>(body, work).await
}

/// Get an API token
#[utoipa::path(get, path = "/v1/tokens/{token_id}", tag = "tokens",
    responses((status = 200, description = "The token", body = ApiToken)))]
async fn get_token(context: Context) -> ApiResult {
    let id: ApiTokenId = context.id("token_id")?;
    let query = context.record_query(&TOKEN_LIST)?;
    let token = context.read(async |conn, caller| api_tokens::get(conn, caller, id).await).await?;
    context.living_record(&token, token.version, &query)
}

/// Change an API token
#[utoipa::path(patch, path = "/v1/tokens/{token_id}", tag = "tokens", request_body = ApiTokenPatch,
    responses((status = 200, description = "The token", body = ApiToken)))]
async fn update_token(context: Context, body: Body) -> ApiResult {
    let id: ApiTokenId = context.id("token_id")?;
    let work = async |uow: &mut store::UnitOfWork, seen, patch| {
        let token = api_tokens::update(uow, id, seen, patch).await?;
        Ok(Answer::ok(&token)?.version(token.version))
    };
    context.patch::<ApiTokenPatch>(body, work).await
}

/// Delete an API token
///
/// It stops working at once.
#[utoipa::path(delete, path = "/v1/tokens/{token_id}", tag = "tokens", responses((status = 204, description = "Deleted")))]
async fn delete_token(context: Context) -> ApiResult {
    let id: ApiTokenId = context.id("token_id")?;
    context.delete(async |uow, seen| api_tokens::delete(uow, id, seen).await).await
}

/// Change the secret of an API token
///
/// The new one is answered this once. The present one ends at once, or goes on beside it for the hours that are named. All else of the token
/// stays. Its maker does it, signed in: a token acts as its maker, and who got hold of one secret shall not come by the next.
#[utoipa::path(post, path = "/v1/tokens/{token_id}/rotate", tag = "tokens", request_body = RotateApiToken,
    responses((status = 200, description = "The token with its new secret", body = NewApiToken)))]
async fn rotate_token(context: Context, body: Body) -> ApiResult {
    let id: ApiTokenId = context.id("token_id")?;
    let seen = context.if_match();
    let work = async |uow: &mut store::UnitOfWork, input| {
        let made = api_tokens::rotate(uow, id, seen, input).await?;
        Ok(Answer::ok(&made)?.version(made.token.version).secrets(&["secret"]))
    };
    context.post::<RotateApiToken>(body, work).await
}

/// Get how an API token is used
///
/// When and from where it was last used, and how often on each of the last 30 days.
#[utoipa::path(get, path = "/v1/tokens/{token_id}/usage", tag = "tokens",
    responses((status = 200, description = "How it is used", body = TokenUsage)))]
async fn get_token_usage(context: Context) -> ApiResult {
    let id: ApiTokenId = context.id("token_id")?;
    context.parameters([])?;
    let now = context.state.store.runtime().now();
    let usage = context.read(async |conn, caller| api_tokens::usage(conn, caller, id, now).await).await?;
    context.plain(&usage)
}
