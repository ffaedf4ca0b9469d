//! Reading contacts. Every select of a contact begins at [`visible_to`].

use std::collections::HashMap;

use kernel::{Caller, Error, Page, Permission, Result, TypedId as _};
use platform::custom_fields::{check_still_there, resolve};
use platform::saved_views::Viewable;
use store::dialect::{Dialect, unindexed};
use store::list::{CustomFilter, Filter, ListField, ListQuery, ListSpec, RecordQuery, Whole};
use store::query::{Expr, ExprTrait, Order, Query, SelectStatement, SimpleExpr};
use store::{Conn, Record as _, UnitOfWork};

use super::wire::{Contact, ContactBrief, OfClient};
use crate::clients::{self, ClientBrief};
use crate::errors::ARCHIVED;
use crate::links;
use crate::rows::{ClientId, ContactId, ContactRow};

/// How contacts can be listed.
pub static CONTACT_LIST: ListSpec = ListSpec {
    name: "contacts",
    table: "contact",
    fields: &[
        ListField { column: "name_key", ..ListField::text("name").folded("name_key") },
        ListField::text("given_name"),
        ListField::text("family_name"),
        ListField {
            column: "email_key",
            like: Some("email_key"),
            sort: Some("email_key"),
            ..ListField::caseless("email").nullable().indexed()
        },
        ListField::text("position").nullable(),
        ListField::uuid("created_by").nullable().indexed(),
        ListField::text("external_source").nullable(),
        ListField::text("external_id").nullable().indexed(),
        ListField::time("created_at").sorted().indexed(),
        ListField::time("updated_at").sorted().indexed(),
    ],
    filters: &[CustomFilter::of_record("client_id", links::contacts_with)],
    includes: &["clients"],
    members: &[
        "id",
        "given_name",
        "family_name",
        "phone",
        "emails",
        "phones",
        "position",
        "locale",
        "mails",
        "created_by",
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

/// Contacts, to be looked at through saved views.
pub const VIEWABLE: Viewable = Viewable { list: &CONTACT_LIST, seen_with: &[Permission::ContactsView] };

fn column(name: &'static str) -> Expr {
    Expr::col(("contact", name))
}

/// Contacts that the caller may see. Whoever does not see all clients sees the contacts of the clients they see, and those they
/// made.
pub(crate) fn visible_to(caller: &Caller) -> Result<SelectStatement> {
    visible_in(caller, column("workspace_id"))
}

/// Those of these contacts that the caller may see. Each is looked up by its id: by the workspace, as SQLite would, is by all of its contacts.
pub(crate) fn visible_among(dialect: Dialect, caller: &Caller, ids: &[uuid::Uuid]) -> Result<SelectStatement> {
    let mut select = visible_in(caller, unindexed(dialect, "contact", "workspace_id"))?;
    select.and_where(column("id").is_in(ids.iter().copied()));
    Ok(select)
}

fn visible_in(caller: &Caller, workspace: SimpleExpr) -> Result<SelectStatement> {
    caller.require(Permission::ContactsView)?;
    let mut select = ContactRow::select();
    select.and_where(workspace.eq(caller.workspace()?.uuid()));
    if caller.can(Permission::ClientsViewAll) {
        return Ok(select);
    }
    let own = column("created_by").eq(caller.user()?.uuid());
    if !caller.can(Permission::ClientsViewOwn) {
        select.and_where(own);
        return Ok(select);
    }
    let mut clients = clients::visible_to(caller)?;
    clients.clear_selects().column(("client", "id"));
    let mut members = Query::select();
    members.column("contact_id").from("client_contact").and_where(Expr::col("client_id").in_subquery(clients));
    select.and_where(own.or(column("id").in_subquery(members)));
    Ok(select)
}

/// Contacts that the caller may see.
///
/// # Errors
/// `forbidden` without `contacts.view`.
pub async fn list(conn: &mut Conn, caller: &Caller, query: &ListQuery) -> Result<Page<Contact>> {
    let base = of_visible_clients(visible_to(caller)?, caller, query)?;
    let query = resolve(conn, caller, &CONTACT_LIST, query).await?;
    let page = store::list::page::<ContactRow>(conn, caller, base, &CONTACT_LIST, &query).await?;
    Ok(Page { data: dress(conn, caller, page.data, &query.record).await?, page: page.page })
}

/// The next of all contacts that [`list`] would show on its pages.
pub(super) async fn list_whole(conn: &mut Conn, caller: &Caller, list: &mut Whole) -> Result<Vec<Contact>> {
    let base = of_visible_clients(visible_to(caller)?, caller, list.query())?;
    check_still_there(conn, list.query()).await?;
    let rows = list.batch::<ContactRow>(conn, caller, base, &CONTACT_LIST, None).await?;
    Ok(rows.into_iter().map(Contact::from).collect())
}

/// The filter by client finds nothing for one that the caller may not see: who belongs to it is not theirs to know.
fn of_visible_clients(mut select: SelectStatement, caller: &Caller, query: &ListQuery) -> Result<SelectStatement> {
    if caller.can(Permission::ClientsViewAll) {
        return Ok(select);
    }
    for filter in &query.filters {
        let Filter::Custom(custom, client) = filter else { continue };
        if custom.name != "client_id" {
            continue;
        }
        if caller.can(Permission::ClientsViewOwn) {
            let mut seen = clients::visible_to(caller)?;
            seen.clear_selects().column(("client", "id")).and_where(Expr::col(("client", "id")).eq(client.clone()));
            select.and_where(Expr::exists(seen));
        } else {
            select.and_where(Expr::value(false));
        }
    }
    Ok(select)
}

/// One contact.
///
/// # Errors
/// `forbidden` without `contacts.view`; `not_found`.
pub async fn get(conn: &mut Conn, caller: &Caller, id: ContactId, query: &RecordQuery) -> Result<Contact> {
    let row = get_row(conn, caller, id).await?;
    dress(conn, caller, vec![row], query).await?.pop().ok_or_else(Error::not_found)
}

pub(crate) async fn get_row(conn: &mut Conn, caller: &Caller, id: ContactId) -> Result<ContactRow> {
    let mut select = visible_to(caller)?;
    select.and_where(column("id").eq(id.uuid()));
    conn.one(&select).await?.ok_or_else(Error::not_found)
}

pub(crate) async fn find_locked(uow: &mut UnitOfWork, id: ContactId, seen: Option<i64>) -> Result<ContactRow> {
    let mut select = visible_to(&uow.caller())?;
    select.and_where(column("id").eq(id.uuid()));
    let row = uow.locked::<ContactRow>(select).await?.ok_or_else(Error::not_found)?;
    auth::check_seen(seen, row.version)?;
    Ok(row)
}

/// A contact that the caller may see, locked, which is not put away.
pub(crate) async fn find_editable(uow: &mut UnitOfWork, id: ContactId) -> Result<ContactRow> {
    let row = find_locked(uow, id, None).await?;
    if row.archived_at.is_some() {
        return Err(Error::new(&ARCHIVED).with_detail("Restore the contact first."));
    }
    Ok(row)
}

/// Those of these contacts that the caller may see, locked.
pub(crate) async fn find_all_locked(uow: &mut UnitOfWork, ids: &[uuid::Uuid]) -> Result<Vec<ContactRow>> {
    let select = visible_among(uow.dialect(), &uow.caller(), ids)?;
    uow.locked_all(select).await
}

/// Locks contacts in the order of their ids, whether the caller may see them or not: for what hangs on them.
pub(crate) async fn lock_all(uow: &mut UnitOfWork, ids: &[uuid::Uuid]) -> Result<Vec<ContactRow>> {
    let mut select = ContactRow::select();
    let workspace = unindexed(uow.dialect(), "contact", "workspace_id").eq(uow.workspace()?.uuid());
    select.and_where(workspace).and_where(column("id").is_in(ids.iter().copied()));
    uow.locked_all(select).await
}

/// Contacts of the workspace that came from `source` under these ids.
pub(crate) async fn find_by_external(
    conn: &mut Conn,
    caller: &Caller,
    source: &str,
    ids: Vec<String>,
) -> Result<HashMap<String, ContactRow>> {
    let others = [("workspace_id", caller.workspace()?.uuid().into()), ("external_source", source.into())];
    let visible = visible_in(caller, unindexed(conn.dialect(), "contact", "workspace_id"))?;
    let rows = conn.all_by_key::<ContactRow>(visible, others, "external_id", ids).await?;
    Ok(rows.into_iter().filter_map(|row| Some((row.external_id.clone()?, row))).collect())
}

/// What others show of these contacts, as far as the caller may see them, in one query.
pub(crate) async fn briefs(
    conn: &mut Conn,
    caller: &Caller,
    ids: impl IntoIterator<Item = ContactId>,
) -> Result<HashMap<ContactId, ContactBrief>> {
    let ids: Vec<uuid::Uuid> = ids.into_iter().map(ContactId::uuid).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let select = visible_among(conn.dialect(), caller, &ids)?;
    Ok(conn.all::<ContactRow>(&select).await?.into_iter().map(|row| (row.id, row.into())).collect())
}

async fn dress(conn: &mut Conn, caller: &Caller, rows: Vec<ContactRow>, query: &RecordQuery) -> Result<Vec<Contact>> {
    let mut contacts: Vec<Contact> = rows.into_iter().map(Contact::from).collect();
    if !query.includes("clients") || contacts.is_empty() {
        return Ok(contacts);
    }
    let mut clients = clients_of(conn, caller, contacts.iter().map(|contact| contact.id.uuid()).collect()).await?;
    for contact in &mut contacts {
        contact.clients = Some(clients.remove(&contact.id).unwrap_or_default());
    }
    Ok(contacts)
}

/// The clients of these contacts that the caller may see, in one query.
async fn clients_of(conn: &mut Conn, caller: &Caller, contacts: Vec<uuid::Uuid>) -> Result<HashMap<ContactId, Vec<OfClient>>> {
    let mut found: HashMap<ContactId, Vec<OfClient>> = HashMap::new();
    if !caller.can(Permission::ClientsViewAll) && !caller.can(Permission::ClientsViewOwn) {
        return Ok(found);
    }
    let mut select = clients::visible_to(caller)?;
    select
        .clear_selects()
        .columns(["id", "kind", "name"].map(|name| ("client", name)))
        .columns(["contact_id", "role", "is_primary"].map(|name| ("client_contact", name)))
        .inner_join("client_contact", Expr::col(("client_contact", "client_id")).eq(Expr::col(("client", "id"))))
        .and_where(Expr::col(("client_contact", "contact_id")).is_in(contacts))
        .order_by(("client", "name_key"), Order::Asc)
        .order_by(("client", "id"), Order::Asc);
    for row in conn.rows(&select).await? {
        let client = ClientBrief { id: row.get::<ClientId>(0)?, kind: row.get(1)?, name: row.get(2)? };
        let of_client = OfClient { client, role: row.get(4)?, is_primary: row.get(5)? };
        found.entry(row.get(3)?).or_default().push(of_client);
    }
    Ok(found)
}
