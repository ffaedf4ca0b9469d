//! Making and changing contacts.

use files::files::File;
use kernel::error::Faults;
use kernel::{Caller, Defaults, Error, FieldError, Page, Permission, Result, TypedId as _, text};
use platform::audit::AuditEntry;
use platform::custom_fields::{keep, searched};
use store::list::ListQuery;
use store::{Action, Change, Conn, Json, OnUnique as _, UnitOfWork, journal};
use uuid::Uuid;

use super::list::{self, find_locked};
use super::wire::{Contact, ContactPatch, CreateContact};
use crate::attachable::CONTACT;
use crate::custom::{self, LaidForMany, Values};
use crate::errors::{ARCHIVED, EXTERNAL_ID_TAKEN, NOT_ARCHIVED};
use crate::phones::{self, Given, Numbers};
use crate::rows::{ContactId, ContactMail, ContactRow};
use crate::shape::email_key;
use crate::{interactions, links};

/// Makes a contact.
///
/// # Errors
/// `forbidden` without `contacts.create`; `validation_failed`; `external_id_taken`.
pub async fn create(uow: &mut UnitOfWork, input: CreateContact) -> Result<Contact> {
    let mut made = create_many(uow, vec![input]).await.map_err(|error| error.without_prefix("/0"))?;
    made.pop().ok_or_else(|| Error::internal("no contact was made"))
}

/// Makes many contacts, all or none. Pointers in errors begin with the place in the list.
///
/// # Errors
/// As [`create`].
pub async fn create_many(uow: &mut UnitOfWork, inputs: Vec<CreateContact>) -> Result<Vec<Contact>> {
    let inputs = inputs.into_iter().map(|input| (uow.id(), input)).collect();
    create_as(uow, inputs).await
}

/// As [`create_many`], each under an id that was chosen before.
pub(crate) async fn create_as(uow: &mut UnitOfWork, inputs: Vec<(ContactId, CreateContact)>) -> Result<Vec<Contact>> {
    let caller = uow.caller();
    caller.require(Permission::ContactsCreate)?;
    let defaults = auth::workspaces::defaults(uow, &caller).await?;
    let mut faults = Faults::new();
    let come_as_they_are = phones::come_as_they_are(&caller);
    let given = inputs.iter().map(|(_, input)| input.custom_fields.is_some());
    let mut custom = LaidForMany::begin(uow, "contact", &defaults, come_as_they_are, given).await?;
    let mut rows = Vec::with_capacity(inputs.len());
    for (place, (id, input)) in inputs.into_iter().enumerate() {
        if input.external_id.is_some() != input.external_source.is_some() {
            faults.add(format!("/{place}/external_id"), "incomplete", "external_source and external_id belong together");
        }
        let values = custom.lay(place, input.custom_fields.as_ref(), &mut faults);
        let mut row = row(uow, id, input, values, &defaults)?;
        let numbers = fill_derived(&mut row, &defaults.country);
        if !come_as_they_are {
            numbers.check(Given::ALL, &format!("/{place}"), &mut faults);
        }
        rows.push(row);
    }
    custom.check(uow, &mut faults).await?;
    faults.into_result()?;
    let values: Vec<_> = rows.iter().map(|row| (row.id.uuid(), &row.custom_fields.0)).collect();
    custom.check_unique(uow, &values).await?;
    let taken =
        || Error::new(&EXTERNAL_ID_TAKEN).with_field(FieldError::new("/external_id", "taken", "belongs to another contact"));
    match rows.as_slice() {
        [one] => uow.insert(one, Change::plain()).await,
        many => uow.insert_all(many, |_| Change::plain()).await,
    }
    .on_unique(taken)?;
    custom.put(uow, &values).await?;
    Ok(rows.into_iter().map(Contact::from).collect())
}

fn row(uow: &UnitOfWork, id: ContactId, input: CreateContact, values: Values, defaults: &Defaults) -> Result<ContactRow> {
    let now = uow.now();
    Ok(ContactRow {
        id,
        workspace_id: uow.workspace()?,
        given_name: input.given_name.trim().to_owned(),
        family_name: input.family_name.unwrap_or_default().trim().to_owned(),
        name_key: String::new(),
        email_key: None,
        phone: input.phone,
        emails: Json(input.emails.unwrap_or_default()),
        phones: Json(input.phones.unwrap_or_default()),
        position: input.position,
        locale: input.locale.unwrap_or_else(|| defaults.locale.clone()),
        mails: Json(ContactMail::in_order(input.mails.as_deref().unwrap_or(&ContactMail::ALL))),
        created_by: uow.caller().actor.user(),
        external_source: input.external_source,
        external_id: input.external_id,
        custom_fields: Json(values),
        archived_at: None,
        search_text: String::new(),
        version: 1,
        created_at: now,
        updated_at: now,
    })
}

/// Fills the columns that follow from others. Phones without a country code are of this country; they are returned as they were read.
pub(crate) fn fill_derived(row: &mut ContactRow, country: &str) -> Numbers {
    row.name_key = text::fold(&format!("{} {}", row.family_name, row.given_name)).trim().to_owned();
    row.email_key = email_key(&row.emails.0);
    let numbers = Numbers::read(row.phone.as_deref(), &mut row.phones.0, country);
    let phones = numbers.words();
    let parts = [Some(row.given_name.as_str()), Some(row.family_name.as_str()), row.position.as_deref()];
    let emails = row.emails.0.iter().map(|email| email.address.as_str());
    let words = parts.into_iter().flatten().chain(emails).chain(phones.iter().map(String::as_str));
    row.search_text = text::search_text(words.chain(searched(&row.custom_fields.0)));
    numbers
}

/// Changes a contact. What changes nothing writes nothing.
///
/// # Errors
/// `forbidden` without `contacts.edit`; `not_found`; `stale`; `archived`.
pub async fn update(uow: &mut UnitOfWork, id: ContactId, seen: Option<i64>, patch: ContactPatch) -> Result<Contact> {
    uow.caller().require(Permission::ContactsEdit)?;
    let before = find_locked(uow, id, seen).await?;
    update_row(uow, &before, patch).await.map(Contact::from)
}

/// Changes a contact that the caller may edit.
pub(crate) async fn update_row(uow: &mut UnitOfWork, before: &ContactRow, patch: ContactPatch) -> Result<ContactRow> {
    if before.archived_at.is_some() {
        return Err(Error::new(&ARCHIVED).with_detail("Restore it first."));
    }
    let (caller, mut after) = (uow.caller(), before.clone());
    let country = auth::workspaces::defaults(uow, &caller).await?.country;
    let mut faults = Faults::new();
    let given = Given { phone: !patch.phone.is_absent(), phones: !patch.phones.is_absent() };
    let laid = custom::lay(uow, "contact", &before.custom_fields.0, &patch.custom_fields, &mut faults).await?;
    if let Some(name) = patch.given_name {
        after.given_name = name.trim().to_owned();
    }
    if let Some(name) = patch.family_name {
        after.family_name = name.trim().to_owned();
    }
    patch.phone.apply(&mut after.phone);
    patch.emails.apply_or_default(&mut after.emails.0);
    patch.phones.apply_or_default(&mut after.phones.0);
    patch.position.apply(&mut after.position);
    after.locale = patch.locale.unwrap_or(after.locale);
    if let Some(mails) = &patch.mails {
        after.mails = Json(ContactMail::in_order(mails));
    }
    if let Some(laid) = &laid {
        after.custom_fields = Json(laid.values.clone());
    }
    let numbers = fill_derived(&mut after, &country);
    if !phones::come_as_they_are(&caller) {
        numbers.check(given, "", &mut faults);
    }
    faults.into_result()?;
    if let Some(laid) = &laid {
        laid.check_unique(uow, before.id.uuid(), &before.custom_fields.0).await?;
    }
    let after = uow.update(before, after, Change::plain()).await?;
    settle_portal(uow, before, &after).await?;
    if let Some(laid) = &laid {
        laid.put(uow, before.id.uuid(), &before.custom_fields.0).await?;
    }
    Ok(after)
}

/// What a contact is called, in one line.
pub(crate) fn whole_name(row: &ContactRow) -> String {
    format!("{} {}", row.given_name, row.family_name).trim().to_owned()
}

/// Tells the portal that a contact goes by another name or language now.
pub(crate) async fn settle_portal(uow: &mut UnitOfWork, before: &ContactRow, after: &ContactRow) -> Result<()> {
    if whole_name(before) == whole_name(after) && before.locale == after.locale {
        return Ok(());
    }
    auth::portal::rename(uow, after.id.uuid(), &whole_name(after), &after.locale).await
}

/// Puts a contact away. One that is away stays so. What they have in the portal is switched off, and stays so when they come back.
///
/// # Errors
/// `forbidden` without `contacts.delete`; `not_found`; `stale`.
pub async fn archive(uow: &mut UnitOfWork, id: ContactId, seen: Option<i64>) -> Result<()> {
    set_archived(uow, id, seen, true).await.map(|_| ())
}

/// Brings a contact back. One that is there stays so.
///
/// # Errors
/// `forbidden` without `contacts.delete`; `not_found`; `stale`.
pub async fn restore(uow: &mut UnitOfWork, id: ContactId, seen: Option<i64>) -> Result<Contact> {
    set_archived(uow, id, seen, false).await
}

async fn set_archived(uow: &mut UnitOfWork, id: ContactId, seen: Option<i64>, archived: bool) -> Result<Contact> {
    uow.caller().require(Permission::ContactsDelete)?;
    let before = find_locked(uow, id, seen).await?;
    if before.archived_at.is_some() == archived {
        return Ok(before.into());
    }
    let (action, archived_at) = if archived { (Action::Archive, Some(uow.now())) } else { (Action::Restore, None) };
    let after = ContactRow { archived_at, ..before.clone() };
    let contact = uow.update(&before, after, Change::of(action)).await?;
    if archived {
        auth::portal::close(uow, id.uuid()).await?;
    }
    links::settle_everywhere(uow, id).await?;
    Ok(contact.into())
}

/// Deletes an archived contact for ever, with its files, and erases the personal values that the journal holds of it.
///
/// # Errors
/// `forbidden` without `contacts.purge`; `not_found`; `stale`; `not_archived`.
pub async fn purge(uow: &mut UnitOfWork, id: ContactId, seen: Option<i64>) -> Result<()> {
    uow.caller().require(Permission::ContactsPurge)?;
    let row = find_locked(uow, id, seen).await?;
    if row.archived_at.is_none() {
        return Err(Error::new(&NOT_ARCHIVED).with_detail("Archive it first."));
    }
    links::remove_everywhere(uow, id).await?;
    forget(uow, &[row], Change::plain).await
}

/// Deletes contacts that belong to no client any more for ever, with all that hangs on them.
pub(crate) async fn forget(uow: &mut UnitOfWork, rows: &[ContactRow], change: impl Fn() -> Change) -> Result<()> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id.uuid()).collect();
    interactions::forget_of_contacts(uow, &ids).await?;
    auth::portal::forget_account(uow, &ids).await?;
    keep::forget(uow, &ids).await?;
    files::files::forget(uow, CONTACT, &ids).await?;
    journal::erase(uow, ids).await?;
    uow.delete_and_forget_all(rows, |_| change()).await
}

/// What happened to a contact.
///
/// # Errors
/// `forbidden` without `admin.view_audit_log` and `contacts.view`; `not_found`.
pub async fn audit(conn: &mut Conn, caller: &Caller, id: ContactId, query: &ListQuery) -> Result<Page<AuditEntry>> {
    list::get_row(conn, caller, id).await?;
    platform::audit::of_record(conn, caller, id.uuid(), query).await
}

/// Files on a contact.
///
/// # Errors
/// `forbidden` without `contacts.view`; `not_found`.
pub async fn list_files(conn: &mut Conn, caller: &Caller, id: ContactId, query: &ListQuery) -> Result<Page<File>> {
    list::get_row(conn, caller, id).await?;
    files::files::list_on(conn, caller, CONTACT, id.uuid(), query).await
}
