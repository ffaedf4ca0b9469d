//! Sessions: signing in, going on with a refresh token, signing out.

mod login;
mod manage;
mod refresh;

use kernel::{DateTime, Result, TypedId as _, UserId};
use serde::{Deserialize, Serialize};
use store::query::{Expr, ExprTrait, Query};
use store::{Action, Change, Conn, Field as _, Record as _, UnitOfWork};
use utoipa::ToSchema;

use crate::keys::{Claims, STAFF};
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
    async fn issue(&self, uow: &mut UnitOfWork, session: &SessionRow, user: User) -> Result<Tokens> {
        let now = uow.now();
        let refresh_token = secret_text::make("plr_", uow.random());
        let mut insert = Query::insert();
        insert.into_table("refresh_token").columns(["hash", "session_id", "created_at", "expires_at"]).values_panic(
            [secret_text::hash(&refresh_token).value(), session.id.value(), now.value(), session.expires_at.value()]
                .map(Expr::value),
        );
        uow.execute(&insert).await?;
        let lifetime = chrono::Duration::minutes(self.config.access_token_minutes).min(session.expires_at - now);
        let claims = Claims {
            sub: user.id.uuid(),
            sid: session.id.uuid(),
            aud: STAFF.to_owned(),
            iat: now.timestamp(),
            exp: (now + lifetime).timestamp(),
        };
        Ok(Tokens {
            access_token: self.keys.sign(&claims)?,
            token_type: "Bearer".to_owned(),
            expires_in: lifetime.num_seconds(),
            refresh_token,
            session_expires_at: session.expires_at,
            user,
        })
    }
}

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
pub(crate) async fn revoke_all(uow: &mut UnitOfWork, user: UserId, keep: Option<SessionId>, because: &str) -> Result<u64> {
    let mut select = SessionRow::select();
    select.and_where(Expr::col(("session", "user_id")).eq(user.uuid())).and_where(Expr::col(("session", "revoked_at")).is_null());
    let mut ended = 0;
    for session in uow.all::<SessionRow>(&select).await?.into_iter().filter(|session| Some(session.id) != keep) {
        revoke(uow, session, because, Change::plain().event("session.revoked")).await?;
        ended += 1;
    }
    Ok(ended)
}

/// Signs out: ends the session that the caller is signed in on.
///
/// # Errors
/// `no_session` for anybody who is not signed in on one.
pub async fn sign_out(uow: &mut UnitOfWork) -> Result<()> {
    let caller = uow.caller();
    let kernel::Actor::User { session, .. } = caller.actor else {
        return Err(kernel::Error::new(&crate::errors::NO_SESSION).with_detail("A token is ended by deleting it."));
    };
    if let Some(session) = find(uow, SessionId::from_uuid(session)).await? {
        revoke(uow, session, "signed_out", Change::of(Action::Logout).event("user.signed_out")).await?;
    }
    Ok(())
}
