//! `/v1/clients/imports`: where an import of clients starts. It goes on under `/v1/imports`.

use clients::import::ClientImporter;
use platform::imports::{ImportRun, StartImport};

use crate::context::{Context, Parts};
use crate::problem::ApiResult;
use crate::registry::Registry;

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_start_client_import, _, _>(start_client_import);
}

/// Start an import of clients
///
/// As a form with the part `file`: CSV or an Excel workbook, each row a client, perhaps with one contact. It answers with what was found
/// at the beginning of the file, and stages the rows in the background: look at them, and approve them. Nothing is written before that.
#[utoipa::path(post, path = "/v1/clients/imports", tag = "imports",
    request_body(content = StartImport, content_type = "multipart/form-data"),
    responses((status = 202, description = "The run, which is staged", body = ImportRun)))]
async fn start_client_import(context: Context, parts: Parts) -> ApiResult {
    context.start_import(parts, &ClientImporter).await
}
