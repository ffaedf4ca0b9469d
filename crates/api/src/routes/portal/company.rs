//! `/v1/portal/company-profile`.

use clients::portal::{self, CompanyProfile, CompanyProfilePatch};
use store::list::ListSpec;

use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_get_company_profile, _, _>(get_company_profile).record(&ListSpec::EMPTY);
    registry.add::<__path_update_company_profile, _, _>(update_company_profile);
}

/// Get the company profile
///
/// What the client says of itself whose portal the contact is in, and whether they may change it.
#[utoipa::path(get, path = "/v1/portal/company-profile", tag = "portal",
    responses((status = 200, description = "The profile", body = CompanyProfile)))]
async fn get_company_profile(context: Context) -> ApiResult {
    let query = context.record_query(&ListSpec::EMPTY)?;
    let profile = context.read(async |conn, caller| portal::profile(conn, caller).await).await?;
    // whether they may change it changes without the client
    context.living_record(&profile, profile.version, &query)
}

/// Change the company profile
///
/// For contacts with `company_profile` at the client; anybody else is told `portal_permission_needed`, and nothing changes.
#[utoipa::path(patch, path = "/v1/portal/company-profile", tag = "portal", request_body = CompanyProfilePatch,
    responses((status = 200, description = "The profile", body = CompanyProfile)))]
async fn update_company_profile(context: Context, body: Body) -> ApiResult {
    let work = async |uow: &mut store::UnitOfWork, seen, patch| {
        let profile = portal::update_profile(uow, seen, patch).await?;
        Ok(Answer::ok(&profile)?.version(profile.version))
    };
    context.patch::<CompanyProfilePatch>(body, work).await
}
