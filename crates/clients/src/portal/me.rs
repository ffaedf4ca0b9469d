//! Who a contact is in the portal: what a frontend needs to draw its menu.

use auth::Identity;
use kernel::{Caller, Company, Currency, Error, PortalPermission, Result, TypedId as _, WorkspaceId};
use serde::{Deserialize, Serialize};
use store::dialect::unindexed;
use store::query::{Expr, ExprTrait, Query};
use store::{Conn, Record as _, UnitOfWork};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::clients::ClientBrief;
use crate::rows::{ClientId, ContactId, ContactRow};
use crate::shape::TypedEmail;

/// A contact to themselves.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PortalContact {
    /// Their id.
    pub id: ContactId,
    /// Given name.
    pub given_name: String,
    /// Family name.
    pub family_name: String,
    /// E-mail addresses, the main one first.
    pub emails: Vec<TypedEmail>,
    /// Their language.
    pub locale: String,
}

/// The workspace whose portal it is.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PortalWorkspace {
    /// Its id.
    pub id: WorkspaceId,
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Its currency, where nothing else is said.
    #[schema(value_type = String)]
    pub default_currency: Currency,
    /// Its time zone, of the IANA database.
    pub timezone: String,
    /// Its language.
    pub locale: String,
}

/// A client that lets the contact in.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PortalMyClient {
    /// The client.
    pub client: ClientBrief,
    /// What the contact may do for it.
    pub permissions: Vec<PortalPermission>,
    /// Whether it is the one whose portal the session is in.
    pub is_current: bool,
}

/// Who a contact is.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PortalMe {
    /// The contact.
    pub contact: PortalContact,
    /// Where they are.
    pub workspace: PortalWorkspace,
    /// The clients that let them in, the one that has done so for longest first.
    pub clients: Vec<PortalMyClient>,
}

/// The body of `POST /v1/portal/switch-client`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct SwitchClient {
    /// The client to go on with.
    pub client_id: ClientId,
}

/// Who the contact is that asks.
///
/// # Errors
/// `forbidden` for whoever is no contact.
pub async fn me(conn: &mut Conn, caller: &Caller, identity: &Identity) -> Result<PortalMe> {
    let (contact, _) = caller.contact()?;
    let workspace = caller.workspace()?;
    let mut select = ContactRow::select();
    select
        .and_where(Expr::col(("contact", "workspace_id")).eq(workspace.uuid()))
        .and_where(Expr::col(("contact", "id")).eq(contact));
    let row = conn.one::<ContactRow>(&select).await?.ok_or_else(Error::not_found)?;
    let place = identity.places.iter().find(|place| place.id == workspace).ok_or_else(Error::not_found)?;
    Ok(PortalMe {
        contact: PortalContact {
            id: row.id,
            given_name: row.given_name,
            family_name: row.family_name,
            emails: row.emails.0,
            locale: row.locale,
        },
        workspace: PortalWorkspace {
            id: place.id,
            slug: place.slug.clone(),
            name: place.name.clone(),
            default_currency: place.defaults.currency,
            timezone: place.timezone.clone(),
            locale: place.defaults.locale.clone(),
        },
        clients: clients_of(conn, caller, contact).await?,
    })
}

async fn clients_of(conn: &mut Conn, caller: &Caller, contact: Uuid) -> Result<Vec<PortalMyClient>> {
    let access = auth::portal::access_of(conn, contact).await?;
    let mut select = Query::select();
    select
        .columns(["id", "kind", "name"].map(|name| ("client", name)))
        .from("client")
        .and_where(unindexed(conn.dialect(), "client", "workspace_id").eq(caller.workspace()?.uuid()))
        .and_where(Expr::col(("client", "id")).is_in(access.iter().map(|access| access.client)))
        .and_where(Expr::col(("client", "archived_at")).is_null());
    let mut briefs = std::collections::HashMap::new();
    for row in conn.rows(&select).await? {
        let brief = ClientBrief { id: row.get::<ClientId>(0)?, kind: row.get(1)?, name: row.get(2)? };
        briefs.insert(brief.id.uuid(), brief);
    }
    let current = caller.company.as_ref().map(|company| company.client);
    let shown = access.into_iter().filter_map(|access| {
        let client = briefs.remove(&access.client)?;
        Some(PortalMyClient { client, permissions: access.permissions, is_current: current == Some(access.client) })
    });
    Ok(shown.collect())
}

/// In whose portal a contact begins: that of the client which has let them in for longest and is not put away, and where all are, of that which
/// has let them in for longest.
///
/// # Errors
/// What the database says.
pub async fn begins_at(uow: &mut UnitOfWork, contact: Uuid) -> Result<Option<Uuid>> {
    let clients: Vec<Uuid> = auth::portal::access_of(uow, contact).await?.into_iter().map(|access| access.client).collect();
    let mut select = Query::select();
    select
        .column("id")
        .from("client")
        .and_where(Expr::col("id").is_in(clients.iter().copied()))
        .and_where(Expr::col("archived_at").is_null());
    let here: Vec<Uuid> = uow.rows(&select).await?.iter().map(|row| row.get(0)).collect::<Result<_>>()?;
    Ok(clients.iter().find(|client| here.contains(client)).or(clients.first()).copied())
}

/// Goes on in the portal of another client; who the contact is from then on.
///
/// # Errors
/// `forbidden` for whoever is no contact; `not_found` for a client that does not let them in.
pub async fn choose_client(uow: &mut UnitOfWork, identity: &Identity, input: &SwitchClient) -> Result<PortalMe> {
    let Company { client, .. } = auth::portal::choose_client(uow, input.client_id.uuid()).await?;
    let caller = uow.caller();
    let mut me = me(uow, &caller, identity).await?;
    for mine in &mut me.clients {
        mine.is_current = mine.client.id.uuid() == client;
    }
    if !me.clients.iter().any(|mine| mine.is_current) {
        return Err(Error::not_found().with_detail("There is no such client in your portal."));
    }
    Ok(me)
}
