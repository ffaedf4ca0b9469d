//! `/v1/clients/bulk` and `/v1/contacts/bulk`.

use clients::clients::{self as client_commands, ClientPatch, CreateClient};
use clients::contacts::{self as contact_commands, ContactPatch, CreateContact};
use clients::{ClientId, ContactId};
use kernel::{Result, TypedId as _};
use store::UnitOfWork;

use crate::body::{Body, parse_value};
use crate::bulk::{Bulk, BulkDone, BulkResults, Step, run};
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;
use crate::schema::Schemas;

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_bulk_clients, _, _>(bulk_clients);
    registry.add::<__path_bulk_contacts, _, _>(bulk_contacts);
}

/// Do many things to clients
///
/// Up to 1,000 operations, each answered with its own status in order. With `atomic`, all are done or none. `data` is a
/// `CreateClient` or a `ClientPatch`.
#[utoipa::path(post, path = "/v1/clients/bulk", tag = "clients", request_body = Bulk,
    responses((status = 200, description = "What became of each", body = BulkResults)))]
async fn bulk_clients(context: Context, body: Body) -> ApiResult {
    run(&context, body, async |uow, schemas, step| client_step(uow, schemas, step).await).await
}

async fn client_step(uow: &mut UnitOfWork, schemas: &Schemas, step: Step) -> Result<BulkDone> {
    match step {
        Step::Create { data } => {
            let client = client_commands::create(uow, parse_value::<CreateClient>(schemas, data)?).await?;
            BulkDone::created(client.id.uuid(), client.version, &client)
        }
        Step::Update { id, seen, data } => {
            let patch = parse_value::<ClientPatch>(schemas, data)?;
            let client = client_commands::update(uow, ClientId::from_uuid(id), seen, patch).await?;
            BulkDone::ok(client.id.uuid(), client.version, &client)
        }
        Step::Archive { id, seen } => {
            client_commands::archive(uow, ClientId::from_uuid(id), seen).await?;
            Ok(BulkDone::nothing(id))
        }
        Step::Restore { id, seen } => {
            let client = client_commands::restore(uow, ClientId::from_uuid(id), seen).await?;
            BulkDone::ok(client.id.uuid(), client.version, &client)
        }
    }
}

/// Do many things to contacts
///
/// Up to 1,000 operations, each answered with its own status in order. With `atomic`, all are done or none. `data` is a
/// `CreateContact` or a `ContactPatch`.
#[utoipa::path(post, path = "/v1/contacts/bulk", tag = "contacts", request_body = Bulk,
    responses((status = 200, description = "What became of each", body = BulkResults)))]
async fn bulk_contacts(context: Context, body: Body) -> ApiResult {
    run(&context, body, async |uow, schemas, step| contact_step(uow, schemas, step).await).await
}

async fn contact_step(uow: &mut UnitOfWork, schemas: &Schemas, step: Step) -> Result<BulkDone> {
    match step {
        Step::Create { data } => {
            let contact = contact_commands::create(uow, parse_value::<CreateContact>(schemas, data)?).await?;
            BulkDone::created(contact.id.uuid(), contact.version, &contact)
        }
        Step::Update { id, seen, data } => {
            let patch = parse_value::<ContactPatch>(schemas, data)?;
            let contact = contact_commands::update(uow, ContactId::from_uuid(id), seen, patch).await?;
            BulkDone::ok(contact.id.uuid(), contact.version, &contact)
        }
        Step::Archive { id, seen } => {
            contact_commands::archive(uow, ContactId::from_uuid(id), seen).await?;
            Ok(BulkDone::nothing(id))
        }
        Step::Restore { id, seen } => {
            let contact = contact_commands::restore(uow, ContactId::from_uuid(id), seen).await?;
            BulkDone::ok(contact.id.uuid(), contact.version, &contact)
        }
    }
}
