//! Which stages a client has been in: what the journal says of it, and no second record of the same.

use kernel::{Caller, DateTime, Page, Result, TypedId as _};
use platform::audit::{AUDIT_LIST, AuditActor, AuditEntry};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::Conn;
use store::list::{ListQuery, ListSpec};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::clients;
use crate::rows::ClientId;

/// A client came to another stage.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StageChange {
    /// The journal's entry.
    pub id: Uuid,
    /// When.
    pub at: DateTime,
    /// The key of the stage before; none where there was none.
    pub from: Option<String>,
    /// The key of the stage after; none where there is none.
    pub to: Option<String>,
    /// Who did it.
    pub by: AuditActor,
}

/// How the history can be listed.
pub static STAGE_HISTORY: &ListSpec = &AUDIT_LIST;

/// Which stages a client has been in, the newest first unless asked otherwise.
///
/// # Errors
/// `forbidden` for whoever sees no clients; `not_found`.
pub async fn history(conn: &mut Conn, caller: &Caller, id: ClientId, query: &ListQuery) -> Result<Page<StageChange>> {
    clients::get_row(conn, caller, id).await?;
    let page = platform::audit::of_field(conn, caller, id.uuid(), "acquisition_stage", query).await?;
    let told = |entry: AuditEntry| {
        let change = entry.changes.get("acquisition_stage");
        let key = |side: &str| change.and_then(|change| change.get(side)).and_then(Value::as_str).map(str::to_owned);
        StageChange { id: entry.id, at: entry.at, from: key("from"), to: key("to"), by: entry.actor }
    };
    Ok(page.map(told))
}
