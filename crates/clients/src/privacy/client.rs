//! All that is known of a client that is a person, told and erased.

use files::files::File;
use files::folders;
use kernel::{Caller, DateTime, Error, Permission, Result, TypedId as _};
use mail::messages::MailMessage;
use mail::suppressions::Suppression;
use platform::audit::AuditEntry;
use platform::imports::people::{self, ImportedRow};
use platform::notes::{self, Note};
use serde::{Deserialize, Serialize};
use store::query::{Expr, ExprTrait, Order};
use store::{Change, Conn, Record as _, UnitOfWork};
use utoipa::ToSchema;
use uuid::Uuid;

use super::erase::{ErasedPart, Erasure, KeptPart, Mention, check_name, counted, mentioning_views, sought};
use super::export::{files_of, own_addresses};
use super::former;
use super::map::{HELD, Kept, Whose};
use crate::attachable::CLIENT;
use crate::clients::{self, Client};
use crate::errors::NOT_A_PERSON;
use crate::interactions::{self, Interaction};
use crate::relationships::{self, ClientRelationship};
use crate::rows::{ClientId, ClientKind, ClientRow, ContactId};
use crate::{links, merge};

/// All that is known of one client that is a person.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ClientPersonalData {
    /// When it was put together.
    pub exported_at: DateTime,
    /// The client, with its custom fields.
    pub client: Client,
    /// Clients that were merged into it.
    pub merged: Vec<Client>,
    /// The names of the tags that it has.
    pub tags: Vec<String>,
    /// The contacts that belong to it, who are told what is known of them by their own exports.
    pub contact_ids: Vec<ContactId>,
    /// How it relates to other clients.
    pub relationships: Vec<ClientRelationship>,
    /// What was noted on it.
    pub notes: Vec<Note>,
    /// What was said and done with it.
    pub interactions: Vec<Interaction>,
    /// Files on it; the content of each is at `/v1/files/{file_id}/content`.
    pub files: Vec<File>,
    /// The names of the folders on it.
    pub folders: Vec<String>,
    /// What was written to its addresses.
    pub mails: Vec<MailMessage>,
    /// Which of its addresses get no mail.
    pub suppressions: Vec<Suppression>,
    /// Rows of imports that brought it, without what they say of a contact.
    pub imported_rows: Vec<ImportedRow>,
    /// What happened to all this, the oldest first.
    pub history: Vec<AuditEntry>,
}

/// What became of the data of one client that was a person.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ClientErasureReport {
    /// The client, which is there no more.
    pub client_id: ClientId,
    /// When.
    pub erased_at: DateTime,
    /// What was erased.
    pub erased: Vec<ErasedPart>,
    /// What is kept, and why.
    pub kept: Vec<KeptPart>,
    /// What somebody has to look at: the contacts that belonged to it, who may be the same person, and views that look for it.
    pub mentions: Vec<Mention>,
}

/// All that is known of a client that is a person. That it was put together stands in its trail.
///
/// # Errors
/// `forbidden` without `privacy.export_person`, `contacts.view` and a right to see clients; `not_found`; `not_a_person` of a company.
pub async fn export_client(conn: &mut Conn, caller: &Caller, id: ClientId, now: DateTime) -> Result<ClientPersonalData> {
    caller.require(Permission::PrivacyExportPerson)?;
    caller.require(Permission::ContactsView)?;
    let row = clients::get_row(conn, caller, id).await?;
    check_person(&row)?;
    let parts = parts_of(conn, &row).await?;
    let ids: Vec<Uuid> = parts.iter().map(|part| part.id.uuid()).collect();
    let addresses = addresses_of(conn, caller, &parts).await?;
    let tags = platform::tags::of(conn, caller.workspace()?, vec![id.uuid()]).await?.remove(&id.uuid()).unwrap_or_default();
    let mut history = Vec::new();
    for id in &ids {
        history.extend(platform::audit::whole_of(conn, caller, *id).await?);
    }
    history.sort_by_key(|entry| entry.id);
    history.dedup_by_key(|entry| entry.id);
    Ok(ClientPersonalData {
        exported_at: now,
        tags: tags.into_iter().map(|tag| tag.name).collect(),
        contact_ids: contacts_of(conn, caller, id).await?,
        relationships: relationships::had(conn, caller, id).await?.into_iter().map(ClientRelationship::from).collect(),
        notes: notes::had(conn, caller, clients::on(id)).await?.into(),
        interactions: interactions::had(conn, caller, id).await?.into_iter().map(Interaction::from).collect(),
        files: files_of(conn, caller, CLIENT, id.uuid()).await?,
        mails: mail::people::written_to(conn, caller, &addresses).await?,
        suppressions: mail::people::suppressed(conn, caller, &addresses).await?,
        imported_rows: people::rows_of(conn, caller, &ids)
            .await?
            .into_iter()
            .map(|row| row.without_further("contact_"))
            .collect(),
        folders: folders::names(conn, CLIENT, id.uuid()).await?,
        history,
        merged: parts.into_iter().filter(|part| part.id != id).map(Client::from).collect(),
        client: row.into(),
    })
}

/// Erases a client that is a person with all that is known of it, for ever, also where it was not archived. Its contacts stay: they are
/// persons of their own, or have to be erased by themselves.
///
/// # Errors
/// `forbidden` without `privacy.erase_person`, `contacts.view` and a right to see clients; `not_found`; `stale`; `not_a_person` of a company; `validation_failed`
/// where the name is another's; `in_use` while something stands on it that has to stay.
pub async fn erase_client(uow: &mut UnitOfWork, id: ClientId, seen: Option<i64>, input: Erasure) -> Result<ClientErasureReport> {
    let caller = uow.caller();
    caller.require(Permission::PrivacyErasePerson)?;
    caller.require(Permission::ContactsView)?;
    let row = clients::get_row(uow, &caller, id).await?;
    let ids: Vec<Uuid> = parts_of(uow, &row).await?.iter().map(|part| part.id.uuid()).collect();
    // imports first, as those do who write them
    let rows = people::rows_of(uow, &caller, &ids).await?;
    people::hold_runs(uow, &rows).await?;
    let row = clients::find_locked(uow, id, seen).await?;
    check_person(&row)?;
    check_name(&row.name, &input)?;
    let parts = parts_of(uow, &row).await?;
    // once more: an import that nobody held yet may have ended meanwhile
    let ids: Vec<Uuid> = parts.iter().map(|part| part.id.uuid()).collect();
    let rows = people::rows_of(uow, &caller, &ids).await?;
    let addresses = addresses_of(uow, &caller, &parts).await?;
    let contacts = contacts_of(uow, &caller, id).await?;
    // a name is one text here, of which a view may look for a part
    let known = parts.iter().flat_map(|part| {
        let phones = part.phones.0.iter().map(|phone| phone.number.as_str());
        let numbers = [part.tax_number.as_deref(), part.external_id.as_deref()].into_iter().flatten();
        part.name.split_whitespace().chain(phones).chain(numbers)
    });
    let views = mentioning_views(uow, &sought(known, &addresses)).await?;
    let mut erased = vec![
        ("client", parts.len()),
        ("client_contact", contacts.len()),
        ("client_relationship", relationships::had(uow, &caller, id).await?.len()),
        ("note", notes::had(uow, &caller, clients::on(id)).await?.len()),
        ("interaction", interactions::had(uow, &caller, id).await?.len()),
        ("file", files_of(uow, &caller, CLIENT, id.uuid()).await?.len()),
        ("folder", folders::names(uow, CLIENT, id.uuid()).await?.len()),
        ("import_row", rows.len()),
    ];
    people::empty_rows(uow, &rows).await?;
    erased.push(("mail_message", mail::people::forget(uow, &addresses).await?));
    let change = || Change::plain().event(clients::ERASED).detail("reason", input.reason.as_str());
    clients::forget(uow, &[row], change).await?;

    let of_clients = HELD.iter().filter(|held| held.whose != Whose::FreeText);
    let kept = of_clients.filter_map(|held| match held.kept {
        Kept::Nothing => None,
        Kept::Because(why) => Some(KeptPart { what: held.table.to_owned(), why: why.to_owned() }),
    });
    let elsewhere = KeptPart {
        what: "note".to_owned(),
        why: "What was noted on other clients, and said with them, may name the person, and is not looked through.".to_owned(),
    };
    let mention = |contact: ContactId| Mention {
        record_type: "contact".to_owned(),
        record_id: contact.uuid(),
        client_id: None,
        owner_id: None,
    };
    Ok(ClientErasureReport {
        client_id: id,
        erased_at: uow.now(),
        erased: counted(&erased),
        kept: kept.chain([elsewhere]).collect(),
        mentions: contacts.into_iter().map(mention).chain(views).collect(),
    })
}

fn check_person(row: &ClientRow) -> Result<()> {
    match row.kind {
        ClientKind::Person => Ok(()),
        ClientKind::Company => {
            Err(Error::new(&NOT_A_PERSON).with_detail("What is known of a company is nobody's personal data."))
        }
    }
}

async fn contacts_of(conn: &mut Conn, caller: &Caller, id: ClientId) -> Result<Vec<ContactId>> {
    let links = links::rows_of(conn, caller, vec![id.uuid()]).await?.remove(&id).unwrap_or_default();
    Ok(links.into_iter().map(|link| link.contact_id).collect())
}

/// The client and all that were merged into it.
async fn parts_of(conn: &mut Conn, row: &ClientRow) -> Result<Vec<ClientRow>> {
    let merged = merge::merged_into(conn, &[row.id.uuid()]).await?;
    let mut select = ClientRow::select();
    select.and_where(Expr::col(("client", "id")).is_in(merged)).order_by(("client", "id"), Order::Asc);
    let mut parts = vec![row.clone()];
    parts.extend(conn.all::<ClientRow>(&select).await?);
    Ok(parts)
}

/// The addresses that this person alone is written to at, or was before.
async fn addresses_of(conn: &mut Conn, caller: &Caller, parts: &[ClientRow]) -> Result<Vec<String>> {
    let written = parts.iter().flat_map(|part| part.emails.0.iter().map(|email| email.address.as_str()));
    let ids: Vec<Uuid> = parts.iter().map(|part| part.id.uuid()).collect();
    let former = former::addresses(conn, &ids).await?;
    own_addresses(conn, caller, written.chain(former.iter().map(String::as_str)), &ids).await
}
