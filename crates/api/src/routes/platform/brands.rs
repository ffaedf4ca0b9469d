//! `/v1/brands`.

use platform::brands::{self, BRAND_LIST, Brand, BrandId, BrandPatch, CreateBrand};
use store::UnitOfWork;

use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;
use crate::routes::page_schema;

page_schema! {
    /// A page of brands.
    BrandPage of Brand
}

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_list_brands, _, _>(list_brands).list(&BRAND_LIST);
    registry.add::<__path_create_brand, _, _>(create_brand);
    registry.add::<__path_get_brand, _, _>(get_brand).record(&BRAND_LIST);
    registry.add::<__path_update_brand, _, _>(update_brand);
    registry.add::<__path_archive_brand, _, _>(archive_brand);
    registry.add::<__path_restore_brand, _, _>(restore_brand);
    registry.add::<__path_purge_brand, _, _>(purge_brand);
}

/// List brands
#[utoipa::path(get, path = "/v1/brands", tag = "brands",
    responses((status = 200, description = "A page of brands", body = BrandPage)))]
async fn list_brands(context: Context) -> ApiResult {
    let query = context.list_query(&BRAND_LIST)?;
    let page = context.read(async |conn, caller| brands::list(conn, caller, &query).await).await?;
    context.page(&page, &query)
}

/// Create a brand
///
/// The first in use is the default. Its logos are uploaded onto it afterwards (`POST /v1/files` with `rel_type` `brand`), and then named.
#[utoipa::path(post, path = "/v1/brands", tag = "brands", request_body = CreateBrand,
    responses((status = 201, description = "The brand", body = Brand)))]
async fn create_brand(context: Context, body: Body) -> ApiResult {
    let work = async |uow: &mut UnitOfWork, input| {
        let brand = brands::create(uow, input).await?;
        Ok(Answer::created(format!("/v1/brands/{}", brand.id), &brand)?.version(brand.version))
    };
    context.post::<CreateBrand>(body, work).await
}

/// Get a brand
#[utoipa::path(get, path = "/v1/brands/{brand_id}", tag = "brands",
    responses((status = 200, description = "The brand", body = Brand)))]
async fn get_brand(context: Context) -> ApiResult {
    let id: BrandId = context.id("brand_id")?;
    let query = context.record_query(&BRAND_LIST)?;
    let brand = context.read(async |conn, caller| brands::get(conn, caller, id).await).await?;
    context.record(&brand, brand.version, &query)
}

/// Change a brand
///
/// Making it the default takes that from the one that was. A logo is a picture that was uploaded onto the brand.
#[utoipa::path(patch, path = "/v1/brands/{brand_id}", tag = "brands", request_body = BrandPatch,
    responses((status = 200, description = "The brand", body = Brand)))]
async fn update_brand(context: Context, body: Body) -> ApiResult {
    let id: BrandId = context.id("brand_id")?;
    let work = async |uow: &mut UnitOfWork, seen, patch| {
        let brand = files::brands::update(uow, id, seen, patch).await?;
        Ok(Answer::ok(&brand)?.version(brand.version))
    };
    context.patch::<BrandPatch>(body, work).await
}

/// Archive a brand
///
/// The default goes last.
#[utoipa::path(delete, path = "/v1/brands/{brand_id}", tag = "brands", responses((status = 204, description = "Archived")))]
async fn archive_brand(context: Context) -> ApiResult {
    let id: BrandId = context.id("brand_id")?;
    context.delete(async |uow, seen| brands::archive(uow, id, seen).await).await
}

/// Restore a brand
#[utoipa::path(post, path = "/v1/brands/{brand_id}/restore", tag = "brands",
    responses((status = 200, description = "The brand", body = Brand)))]
async fn restore_brand(context: Context, body: Body) -> ApiResult {
    let id: BrandId = context.id("brand_id")?;
    let work = async |uow: &mut UnitOfWork, seen| {
        let brand = brands::restore(uow, id, seen).await?;
        Ok(Answer::ok(&brand)?.version(brand.version))
    };
    context.act(body, work).await
}

/// Purge a brand
///
/// Deletes an archived brand for ever, with the pictures on it.
#[utoipa::path(post, path = "/v1/brands/{brand_id}/purge", tag = "brands", responses((status = 204, description = "Gone")))]
async fn purge_brand(context: Context, body: Body) -> ApiResult {
    let id: BrandId = context.id("brand_id")?;
    let work = async |uow: &mut UnitOfWork, seen| {
        files::brands::purge(uow, id, seen).await?;
        Ok(Answer::nothing())
    };
    let answered = context.act(body, work).await;
    context.remove_objects();
    answered
}
