//! Signing in to the portal with address and password, in one workspace, and going on with a refresh token.

use kernel::{DateTime, Error, Origin, Result, TypedId as _};
use mail::Letter;
use serde::{Deserialize, Serialize};
use store::query::{Expr, ExprTrait, Query};
use store::{Action, Change, Field as _, UnitOfWork};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::accounts::{self, about};
use crate::errors::INVALID_CREDENTIALS;
use crate::letters::act;
use crate::password::Verified;
use crate::rows::{PortalAccountRow, SessionKind, SessionRow};
use crate::sessions::login::{ATTEMPTS_WINDOW, attempts_key};
use crate::sessions::refresh::{refused, take};
use crate::sessions::{BEARER, Owner, Pair};
use crate::{Auth, devices};

/// The body of `POST /v1/portal/login`.
#[derive(Clone, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct PortalLogin {
    /// The workspace, by its slug or id. The same address may be in several, with a password in each.
    #[schema(min_length = 1, max_length = 60)]
    pub workspace: String,
    /// The address that the contact was invited with, without regard to case.
    #[schema(min_length = 1, max_length = 254)]
    pub email: String,
    /// The password.
    #[schema(min_length = 1, max_length = 256, format = "password")]
    pub password: String,
    /// What the session is for: `browser` (a day at most) unless given, or `app` (thirty days).
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<SessionKind>,
}

/// The body of `POST /v1/portal/refresh`.
#[derive(Clone, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct PortalRefresh {
    /// The refresh token of the last pair.
    #[schema(min_length = 1, max_length = 200)]
    pub refresh_token: String,
}

/// What a contact holds after signing in.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PortalTokens {
    /// Send it as `Authorization: Bearer …`. Its audience is `portal`: it opens nothing but the portal.
    pub access_token: String,
    /// `Bearer`.
    pub token_type: String,
    /// Seconds until the access token expires.
    pub expires_in: i64,
    /// Gets the next pair; it works once.
    pub refresh_token: String,
    /// When the session ends at the latest.
    pub session_expires_at: DateTime,
    /// The contact.
    pub contact_id: Uuid,
}

impl PortalTokens {
    fn of(pair: Pair, session: &SessionRow, account: &PortalAccountRow) -> Self {
        Self {
            access_token: pair.access_token,
            token_type: BEARER.to_owned(),
            expires_in: pair.expires_in,
            refresh_token: pair.refresh_token,
            session_expires_at: session.expires_at,
            contact_id: account.contact_id,
        }
    }
}

/// A contact whose password was right.
pub struct PortalSignedIn {
    account: PortalAccountRow,
    kind: SessionKind,
    attempts: String,
    /// A hash of ours, in the place of one from elsewhere.
    replaced: Option<String>,
}

impl std::fmt::Debug for PortalSignedIn {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "PortalSignedIn({})", self.account.id)
    }
}

impl Auth {
    /// Checks address and password of a contact, outside any transaction. Takes as long, and says the same, whether the account is there
    /// or not.
    ///
    /// # Errors
    /// `sign_in_busy`; `locked_out` after too many failures for this account from this address; `invalid_credentials`.
    pub async fn check_portal_password(&self, input: PortalLogin, origin: &Origin) -> Result<PortalSignedIn> {
        let place = self.passwords.queue().await?;
        let key = attempts_key("portal-login", &input.email, origin.ip);
        // for the address in all workspaces together: each has two names
        self.count_attempt(&key).await?;
        let mut reader = self.store.reader(&self.installation()).await?;
        let account = accounts::find_by_email(&mut reader, &input.workspace, &input.email).await?;
        reader.close().await?;
        let hash = account.as_ref().filter(|account| account.signs_in()).and_then(|account| account.hash.clone());
        let verified = self.passwords.verify(place, input.password, hash).await?;
        match account {
            Some(account) if verified != Verified::Wrong => {
                let replaced = match verified {
                    Verified::Replace(ours) => Some(ours),
                    _ => None,
                };
                let kind = input.kind.unwrap_or(SessionKind::Browser);
                Ok(PortalSignedIn { account, kind, attempts: key, replaced })
            }
            account => {
                metrics::counter!("pelatis_login_failures_total", "reason" => "portal_wrong").increment(1);
                self.note_portal_failure(&input.email, account, origin).await?;
                Err(Error::new(&INVALID_CREDENTIALS))
            }
        }
    }

    /// Journals a failed attempt, in the workspace of the account where there is one.
    async fn note_portal_failure(&self, email: &str, account: Option<PortalAccountRow>, origin: &Origin) -> Result<()> {
        if !self.is_noted(origin).await {
            return Ok(());
        }
        self.store
            .write(&self.installation_for(origin), async |uow| {
                uow.enter(account.as_ref().map(|account| account.workspace_id)).await?;
                let change = Change::plain().event("contact.sign_in_failed").personal_detail("email", email);
                let change = match &account {
                    Some(account) => about(change, account.contact_id),
                    None => change,
                };
                uow.record(Action::Login, "portal_account", account.as_ref().map(|account| account.id.uuid()), change);
                Ok(())
            })
            .await
    }
}

/// Says in whose portal a contact begins: a client that lets them in. What clients are is none of this crate's.
pub trait BeginsAt: AsyncFnOnce(&mut UnitOfWork, Uuid) -> Result<Option<Uuid>> {}

impl<F: AsyncFnOnce(&mut UnitOfWork, Uuid) -> Result<Option<Uuid>>> BeginsAt for F {}

/// Opens a session for a contact whose password was right. Runs as the installation.
///
/// # Errors
/// `invalid_credentials` when the account was switched off, or its password changed, meanwhile.
pub async fn sign_in(
    auth: &Auth,
    uow: &mut UnitOfWork,
    signed_in: &PortalSignedIn,
    begins_at: impl BeginsAt,
) -> Result<PortalTokens> {
    let refused = || Error::new(&INVALID_CREDENTIALS);
    let now = uow.now();
    let found = uow.locked::<PortalAccountRow>(accounts::of_contact(signed_in.account.contact_id)).await?;
    let account = found.filter(PortalAccountRow::signs_in).ok_or_else(refused)?;
    if account.password_changed_at != signed_in.account.password_changed_at {
        return Err(refused());
    }
    auth.store.shared().forget(&signed_in.attempts, ATTEMPTS_WINDOW).await;
    let change = Change::of(Action::Login).event("contact.signed_in").in_trail_of(Some(account.workspace_id));
    let change = about(change, account.contact_id);
    // clients are seen from within their workspace alone
    uow.enter(Some(account.workspace_id)).await?;
    let client = begins_at(uow, account.contact_id).await?;
    uow.enter(None).await?;
    let session = auth.open_session(uow, Owner::Contact(account.contact_id), signed_in.kind, client, change).await?;
    let mut seen = Query::update();
    seen.table("portal_account").value("last_login_at", now.value()).and_where(Expr::col("id").eq(account.id.uuid()));
    if let Some(ours) = &signed_in.replaced {
        seen.value("hash", ours.as_str());
    }
    uow.execute(&seen).await?;
    uow.enter(Some(account.workspace_id)).await?;
    if devices::OF_CONTACTS.meet(uow, account.id.uuid(), account.last_login_at).await? {
        let caller = uow.caller();
        let letter = Letter::PortalNewDevice { act: act(&caller, now) };
        auth.mail().post(uow, accounts::recipient(&account), &letter).await?;
    }
    uow.enter(None).await?;
    let pair = auth.issue(uow, &session).await?;
    Ok(PortalTokens::of(pair, &session, &account))
}

/// The next pair of tokens, or the news that the session was ended just now, which must be committed. Runs as the installation.
///
/// # Errors
/// `invalid_refresh_token` when it is unknown, expired, a staff account's, or its session or account has ended.
pub async fn refresh(
    auth: &Auth,
    uow: &mut UnitOfWork,
    input: &PortalRefresh,
    begins_at: impl BeginsAt,
) -> Result<Result<PortalTokens>> {
    let session = match take(uow, &input.refresh_token).await? {
        Ok(session) => session,
        Err(news) => return Ok(Err(news)),
    };
    let Owner::Contact(contact) = session.owner()? else { return Err(refused()) };
    let account = accounts::find(uow, contact).await?.filter(PortalAccountRow::signs_in).ok_or_else(refused)?;
    if session.client_id.is_none() {
        // one that began when nobody let them in, or before sessions said where they are
        uow.enter(Some(account.workspace_id)).await?;
        let client = begins_at(uow, contact).await?;
        uow.enter(None).await?;
        let mut begun = Query::update();
        begun.table("session").value("client_id", client).and_where(Expr::col("id").eq(session.id.uuid()));
        uow.execute(&begun).await?;
    }
    let pair = auth.issue(uow, &session).await?;
    Ok(Ok(PortalTokens::of(pair, &session, &account)))
}
