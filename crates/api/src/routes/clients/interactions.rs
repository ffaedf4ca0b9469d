//! `/v1/interactions`.

use clients::InteractionId;
use clients::interactions::{self, CreateInteraction, DUE_LIST, INTERACTION_LIST, Interaction, InteractionPatch};
use store::UnitOfWork;

use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;
use crate::routes::page_schema;

page_schema! {
    /// A page of interactions.
    InteractionPage of Interaction
}

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_list_interactions, _, _>(list_interactions).list(&INTERACTION_LIST);
    registry.add::<__path_list_due_interactions, _, _>(list_due_interactions).list(&DUE_LIST);
    registry.add::<__path_create_interaction, _, _>(create_interaction);
    registry.add::<__path_get_interaction, _, _>(get_interaction).record(&INTERACTION_LIST);
    registry.add::<__path_update_interaction, _, _>(update_interaction);
    registry.add::<__path_archive_interaction, _, _>(archive_interaction);
    registry.add::<__path_restore_interaction, _, _>(restore_interaction);
}

/// List interactions
///
/// What was said or done with the clients and contacts that the caller may see.
#[utoipa::path(get, path = "/v1/interactions", tag = "interactions",
    responses((status = 200, description = "A page of interactions", body = InteractionPage)))]
async fn list_interactions(context: Context) -> ApiResult {
    let query = context.list_query(&INTERACTION_LIST)?;
    let page = context.read(async |conn, caller| interactions::list(conn, caller, &query).await).await?;
    context.page(&page, &query)
}

/// List what is to follow by now
///
/// Interactions whose follow-up is due and was not done, the longest due first; `follow_up_by` finds those of one member.
#[utoipa::path(get, path = "/v1/interactions/due", tag = "interactions",
    responses((status = 200, description = "A page of interactions", body = InteractionPage)))]
async fn list_due_interactions(context: Context) -> ApiResult {
    let query = context.list_query(&DUE_LIST)?;
    let now = context.state.store.runtime().now();
    let page = context.read(async |conn, caller| interactions::list_due(conn, caller, now, &query).await).await?;
    context.page(&page, &query)
}

/// Write down what was said or done
///
/// It is of a client, of a contact, or of both. Where something is to follow, it stands in the due list from then on.
#[utoipa::path(post, path = "/v1/interactions", tag = "interactions", request_body = CreateInteraction,
    responses((status = 201, description = "The interaction", body = Interaction)))]
async fn create_interaction(context: Context, body: Body) -> ApiResult {
    let work = async |uow: &mut UnitOfWork, input| {
        let made = interactions::create(uow, input).await?;
        Ok(Answer::created(format!("/v1/interactions/{}", made.id), &made)?.version(made.version))
    };
    context.post::<CreateInteraction>(body, work).await
}

/// Get an interaction
#[utoipa::path(get, path = "/v1/interactions/{interaction_id}", tag = "interactions",
    responses((status = 200, description = "The interaction", body = Interaction)))]
async fn get_interaction(context: Context) -> ApiResult {
    let id: InteractionId = context.id("interaction_id")?;
    let query = context.record_query(&INTERACTION_LIST)?;
    let found = context.read(async |conn, caller| interactions::get(conn, caller, id, &query).await).await?;
    context.record(&found, found.version, &query)
}

/// Change an interaction
///
/// Of whom it is stays. `followed_up_at` says that what was to follow was done.
#[utoipa::path(patch, path = "/v1/interactions/{interaction_id}", tag = "interactions", request_body = InteractionPatch,
    responses((status = 200, description = "The interaction", body = Interaction)))]
async fn update_interaction(context: Context, body: Body) -> ApiResult {
    let id: InteractionId = context.id("interaction_id")?;
    let work = async |uow: &mut UnitOfWork, seen, patch| {
        let changed = interactions::update(uow, id, seen, patch).await?;
        Ok(Answer::ok(&changed)?.version(changed.version))
    };
    context.patch::<InteractionPatch>(body, work).await
}

/// Archive an interaction
#[utoipa::path(delete, path = "/v1/interactions/{interaction_id}", tag = "interactions",
    responses((status = 204, description = "Archived")))]
async fn archive_interaction(context: Context) -> ApiResult {
    let id: InteractionId = context.id("interaction_id")?;
    context.delete(async |uow, seen| interactions::archive(uow, id, seen).await).await
}

/// Restore an interaction
#[utoipa::path(post, path = "/v1/interactions/{interaction_id}/restore", tag = "interactions",
    responses((status = 200, description = "The interaction", body = Interaction)))]
async fn restore_interaction(context: Context, body: Body) -> ApiResult {
    let id: InteractionId = context.id("interaction_id")?;
    let work = async |uow: &mut UnitOfWork, seen| {
        let found = interactions::restore(uow, id, seen).await?;
        Ok(Answer::ok(&found)?.version(found.version))
    };
    context.act(body, work).await
}
