//! `/v1/acquisition-stages`, and which of them a client has been in.

use clients::ClientId;
use clients::stages::{
    self as commands, AcquisitionStage, AcquisitionStageId, AcquisitionStagePatch, AcquisitionStages, CreateAcquisitionStage,
    STAGE_HISTORY, StageChange,
};
use store::list::ListSpec;

use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;
use crate::routes::page_schema;

page_schema! {
    /// A page of changes of stage.
    StageChangePage of StageChange
}

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_get_acquisition_stages, _, _>(get_acquisition_stages);
    registry.add::<__path_create_acquisition_stage, _, _>(create_acquisition_stage);
    registry.add::<__path_get_acquisition_stage, _, _>(get_acquisition_stage).record(&ListSpec::EMPTY);
    registry.add::<__path_update_acquisition_stage, _, _>(update_acquisition_stage);
    registry.add::<__path_delete_acquisition_stage, _, _>(delete_acquisition_stage);
    registry.add::<__path_list_client_stages, _, _>(list_client_stages).list(STAGE_HISTORY);
}

/// Get the acquisition stages
///
/// All of the workspace, in their order. A new workspace begins with six.
#[utoipa::path(get, path = "/v1/acquisition-stages", tag = "clients",
    responses((status = 200, description = "The stages", body = AcquisitionStages)))]
async fn get_acquisition_stages(context: Context) -> ApiResult {
    context.record_query(&ListSpec::EMPTY)?;
    let stages = context.read(async |conn, caller| commands::list(conn, caller).await).await?;
    context.plain(&stages)
}

/// Create an acquisition stage
#[utoipa::path(post, path = "/v1/acquisition-stages", tag = "clients", request_body = CreateAcquisitionStage,
    responses((status = 201, description = "The stage", body = AcquisitionStage)))]
async fn create_acquisition_stage(context: Context, body: Body) -> ApiResult {
    let work = async |uow: &mut store::UnitOfWork, input| {
        let stage = commands::create(uow, input).await?;
        Ok(Answer::created(format!("/v1/acquisition-stages/{}", stage.id), &stage)?.version(stage.version))
    };
    context.post::<CreateAcquisitionStage>(body, work).await
}

/// Get an acquisition stage
#[utoipa::path(get, path = "/v1/acquisition-stages/{acquisition_stage_id}", tag = "clients",
    responses((status = 200, description = "The stage", body = AcquisitionStage)))]
async fn get_acquisition_stage(context: Context) -> ApiResult {
    let id: AcquisitionStageId = context.id("acquisition_stage_id")?;
    let query = context.record_query(&ListSpec::EMPTY)?;
    let stage = context.read(async |conn, caller| commands::get(conn, caller, id).await).await?;
    context.record(&stage, stage.version, &query)
}

/// Change an acquisition stage
///
/// Its name, or its place, for which the others make room. Its key stays: clients have it.
#[utoipa::path(patch, path = "/v1/acquisition-stages/{acquisition_stage_id}", tag = "clients", request_body = AcquisitionStagePatch,
    responses((status = 200, description = "The stage", body = AcquisitionStage)))]
async fn update_acquisition_stage(context: Context, body: Body) -> ApiResult {
    let id: AcquisitionStageId = context.id("acquisition_stage_id")?;
    let work = async |uow: &mut store::UnitOfWork, seen, patch| {
        let stage = commands::update(uow, id, seen, patch).await?;
        Ok(Answer::ok(&stage)?.version(stage.version))
    };
    context.patch::<AcquisitionStagePatch>(body, work).await
}

/// Delete an acquisition stage
///
/// One that no client is in; otherwise the answer is `stage_in_use`.
#[utoipa::path(delete, path = "/v1/acquisition-stages/{acquisition_stage_id}", tag = "clients",
    responses((status = 204, description = "Deleted")))]
async fn delete_acquisition_stage(context: Context) -> ApiResult {
    let id: AcquisitionStageId = context.id("acquisition_stage_id")?;
    context.delete(async |uow, seen| commands::delete(uow, id, seen).await).await
}

/// List the stages that a client has been in
///
/// Each change with when it was and who did it, as the journal has it.
#[utoipa::path(get, path = "/v1/clients/{client_id}/stages", tag = "clients",
    responses((status = 200, description = "A page of changes", body = StageChangePage)))]
async fn list_client_stages(context: Context) -> ApiResult {
    let id: ClientId = context.id("client_id")?;
    let query = context.list_query(STAGE_HISTORY)?;
    let page = context.read(async |conn, caller| commands::history(conn, caller, id, &query).await).await?;
    context.page(&page, &query)
}
