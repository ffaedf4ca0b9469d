//! `/v1/tags`.

use platform::tags::{self, CreateTag, MergeTag, TAG_LIST, Tag, TagId, TagPatch};

use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;
use crate::routes::page_schema;

page_schema! {
    /// A page of tags.
    TagPage of Tag
}

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_list_tags, _, _>(list_tags).list(&TAG_LIST);
    registry.add::<__path_create_tag, _, _>(create_tag);
    registry.add::<__path_get_tag, _, _>(get_tag).record(&TAG_LIST);
    registry.add::<__path_update_tag, _, _>(update_tag);
    registry.add::<__path_delete_tag, _, _>(delete_tag);
    registry.add::<__path_merge_tag, _, _>(merge_tag);
}

/// List tags
#[utoipa::path(get, path = "/v1/tags", tag = "tags", responses((status = 200, description = "A page of tags", body = TagPage)))]
async fn list_tags(context: Context) -> ApiResult {
    let query = context.list_query(&TAG_LIST)?;
    let page = context.read(async |conn, caller| tags::list(conn, caller, &query).await).await?;
    context.page(&page, &query)
}

/// Create a tag
#[utoipa::path(post, path = "/v1/tags", tag = "tags", request_body = CreateTag,
    responses((status = 201, description = "The tag", body = Tag)))]
async fn create_tag(context: Context, body: Body) -> ApiResult {
    let work = async |uow: &mut store::UnitOfWork, input| {
        let tag = tags::create(uow, input).await?;
        Ok(Answer::created(format!("/v1/tags/{}", tag.id), &tag)?.version(tag.version))
    };
    context.post::<CreateTag>(body, work).await
}

/// Get a tag
#[utoipa::path(get, path = "/v1/tags/{tag_id}", tag = "tags", responses((status = 200, description = "The tag", body = Tag)))]
async fn get_tag(context: Context) -> ApiResult {
    let id: TagId = context.id("tag_id")?;
    let query = context.record_query(&TAG_LIST)?;
    let tag = context.read(async |conn, caller| tags::get(conn, caller, id).await).await?;
    context.record(&tag, tag.version, &query)
}

/// Change a tag
#[utoipa::path(patch, path = "/v1/tags/{tag_id}", tag = "tags", request_body = TagPatch,
    responses((status = 200, description = "The tag", body = Tag)))]
async fn update_tag(context: Context, body: Body) -> ApiResult {
    let id: TagId = context.id("tag_id")?;
    let work = async |uow: &mut store::UnitOfWork, seen, patch| {
        let tag = tags::update(uow, id, seen, patch).await?;
        Ok(Answer::ok(&tag)?.version(tag.version))
    };
    context.patch::<TagPatch>(body, work).await
}

/// Delete a tag
///
/// It is taken off every record.
#[utoipa::path(delete, path = "/v1/tags/{tag_id}", tag = "tags", responses((status = 204, description = "Deleted")))]
async fn delete_tag(context: Context) -> ApiResult {
    let id: TagId = context.id("tag_id")?;
    context.delete(async |uow, seen| tags::delete(uow, id, seen).await).await
}

/// Merge a tag into another
///
/// Every record that carries it carries the other one then, and it is deleted. A record that carries both carries the other one.
#[utoipa::path(post, path = "/v1/tags/{tag_id}/merge", tag = "tags", request_body = MergeTag,
    responses((status = 200, description = "The tag that stays", body = Tag)))]
async fn merge_tag(context: Context, body: Body) -> ApiResult {
    let id: TagId = context.id("tag_id")?;
    let seen = context.if_match();
    let work = async |uow: &mut store::UnitOfWork, input| {
        let tag = tags::merge(uow, id, seen, input).await?;
        Ok(Answer::ok(&tag)?.version(tag.version))
    };
    context.post::<MergeTag>(body, work).await
}
