//! Interactions: what was said or done with a client or a contact, and what is to follow.
//!
//! One that is of a client is seen by whoever sees the client; one of a contact alone by whoever sees the contact, and any clients at all. What is to follow
//! stands in the due list until somebody says that it was done.

mod backups;
mod commands;
mod participants;
mod remove;
mod wire;

use std::collections::HashMap;

use kernel::{Caller, DateTime, Error, Page, Permission, Result, TypedId as _, UserId};
use store::dialect::unindexed;
use store::list::{Filter, ListField, ListQuery, ListSpec, RecordQuery};
use store::query::{Expr, ExprTrait, Query, SelectStatement, SimpleExpr, UnionType};
use store::{Conn, Json, Record as _};
use uuid::Uuid;

use crate::rows::{ClientId, ContactId};
use crate::{clients, contacts};

pub(crate) use backups::{bring_back, had};
pub use commands::{archive, create, restore, update};
pub(crate) use remove::{all_with, forget_of_clients, forget_of_contacts};
pub use wire::{CreateInteraction, Interaction, InteractionPatch, Participant};

kernel::typed_id! {
    /// Names an interaction.
    pub InteractionId
}
store::id_fields!(InteractionId);

store::text_enum! {
    /// What sort of interaction it was.
    pub enum InteractionType {
        /// Something was talked over.
        Conversation = "conversation",
        /// Something was shown or presented.
        Presentation = "presentation",
        /// A price or a contract was negotiated.
        Negotiation = "negotiation",
        /// Somebody was visited.
        Visit = "visit",
        /// Something done together: a campaign, a training, an event.
        Engagement = "engagement",
        /// Somebody complained.
        Complaint = "complaint",
        /// What an earlier one left to do was done.
        FollowUp = "follow_up",
        /// Anything else.
        Other = "other",
    }
}

store::text_enum! {
    /// By what it took place.
    pub enum InteractionChannel {
        /// By phone.
        Phone = "phone",
        /// By e-mail.
        Email = "email",
        /// Face to face, in a room or on a screen.
        Meeting = "meeting",
        /// By chat.
        Chat = "chat",
        /// Otherwise.
        Other = "other",
    }
}

store::text_enum! {
    /// Who began it.
    pub enum InteractionDirection {
        /// They came to us.
        Inbound = "inbound",
        /// We went to them.
        Outbound = "outbound",
    }
}

store::record! {
    pub(crate) struct InteractionRow in "interaction" of workspace {
        id: InteractionId;
        client_id: Option<ClientId>,
        contact_id: Option<ContactId>,
        r#type: InteractionType,
        channel: InteractionChannel,
        direction: Option<InteractionDirection>,
        subject: Option<String> => Personal,
        note: Option<String> => Personal,
        occurred_at: DateTime,
        place: Uuid => Derived,
        duration: Option<i64>,
        participants: Json<Vec<Participant>> => Personal,
        follow_up_at: Option<DateTime>,
        follow_up_by: Option<UserId>,
        followed_up_at: Option<DateTime>,
        due_at: Option<DateTime> => Derived,
        author_id: Option<UserId>,
        archived_at: Option<DateTime>,
    }
}

/// How interactions can be listed.
pub static INTERACTION_LIST: ListSpec = ListSpec {
    name: "interactions",
    table: "interaction",
    fields: &[
        ListField::uuid("client_id").nullable().indexed(),
        ListField::uuid("contact_id").nullable().indexed(),
        ListField::word("type", InteractionType::TEXTS),
        ListField::word("channel", InteractionChannel::TEXTS),
        ListField::word("direction", InteractionDirection::TEXTS).nullable(),
        ListField::uuid("author_id").nullable().indexed(),
        ListField::time("occurred_at").sorted().indexed(),
        ListField::time("follow_up_at").nullable(),
        ListField::uuid("follow_up_by").nullable(),
        ListField::time("followed_up_at").nullable(),
        ListField::time("created_at").sorted().indexed(),
        ListField::time("updated_at").sorted().indexed(),
    ],
    pairs: &[("client_id", "occurred_at"), ("contact_id", "occurred_at"), ("author_id", "occurred_at")],
    includes: INCLUDES,
    default_sort: &["-occurred_at"],
    archived: true,
    ..ListSpec::EMPTY
};

/// How what is to follow can be listed.
pub static DUE_LIST: ListSpec = ListSpec {
    name: "due_interactions",
    table: "interaction",
    fields: &[
        ListField { column: "due_at", ..ListField::time("follow_up_at") }.sorted().indexed(),
        ListField::uuid("follow_up_by").nullable().indexed(),
        ListField::uuid("client_id").nullable(),
        ListField::uuid("contact_id").nullable(),
        ListField::word("type", InteractionType::TEXTS),
        ListField::word("channel", InteractionChannel::TEXTS),
    ],
    pairs: &[("follow_up_by", "follow_up_at")],
    includes: INCLUDES,
    default_sort: &["follow_up_at"],
    ..ListSpec::EMPTY
};

const INCLUDES: &[&str] = &["author", "client", "contact"];

fn column(name: &'static str) -> Expr {
    Expr::col(("interaction", name))
}

/// Interactions that the caller may see: of the clients that they may see, and of the contacts.
pub(crate) fn visible_to(caller: &Caller) -> Result<SelectStatement> {
    visible_in(caller, column("workspace_id"))
}

fn visible_in(caller: &Caller, workspace: SimpleExpr) -> Result<SelectStatement> {
    let mut clients = clients::visible_to(caller)?;
    let mut select = InteractionRow::select();
    select.and_where(workspace.eq(caller.workspace()?.uuid()));
    let of_all = caller.can(Permission::ClientsViewAll);
    if of_all && caller.can(Permission::ContactsView) {
        return Ok(select);
    }
    clients.clear_selects().column(("client", "id"));
    let of_client = if of_all { column("client_id").is_not_null() } else { column("client_id").in_subquery(clients) };
    if !caller.can(Permission::ContactsView) {
        select.and_where(of_client);
        return Ok(select);
    }
    let mut contacts = contacts::visible_to(caller)?;
    contacts.clear_selects().column(("contact", "id"));
    let of_contact = column("client_id").is_null().and(column("contact_id").in_subquery(contacts));
    select.and_where(of_client.or(of_contact));
    Ok(select)
}

/// The ids of the interactions of somebody's own clients and contacts, which are all that somebody may see who sees their own.
fn own(caller: &Caller) -> Result<Option<SelectStatement>> {
    let Some(clients) = clients::own(caller)? else { return Ok(None) };
    let of = |whom: &'static str, ids: SelectStatement| {
        let mut found = Query::select();
        found.expr_as(column("id"), "found").from("interaction").and_where(column(whom).in_subquery(ids));
        found
    };
    let mut found = of("client_id", clients);
    if caller.can(Permission::ContactsView) {
        let mut contacts = contacts::visible_to(caller)?;
        contacts.clear_selects().column(("contact", "id"));
        let mut of_contacts = of("contact_id", contacts);
        of_contacts.and_where(column("client_id").is_null());
        found.union(UnionType::Distinct, of_contacts);
    }
    Ok(Some(found))
}

/// With whom a contact is, is for those to know who see contacts.
fn without_contacts(mut select: SelectStatement, caller: &Caller, query: &ListQuery) -> SelectStatement {
    let by_contact = |filter: &Filter| matches!(filter, Filter::Field(field, ..) if field.name == "contact_id");
    if !caller.can(Permission::ContactsView) && query.filters.iter().any(by_contact) {
        select.and_where(Expr::value(false));
    }
    select
}

async fn page(
    conn: &mut Conn,
    caller: &Caller,
    base: SelectStatement,
    spec: &'static ListSpec,
    query: &ListQuery,
) -> Result<Page<Interaction>> {
    let narrowed = own(caller)?.map(|ids| query.found_among(ids));
    let query = narrowed.as_ref().unwrap_or(query);
    let base = without_contacts(base, caller, query);
    let page = store::list::page::<InteractionRow>(conn, caller, base, spec, query).await?;
    Ok(Page { data: dress(conn, caller, page.data, &query.record).await?, page: page.page })
}

/// Interactions that the caller may see.
///
/// # Errors
/// `forbidden` without `clients.view_all` or `clients.view_own`.
pub async fn list(conn: &mut Conn, caller: &Caller, query: &ListQuery) -> Result<Page<Interaction>> {
    page(conn, caller, visible_to(caller)?, &INTERACTION_LIST, query).await
}

/// What is to follow by `now`: interactions whose follow-up is due, and of which nobody has said that it was done. What is of a client or
/// contact that is archived waits until it is restored.
///
/// # Errors
/// `forbidden` without `clients.view_all` or `clients.view_own`.
pub async fn list_due(conn: &mut Conn, caller: &Caller, now: DateTime, query: &ListQuery) -> Result<Page<Interaction>> {
    let mut base = visible_to(caller)?;
    let away = |table: &'static str, whose: &'static str| {
        let mut away = Query::select();
        away.column("id")
            .from(table)
            .and_where(Expr::col((table, "id")).equals(("interaction", whose)))
            .and_where(Expr::col((table, "archived_at")).is_not_null());
        Expr::exists(away)
    };
    let of_contact_alone = column("client_id").is_null().and(away("contact", "contact_id"));
    base.and_where(column("due_at").lte(now)).and_where(away("client", "client_id").or(of_contact_alone).not());
    page(conn, caller, base, &DUE_LIST, query).await
}

/// When the interactions of a client took place, which the caller may see: `id` is their place in a stream of all that happened, `at` and
/// `record_id` what they are.
///
/// # Errors
/// What stands against asking.
pub fn moments_of(caller: &Caller, client: ClientId) -> Result<SelectStatement> {
    let mut select = Query::select();
    select
        .expr_as(column("place"), "id")
        .expr_as(column("occurred_at"), "at")
        .expr_as(column("id"), "record_id")
        .from("interaction")
        .and_where(column("client_id").eq(client.uuid()))
        .and_where(column("workspace_id").eq(caller.workspace()?.uuid()))
        .and_where(column("archived_at").is_null());
    Ok(select)
}

/// These interactions, as far as the caller may see them.
///
/// # Errors
/// `forbidden` without `clients.view_all` or `clients.view_own`.
pub async fn all_of(conn: &mut Conn, caller: &Caller, ids: Vec<Uuid>) -> Result<HashMap<Uuid, Interaction>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    // each by its id: by the workspace, as SQLite would look, is by all that it has
    let mut select = visible_in(caller, unindexed(conn.dialect(), "interaction", "workspace_id"))?;
    select.and_where(column("id").is_in(ids));
    let rows = conn.all::<InteractionRow>(&select).await?;
    Ok(rows.into_iter().map(|row| (row.id.uuid(), shown(caller, row))).collect())
}

/// One interaction.
///
/// # Errors
/// `forbidden` without `clients.view_all` or `clients.view_own`; `not_found`.
pub async fn get(conn: &mut Conn, caller: &Caller, id: InteractionId, query: &RecordQuery) -> Result<Interaction> {
    let row = get_row(conn, caller, id).await?;
    dress(conn, caller, vec![row], query).await?.pop().ok_or_else(Error::not_found)
}

async fn get_row(conn: &mut Conn, caller: &Caller, id: InteractionId) -> Result<InteractionRow> {
    let mut select = visible_to(caller)?;
    select.and_where(column("id").eq(id.uuid()));
    conn.one(&select).await?.ok_or_else(Error::not_found)
}

/// An interaction as the caller may see it: contacts are named to those who see contacts.
fn shown(caller: &Caller, mut row: InteractionRow) -> Interaction {
    if !caller.can(Permission::ContactsView) {
        row.contact_id = None;
        row.participants.0.retain(|participant| participant.contact_id.is_none());
    }
    row.into()
}

/// Adds what was asked for, in one query for each relation.
async fn dress(conn: &mut Conn, caller: &Caller, rows: Vec<InteractionRow>, query: &RecordQuery) -> Result<Vec<Interaction>> {
    let mut interactions: Vec<Interaction> = rows.into_iter().map(|row| shown(caller, row)).collect();
    if query.includes("client") {
        let clients = clients::briefs(conn, caller, interactions.iter().filter_map(|one| one.client_id)).await?;
        for one in &mut interactions {
            one.client = one.client_id.and_then(|id| clients.get(&id).cloned());
        }
    }
    if query.includes("contact") && interactions.iter().any(|one| one.contact_id.is_some()) {
        let contacts = contacts::briefs(conn, caller, interactions.iter().filter_map(|one| one.contact_id)).await?;
        for one in &mut interactions {
            one.contact = one.contact_id.and_then(|id| contacts.get(&id).cloned());
        }
    }
    if query.includes("author") {
        let authors = auth::users::briefs(conn, interactions.iter().filter_map(|one| one.author_id)).await?;
        for one in &mut interactions {
            one.author = one.author_id.and_then(|id| authors.get(&id).cloned());
        }
    }
    Ok(interactions)
}
