//! `/v1/colleagues`.

use auth::colleagues::{self, COLLEAGUE_LIST, Colleague};

use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;
use crate::routes::page_schema;

page_schema! {
    /// A page of colleagues.
    ColleaguePage of Colleague
}

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_list_colleagues, _, _>(list_colleagues).list(&COLLEAGUE_LIST);
}

/// List colleagues
///
/// The staff of the workspace by name, for every member of it: to choose an owner, somebody for a team, or who follows something up.
#[utoipa::path(get, path = "/v1/colleagues", tag = "users",
    responses((status = 200, description = "A page of colleagues", body = ColleaguePage)))]
async fn list_colleagues(context: Context) -> ApiResult {
    let query = context.list_query(&COLLEAGUE_LIST)?;
    let page = context.read(async |conn, caller| colleagues::list(conn, caller, &query).await).await?;
    context.page(&page, &query)
}
