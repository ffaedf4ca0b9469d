//! An entry on its way into the journal.

use kernel::WorkspaceId;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Action, Change};

pub(crate) struct Entry {
    pub action: Action,
    pub event: String,
    pub record_type: &'static str,
    pub record_id: Option<Uuid>,
    pub subject: Option<(&'static str, Uuid)>,
    pub workspace: Option<WorkspaceId>,
    pub changes: Map<String, Value>,
    pub personal: Map<String, Value>,
}

impl Entry {
    pub fn new(
        action: Action,
        record_type: &'static str,
        record_id: Option<Uuid>,
        workspace: Option<WorkspaceId>,
        change: Change,
    ) -> Self {
        let event = change.event.map_or_else(|| format!("{record_type}.{}", action.past()), str::to_owned);
        Self {
            action,
            event,
            record_type,
            record_id,
            subject: change.subject,
            workspace,
            changes: change.details,
            personal: change.personal,
        }
    }
}
