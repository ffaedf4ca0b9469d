//! `/v1/contacts`.

use clients::ContactId;
use clients::contacts::{self as commands, CONTACT_LIST, Contact, ContactExport, ContactPatch, CreateContact};
use platform::audit::AUDIT_LIST;

use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::export::{self, ExportedTable};
use crate::problem::ApiResult;
use crate::registry::Registry;
use crate::routes::page_schema;
use crate::routes::platform::audit::AuditEntryPage;

page_schema! {
    /// A page of contacts.
    ContactPage of Contact
}

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_list_contacts, _, _>(list_contacts).list(&CONTACT_LIST);
    registry.add::<__path_export_contacts, _, _>(export_contacts).export(&CONTACT_LIST);
    registry.add::<__path_create_contact, _, _>(create_contact);
    registry.add::<__path_get_contact, _, _>(get_contact).record(&CONTACT_LIST);
    registry.add::<__path_update_contact, _, _>(update_contact);
    registry.add::<__path_archive_contact, _, _>(archive_contact);
    registry.add::<__path_restore_contact, _, _>(restore_contact);
    registry.add::<__path_purge_contact, _, _>(purge_contact);
    registry.add::<__path_list_contact_audit, _, _>(list_contact_audit).list(&AUDIT_LIST);
}

/// List contacts
///
/// Whoever does not see all clients sees the contacts of the clients they see, and those they made.
#[utoipa::path(get, path = "/v1/contacts", tag = "contacts",
    responses((status = 200, description = "A page of contacts", body = ContactPage)))]
async fn list_contacts(context: Context) -> ApiResult {
    let query = context.list_query(&CONTACT_LIST)?;
    let page = context.read(async |conn, caller| commands::list(conn, caller, &query).await).await?;
    context.page(&page, &query)
}

/// Export contacts
///
/// All contacts of the list as a table, CSV or an Excel workbook, as clients are exported.
#[utoipa::path(get, path = "/v1/contacts/export", tag = "contacts", responses((status = 200, description = "The table", content(
    (ExportedTable = "text/csv"),
    (ExportedTable = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))))]
async fn export_contacts(context: Context) -> ApiResult {
    export::send::<ContactExport>(&context).await
}

/// Create a contact
#[utoipa::path(post, path = "/v1/contacts", tag = "contacts", request_body = CreateContact,
    responses((status = 201, description = "The contact", body = Contact)))]
async fn create_contact(context: Context, body: Body) -> ApiResult {
    let work = async |uow: &mut store::UnitOfWork, input| {
        let contact = commands::create(uow, input).await?;
        Ok(Answer::created(format!("/v1/contacts/{}", contact.id), &contact)?.version(contact.version))
    };
    context.post::<CreateContact>(body, work).await
}

/// Get a contact
#[utoipa::path(get, path = "/v1/contacts/{contact_id}", tag = "contacts",
    responses((status = 200, description = "The contact", body = Contact)))]
async fn get_contact(context: Context) -> ApiResult {
    let id: ContactId = context.id("contact_id")?;
    let query = context.record_query(&CONTACT_LIST)?;
    let contact = context.read(async |conn, caller| commands::get(conn, caller, id, &query).await).await?;
    context.record(&contact, contact.version, &query)
}

/// Change a contact
///
/// What changes nothing writes nothing.
#[utoipa::path(patch, path = "/v1/contacts/{contact_id}", tag = "contacts", request_body = ContactPatch,
    responses((status = 200, description = "The contact", body = Contact)))]
async fn update_contact(context: Context, body: Body) -> ApiResult {
    let id: ContactId = context.id("contact_id")?;
    let work = async |uow: &mut store::UnitOfWork, seen, patch| {
        let contact = commands::update(uow, id, seen, patch).await?;
        Ok(Answer::ok(&contact)?.version(contact.version))
    };
    context.patch::<ContactPatch>(body, work).await
}

/// Archive a contact
#[utoipa::path(delete, path = "/v1/contacts/{contact_id}", tag = "contacts",
    responses((status = 204, description = "Archived")))]
async fn archive_contact(context: Context) -> ApiResult {
    let id: ContactId = context.id("contact_id")?;
    context.delete(async |uow, seen| commands::archive(uow, id, seen).await).await
}

/// Restore a contact
#[utoipa::path(post, path = "/v1/contacts/{contact_id}/restore", tag = "contacts",
    responses((status = 200, description = "The contact", body = Contact)))]
async fn restore_contact(context: Context, body: Body) -> ApiResult {
    let id: ContactId = context.id("contact_id")?;
    let work = async |uow: &mut store::UnitOfWork, seen| {
        let contact = commands::restore(uow, id, seen).await?;
        Ok(Answer::ok(&contact)?.version(contact.version))
    };
    context.act(body, work).await
}

/// Purge a contact
///
/// Deletes an archived contact for ever, and erases what the audit trail holds of the person.
#[utoipa::path(post, path = "/v1/contacts/{contact_id}/purge", tag = "contacts",
    responses((status = 204, description = "Gone")))]
async fn purge_contact(context: Context, body: Body) -> ApiResult {
    let id: ContactId = context.id("contact_id")?;
    let work = async |uow: &mut store::UnitOfWork, seen| {
        commands::purge(uow, id, seen).await?;
        Ok(Answer::nothing())
    };
    let answered = context.act(body, work).await;
    context.remove_objects();
    answered
}

/// Read the audit trail of a contact
#[utoipa::path(get, path = "/v1/contacts/{contact_id}/audit", tag = "audit",
    responses((status = 200, description = "A page of entries", body = AuditEntryPage)))]
async fn list_contact_audit(context: Context) -> ApiResult {
    let id: ContactId = context.id("contact_id")?;
    let query = context.list_query(&AUDIT_LIST)?;
    let page = context.read(async |conn, caller| commands::audit(conn, caller, id, &query).await).await?;
    context.page(&page, &query)
}
