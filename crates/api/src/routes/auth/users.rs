//! `/v1/users`.

use auth::users::{self, USER_LIST, User, UserPatch};
use kernel::UserId;

use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;
use crate::routes::page_schema;

page_schema! {
    /// A page of accounts.
    UserPage of User
}

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_list_users, _, _>(list_users).list(&USER_LIST);
    registry.add::<__path_get_user, _, _>(get_user).record(&USER_LIST);
    registry.add::<__path_update_user, _, _>(update_user);
}

/// List users
///
/// Accounts that are members of the workspace.
#[utoipa::path(get, path = "/v1/users", tag = "users",
    responses((status = 200, description = "A page of accounts", body = UserPage)))]
async fn list_users(context: Context) -> ApiResult {
    let query = context.list_query(&USER_LIST)?;
    let page = context.read(async |conn, caller| users::list(conn, caller, &query).await).await?;
    context.page(&page, &query)
}

/// Get a user
#[utoipa::path(get, path = "/v1/users/{user_id}", tag = "users",
    responses((status = 200, description = "The account", body = User)))]
async fn get_user(context: Context) -> ApiResult {
    let id: UserId = context.id("user_id")?;
    let query = context.record_query(&USER_LIST)?;
    let user = context.read(async |conn, caller| users::get(conn, caller, id).await).await?;
    context.living_record(&user, user.version, &query)
}

/// Change a user
///
/// `is_active: false` ends every session of the account at once, and tokens that were sent to set a password; its API tokens are switched off,
/// and do not come back with it. Another `email` ends its sessions and its password, and both addresses are told.
#[utoipa::path(patch, path = "/v1/users/{user_id}", tag = "users", request_body = UserPatch,
    responses((status = 200, description = "The account", body = User)))]
async fn update_user(context: Context, body: Body) -> ApiResult {
    let id: UserId = context.id("user_id")?;
    let auth = &context.state.auth;
    let work = async |uow: &mut store::UnitOfWork, seen, patch| {
        let user = users::update(auth, uow, id, seen, patch).await?;
        Ok(Answer::ok(&user)?.version(user.version))
    };
    context.patch::<UserPatch>(body, work).await
}
