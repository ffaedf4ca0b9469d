//! What a contact may do for which client.

use kernel::{PortalPermission, Result};
use serde::{Deserialize, Serialize};
use store::query::{Expr, ExprTrait, Order, SelectStatement};
use store::{Change, Conn, Json, Record as _, UnitOfWork};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::accounts::about;
use super::in_order;
use crate::rows::PortalAccessRow;

/// Pairs in one statement: an engine takes only so many parameters.
const AT_ONCE: usize = 250;

/// What a contact may do for a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortalAccess {
    /// The client.
    pub client: Uuid,
    /// What they may.
    pub permissions: Vec<PortalPermission>,
}

/// The body of `PATCH /v1/contacts/{contact_id}/portal/clients/{client_id}`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct AccessPatch {
    /// What the contact may do for the client from now on, all of it. Without any, the client is none of their portal.
    #[schema(max_items = 7)]
    #[validate(length(max = 7))]
    pub permissions: Vec<PortalPermission>,
}

fn column(name: &'static str) -> Expr {
    Expr::col(("portal_access", name))
}

fn of_contact(contact: Uuid) -> SelectStatement {
    let mut select = PortalAccessRow::select();
    select
        .and_where(column("contact_id").eq(contact))
        .order_by(("portal_access", "created_at"), Order::Asc)
        .order_by(("portal_access", "id"), Order::Asc);
    select
}

/// What a contact may do, for each client, the oldest first.
///
/// # Errors
/// What the database says.
pub async fn access_of(conn: &mut Conn, contact: Uuid) -> Result<Vec<PortalAccess>> {
    let rows = conn.all::<PortalAccessRow>(&of_contact(contact)).await?;
    Ok(rows.into_iter().map(|row| PortalAccess { client: row.client_id, permissions: row.permissions.0 }).collect())
}

/// Lets a contact do these things for a client, and nothing else. Whoever calls has seen to it that the caller may say so, and that the
/// contact belongs to the client; both are locked.
///
/// # Errors
/// What the database says.
pub async fn set_access(uow: &mut UnitOfWork, contact: Uuid, client: Uuid, permissions: &[PortalPermission]) -> Result<()> {
    let permissions = in_order(permissions);
    if permissions.is_empty() {
        return take_access(uow, &[(contact, client)]).await;
    }
    let change = || about(Change::plain().event("contact.portal_access_changed"), contact);
    let now = uow.now();
    match uow.locked::<PortalAccessRow>(of_contact(contact).and_where(column("client_id").eq(client)).take()).await? {
        Some(before) => {
            let after = PortalAccessRow { permissions: Json(permissions), ..before.clone() };
            uow.update(&before, after, change()).await.map(|_| ())
        }
        None => {
            let row = PortalAccessRow {
                id: uow.id(),
                workspace_id: uow.workspace()?,
                contact_id: contact,
                client_id: client,
                permissions: Json(permissions),
                version: 1,
                created_at: now,
                updated_at: now,
            };
            uow.insert(&row, change()).await
        }
    }
}

/// Takes clients out of contacts' portals: of each pair, the contact and the client.
///
/// # Errors
/// What the database says.
pub async fn take_access(uow: &mut UnitOfWork, pairs: &[(Uuid, Uuid)]) -> Result<()> {
    for some in pairs.chunks(AT_ONCE) {
        let mut select = PortalAccessRow::select();
        select
            .and_where(column("contact_id").is_in(some.iter().map(|(contact, _)| *contact)))
            .and_where(column("client_id").is_in(some.iter().map(|(_, client)| *client)))
            .order_by(("portal_access", "id"), Order::Asc);
        let mut rows = uow.all::<PortalAccessRow>(&select).await?;
        rows.retain(|row| some.contains(&(row.contact_id, row.client_id)));
        uow.delete_all(&rows, |row| about(Change::plain().event("contact.portal_access_changed"), row.contact_id)).await?;
    }
    Ok(())
}
