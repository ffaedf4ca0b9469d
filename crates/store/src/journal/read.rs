//! Reading by record: the audit trail.

use kernel::{DateTime, Result, WorkspaceId};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Action;
use crate::field::{Json, Row};
use crate::list::{ListField, ListSpec, Listed};

/// An entry as it is read, personal values in their places unless they were erased.
#[derive(Clone, Debug)]
pub struct JournalEntry {
    /// Rises with each entry; gaps are possible.
    pub number: i64,
    /// The entry's id.
    pub id: Uuid,
    /// The workspace it belongs to.
    pub workspace_id: Option<WorkspaceId>,
    /// When.
    pub at: DateTime,
    /// What kind of being did it.
    pub actor_kind: String,
    /// Which one.
    pub actor_id: Option<Uuid>,
    /// The staff account behind it.
    pub user_id: Option<Uuid>,
    /// Why: a request, a job, an import, a command.
    pub cause_kind: String,
    /// Which job or import.
    pub cause_id: Option<Uuid>,
    /// Which request.
    pub request_id: Option<String>,
    /// What it was done to.
    pub record_type: String,
    /// To which one.
    pub record_id: Option<Uuid>,
    /// In whose trail it also stands.
    pub subject_type: Option<String>,
    /// In which one's.
    pub subject_id: Option<Uuid>,
    /// What was done.
    pub action: Action,
    /// The live event that it is.
    pub event: String,
    /// The fields that changed, each `{"from": …, "to": …}`; `{"erased": true}` where a personal value was erased.
    pub changes: Map<String, Value>,
    /// From which address.
    pub ip: Option<String>,
    /// With which program.
    pub user_agent: Option<String>,
}

const ENTRY_COLUMNS: [&str; 17] = [
    "number",
    "id",
    "workspace_id",
    "at",
    "actor_kind",
    "actor_id",
    "user_id",
    "cause_kind",
    "cause_id",
    "request_id",
    "record_type",
    "record_id",
    "subject_type",
    "subject_id",
    "action",
    "event",
    "changes",
];

impl Listed for JournalEntry {
    const TABLE: &'static str = "journal_entry";
    const WIDTH: usize = ENTRY_COLUMNS.len() + 3;

    fn select() -> SelectStatement {
        let mut select = Query::select();
        select
            .columns(ENTRY_COLUMNS.map(|column| ("journal_entry", column)))
            .columns(["changes", "ip", "user_agent"].map(|column| ("journal_personal", column)))
            .from("journal_entry")
            .left_join(
                "journal_personal",
                Expr::col(("journal_personal", "entry_id"))
                    .eq(Expr::col(("journal_entry", "id")))
                    .and(Expr::col(("journal_personal", "at")).eq(Expr::col(("journal_entry", "at")))),
            );
        select
    }

    fn read(row: &Row, offset: usize) -> Result<Self> {
        let at = |index: usize| offset + index;
        let Json(mut changes) = row.get::<Json<Map<String, Value>>>(at(16))?;
        let personal = row.get::<Option<Json<Map<String, Value>>>>(at(17))?.map(|json| json.0).unwrap_or_default();
        for (name, change) in &mut changes {
            if change.get("personal").is_some() {
                *change = personal.get(name).cloned().unwrap_or_else(|| json!({ "erased": true }));
            }
        }
        Ok(Self {
            number: row.get(at(0))?,
            id: row.get(at(1))?,
            workspace_id: row.get(at(2))?,
            at: row.get(at(3))?,
            actor_kind: row.get(at(4))?,
            actor_id: row.get(at(5))?,
            user_id: row.get(at(6))?,
            cause_kind: row.get(at(7))?,
            cause_id: row.get(at(8))?,
            request_id: row.get(at(9))?,
            record_type: row.get(at(10))?,
            record_id: row.get(at(11))?,
            subject_type: row.get(at(12))?,
            subject_id: row.get(at(13))?,
            action: row.get(at(14))?,
            event: row.get(at(15))?,
            changes,
            ip: row.get(at(18))?,
            user_agent: row.get(at(19))?,
        })
    }
}

/// How the journal can be listed.
pub static JOURNAL_LIST: ListSpec = ListSpec {
    name: "audit",
    table: "journal_entry",
    fields: &[
        // an entry's id is made from its moment and its place in the transaction, so the index over ids is in the order of both
        ListField { sort: Some("id"), ..ListField::time("at") },
        ListField::word("action", Action::TEXTS),
        ListField::text("event"),
        ListField::text("record_type"),
        ListField::uuid("record_id").nullable(),
        ListField::text("actor_kind"),
        ListField::uuid("actor_id").nullable(),
        ListField::uuid("user_id").nullable(),
        ListField::text("request_id").nullable(),
    ],
    default_sort: &["-at"],
    ..ListSpec::EMPTY
};
