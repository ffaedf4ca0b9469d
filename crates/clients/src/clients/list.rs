//! Reading clients. Every select of a client begins at [`visible_to`].

use std::collections::HashMap;

use kernel::{Caller, Error, Page, Permission, Result, Scope, TypedId as _};
use platform::custom_fields::{check_still_there, resolve};
use platform::saved_views::Viewable;
use store::dialect::{Dialect, unindexed};
use store::list::{CustomFilter, Filter, ListField, ListQuery, ListSpec, RecordQuery, Whole};
use store::query::{Expr, ExprTrait, Query, SelectStatement, SimpleExpr, UnionType, Value};
use store::{Conn, Record as _, UnitOfWork};

use super::wire::{Client, ClientBrief};
use crate::errors::ARCHIVED;
use crate::rows::{ClientId, ClientKind, ClientRole, ClientRow, ClientSource, ClientStatus, LeadCategory};
use crate::{admins, groups, links, merge};

/// How clients can be listed.
pub static CLIENT_LIST: ListSpec = ListSpec {
    name: "clients",
    table: "client",
    fields: &[
        ListField::text("name").folded("name_key"),
        ListField::word("kind", ClientKind::TEXTS),
        ListField::word("status", ClientStatus::TEXTS).sorted().indexed(),
        ListField {
            column: "email_key",
            like: Some("email_key"),
            sort: Some("email_key"),
            ..ListField::caseless("email").nullable().indexed()
        },
        ListField::text("tax_number").nullable().sorted().indexed(),
        ListField::text("country").nullable().sorted().indexed(),
        ListField::text("sector").nullable(),
        ListField::text("size").nullable(),
        ListField::text("product").nullable(),
        ListField::uuid("brand_id").nullable().indexed(),
        ListField::text("currency"),
        ListField::uuid("owner_id").nullable().indexed(),
        ListField::uuid("created_by").nullable().indexed(),
        ListField::uuid("parent_id").nullable().indexed(),
        ListField::text("acquisition_stage").nullable().sorted().indexed(),
        ListField::word("source", ClientSource::TEXTS).nullable(),
        ListField::word("lead_category", LeadCategory::TEXTS).nullable(),
        ListField::text("external_source").nullable(),
        ListField::text("external_id").nullable().indexed(),
        ListField::time("created_at").sorted().indexed(),
        ListField::time("updated_at").sorted().indexed(),
    ],
    filters: &[
        CustomFilter::of_record("tag_id", platform::tags::carriers),
        CustomFilter::of_record("contact_id", links::clients_with),
        CustomFilter::of_record("client_group_id", groups::clients_in),
        CustomFilter::of_record("admin_id", admins::clients_with),
        CustomFilter::of_word("role", ClientRole::TEXTS, "client_role", with_role),
    ],
    pairs: &[("kind", "name"), ("owner_id", "created_at")],
    includes: &["admins", "contacts", "groups", "owner", "parent", "tags"],
    members: &[
        "id",
        "kind",
        "name",
        "legal_name",
        "tax_number",
        "website",
        "phone",
        "emails",
        "phones",
        "main_address",
        "billing_address",
        "shipping_address",
        "sector",
        "size",
        "product",
        "currency",
        "locale",
        "brand_id",
        "status",
        "roles",
        "parent_id",
        "owner_id",
        "created_by",
        "acquisition_stage",
        "source",
        "lead_category",
        "external_source",
        "external_id",
        "custom_fields",
        "archived_at",
        "created_at",
        "updated_at",
    ],
    searched: true,
    archived: true,
    custom_fields: true,
    ..ListSpec::EMPTY
};

/// Clients, to be looked at through saved views.
pub const VIEWABLE: Viewable =
    Viewable { list: &CLIENT_LIST, seen_with: &[Permission::ClientsViewAll, Permission::ClientsViewOwn] };

fn column(name: &'static str) -> Expr {
    Expr::col(("client", name))
}

/// The ids of the clients with a role: for filters. The database keeps them by a trigger.
fn with_role(role: Value) -> SelectStatement {
    let mut ids = Query::select();
    ids.expr_as(Expr::col(("client_role", "client_id")), "found")
        .from("client_role")
        .and_where(Expr::col(("client_role", "role")).eq(role));
    ids
}

/// Clients that the caller may see: of the workspace, or those that they own, made or are responsible for.
pub(crate) fn visible_to(caller: &Caller) -> Result<SelectStatement> {
    let mut select = reached_by(caller)?;
    select.and_where(column("merged_into_id").is_null());
    Ok(select)
}

/// Those of these clients that the caller may see. SQLite thinks that reading all of a workspace is less than looking up some ids.
pub(crate) fn visible_among(dialect: Dialect, caller: &Caller, ids: &[uuid::Uuid]) -> Result<SelectStatement> {
    let mut select = reached_in(caller, unindexed(dialect, "client", "workspace_id"))?;
    select.and_where(column("merged_into_id").is_null()).and_where(column("id").is_in(ids.iter().copied()));
    Ok(select)
}

/// As [`visible_to`], with those that became part of others, which nobody sees any more.
pub(crate) fn reached_by(caller: &Caller) -> Result<SelectStatement> {
    reached_in(caller, column("workspace_id"))
}

fn reached_in(caller: &Caller, workspace: SimpleExpr) -> Result<SelectStatement> {
    let scope = caller.scope(Permission::ClientsViewAll, Permission::ClientsViewOwn)?;
    let mut select = ClientRow::select();
    select.and_where(workspace.eq(caller.workspace()?.uuid()));
    if let Scope::Own(user) = scope {
        select.and_where(
            column("owner_id")
                .eq(user.uuid())
                .or(column("created_by").eq(user.uuid()))
                .or(column("id").in_subquery(admins::clients_with(user.uuid().into()))),
        );
    }
    Ok(select)
}

/// The ids of the clients that somebody owns, made or is responsible for, which are all that somebody may see who sees their own.
pub(crate) fn own(caller: &Caller) -> Result<Option<SelectStatement>> {
    let Scope::Own(user) = caller.scope(Permission::ClientsViewAll, Permission::ClientsViewOwn)? else { return Ok(None) };
    let workspace = caller.workspace()?.uuid();
    let whose = |column: &'static str| {
        let mut ids = Query::select();
        ids.expr_as(Expr::col(("client", "id")), "found").from("client");
        ids.and_where(self::column("workspace_id").eq(workspace)).and_where(self::column(column).eq(user.uuid()));
        ids
    };
    let mut ids = whose("owner_id");
    let mut responsible = admins::clients_with(user.uuid().into());
    responsible.and_where(Expr::col(("client_admin", "workspace_id")).eq(workspace));
    ids.union(UnionType::Distinct, whose("created_by")).union(UnionType::Distinct, responsible);
    Ok(Some(ids))
}

/// Clients that the caller may see.
///
/// # Errors
/// `forbidden` without `clients.view_all` or `clients.view_own`.
pub async fn list(conn: &mut Conn, caller: &Caller, query: &ListQuery) -> Result<Page<Client>> {
    let base = visible_where(caller, query)?;
    let query = resolve(conn, caller, &CLIENT_LIST, query).await?;
    let narrowed = own(caller)?.map(|ids| query.found_among(ids));
    let query = narrowed.as_ref().unwrap_or(&query);
    let page = store::list::page::<ClientRow>(conn, caller, base, &CLIENT_LIST, query).await?;
    Ok(Page { data: dress(conn, caller, page.data, &query.record).await?, page: page.page })
}

/// Clients that the caller may see and may ask for with these filters.
fn visible_where(caller: &Caller, query: &ListQuery) -> Result<SelectStatement> {
    let mut base = visible_to(caller)?;
    let by_contact = |filter: &Filter| matches!(filter, Filter::Custom(custom, _) if custom.name == "contact_id");
    if !caller.can(Permission::ContactsView) && query.filters.iter().any(by_contact) {
        // whose contact somebody is, is for those to know who see contacts
        base.and_where(Expr::value(false));
    }
    Ok(base)
}

/// The next of all clients that [`list`] would show on its pages.
pub(super) async fn list_whole(conn: &mut Conn, caller: &Caller, list: &mut Whole) -> Result<Vec<Client>> {
    let base = visible_where(caller, list.query())?;
    check_still_there(conn, list.query()).await?;
    let rows = list.batch::<ClientRow>(conn, caller, base, &CLIENT_LIST, own(caller)?).await?;
    Ok(rows.into_iter().map(Client::from).collect())
}

/// One client.
///
/// # Errors
/// `forbidden` without `clients.view_all` or `clients.view_own`; `not_found`.
pub async fn get(conn: &mut Conn, caller: &Caller, id: ClientId, query: &RecordQuery) -> Result<Client> {
    let row = get_row(conn, caller, id).await?;
    dress(conn, caller, vec![row], query).await?.pop().ok_or_else(Error::not_found)
}

pub(crate) async fn get_row(conn: &mut Conn, caller: &Caller, id: ClientId) -> Result<ClientRow> {
    let mut select = visible_to(caller)?;
    select.and_where(column("id").eq(id.uuid()));
    match conn.one(&select).await? {
        Some(row) => Ok(row),
        None => Err(merge::missing(conn, caller, id).await),
    }
}

/// A client that the caller may see, locked until the transaction ends, at the version that they have seen.
pub(crate) async fn find_locked(uow: &mut UnitOfWork, id: ClientId, seen: Option<i64>) -> Result<ClientRow> {
    let mut select = visible_to(&uow.caller())?;
    select.and_where(column("id").eq(id.uuid()));
    let Some(row) = uow.locked::<ClientRow>(select).await? else {
        let caller = uow.caller();
        return Err(merge::missing(uow, &caller, id).await);
    };
    auth::check_seen(seen, row.version)?;
    Ok(row)
}

/// Those of these clients that the caller may see, locked.
pub(crate) async fn find_all_locked(uow: &mut UnitOfWork, ids: &[uuid::Uuid]) -> Result<Vec<ClientRow>> {
    let select = visible_among(uow.dialect(), &uow.caller(), ids)?;
    uow.locked_all(select).await
}

/// A client that the caller may see, locked, which is not put away: what is put away is not changed, nor is what hangs on it.
pub(crate) async fn find_editable(uow: &mut UnitOfWork, id: ClientId) -> Result<ClientRow> {
    let row = find_locked(uow, id, None).await?;
    if row.archived_at.is_some() {
        return Err(Error::new(&ARCHIVED).with_detail("Restore the client first."));
    }
    Ok(row)
}

/// Locks clients in the order of their ids, whether the caller may see them or not: for what hangs on them.
pub(crate) async fn lock_all(uow: &mut UnitOfWork, ids: &[uuid::Uuid]) -> Result<Vec<ClientRow>> {
    let mut select = ClientRow::select();
    let workspace = unindexed(uow.dialect(), "client", "workspace_id").eq(uow.workspace()?.uuid());
    select.and_where(workspace).and_where(column("id").is_in(ids.iter().copied()));
    uow.locked_all(select).await
}

/// Locks clients and those right below them in the order of their ids, whether the caller may see them or not.
pub(crate) async fn lock_with_children(uow: &mut UnitOfWork, ids: &[uuid::Uuid]) -> Result<()> {
    let mut select = ClientRow::select();
    let either = column("id").is_in(ids.iter().copied()).or(column("parent_id").is_in(ids.iter().copied()));
    select.and_where(unindexed(uow.dialect(), "client", "workspace_id").eq(uow.workspace()?.uuid())).and_where(either);
    uow.locked_all::<ClientRow>(select).await.map(|_| ())
}

/// Clients of the workspace that came from `source` under these ids, also those that became part of others.
pub(crate) async fn find_by_external(
    conn: &mut Conn,
    caller: &Caller,
    source: &str,
    ids: Vec<String>,
) -> Result<HashMap<String, ClientRow>> {
    let others = [("workspace_id", caller.workspace()?.uuid().into()), ("external_source", source.into())];
    let reached = reached_in(caller, unindexed(conn.dialect(), "client", "workspace_id"))?;
    let rows = conn.all_by_key::<ClientRow>(reached, others, "external_id", ids).await?;
    Ok(rows.into_iter().filter_map(|row| Some((row.external_id.clone()?, row))).collect())
}

/// Adds what was asked for, in one query for each relation.
pub(crate) async fn dress(conn: &mut Conn, caller: &Caller, rows: Vec<ClientRow>, query: &RecordQuery) -> Result<Vec<Client>> {
    let mut clients: Vec<Client> = rows.into_iter().map(Client::from).collect();
    if query.include.is_empty() || clients.is_empty() {
        return Ok(clients);
    }
    let ids: Vec<uuid::Uuid> = clients.iter().map(|client| client.id.uuid()).collect();
    if query.includes("contacts") {
        let mut contacts = links::contacts_of(conn, caller, ids.clone()).await?;
        for client in &mut clients {
            client.contacts = Some(contacts.remove(&client.id).unwrap_or_default());
        }
    }
    if query.includes("owner") {
        let owners = auth::users::briefs(conn, clients.iter().filter_map(|client| client.owner_id)).await?;
        for client in &mut clients {
            client.owner = client.owner_id.and_then(|owner| owners.get(&owner).cloned());
        }
    }
    if query.includes("parent") {
        let parents = briefs(conn, caller, clients.iter().filter_map(|client| client.parent_id)).await?;
        for client in &mut clients {
            client.parent = client.parent_id.and_then(|parent| parents.get(&parent).cloned());
        }
    }
    if query.includes("groups") {
        let mut groups = groups::of(conn, caller, &ids).await?;
        for client in &mut clients {
            client.groups = Some(groups.remove(&client.id).unwrap_or_default());
        }
    }
    if query.includes("admins") {
        let mut admins = admins::of(conn, caller, &ids).await?;
        for client in &mut clients {
            client.admins = Some(admins.remove(&client.id).unwrap_or_default());
        }
    }
    if query.includes("tags") {
        let mut tags = platform::tags::of(conn, caller.workspace()?, ids).await?;
        for client in &mut clients {
            client.tags = Some(tags.remove(&client.id.uuid()).unwrap_or_default());
        }
    }
    Ok(clients)
}

/// What others show of these clients, as far as the caller may see them, in one query.
pub(crate) async fn briefs(
    conn: &mut Conn,
    caller: &Caller,
    ids: impl IntoIterator<Item = ClientId>,
) -> Result<HashMap<ClientId, ClientBrief>> {
    let ids: Vec<uuid::Uuid> = ids.into_iter().map(ClientId::uuid).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = conn.all::<ClientRow>(&visible_among(conn.dialect(), caller, &ids)?).await?;
    Ok(rows.into_iter().map(|row| (row.id, ClientBrief { id: row.id, kind: row.kind, name: row.name })).collect())
}

/// Fails unless the caller may see a client: for reads of what hangs on it.
///
/// # Errors
/// `forbidden` without `clients.view_all` or `clients.view_own`; `not_found`.
pub async fn check_visible(conn: &mut Conn, caller: &Caller, id: ClientId) -> Result<()> {
    match conn.row(&select_visible(caller, id)?).await? {
        Some(_) => Ok(()),
        None => Err(merge::missing(conn, caller, id).await),
    }
}

/// A select of one client's id as far as the caller may see it, for reads that add what hangs on it.
///
/// # Errors
/// `forbidden` without `clients.view_all` or `clients.view_own`.
pub fn select_visible(caller: &Caller, id: ClientId) -> Result<SelectStatement> {
    let mut select = visible_to(caller)?;
    select.clear_selects().column(("client", "id")).and_where(column("id").eq(id.uuid()));
    Ok(select)
}
