//! Sessions: signing in, going on with a refresh token, signing out. They are of staff accounts, and of contacts who sign in to the portal.

pub(crate) mod login;
pub(crate) mod manage;
pub(crate) mod refresh;

use kernel::{DateTime, Result, TypedId as _, UserId};
use serde::{Deserialize, Serialize};
use store::query::{Expr, ExprTrait, Query};
use store::{Action, Change, Conn, Field as _, Record as _, UnitOfWork};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::keys::{Claims, PORTAL, STAFF};
use crate::portal::about;
use crate::rows::{SessionId, SessionKind, SessionRow};
use crate::users::User;
use crate::{Auth, secret_text};

pub use login::{Login, SendLockOut, SignedIn, sign_in};
pub use manage::{
    EndSessions, EndedSessions, SESSION_LIST, Session, end_all_of, end_all_own, end_of, end_own, list_of, list_own,
};
pub use refresh::{Refresh, refresh};

/// What one holds after signing in.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Tokens {
    /// Send it as `Authorization: Bearer …`.
    pub access_token: String,
    /// `Bearer`.
    pub token_type: String,
    /// Seconds until the access token expires.
    pub expires_in: i64,
    /// Gets the next pair; it works once.
    pub refresh_token: String,
    /// When the session ends at the latest.
    pub session_expires_at: DateTime,
    /// The account.
    pub user: User,
}

impl Auth {
    /// How long a session of a kind lasts.
    fn session_length(&self, kind: SessionKind) -> chrono::Duration {
        match kind {
            SessionKind::Browser => chrono::Duration::hours(self.config.browser_session_hours),
            SessionKind::App => chrono::Duration::days(self.config.refresh_token_days),
        }
    }

    /// A pair of tokens for a session, the refresh token written down.
    pub(crate) async fn issue(&self, uow: &mut UnitOfWork, session: &SessionRow) -> Result<Pair> {
        let (now, owner) = (uow.now(), session.owner()?);
        let refresh_token = secret_text::make("plr_", uow.random());
        let mut insert = Query::insert();
        insert.into_table("refresh_token").columns(["hash", "session_id", "created_at", "expires_at"]).values_panic(
            [secret_text::hash(&refresh_token).value(), session.id.value(), now.value(), session.expires_at.value()]
                .map(Expr::value),
        );
        uow.execute(&insert).await?;
        let lifetime = chrono::Duration::minutes(self.config.access_token_minutes).min(session.expires_at - now);
        let claims = Claims {
            sub: owner.id(),
            sid: session.id.uuid(),
            aud: owner.audience().to_owned(),
            iat: now.timestamp(),
            exp: (now + lifetime).timestamp(),
        };
        Ok(Pair { access_token: self.keys.sign(&claims)?, expires_in: lifetime.num_seconds(), refresh_token })
    }

    /// Opens a session of an account; a contact's begins in the portal of this client.
    pub(crate) async fn open_session(
        &self,
        uow: &mut UnitOfWork,
        owner: Owner,
        kind: SessionKind,
        client_id: Option<Uuid>,
        change: Change,
    ) -> Result<SessionRow> {
        let (caller, now) = (uow.caller(), uow.now());
        let (user_id, contact_id) = match owner {
            Owner::Staff(user) => (Some(user), None),
            Owner::Contact(contact) => (None, Some(contact)),
        };
        let session = SessionRow {
            id: uow.id(),
            user_id,
            contact_id,
            client_id,
            kind,
            ip: caller.origin.ip.map(|ip| ip.to_string()),
            user_agent: caller.origin.user_agent.clone(),
            expires_at: now + self.session_length(kind),
            last_used_at: None,
            revoked_at: None,
            revoked_because: None,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        uow.insert(&session, change).await?;
        Ok(session)
    }
}

/// What a session is gone on with.
pub(crate) struct Pair {
    pub access_token: String,
    /// Seconds until the access token expires.
    pub expires_in: i64,
    pub refresh_token: String,
}

/// Whose a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Staff(UserId),
    Contact(Uuid),
}

impl Owner {
    /// The account, or the contact.
    fn id(self) -> Uuid {
        match self {
            Self::Staff(user) => user.uuid(),
            Self::Contact(contact) => contact,
        }
    }

    fn audience(self) -> &'static str {
        match self {
            Self::Staff(_) => STAFF,
            Self::Contact(_) => PORTAL,
        }
    }

    /// That a session of theirs was ended; a contact's stands in the contact's trail.
    fn ended(self) -> Change {
        let change = Change::plain().event("session.revoked");
        match self {
            Self::Staff(_) => change,
            Self::Contact(contact) => about(change, contact),
        }
    }

    /// The condition that a session is theirs.
    fn owns(self) -> Expr {
        let column = match self {
            Self::Staff(_) => "user_id",
            Self::Contact(_) => "contact_id",
        };
        Expr::col(("session", column)).eq(self.id())
    }
}

impl From<UserId> for Owner {
    fn from(user: UserId) -> Self {
        Self::Staff(user)
    }
}

impl SessionRow {
    /// Whose it is.
    pub(crate) fn owner(&self) -> Result<Owner> {
        match (self.user_id, self.contact_id) {
            (Some(user), None) => Ok(Owner::Staff(user)),
            (None, Some(contact)) => Ok(Owner::Contact(contact)),
            _ => Err(kernel::Error::internal("a session is of one account")),
        }
    }
}

impl Tokens {
    fn of(pair: Pair, session: &SessionRow, user: User) -> Self {
        Self {
            access_token: pair.access_token,
            token_type: BEARER.to_owned(),
            expires_in: pair.expires_in,
            refresh_token: pair.refresh_token,
            session_expires_at: session.expires_at,
            user,
        }
    }
}

/// How an access token is sent (RFC 6750).
pub(crate) const BEARER: &str = "Bearer";

pub(crate) async fn find(conn: &mut Conn, id: SessionId) -> Result<Option<SessionRow>> {
    let mut select = SessionRow::select();
    select.and_where(Expr::col(("session", "id")).eq(id.uuid()));
    conn.one(&select).await
}

async fn revoke(uow: &mut UnitOfWork, before: SessionRow, because: &str, change: Change) -> Result<()> {
    if before.revoked_at.is_some() {
        return Ok(());
    }
    let after = SessionRow { revoked_at: Some(uow.now()), revoked_because: Some(because.to_owned()), ..before.clone() };
    uow.update(&before, after, change).await.map(|_| ())
}

/// Ends every session of an account, but perhaps one; how many.
pub(crate) async fn revoke_all(
    uow: &mut UnitOfWork,
    owner: impl Into<Owner>,
    keep: Option<SessionId>,
    because: &str,
) -> Result<u64> {
    let mut select = SessionRow::select();
    let owner = owner.into();
    select.and_where(owner.owns()).and_where(Expr::col(("session", "revoked_at")).is_null());
    let mut ended = 0;
    for session in uow.all::<SessionRow>(&select).await?.into_iter().filter(|session| Some(session.id) != keep) {
        revoke(uow, session, because, owner.ended()).await?;
        ended += 1;
    }
    Ok(ended)
}

/// Signs out: ends the session that the caller is signed in on.
///
/// # Errors
/// `no_session` for anybody who is not signed in on one.
pub async fn sign_out(uow: &mut UnitOfWork) -> Result<()> {
    let (session, event) = match uow.caller().actor {
        kernel::Actor::User { session, .. } => (session, "user.signed_out"),
        kernel::Actor::Contact { session, .. } => (session, "contact.signed_out"),
        _ => return Err(kernel::Error::new(&crate::errors::NO_SESSION).with_detail("A token is ended by deleting it.")),
    };
    if let Some(session) = find(uow, SessionId::from_uuid(session)).await? {
        revoke(uow, session, "signed_out", Change::of(Action::Logout).event(event)).await?;
    }
    Ok(())
}
