//! Who is let into the portal, by those who manage it.

use auth::Auth;
use auth::portal::{AccessPatch, Invited, PortalState, PortalStatus};
use kernel::error::Faults;
use kernel::{Caller, DateTime, Error, Permission, PortalPermission, Result, TypedId as _};
use serde::{Deserialize, Serialize};
use store::{Conn, UnitOfWork};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::clients::{self, ClientBrief};
use crate::rows::{ClientId, ContactId, ContactRow};
use crate::{contacts, links};

/// A client whose portal a contact comes into.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PortalClient {
    /// The client.
    pub client: ClientBrief,
    /// What the contact may do for it.
    pub permissions: Vec<PortalPermission>,
}

/// A contact as the portal knows them.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ContactPortal {
    /// How far they have come.
    pub state: PortalState,
    /// The address that they sign in with.
    pub email: Option<String>,
    /// When they were last invited.
    pub invited_at: Option<DateTime>,
    /// When the mail with which they set a password stops working; none where there is none that works.
    pub token_expires_at: Option<DateTime>,
    /// When they last signed in.
    pub last_login_at: Option<DateTime>,
    /// The clients that let them in, as far as the caller may see them.
    pub clients: Vec<PortalClient>,
    /// Counts its changes; the ETag is made from it.
    #[serde(skip)]
    pub version: i64,
}

/// What a contact may do for a client.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct PortalClientInput {
    /// The client, to which the contact belongs.
    pub client_id: ClientId,
    /// What they may do for it.
    #[schema(max_items = 7)]
    #[validate(length(max = 7))]
    pub permissions: Vec<PortalPermission>,
}

/// The body of `POST /v1/contacts/{contact_id}/portal/invitation`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct InviteToPortal {
    /// The address that they will sign in with; unless given, the one that they have already, or the first of the contact's.
    #[schema(nullable = false, format = "email", max_length = 254)]
    #[validate(email(message = "must be an e-mail address"), length(max = 254))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// What they may do for which client. Unless given, and where no client lets them in yet, each of theirs does, with the six of the menu,
    /// and `company_profile` where they are the primary contact.
    #[schema(nullable = false, max_items = 100)]
    #[validate(length(max = 100), nested)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clients: Option<Vec<PortalClientInput>>,
}

/// The body of `PATCH /v1/contacts/{contact_id}/portal`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ContactPortalPatch {
    /// Whether the contact can sign in. Switching it off ends their sessions.
    pub is_active: bool,
}

/// A contact as the portal knows them.
///
/// # Errors
/// `forbidden` without `contacts.view`; `not_found`.
pub async fn get(conn: &mut Conn, caller: &Caller, id: ContactId, now: DateTime) -> Result<ContactPortal> {
    contacts::get_row(conn, caller, id).await?;
    let PortalStatus { state, email, invited_at, token_expires_at, last_login_at, version } =
        auth::portal::status_of(conn, id.uuid(), now).await?;
    let access = auth::portal::access_of(conn, id.uuid()).await?;
    let mut briefs = match clients::visible_to(caller) {
        Ok(_) => clients::briefs(conn, caller, access.iter().map(|access| ClientId::from_uuid(access.client))).await?,
        // whoever sees contacts and no clients
        Err(_) => Default::default(),
    };
    let shown = access.into_iter().filter_map(|access| {
        let client = briefs.remove(&ClientId::from_uuid(access.client))?;
        Some(PortalClient { client, permissions: access.permissions })
    });
    let clients = shown.collect();
    Ok(ContactPortal { state, email, invited_at, token_expires_at, last_login_at, clients, version })
}

async fn told(uow: &mut UnitOfWork, id: ContactId) -> Result<ContactPortal> {
    let (caller, now) = (uow.caller(), uow.now());
    get(uow, &caller, id, now).await
}

/// Invites a contact to the portal, or sends the mail once more.
///
/// # Errors
/// `forbidden` without `contacts.manage_portal` and `contacts.view`, and for an address that they do not have yet where the caller does not see all
/// clients that let the contact in; `not_found`; `archived`; `portal_address_taken`; `portal_switched_off`;
/// `validation_failed` without an address, for a client that the contact does not belong to, and where they belong to none.
pub async fn invite(auth: &Auth, uow: &mut UnitOfWork, id: ContactId, input: InviteToPortal) -> Result<ContactPortal> {
    uow.caller().require(Permission::ContactsManagePortal)?;
    let contact = contacts::find_editable(uow, id).await?;
    let now = uow.now();
    let had = auth::portal::status_of(uow, id.uuid(), now).await?;
    let email = input.email.or_else(|| had.email.clone()).or_else(|| contact.emails.0.first().map(|email| email.address.clone()));
    check_address(uow, id, &had, email.as_deref()).await?;
    let mut faults = Faults::new();
    if email.is_none() {
        faults.add("/email", "required", "is needed: the contact has no address");
    }
    let access = access_to_give(uow, &contact, input.clients, &mut faults).await?;
    faults.into_result()?;
    for (client, permissions) in access {
        auth::portal::set_access(uow, id.uuid(), client, &permissions).await?;
    }
    let name = contacts::whole_name(&contact);
    let email = email.unwrap_or_default();
    let invited = Invited { contact: id.uuid(), email: &email, name: &name, locale: &contact.locale };
    auth::portal::invite(auth, uow, invited).await?;
    told(uow, id).await
}

/// Whoever gives the account its address, or another one, could come in as the contact: so they see every client that lets the contact in.
async fn check_address(uow: &mut UnitOfWork, id: ContactId, had: &PortalStatus, email: Option<&str>) -> Result<()> {
    let is_other = |email: &str| had.email.as_ref().is_none_or(|known| !known.eq_ignore_ascii_case(email.trim()));
    if !email.is_some_and(is_other) {
        return Ok(());
    }
    let caller = uow.caller();
    let access = auth::portal::access_of(uow, id.uuid()).await?;
    if access.is_empty() {
        return Ok(());
    }
    let seen = clients::briefs(uow, &caller, access.iter().map(|access| ClientId::from_uuid(access.client))).await?;
    if seen.len() == access.len() {
        return Ok(());
    }
    let detail = "An address is given by somebody who sees every client that lets the contact in.";
    Err(Error::new(&kernel::error::codes::FORBIDDEN).with_detail(detail))
}

/// What an invitation lets the contact do, for each client.
async fn access_to_give(
    uow: &mut UnitOfWork,
    contact: &ContactRow,
    given: Option<Vec<PortalClientInput>>,
    faults: &mut Faults,
) -> Result<Vec<(Uuid, Vec<PortalPermission>)>> {
    let caller = uow.caller();
    let links = links::of_contact_locked(uow, contact.id).await?;
    let seen = clients::briefs(uow, &caller, links.iter().map(|link| link.client_id)).await?;
    let has_access = !auth::portal::access_of(uow, contact.id.uuid()).await?.is_empty();
    let Some(given) = given else {
        if has_access {
            return Ok(Vec::new());
        }
        let visible: Vec<_> = links.iter().filter(|link| seen.contains_key(&link.client_id)).collect();
        if visible.is_empty() {
            faults.add("/clients", "no_client", "is needed: the contact belongs to no client");
        }
        let menu = |is_primary: bool| {
            let is_given = |permission: &PortalPermission| is_primary || *permission != PortalPermission::CompanyProfile;
            PortalPermission::ALL.into_iter().filter(is_given).collect()
        };
        return Ok(visible.into_iter().map(|link| (link.client_id.uuid(), menu(link.is_primary))).collect());
    };
    for (place, one) in given.iter().enumerate() {
        let pointer = format!("/clients/{place}/client_id");
        if !seen.contains_key(&one.client_id) {
            faults.add(pointer, "not_linked", "must be a client that the contact belongs to");
        } else if given.iter().take(place).any(|earlier| earlier.client_id == one.client_id) {
            faults.add(pointer, "repeated", "is named twice");
        }
    }
    Ok(given.into_iter().map(|one| (one.client_id.uuid(), one.permissions)).collect())
}

/// Switches a contact's portal account on or off.
///
/// # Errors
/// `forbidden` without `contacts.manage_portal` and `contacts.view`; `not_found`, also where they were never invited; `archived`; `stale`.
pub async fn update(uow: &mut UnitOfWork, id: ContactId, seen: Option<i64>, patch: ContactPortalPatch) -> Result<ContactPortal> {
    uow.caller().require(Permission::ContactsManagePortal)?;
    contacts::find_editable(uow, id).await?;
    auth::portal::set_active(uow, id.uuid(), seen, patch.is_active).await?;
    told(uow, id).await
}

/// Says what a contact may do for one of their clients. It can be said before they are invited.
///
/// # Errors
/// `forbidden` without `contacts.manage_portal` and `contacts.view`; `not_found` for a client that the caller does not see or the contact
/// does not belong to; `archived`.
pub async fn set_client(uow: &mut UnitOfWork, id: ContactId, client: ClientId, patch: AccessPatch) -> Result<ContactPortal> {
    let caller = uow.caller();
    caller.require(Permission::ContactsManagePortal)?;
    contacts::find_editable(uow, id).await?;
    clients::get_row(uow, &caller, client).await?;
    let links = links::of_contact_locked(uow, id).await?;
    if !links.iter().any(|link| link.client_id == client) {
        return Err(Error::not_found().with_detail("The contact does not belong to the client."));
    }
    auth::portal::set_access(uow, id.uuid(), client.uuid(), &patch.permissions).await?;
    told(uow, id).await
}
