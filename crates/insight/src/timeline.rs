//! What happened with a client, in one stream: interactions, notes and changes.
//!
//! Each entry has its place in the stream, a UUID of version 7 (RFC 9562, 5.7) made from its moment: notes and changes have it as their id,
//! interactions beside it, because they are written down later than they take place. So the three are merged by their indexes, and a page
//! costs the same however deep it is. What a filter by moment leaves out is read past, and so are the changes of others for whoever sees their
//! own alone.

use std::collections::HashMap;

use clients::ClientId;
use clients::interactions::{self, Interaction};
use kernel::{Caller, DateTime, Page, Result, TypedId as _};
use platform::audit::{self, AuditEntry};
use platform::notes::{self, Note};
use serde::{Deserialize, Serialize};
use store::dialect::Dialect;
use store::list::{Filter, ListField, ListQuery, ListSpec, Listed, Operator};
use store::query::{Expr, Query, SelectStatement};
use store::{Conn, Row};
use utoipa::ToSchema;
use uuid::Uuid;

store::text_enum! {
    /// What sort of entry it is.
    pub enum TimelineKind {
        /// Something was said or done.
        Interaction = "interaction",
        /// A note was written.
        Note = "note",
        /// The client, or something that hangs on it, was changed.
        Change = "change",
    }
}

/// Something that happened with a client. It has the member of its kind.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TimelineEntry {
    /// Its place in the stream: later entries have greater ones.
    pub id: Uuid,
    /// When it took place.
    pub at: DateTime,
    /// What sort of entry it is.
    pub kind: TimelineKind,
    /// What was said or done.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interaction: Option<Interaction>,
    /// The note.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
    /// The change, as the audit trail has it.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<AuditEntry>,
}

/// How the stream can be listed.
pub static TIMELINE_LIST: ListSpec = ListSpec {
    name: "timeline",
    table: "timeline",
    fields: &[ListField { sort: Some("id"), ..ListField::time("at") }, ListField::word("kind", TimelineKind::TEXTS)],
    default_sort: &["-at"],
    ..ListSpec::EMPTY
};

/// An entry before what it shows is read.
struct Moment {
    place: Uuid,
    at: DateTime,
    kind: TimelineKind,
    record: Uuid,
}

const COLUMNS: [&str; 4] = ["id", "at", "kind", "record_id"];

impl Listed for Moment {
    const TABLE: &'static str = "timeline";
    const WIDTH: usize = COLUMNS.len();

    fn select() -> SelectStatement {
        let mut select = Query::select();
        select.columns(COLUMNS.map(|column| ("timeline", column)));
        select
    }

    fn read(row: &Row, offset: usize) -> Result<Self> {
        Ok(Self { place: row.get(offset)?, at: row.get(offset + 1)?, kind: row.get(offset + 2)?, record: row.get(offset + 3)? })
    }
}

/// Whether a query asks for entries of a kind.
fn asks_for(query: &ListQuery, kind: TimelineKind) -> bool {
    query.filters.iter().all(|filter| match filter {
        Filter::Field(field, operator, values) if field.name == "kind" => {
            let named = values.contains(&kind.as_str().into());
            match operator {
                Operator::Eq | Operator::In => named,
                Operator::Ne => !named,
                _ => true,
            }
        }
        _ => true,
    })
}

/// The moments of a client, from each table that has some that are asked for.
fn moments(dialect: Dialect, caller: &Caller, client: ClientId, query: &ListQuery) -> Result<Vec<SelectStatement>> {
    let [of_it, of_what_hangs_on_it] = audit::moments_of(dialect, caller, client.uuid(), ["note", "interaction"])?;
    let parts = [
        (TimelineKind::Interaction, interactions::moments_of(caller, client)?),
        (TimelineKind::Note, notes::moments_of(caller, client.uuid())?),
        (TimelineKind::Change, of_it),
        (TimelineKind::Change, of_what_hangs_on_it),
    ];
    let as_kind = |kind: TimelineKind, mut part: SelectStatement| {
        part.expr_as(Expr::cust(format!("'{}'", kind.as_str())), "kind");
        part
    };
    Ok(parts.into_iter().filter(|(kind, _)| asks_for(query, *kind)).map(|(kind, part)| as_kind(kind, part)).collect())
}

/// The select that a page is read by, for whoever looks at its plan.
///
/// # Errors
/// As [`client_timeline`].
pub fn client_timeline_select(conn: &Conn, caller: &Caller, id: ClientId, query: &ListQuery) -> Result<Option<SelectStatement>> {
    store::list::select_of_parts::<Moment>(conn, caller, moments(conn.dialect(), caller, id, query)?, &TIMELINE_LIST, query)
}

/// What happened with a client, the newest first unless asked otherwise. Of changes, whoever does not read the audit trail sees their own.
///
/// # Errors
/// `forbidden` without `clients.view_all` or `clients.view_own`; `not_found`.
pub async fn client_timeline(conn: &mut Conn, caller: &Caller, id: ClientId, query: &ListQuery) -> Result<Page<TimelineEntry>> {
    clients::clients::check_visible(conn, caller, id).await?;
    let query = query.within(id.uuid());
    let parts = moments(conn.dialect(), caller, id, &query)?;
    let page = store::list::page_of_parts::<Moment>(conn, caller, parts, &TIMELINE_LIST, &query).await?;
    let of = |kind: TimelineKind| page.data.iter().filter(|moment| moment.kind == kind).map(|moment| moment.record).collect();
    let mut interactions = interactions::all_of(conn, caller, of(TimelineKind::Interaction)).await?;
    let mut notes = notes::all_of(conn, caller, of(TimelineKind::Note)).await?;
    let mut changes: HashMap<Uuid, AuditEntry> = audit::all_of(conn, caller, of(TimelineKind::Change)).await?;
    Ok(page.map(|moment| TimelineEntry {
        id: moment.place,
        at: moment.at,
        kind: moment.kind,
        interaction: interactions.remove(&moment.record),
        note: notes.remove(&moment.record),
        change: changes.remove(&moment.record),
    }))
}
