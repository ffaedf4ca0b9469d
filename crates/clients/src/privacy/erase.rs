//! Erasing one person.

use kernel::error::Faults;
use kernel::{DateTime, Permission, Result, TypedId as _, UserId};
use platform::saved_views::{self, SavedViewId};
use serde::{Deserialize, Serialize};
use store::query::{Expr, ExprTrait, Order, Query};
use store::{Change, UnitOfWork, journal};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::export::{BelongsTo, addresses_of, clients_of, files_of};
use super::map::{HELD, Kept, WRITTEN, Written};
use crate::attachable::{CLIENT, CONTACT};
use crate::rows::{ContactId, ContactRow};
use crate::{contacts, interactions, links, portal};

/// The body of `POST /v1/contacts/{contact_id}/erase` and `POST /v1/clients/{client_id}/erase`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Erasure {
    /// The family name of a contact, or the given name where there is none; the name of a client: that it is this one who is meant.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// Why: who asked for it, and when. It is kept, so it says nothing of the person.
    #[schema(min_length = 1, max_length = 500)]
    #[validate(length(min = 1, max = 500))]
    pub reason: String,
}

/// What was erased.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ErasedPart {
    /// What it was: a type of record.
    pub what: String,
    /// How many.
    pub count: u64,
}

/// What is kept, and why.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct KeptPart {
    /// What it is.
    pub what: String,
    /// Why it is kept, and for how long.
    pub why: String,
}

/// A text that staff wrote, in which the name or an address of the person may stand: somebody has to read it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Mention {
    /// `note`, `interaction`, `client_relationship`, `folder`, `file` or `saved_view`; `contact` is somebody who belonged to a client that was erased, and may be the same person.
    pub record_type: String,
    /// Its id.
    pub record_id: Uuid,
    /// The client that it is of; a view is of none.
    pub client_id: Option<Uuid>,
    /// Whose view it is, who alone reaches it where it is private.
    pub owner_id: Option<UserId>,
}

/// What became of the data of one person.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ErasureReport {
    /// The person, who is there no more.
    pub contact_id: ContactId,
    /// When.
    pub erased_at: DateTime,
    /// What was erased.
    pub erased: Vec<ErasedPart>,
    /// What is kept, and why.
    pub kept: Vec<KeptPart>,
    /// What somebody has to look at.
    pub mentions: Vec<Mention>,
}

/// Erases a contact with all that is known of them, for ever. It needs no archiving before, and leaves what others need: the clients, and what
/// was said with them, which names the person no more.
///
/// # Errors
/// `forbidden` without `privacy.erase_person` and `contacts.view`; `not_found`; `stale`; `validation_failed` where the name is another's.
pub async fn erase(uow: &mut UnitOfWork, id: ContactId, seen: Option<i64>, input: Erasure) -> Result<ErasureReport> {
    let caller = uow.caller();
    caller.require(Permission::PrivacyErasePerson)?;
    contacts::get_row(uow, &caller, id).await?;
    // imports first, as those do who write them
    let rows = platform::imports::people::rows_with(uow, &caller, CONTACT, id.uuid()).await?;
    platform::imports::people::hold_runs(uow, &rows).await?;
    let row = contacts::find_locked(uow, id, seen).await?;
    check_name(if row.family_name.is_empty() { &row.given_name } else { &row.family_name }, &input)?;
    // once more: an import that nobody held yet may have ended meanwhile
    let rows = platform::imports::people::rows_with(uow, &caller, CONTACT, id.uuid()).await?;
    let now = uow.now();
    let portal = portal::get(uow, &caller, id, now).await?;
    let addresses = addresses_of(uow, &caller, &row, &portal).await?;
    let clients = clients_of(uow, &caller, id).await?;
    let mentions = mentions(uow, &row, &addresses, &clients).await?;

    let mut erased = vec![
        ("contact", 1),
        ("client_contact", clients.len()),
        ("portal_access", auth::portal::access_of(uow, id.uuid()).await?.len()),
        ("portal_account", usize::from(portal.email.is_some())),
        ("session", auth::portal::sessions_of(uow, id.uuid()).await?.len()),
        ("interaction", interactions::all_with(uow, &caller, id.uuid()).await?.len()),
        ("file", files_of(uow, &caller, CONTACT, id.uuid()).await?.len()),
    ];
    platform::imports::people::empty_rows(uow, &rows).await?;
    erased.push(("import_row", rows.len()));
    erased.push(("mail_message", mail::people::forget(uow, &addresses).await?));
    journal::erase_done_by_contact(uow, id.uuid()).await?;
    links::remove_everywhere(uow, id).await?;
    contacts::forget(uow, &[row], || Change::plain().event("contact.erased").detail("reason", input.reason.as_str())).await?;

    let kept = HELD.iter().filter_map(|held| match held.kept {
        Kept::Nothing => None,
        Kept::Because(why) => Some(KeptPart { what: held.table.to_owned(), why: why.to_owned() }),
    });
    let elsewhere = KeptPart {
        what: "note".to_owned(),
        why: "What was written on clients that the person no longer belongs to may name them, and is not looked through."
            .to_owned(),
    };
    let kept = kept.chain([elsewhere]).collect();
    Ok(ErasureReport { contact_id: id, erased_at: now, erased: counted(&erased), kept, mentions })
}

/// Those of which there were some.
pub(super) fn counted(erased: &[(&str, usize)]) -> Vec<ErasedPart> {
    let some = erased.iter().filter(|(_, count)| *count > 0);
    some.map(|(what, count)| ErasedPart { what: (*what).to_owned(), count: *count as u64 }).collect()
}

/// Finds what stands against erasing somebody of this name.
pub(super) fn check_name(name: &str, input: &Erasure) -> Result<()> {
    let mut faults = Faults::new();
    if kernel::text::fold(input.name.trim()) != kernel::text::fold(name) {
        faults.add("/name", "another_name", "is not the name of this record");
    }
    if input.reason.trim().is_empty() {
        faults.add("/reason", "required", "must not be empty");
    }
    faults.into_result()
}

/// What was written on the person's clients, and views of anybody, in which their name or an address stands.
async fn mentions(uow: &mut UnitOfWork, row: &ContactRow, addresses: &[String], clients: &[BelongsTo]) -> Result<Vec<Mention>> {
    let whole = format!("{} {}", row.given_name, row.family_name);
    let phones = row.phones.0.iter().map(|phone| phone.number.as_str());
    let others = row.external_id.as_deref().into_iter().chain(phones);
    let words = sought([row.family_name.as_str(), whole.trim()].into_iter().chain(others), addresses);
    let clients: Vec<Uuid> = clients.iter().map(|client| client.client.id.uuid()).collect();
    let mut found: Vec<Mention> = Vec::new();
    for written in WRITTEN {
        for mention in mentioning(uow, written, &words, &clients).await? {
            // what two of their clients have between them is told once
            if found.iter().all(|known| known.record_id != mention.record_id) {
                found.push(mention);
            }
        }
    }
    found.extend(mentioning_views(uow, &words).await?);
    Ok(found)
}

/// Texts of one table on these clients, in which one of the words stands.
async fn mentioning(uow: &mut UnitOfWork, written: &Written, words: &[String], clients: &[Uuid]) -> Result<Vec<Mention>> {
    let column = |name: &'static str| Expr::col((written.table, name));
    let mut select = Query::select();
    select
        .columns([(written.table, "id"), (written.table, written.of)])
        // who took part stands in a JSON value
        .exprs(written.texts.iter().map(|text| column(text).cast_as("text")))
        .from(written.table)
        .and_where(column("workspace_id").eq(uow.workspace()?.uuid()))
        .and_where(column(written.of).is_in(clients.iter().copied()))
        .order_by((written.table, "id"), Order::Asc);
    if written.of_any {
        select.and_where(column("rel_type").eq(CLIENT));
    }
    let mut found = Vec::new();
    for line in uow.rows(&select).await? {
        let mut text = String::new();
        for at in 0..written.texts.len() {
            text.push_str(&line.get::<Option<String>>(2 + at)?.unwrap_or_default());
            text.push(' ');
        }
        let text = kernel::text::fold(&text);
        if words.iter().any(|word| text.contains(word)) {
            let (record_id, client_id) = (line.get(0)?, line.get(1)?);
            found.push(Mention { record_type: written.table.to_owned(), record_id, client_id, owner_id: None });
        }
    }
    Ok(found)
}

/// Views that look for one of these words: they are kept until their owners delete them.
pub(super) async fn mentioning_views(uow: &mut UnitOfWork, words: &[String]) -> Result<impl Iterator<Item = Mention> + use<>> {
    let views = saved_views::mentioning(uow, words).await?;
    let mention = |(view, owner): (SavedViewId, UserId)| Mention {
        record_type: "saved_view".to_owned(),
        record_id: view.uuid(),
        client_id: None,
        owner_id: Some(owner),
    };
    Ok(views.into_iter().map(mention))
}

/// What is looked for in texts: what a person is called and has, and their addresses.
pub(super) fn sought<'t>(words: impl Iterator<Item = &'t str>, addresses: &'t [String]) -> Vec<String> {
    let words = words.chain(addresses.iter().map(String::as_str));
    words.map(kernel::text::fold).filter(|word| word.chars().count() >= MENTIONED).collect()
}

/// Letters that a name has at least to be looked for: shorter ones stand in everything.
const MENTIONED: usize = 3;
