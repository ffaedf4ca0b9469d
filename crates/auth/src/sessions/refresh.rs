//! Going on: a refresh token buys the next pair, once. One that comes a second time was stolen, by the one who comes now or by the one
//! who came before; nobody can tell, so the session ends for both.

use kernel::{DateTime, Error, Result, TypedId as _};
use serde::{Deserialize, Serialize};
use store::query::{Expr, ExprTrait, Query};
use store::{Change, Field as _, UnitOfWork};
use utoipa::ToSchema;
use validator::Validate;

use super::{Owner, Tokens};
use crate::errors::{INVALID_REFRESH_TOKEN, REFRESH_TOKEN_REUSED};
use crate::rows::{SessionId, SessionRow};
use crate::users::{self, User};
use crate::{Auth, portal, secret_text};

/// The body of `POST /v1/auth/refresh`.
#[derive(Clone, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// The refresh token of the last pair.
    #[schema(min_length = 1, max_length = 200)]
    pub refresh_token: String,
}

/// The next pair of tokens, or the news that the session was ended just now. The news is no error here, because ending the
/// session must be committed. Runs as the installation.
///
/// # Errors
/// `invalid_refresh_token` when it is unknown, expired, a contact's, or its session or account has ended.
pub async fn refresh(auth: &Auth, uow: &mut UnitOfWork, input: &Refresh) -> Result<Result<Tokens>> {
    let session = match take(uow, &input.refresh_token).await? {
        Ok(session) => session,
        Err(news) => return Ok(Err(news)),
    };
    let Owner::Staff(user) = session.owner()? else { return Err(refused()) };
    let user = users::find(uow, user).await?.filter(|user| user.is_active).ok_or_else(refused)?;
    let pair = auth.issue(uow, &session).await?;
    Ok(Ok(Tokens::of(pair, &session, User::from(user))))
}

pub(crate) fn refused() -> Error {
    Error::new(&INVALID_REFRESH_TOKEN)
}

/// The session of a refresh token, which is used up by this; or the news that it came a second time and the session was ended.
pub(crate) async fn take(uow: &mut UnitOfWork, token: &str) -> Result<Result<SessionRow>> {
    let (now, hash) = (uow.now(), secret_text::hash(token));
    // taking it is one statement, so that of two who come at once only one succeeds
    let mut take = Query::update();
    take.table("refresh_token")
        .value("used_at", now.value())
        .and_where(Expr::col("hash").eq(hash.as_str()))
        .and_where(Expr::col("used_at").is_null());
    let taken = uow.execute(&take).await? == 1;
    let mut select = Query::select();
    select.columns(["session_id", "expires_at"]).from("refresh_token").and_where(Expr::col("hash").eq(hash.as_str()));
    let row = uow.row(&select).await?.ok_or_else(refused)?;
    let (session_id, expires_at): (SessionId, DateTime) = (row.get(0)?, row.get(1)?);
    let session = super::find(uow, session_id).await?.ok_or_else(refused)?;
    if !taken {
        let change = Change::plain().event("session.refresh_token_reused");
        let change = match session.owner()? {
            Owner::Staff(user) => change.about("user_account", user),
            Owner::Contact(contact) => portal::in_trail(uow, change, contact).await?,
        };
        super::revoke(uow, session, "refresh_token_reused", change).await?;
        metrics::counter!("pelatis_refresh_token_reuse_total").increment(1);
        return Ok(Err(Error::new(&REFRESH_TOKEN_REUSED)));
    }
    if session.revoked_at.is_some() || expires_at <= now {
        return Err(refused());
    }
    let mut used = Query::update();
    used.table("session").value("last_used_at", now.value()).and_where(Expr::col("id").eq(session.id.uuid()));
    uow.execute(&used).await?;
    Ok(Ok(session))
}
