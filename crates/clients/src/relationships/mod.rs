//! How two clients relate: a principal and the distributor who sells for it, say, for a territory, at a commission, for a time.
//!
//! Of the same kind, for the same two and the same territory, no two hold at the same time: whoever writes locks both clients first, and a
//! trigger of the database stands behind it. Of a principal and a distributor each has that role as long as the relationship does.

mod backups;
mod commands;
mod wire;

use std::collections::HashMap;

use chrono::NaiveDate;
use kernel::{Caller, Error, Page, Permission, Result, TypedId as _, UserId};
use store::list::{CustomFilter, ListField, ListQuery, ListSpec, RecordQuery};
use store::query::{Expr, ExprTrait, Query, SelectStatement, UnionType, Value};
use store::{Conn, Record as _};

use crate::clients;
use crate::rows::ClientId;

pub(crate) use backups::{bring_back, had};
pub(crate) use commands::{check_all_roles, check_overlap, check_roles, forget, relate};
pub use commands::{create, delete, update};
pub use wire::{ClientRelationship, ClientRelationshipPatch, CreateClientRelationship};

kernel::typed_id! {
    /// Names how two clients relate.
    pub ClientRelationshipId
}
store::id_fields!(ClientRelationshipId);

store::text_enum! {
    /// How two clients relate.
    pub enum RelationshipKind {
        /// The one is a principal, the other sells for it.
        PrincipalDistributor = "principal_distributor",
        /// They work together.
        Partner = "partner",
        /// The one delivers to the other.
        Supplier = "supplier",
        /// The one brought us the other.
        Referrer = "referrer",
        /// Otherwise.
        Other = "other",
    }
}

store::record! {
    pub(crate) struct ClientRelationshipRow in "client_relationship" of workspace {
        id: ClientRelationshipId;
        kind: RelationshipKind,
        from_client_id: ClientId,
        to_client_id: ClientId,
        territory: Option<String>,
        territory_key: String => Derived,
        commission_basis_points: Option<i64>,
        valid_from: Option<NaiveDate>,
        valid_until: Option<NaiveDate>,
        note: Option<String> => Personal,
        created_by: Option<UserId>,
    }
}

/// How relationships can be listed.
pub static RELATIONSHIP_LIST: ListSpec = ListSpec {
    name: "client_relationships",
    table: "client_relationship",
    fields: &[
        ListField::word("kind", RelationshipKind::TEXTS),
        ListField::uuid("from_client_id").indexed(),
        ListField::uuid("to_client_id").indexed(),
        ListField { column: "territory_key", ..ListField::caseless("territory") },
        ListField::integer("commission_basis_points").nullable(),
        ListField::date("valid_from").nullable(),
        ListField::date("valid_until").nullable().sorted().indexed(),
        ListField::time("created_at").sorted().indexed(),
        ListField::time("updated_at").sorted().indexed(),
    ],
    filters: &[CustomFilter::of_record("client_id", of_client)],
    includes: &["from_client", "to_client"],
    ..ListSpec::EMPTY
};

fn column(name: &'static str) -> Expr {
    Expr::col(("client_relationship", name))
}

/// The ids of the relationships of a client, at whichever end: for filters.
fn of_client(client: Value) -> SelectStatement {
    let mut ids = Query::select();
    ids.expr_as(column("id"), "found")
        .from("client_relationship")
        .and_where(column("from_client_id").eq(client.clone()).or(column("to_client_id").eq(client)));
    ids
}

/// Relationships that the caller may see: of clients that they may see, at one end or the other.
fn visible_to(caller: &Caller) -> Result<SelectStatement> {
    let mut clients = clients::visible_to(caller)?;
    let mut select = ClientRelationshipRow::select();
    select.and_where(column("workspace_id").eq(caller.workspace()?.uuid()));
    if !caller.can(Permission::ClientsViewAll) {
        clients.clear_selects().column(("client", "id"));
        let seen = |end: &'static str| column(end).in_subquery(clients.clone());
        select.and_where(seen("from_client_id").or(seen("to_client_id")));
    }
    Ok(select)
}

/// The ids of the relationships of somebody's own clients, which are all that somebody may see who sees their own.
fn own(caller: &Caller) -> Result<Option<SelectStatement>> {
    let Some(clients) = clients::own(caller)? else { return Ok(None) };
    let at = |end: &'static str| {
        let mut ids = Query::select();
        ids.expr_as(column("id"), "found").from("client_relationship").and_where(column(end).in_subquery(clients.clone()));
        ids
    };
    let mut ids = at("from_client_id");
    ids.union(UnionType::Distinct, at("to_client_id"));
    Ok(Some(ids))
}

/// Relationships that the caller may see.
///
/// # Errors
/// `forbidden` without `clients.view_all` or `clients.view_own`.
pub async fn list(conn: &mut Conn, caller: &Caller, query: &ListQuery) -> Result<Page<ClientRelationship>> {
    let narrowed = own(caller)?.map(|ids| query.found_among(ids));
    let query = narrowed.as_ref().unwrap_or(query);
    let page = store::list::page::<ClientRelationshipRow>(conn, caller, visible_to(caller)?, &RELATIONSHIP_LIST, query).await?;
    Ok(Page { data: dress(conn, caller, page.data, &query.record).await?, page: page.page })
}

/// One relationship.
///
/// # Errors
/// `forbidden` without `clients.view_all` or `clients.view_own`; `not_found`.
pub async fn get(conn: &mut Conn, caller: &Caller, id: ClientRelationshipId, query: &RecordQuery) -> Result<ClientRelationship> {
    let row = get_row(conn, caller, id).await?;
    dress(conn, caller, vec![row], query).await?.pop().ok_or_else(Error::not_found)
}

async fn get_row(conn: &mut Conn, caller: &Caller, id: ClientRelationshipId) -> Result<ClientRelationshipRow> {
    let mut select = visible_to(caller)?;
    select.and_where(column("id").eq(id.uuid()));
    conn.one(&select).await?.ok_or_else(Error::not_found)
}

/// Adds what was asked for, in one query for both ends.
async fn dress(
    conn: &mut Conn,
    caller: &Caller,
    rows: Vec<ClientRelationshipRow>,
    query: &RecordQuery,
) -> Result<Vec<ClientRelationship>> {
    let mut relationships: Vec<ClientRelationship> = rows.into_iter().map(ClientRelationship::from).collect();
    let (from, to) = (query.includes("from_client"), query.includes("to_client"));
    let ends = relationships.iter().flat_map(|one| [from.then_some(one.from_client_id), to.then_some(one.to_client_id)]);
    let clients: HashMap<_, _> = clients::briefs(conn, caller, ends.flatten()).await?;
    for one in &mut relationships {
        one.from_client = clients.get(&one.from_client_id).filter(|_| from).cloned();
        one.to_client = clients.get(&one.to_client_id).filter(|_| to).cloned();
    }
    Ok(relationships)
}
