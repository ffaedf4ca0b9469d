//! Whom an access token of the portal belongs to, and whose portal they are in.

use kernel::{Actor, Company, DateTime, Defaults, Error, PermissionSet, Result, TypedId as _, WorkspaceId};
use store::query::{Expr, ExprTrait};
use store::{Change, Conn, Record as _, UnitOfWork};
use uuid::Uuid;

use super::access::{PortalAccess, access_of};
use super::accounts;
use crate::identify::{Identity, Place};
use crate::keys::Claims;
use crate::rows::{SessionId, SessionRow, WorkspaceRow};
use crate::settings::{self, WorkspaceSettings};
use crate::{Auth, sessions};

/// What a contact is called where staff have the key of a role.
const CONTACT: &str = "contact";

impl Auth {
    /// The contact that a verified token of the portal belongs to, if its session and account go on.
    pub(crate) async fn find_contact(&self, claims: &Claims, now: DateTime) -> Result<Option<Identity>> {
        let mut reader = self.store.reader(&self.installation()).await?;
        let session = sessions::find(&mut reader, SessionId::from_uuid(claims.sid)).await?;
        let account = accounts::find(&mut reader, claims.sub).await?;
        let (Some(session), Some(account)) = (session, account) else { return Ok(None) };
        let is_over = session.revoked_at.is_some() || session.expires_at <= now;
        if is_over || session.contact_id != Some(claims.sub) || !account.signs_in() {
            return Ok(None);
        }
        let Some(place) = place(&mut reader, account.workspace_id).await? else { return Ok(None) };
        let access = access_of(&mut reader, account.contact_id).await?;
        reader.close().await?;
        let actor = Actor::Contact { contact: account.contact_id, session: claims.sid };
        let identity = Identity::of_account(actor, false, vec![place], None);
        Ok(Some(Identity {
            company: current(access, session.client_id),
            expires_at: DateTime::from_timestamp(claims.exp, 0),
            ..identity
        }))
    }
}

/// The client whose portal it is: the one that was chosen, while it lets the contact in; where none was chosen, the one that has let them in for
/// longest. One that was chosen and lets them in no more is followed by none: what is meant for it must not be done to another.
pub fn current(access: Vec<PortalAccess>, chosen: Option<Uuid>) -> Option<Company> {
    let access = access.into_iter().find(|access| chosen.is_none_or(|chosen| access.client == chosen))?;
    Some(Company { client: access.client, permissions: access.permissions })
}

/// The workspace of an account, where its portal is all that there is for it.
async fn place(conn: &mut Conn, id: WorkspaceId) -> Result<Option<Place>> {
    let mut select = WorkspaceRow::select();
    select.and_where(Expr::col(("workspace", "id")).eq(id.uuid())).and_where(Expr::col(("workspace", "is_active")).eq(true));
    let Some(row) = conn.one::<WorkspaceRow>(&select).await? else { return Ok(None) };
    let installation = settings::of_installation(conn).await?;
    let settings = WorkspaceSettings::of(&row.settings.0, &installation)?;
    let country = settings.phones.default_country.clone();
    Ok(Some(Place {
        id: row.id,
        slug: row.slug,
        name: row.name,
        role: CONTACT.to_owned(),
        permissions: PermissionSet::none(),
        timezone: row.timezone,
        defaults: Defaults {
            currency: row.default_currency,
            locale: row.locale,
            country,
            has_custom_fields: row.has_custom_fields,
            on_duplicate: settings.duplicates.on_create,
        },
        settings,
    }))
}

/// Goes on in the portal of another client. What follows on this session is in it.
///
/// # Errors
/// `not_found` for a client that does not let the contact in.
pub async fn choose_client(uow: &mut UnitOfWork, client: Uuid) -> Result<Company> {
    let (contact, session) = uow.caller().contact()?;
    let access = access_of(uow, contact).await?;
    let company =
        current(access, Some(client)).ok_or_else(|| Error::not_found().with_detail("There is no such client in your portal."))?;
    let mut select = SessionRow::select();
    select.and_where(Expr::col(("session", "id")).eq(session));
    let before = uow.locked::<SessionRow>(select).await?.ok_or_else(Error::not_found)?;
    let after = SessionRow { client_id: Some(client), ..before.clone() };
    let change = accounts::about(Change::plain().event("contact.client_chosen"), contact);
    uow.update(&before, after, change).await?;
    Ok(company)
}
