//! All that is known of a contact.

use std::collections::HashMap;

use auth::sessions::Session;
use files::files::{FILE_LIST, File};
use kernel::{Caller, DateTime, Permission, Result, TypedId as _};
use mail::messages::MailMessage;
use mail::suppressions::Suppression;
use platform::audit::AuditEntry;
use platform::imports::people::ImportedRow;
use serde::{Deserialize, Serialize};
use store::Conn;
use store::list::{ListQuery, ListSpec, Listed};
use store::query::{Expr, ExprTrait, Order, Query};
use utoipa::ToSchema;
use uuid::Uuid;

use super::former;
use crate::attachable::CONTACT;
use crate::clients::{CLIENT_LIST, ClientBrief};
use crate::contacts::{self, CONTACT_LIST, Contact};
use crate::interactions::{self, Interaction};
use crate::portal::{self, ContactPortal};
use crate::rows::{ClientId, ClientRow, ContactId, ContactRow, Influence};
use crate::shape::TypedEmail;

/// A client that the person belongs to.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct BelongsTo {
    /// The client.
    pub client: ClientBrief,
    /// What the person is there.
    pub role: Option<String>,
    /// Whether they are the one to speak to.
    pub is_primary: bool,
    /// How much they have to say.
    pub influence: Influence,
    /// Since when.
    pub since: Option<chrono::NaiveDate>,
    /// Until when.
    pub until: Option<chrono::NaiveDate>,
}

/// All that is known of one person.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PersonalData {
    /// When it was put together.
    pub exported_at: DateTime,
    /// The person.
    pub contact: Contact,
    /// Where they belong.
    pub clients: Vec<BelongsTo>,
    /// Their access to the portal.
    pub portal: ContactPortal,
    /// Their sign-ins there, as far as they are still known.
    pub sessions: Vec<Session>,
    /// What was said and done with them.
    pub interactions: Vec<Interaction>,
    /// Files on them; the content of each is at `/v1/files/{file_id}/content`.
    pub files: Vec<File>,
    /// What was written to their addresses.
    pub mails: Vec<MailMessage>,
    /// Which of their addresses get no mail.
    pub suppressions: Vec<Suppression>,
    /// Rows of imports that brought them.
    pub imported_rows: Vec<ImportedRow>,
    /// What happened to all this, the oldest first.
    pub history: Vec<AuditEntry>,
}

/// All that is known of a contact. That it was put together stands in their trail.
///
/// # Errors
/// `forbidden` without `privacy.export_person` and `contacts.view`; `not_found`.
pub async fn export(conn: &mut Conn, caller: &Caller, id: ContactId, now: DateTime) -> Result<PersonalData> {
    caller.require(Permission::PrivacyExportPerson)?;
    let row = contacts::get_row(conn, caller, id).await?;
    let clients = clients_of(conn, caller, id).await?;
    let portal = portal::get(conn, caller, id, now).await?;
    let addresses = addresses_of(conn, caller, &row, &portal).await?;
    // of a client where they are no more, who may be a person too, they are told nothing
    let records: Vec<Uuid> = clients.iter().map(|client| client.client.id.uuid()).collect();
    let rows = platform::imports::people::rows_with(conn, caller, CONTACT, id.uuid()).await?;
    Ok(PersonalData {
        exported_at: now,
        clients,
        portal,
        sessions: auth::portal::sessions_of(conn, id.uuid()).await?,
        interactions: interactions::all_with(conn, caller, id.uuid()).await?,
        files: files_of(conn, caller, CONTACT, id.uuid()).await?,
        mails: mail::people::written_to(conn, caller, &addresses).await?,
        suppressions: mail::people::suppressed(conn, caller, &addresses).await?,
        imported_rows: rows
            .into_iter()
            .map(|row| if row.is_of(&records) { row } else { row.further_alone("contact_") })
            .collect(),
        history: platform::audit::whole_of(conn, caller, id.uuid()).await?,
        contact: row.into(),
    })
}

/// The addresses that this contact alone is written to at, or was before.
pub(super) async fn addresses_of(
    conn: &mut Conn,
    caller: &Caller,
    row: &ContactRow,
    portal: &ContactPortal,
) -> Result<Vec<String>> {
    let former = former::addresses(conn, &[row.id.uuid()]).await?;
    let written = row.emails.0.iter().map(|email| email.address.as_str()).chain(portal.email.as_deref());
    own_addresses(conn, caller, written.chain(former.iter().map(String::as_str)), &[row.id.uuid()]).await
}

/// Of these addresses of a person those at which they alone are written to, in lower case, each once. What goes to one that others have too
/// (`info@…`) is not this person's. `own` are the records that are the person.
pub(super) async fn own_addresses(
    conn: &mut Conn,
    caller: &Caller,
    written: impl Iterator<Item = &str>,
    own: &[Uuid],
) -> Result<Vec<String>> {
    let mut addresses: Vec<String> = written.map(|address| address.trim().to_lowercase()).collect();
    addresses.sort();
    addresses.dedup();
    let mut others = auth::users::addresses_among(conn, &addresses).await?;
    others.extend(auth::portal::addresses_among(conn, caller.workspace()?, &addresses, own).await?);
    let mut alone = Vec::with_capacity(addresses.len());
    for address in addresses {
        let is_others = others.contains(&address)
            || is_on::<ContactRow>(conn, caller, &CONTACT_LIST, &address, own, |row| &row.emails.0).await?
            || is_on::<ClientRow>(conn, caller, &CLIENT_LIST, &address, own, |row| &row.emails.0).await?;
        if !is_others {
            alone.push(address);
        }
    }
    Ok(alone)
}

/// Whether a record that is none of these has an address, first or not. It is found by the words of the address.
async fn is_on<R: store::Record + Listed>(
    conn: &mut Conn,
    caller: &Caller,
    spec: &'static ListSpec,
    address: &str,
    own: &[Uuid],
    emails: impl Fn(&R) -> &[TypedEmail],
) -> Result<bool> {
    let words = address.chars().take(MOST_SEARCHED).collect();
    let mut pairs =
        ["archived", "limit"].map(str::to_owned).into_iter().zip(["true", "200"].map(str::to_owned)).collect::<Vec<_>>();
    pairs.push(("q".to_owned(), words));
    loop {
        let mut select = <R as store::Record>::select();
        select
            .and_where(Expr::col((spec.table, "workspace_id")).eq(caller.workspace()?.uuid()))
            .and_where(Expr::col((spec.table, "id")).is_not_in(own.iter().copied()));
        let page = store::list::page::<R>(conn, caller, select, spec, &ListQuery::parse(spec, &pairs)?).await?;
        let has_it = |row: &R| emails(row).iter().any(|email| email.address.trim().to_lowercase() == address);
        if page.data.iter().any(has_it) {
            return Ok(true);
        }
        let Some(cursor) = page.page.next_cursor else { return Ok(false) };
        pairs.truncate(3);
        pairs.push(("cursor".to_owned(), cursor));
    }
}

/// Letters of a search at most.
const MOST_SEARCHED: usize = 200;

/// Where the person belongs, whether the caller sees those clients elsewhere or not: it is the person's own data.
pub(super) async fn clients_of(conn: &mut Conn, caller: &Caller, id: ContactId) -> Result<Vec<BelongsTo>> {
    let mut select = Query::select();
    select
        .columns(["id", "kind", "name"].map(|name| ("client", name)))
        .columns(["role", "is_primary", "influence", "since", "until"].map(|name| ("client_contact", name)))
        .from("client_contact")
        .inner_join("client", Expr::col(("client", "id")).eq(Expr::col(("client_contact", "client_id"))))
        .and_where(Expr::col(("client_contact", "workspace_id")).eq(caller.workspace()?.uuid()))
        .and_where(Expr::col(("client_contact", "contact_id")).eq(id.uuid()))
        .order_by(("client", "id"), Order::Asc);
    let read = |row: &store::Row| -> Result<BelongsTo> {
        Ok(BelongsTo {
            client: ClientBrief { id: row.get::<ClientId>(0)?, kind: row.get(1)?, name: row.get(2)? },
            role: row.get(3)?,
            is_primary: row.get(4)?,
            influence: row.get(5)?,
            since: row.get(6)?,
            until: row.get(7)?,
        })
    };
    conn.rows(&select).await?.iter().map(read).collect()
}

/// Every file on a record, page by page.
pub(super) async fn files_of(conn: &mut Conn, caller: &Caller, rel_type: &'static str, rel_id: Uuid) -> Result<Vec<File>> {
    let mut files: HashMap<_, File> = HashMap::new();
    let mut pairs = vec![("limit".to_owned(), "200".to_owned()), ("archived".to_owned(), "true".to_owned())];
    loop {
        let query = ListQuery::parse(&FILE_LIST, &pairs)?;
        let page = files::files::list_on(conn, caller, rel_type, rel_id, &query).await?;
        files.extend(page.data.into_iter().map(|file| (file.id, file)));
        let Some(cursor) = page.page.next_cursor else { break };
        pairs.truncate(2);
        pairs.push(("cursor".to_owned(), cursor));
    }
    let mut files: Vec<File> = files.into_values().collect();
    files.sort_by_key(|file| file.id);
    Ok(files)
}
