//! `/v1/audit`.

use platform::audit::{AUDIT_LIST, AuditEntry};

use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;
use crate::routes::page_schema;

page_schema! {
    /// A page of the audit trail.
    AuditEntryPage of AuditEntry
}

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_list_audit, _, _>(list_audit).list(&AUDIT_LIST);
}

/// Read the audit trail
///
/// Everything that happened in the workspace, newest first.
#[utoipa::path(get, path = "/v1/audit", tag = "audit",
    responses((status = 200, description = "A page of entries", body = AuditEntryPage)))]
async fn list_audit(context: Context) -> ApiResult {
    let query = context.list_query(&AUDIT_LIST)?;
    let page = context.read(async |conn, caller| platform::audit::list(conn, caller, &query).await).await?;
    context.page(&page, &query)
}
