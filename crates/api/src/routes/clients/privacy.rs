//! What is known of a person, told and erased: `/v1/contacts/{contact_id}/export` and `/erase`, and the same of a client that is no company.

use clients::privacy::{self, ClientErasureReport, ClientPersonalData, Erasure, ErasureReport, PersonalData};
use clients::{ClientId, ContactId};
use kernel::TypedId as _;
use store::{Outcome, UnitOfWork};

use crate::answer::{Answer, replay};
use crate::body::Body;
use crate::context::Context;
use crate::personal::{Person, PersonalArchive, PersonalForm};
use crate::problem::ApiResult;
use crate::registry::Registry;

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_export_contact, _, _>(export_contact).personal();
    registry.add::<__path_erase_contact, _, _>(erase_contact);
    registry.add::<__path_export_client, _, _>(export_client).personal();
    registry.add::<__path_erase_client, _, _>(erase_client);
}

/// Export all that is known of a contact
///
/// Everything that belongs to this one person, in one document (GDPR, articles 15 and 20): the record, where they belong, their access to the
/// portal, interactions, files, mail, rows of imports, and the history of all this. With
/// `format=zip` the document comes in an archive with the contents of their files. That it was exported stands in their trail.
#[utoipa::path(post, path = "/v1/contacts/{contact_id}/export", tag = "contacts",
    responses((status = 200, description = "All that is known of them", content(
    (PersonalData = "application/json"),
    (PersonalArchive = "application/zip")))))]
async fn export_contact(context: Context, body: Body) -> ApiResult {
    let id: ContactId = context.id("contact_id")?;
    let form = PersonalForm::asked(&context).map_err(|error| context.fail(error))?;
    let work = async |uow: &mut UnitOfWork| {
        let (caller, now) = (uow.caller(), uow.now());
        let data = privacy::export(uow, &caller, id, now).await?;
        let contents = form.contents(uow, &caller, &data.files).await?;
        let person = Person { table: "contact", id: id.uuid() };
        person.note_begin(uow, form);
        Ok((person, data, contents))
    };
    match context.tell(&body, work).await? {
        Outcome::Done((person, data, contents)) => person.send(&context, form, &data, contents).await,
        Outcome::Replayed(kept) => Ok(replay(kept)),
    }
}

/// Erase a contact
///
/// The person with all that is known of them, for ever (GDPR, article 17), also where they were not archived. The answer says what was erased,
/// what is kept and why, and in which texts of staff the name may still stand. Their clients stay, with what was said with them, which names
/// the person no more.
#[utoipa::path(post, path = "/v1/contacts/{contact_id}/erase", tag = "contacts", request_body = Erasure,
    responses((status = 200, description = "What was erased, and what is kept", body = ErasureReport)))]
async fn erase_contact(context: Context, body: Body) -> ApiResult {
    let id: ContactId = context.id("contact_id")?;
    let seen = context.if_match();
    let work = async |uow: &mut store::UnitOfWork, input| {
        let report = privacy::erase(uow, id, seen, input).await?;
        Answer::ok(&report)
    };
    let answered = context.post::<Erasure>(body, work).await?;
    context.remove_objects();
    Ok(answered)
}

/// Export all that is known of a client that is a person
///
/// Everything that belongs to this one person, in one document (GDPR, articles 15 and 20): the record with its tags and custom fields, what was
/// merged into it, relationships, notes, interactions, files, mail, rows of imports, and the history of all this. Its contacts are persons of
/// their own. With `format=zip` the document comes in an archive with the contents of its files. That it was exported stands in its trail. Of a
/// company there is none.
#[utoipa::path(post, path = "/v1/clients/{client_id}/export", tag = "clients",
    responses((status = 200, description = "All that is known of it", content(
    (ClientPersonalData = "application/json"),
    (PersonalArchive = "application/zip")))))]
async fn export_client(context: Context, body: Body) -> ApiResult {
    let id: ClientId = context.id("client_id")?;
    let form = PersonalForm::asked(&context).map_err(|error| context.fail(error))?;
    let work = async |uow: &mut UnitOfWork| {
        let (caller, now) = (uow.caller(), uow.now());
        let data = privacy::export_client(uow, &caller, id, now).await?;
        let contents = form.contents(uow, &caller, &data.files).await?;
        let person = Person { table: "client", id: id.uuid() };
        person.note_begin(uow, form);
        Ok((person, data, contents))
    };
    match context.tell(&body, work).await? {
        Outcome::Done((person, data, contents)) => person.send(&context, form, &data, contents).await,
        Outcome::Replayed(kept) => Ok(replay(kept)),
    }
}

/// Erase a client that is a person
///
/// The person with all that is known of them, for ever (GDPR, article 17), also where it was not archived. The answer says what was erased,
/// what is kept and why, and which contacts belonged to it. Of a company only what stands on people in it can be erased: its contacts.
#[utoipa::path(post, path = "/v1/clients/{client_id}/erase", tag = "clients", request_body = Erasure,
    responses((status = 200, description = "What was erased, and what is kept", body = ClientErasureReport)))]
async fn erase_client(context: Context, body: Body) -> ApiResult {
    let id: ClientId = context.id("client_id")?;
    let seen = context.if_match();
    let work = async |uow: &mut store::UnitOfWork, input| {
        let report = privacy::erase_client(uow, id, seen, input).await?;
        Answer::ok(&report)
    };
    let answered = context.post::<Erasure>(body, work).await?;
    context.remove_objects();
    Ok(answered)
}
