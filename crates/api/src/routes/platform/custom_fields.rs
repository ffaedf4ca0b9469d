//! `/v1/custom-fields`.

use platform::custom_fields::{
    self as commands, CUSTOM_FIELD_LIST, CreateCustomField, CustomField, CustomFieldId, CustomFieldPatch,
};
use store::UnitOfWork;

use crate::FIELD_HOLDERS;
use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;
use crate::routes::page_schema;

page_schema! {
    /// A page of custom fields.
    CustomFieldPage of CustomField
}

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_list_custom_fields, _, _>(list_custom_fields).list(&CUSTOM_FIELD_LIST);
    registry.add::<__path_create_custom_field, _, _>(create_custom_field);
    registry.add::<__path_get_custom_field, _, _>(get_custom_field).record(&CUSTOM_FIELD_LIST);
    registry.add::<__path_update_custom_field, _, _>(update_custom_field);
    registry.add::<__path_archive_custom_field, _, _>(archive_custom_field);
    registry.add::<__path_restore_custom_field, _, _>(restore_custom_field);
    registry.add::<__path_purge_custom_field, _, _>(purge_custom_field);
}

/// List custom fields
///
/// Those of the record types that one sees, in their order.
#[utoipa::path(get, path = "/v1/custom-fields", tag = "custom fields",
    responses((status = 200, description = "A page of custom fields", body = CustomFieldPage)))]
async fn list_custom_fields(context: Context) -> ApiResult {
    let query = context.list_query(&CUSTOM_FIELD_LIST)?;
    let page = context.read(async |conn, caller| commands::list(conn, caller, FIELD_HOLDERS, &query).await).await?;
    context.page(&page, &query)
}

/// Create a custom field
///
/// Records take values of it at once. Where there are many records, the field is `preparing` for a while: it can be filtered by, and not yet
/// sorted by.
#[utoipa::path(post, path = "/v1/custom-fields", tag = "custom fields", request_body = CreateCustomField,
    responses((status = 201, description = "The custom field", body = CustomField)))]
async fn create_custom_field(context: Context, body: Body) -> ApiResult {
    let work = async |uow: &mut UnitOfWork, input| {
        let field = commands::create(uow, FIELD_HOLDERS, input).await?;
        Ok(Answer::created(format!("/v1/custom-fields/{}", field.id), &field)?.version(field.version))
    };
    context.post::<CreateCustomField>(body, work).await
}

/// Get a custom field
#[utoipa::path(get, path = "/v1/custom-fields/{custom_field_id}", tag = "custom fields",
    responses((status = 200, description = "The custom field", body = CustomField)))]
async fn get_custom_field(context: Context) -> ApiResult {
    let id: CustomFieldId = context.id("custom_field_id")?;
    let query = context.record_query(&CUSTOM_FIELD_LIST)?;
    let field = context.read(async |conn, caller| commands::get(conn, caller, FIELD_HOLDERS, id).await).await?;
    // how far it has come is not counted as a change of it
    context.living_record(&field, field.version, &query)
}

/// Change a custom field
///
/// Its key and its type stay. An option that records have cannot be left out; another label for it is another name for the same one.
#[utoipa::path(patch, path = "/v1/custom-fields/{custom_field_id}", tag = "custom fields", request_body = CustomFieldPatch,
    responses((status = 200, description = "The custom field", body = CustomField)))]
async fn update_custom_field(context: Context, body: Body) -> ApiResult {
    let id: CustomFieldId = context.id("custom_field_id")?;
    let work = async |uow: &mut UnitOfWork, seen, patch| {
        let field = commands::update(uow, FIELD_HOLDERS, id, seen, patch).await?;
        Ok(Answer::ok(&field)?.version(field.version))
    };
    context.patch::<CustomFieldPatch>(body, work).await
}

/// Archive a custom field
///
/// Records keep their values, which can still be filtered and sorted by, and are given no more.
#[utoipa::path(delete, path = "/v1/custom-fields/{custom_field_id}", tag = "custom fields",
    responses((status = 204, description = "Archived")))]
async fn archive_custom_field(context: Context) -> ApiResult {
    let id: CustomFieldId = context.id("custom_field_id")?;
    context.delete(async |uow, seen| commands::archive(uow, id, seen).await).await
}

/// Restore a custom field
#[utoipa::path(post, path = "/v1/custom-fields/{custom_field_id}/restore", tag = "custom fields",
    responses((status = 200, description = "The custom field", body = CustomField)))]
async fn restore_custom_field(context: Context, body: Body) -> ApiResult {
    let id: CustomFieldId = context.id("custom_field_id")?;
    let work = async |uow: &mut UnitOfWork, seen| {
        let field = commands::restore(uow, id, seen).await?;
        Ok(Answer::ok(&field)?.version(field.version))
    };
    context.act(body, work).await
}

/// Purge a custom field
///
/// Takes an archived field off all records for ever. Refused while a view that is shared asks for it; a private view that does is told by its
/// list. Where records have values, they are taken off in the background, each as a change of its record, while the field is `purging`.
#[utoipa::path(post, path = "/v1/custom-fields/{custom_field_id}/purge", tag = "custom fields",
    responses((status = 204, description = "Gone, or going")))]
async fn purge_custom_field(context: Context, body: Body) -> ApiResult {
    let id: CustomFieldId = context.id("custom_field_id")?;
    let work = async |uow: &mut UnitOfWork, seen| {
        commands::purge(uow, FIELD_HOLDERS, id, seen).await?;
        Ok(Answer::nothing())
    };
    context.act(body, work).await
}
