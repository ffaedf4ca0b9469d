//! `/v1/roles`.

use auth::RoleId;
use auth::roles::{self, CreateRole, Role, RoleOverride, RoleOverridePatch, RolePatch};
use serde::Serialize;
use store::UnitOfWork;
use store::list::ListSpec;
use utoipa::ToSchema;

use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;

/// All roles.
#[derive(Serialize, ToSchema)]
pub(crate) struct RoleList {
    /// The roles, by key.
    data: Vec<Role>,
}

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_list_roles, _, _>(list_roles);
    registry.add::<__path_create_role, _, _>(create_role);
    registry.add::<__path_get_role, _, _>(get_role);
    registry.add::<__path_update_role, _, _>(update_role);
    registry.add::<__path_delete_role, _, _>(delete_role);
    registry.add::<__path_get_role_override, _, _>(get_role_override);
    registry.add::<__path_update_role_override, _, _>(update_role_override);
    registry.add::<__path_delete_role_override, _, _>(delete_role_override);
}

/// List roles
///
/// With what each allows in the workspace: those of the installation with their overrides, and the workspace's own.
#[utoipa::path(get, path = "/v1/roles", tag = "users", responses((status = 200, description = "All roles", body = RoleList)))]
async fn list_roles(context: Context) -> ApiResult {
    let data = context.read(async |conn, caller| roles::list(conn, caller).await).await?;
    context.plain(&RoleList { data })
}

/// Make a role
///
/// One of the workspace's own. It can allow nothing that its maker may not.
#[utoipa::path(post, path = "/v1/roles", tag = "users", request_body = CreateRole,
    responses((status = 201, description = "The role", body = Role)))]
async fn create_role(context: Context, body: Body) -> ApiResult {
    let work = async |uow: &mut UnitOfWork, input| {
        let role = roles::create(uow, input).await?;
        Ok(Answer::created(format!("/v1/roles/{}", role.id), &role)?.version(role.version))
    };
    context.post::<CreateRole>(body, work).await
}

/// Get a role
#[utoipa::path(get, path = "/v1/roles/{role_id}", tag = "users", responses((status = 200, description = "The role", body = Role)))]
async fn get_role(context: Context) -> ApiResult {
    let id: RoleId = context.id("role_id")?;
    let query = context.record_query(&ListSpec::EMPTY)?;
    let role = context.read(async |conn, caller| roles::get(conn, caller, id).await).await?;
    // an override changes what it allows, and not the role
    context.living_record(&role, role.version, &query)
}

/// Change a role
///
/// One of the workspace's own; what those who have it may changes at once. Over one of the installation an override is laid.
#[utoipa::path(patch, path = "/v1/roles/{role_id}", tag = "users", request_body = RolePatch,
    responses((status = 200, description = "The role", body = Role)))]
async fn update_role(context: Context, body: Body) -> ApiResult {
    let id: RoleId = context.id("role_id")?;
    let work = async |uow: &mut UnitOfWork, seen, patch| {
        let role = roles::update(uow, id, seen, patch).await?;
        Ok(Answer::ok(&role)?.version(role.version))
    };
    context.patch::<RolePatch>(body, work).await
}

/// Delete a role
///
/// One of the workspace's own that nobody has and nobody is invited to.
#[utoipa::path(delete, path = "/v1/roles/{role_id}", tag = "users", responses((status = 204, description = "Deleted")))]
async fn delete_role(context: Context) -> ApiResult {
    let id: RoleId = context.id("role_id")?;
    context.delete(async |uow, seen| roles::delete(uow, id, seen).await).await
}

/// Get the override of a role
///
/// What the workspace allows otherwise than the role says; 404 where it has laid nothing over it.
#[utoipa::path(get, path = "/v1/roles/{role_id}/override", tag = "users",
    responses((status = 200, description = "The override", body = RoleOverride)))]
async fn get_role_override(context: Context) -> ApiResult {
    let id: RoleId = context.id("role_id")?;
    let query = context.record_query(&ListSpec::EMPTY)?;
    let over = context.read(async |conn, caller| roles::get_override(conn, caller, id).await).await?;
    context.record(&over, over.version, &query)
}

/// Override a role
///
/// A merge patch, as deep as it goes: what it does not name stays, and null leaves an action or an area to the role again. The first one
/// makes the override.
#[utoipa::path(patch, path = "/v1/roles/{role_id}/override", tag = "users", request_body = RoleOverridePatch,
    responses((status = 200, description = "The override", body = RoleOverride)))]
async fn update_role_override(context: Context, body: Body) -> ApiResult {
    let id: RoleId = context.id("role_id")?;
    let work = async |uow: &mut UnitOfWork, seen, patch| {
        let over = roles::change_override(uow, id, seen, patch).await?;
        Ok(Answer::ok(&over)?.version(over.version))
    };
    context.patch::<RoleOverridePatch>(body, work).await
}

/// Take away the override of a role
///
/// The role allows what it says again.
#[utoipa::path(delete, path = "/v1/roles/{role_id}/override", tag = "users",
    responses((status = 204, description = "Taken away")))]
async fn delete_role_override(context: Context) -> ApiResult {
    let id: RoleId = context.id("role_id")?;
    context.delete(async |uow, seen| roles::clear_override(uow, id, seen).await).await
}
