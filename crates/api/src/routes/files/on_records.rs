//! `/v1/clients/{client_id}/files` and `/v1/contacts/{contact_id}/files`.

use clients::{ClientId, ContactId};
use files::files::FILE_LIST;

use super::files::FilePage;
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_list_client_files, _, _>(list_client_files).list(&FILE_LIST);
    registry.add::<__path_list_contact_files, _, _>(list_contact_files).list(&FILE_LIST);
}

/// List the files on a client
#[utoipa::path(get, path = "/v1/clients/{client_id}/files", tag = "files",
    responses((status = 200, description = "A page of files", body = FilePage)))]
async fn list_client_files(context: Context) -> ApiResult {
    let id: ClientId = context.id("client_id")?;
    let query = context.list_query(&FILE_LIST)?;
    let page = context.read(async |conn, caller| clients::clients::list_files(conn, caller, id, &query).await).await?;
    context.page(&page, &query)
}

/// List the files on a contact
#[utoipa::path(get, path = "/v1/contacts/{contact_id}/files", tag = "files",
    responses((status = 200, description = "A page of files", body = FilePage)))]
async fn list_contact_files(context: Context) -> ApiResult {
    let id: ContactId = context.id("contact_id")?;
    let query = context.list_query(&FILE_LIST)?;
    let page = context.read(async |conn, caller| clients::contacts::list_files(conn, caller, id, &query).await).await?;
    context.page(&page, &query)
}
