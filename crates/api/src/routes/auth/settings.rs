//! `/v1/settings` and `/v1/installation/settings`.

use auth::settings::{self, InstallationSettingsPatch, SettingList, SettingsPatch};
use store::UnitOfWork;
use store::list::RecordQuery;

use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_get_settings, _, _>(get_settings);
    registry.add::<__path_update_settings, _, _>(update_settings);
    registry.add::<__path_get_installation_settings, _, _>(get_installation_settings);
    registry.add::<__path_update_installation_settings, _, _>(update_installation_settings);
}

/// Get the settings of the workspace
///
/// Every setting with its value and where that comes from: the workspace, the installation where the workspace says nothing, or the default.
#[utoipa::path(get, path = "/v1/settings", tag = "settings",
    responses((status = 200, description = "Every setting", body = SettingList)))]
async fn get_settings(context: Context) -> ApiResult {
    context.parameters([])?;
    let list = context.read(settings::get).await?;
    // the installation may change what holds here
    context.living_record(&list, list.version, &RecordQuery::default())
}

/// Change settings of the workspace
///
/// Null goes back to what holds where the workspace says nothing. What is left out stays, and an unknown key is refused.
#[utoipa::path(patch, path = "/v1/settings", tag = "settings", request_body = SettingsPatch,
    responses((status = 200, description = "Every setting", body = SettingList)))]
async fn update_settings(context: Context, body: Body) -> ApiResult {
    let work = async |uow: &mut UnitOfWork, seen, patch| {
        let list = settings::update(uow, seen, patch).await?;
        Ok(Answer::ok(&list)?.version(list.version))
    };
    context.patch::<SettingsPatch>(body, work).await
}

/// Get the settings of the installation
///
/// What holds in workspaces that say nothing themselves. For super admins of the installation.
#[utoipa::path(get, path = "/v1/installation/settings", tag = "settings",
    responses((status = 200, description = "The settings that the installation gives", body = SettingList)))]
async fn get_installation_settings(context: Context) -> ApiResult {
    context.parameters([])?;
    let list = context.read(settings::get_of_installation).await?;
    context.record(&list, list.version, &RecordQuery::default())
}

/// Change settings of the installation
///
/// They hold from now on in all workspaces that say nothing themselves. For super admins of the installation.
#[utoipa::path(patch, path = "/v1/installation/settings", tag = "settings", request_body = InstallationSettingsPatch,
    responses((status = 200, description = "The settings that the installation gives", body = SettingList)))]
async fn update_installation_settings(context: Context, body: Body) -> ApiResult {
    let work = async |uow: &mut UnitOfWork, seen, patch| {
        let list = settings::update_of_installation(uow, seen, patch).await?;
        Ok(Answer::ok(&list)?.version(list.version))
    };
    context.patch::<InstallationSettingsPatch>(body, work).await
}
