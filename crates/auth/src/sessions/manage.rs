//! Sessions as their owner and whoever manages users see them, and their end.

use kernel::{Actor, Caller, DateTime, Error, Page, Permission, Result, TypedId as _, UserId};
use serde::{Deserialize, Serialize};
use store::list::{ListField, ListQuery, ListSpec};
use store::query::{Expr, ExprTrait, SelectStatement};
use store::{Conn, Record as _, UnitOfWork};
use utoipa::ToSchema;
use validator::Validate;

use super::{Owner, revoke, revoke_all};
use crate::rows::{SessionId, SessionKind, SessionRow};
use crate::{signed_in, users};

/// A sign-in on a device that goes on.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// What it is for.
    pub kind: SessionKind,
    /// The address that it was signed in from.
    pub ip: Option<String>,
    /// What the device calls itself.
    pub user_agent: Option<String>,
    /// Whether it is the one that the request came on.
    pub is_current: bool,
    /// When it last got a new pair of tokens; until then when it began.
    pub last_used_at: DateTime,
    /// When it ends at the latest.
    pub expires_at: DateTime,
    /// When it began.
    pub created_at: DateTime,
}

/// The body of `POST /v1/me/sessions/end` and `POST /v1/portal/me/sessions/end`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct EndSessions {
    /// Whether the one that the request comes on goes on; it does unless this is false.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_current: Option<bool>,
}

/// What became of it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EndedSessions {
    /// How many ended.
    pub ended: u64,
}

/// How sessions can be listed.
pub static SESSION_LIST: ListSpec = ListSpec {
    name: "sessions",
    table: "session",
    fields: &[
        ListField::word("kind", SessionKind::TEXTS),
        ListField::time("expires_at").sorted(),
        ListField::time("created_at").sorted(),
    ],
    ..ListSpec::EMPTY
};

fn wire(row: SessionRow, current: Option<SessionId>) -> Session {
    Session {
        is_current: Some(row.id) == current,
        id: row.id,
        kind: row.kind,
        ip: row.ip,
        user_agent: row.user_agent,
        last_used_at: row.last_used_at.unwrap_or(row.created_at),
        expires_at: row.expires_at,
        created_at: row.created_at,
    }
}

/// All sessions that are known of a contact, also those that have ended.
pub(crate) async fn of_contact(conn: &mut Conn, contact: uuid::Uuid) -> Result<Vec<Session>> {
    let mut select = SessionRow::select();
    select
        .and_where(Expr::col(("session", "contact_id")).eq(contact))
        .order_by(("session", "created_at"), store::query::Order::Asc);
    Ok(conn.all::<SessionRow>(&select).await?.into_iter().map(|row| wire(row, None)).collect())
}

/// The caller and the session that they are on: staff, or a contact in the portal.
fn own(caller: &Caller) -> Result<(Owner, SessionId)> {
    match caller.actor {
        Actor::Contact { contact, session } => Ok((Owner::Contact(contact), SessionId::from_uuid(session))),
        _ => signed_in(caller).map(|(user, session)| (Owner::Staff(user), session)),
    }
}

/// Those of an account that go on.
fn going_on(owner: Owner, now: DateTime) -> SelectStatement {
    let mut select = SessionRow::select();
    select
        .and_where(owner.owns())
        .and_where(Expr::col(("session", "revoked_at")).is_null())
        .and_where(Expr::col(("session", "expires_at")).gt(store::Field::value(&now)));
    select
}

/// The caller's own sessions that go on.
///
/// # Errors
/// `sign_in_needed` for a token.
pub async fn list_own(conn: &mut Conn, caller: &Caller, now: DateTime, query: &ListQuery) -> Result<Page<Session>> {
    let (owner, current) = own(caller)?;
    let query = query.within(owner.id());
    let page = store::list::page::<SessionRow>(conn, caller, going_on(owner, now), &SESSION_LIST, &query).await?;
    Ok(page.map(|row| wire(row, Some(current))))
}

/// The sessions of a member of the workspace that go on.
///
/// # Errors
/// `forbidden` without `admin.manage_users`; `not_found`.
pub async fn list_of(conn: &mut Conn, caller: &Caller, user: UserId, now: DateTime, query: &ListQuery) -> Result<Page<Session>> {
    users::get(conn, caller, user).await?;
    let current = signed_in(caller).ok().map(|(_, session)| session);
    let query = query.within(user.uuid());
    let page = store::list::page::<SessionRow>(conn, caller, going_on(user.into(), now), &SESSION_LIST, &query).await?;
    Ok(page.map(|row| wire(row, current)))
}

async fn end(uow: &mut UnitOfWork, owner: Owner, id: SessionId, because: &str) -> Result<()> {
    let mut select = going_on(owner, uow.now());
    select.and_where(Expr::col(("session", "id")).eq(id.uuid()));
    let row = uow.locked::<SessionRow>(select).await?.ok_or_else(Error::not_found)?;
    revoke(uow, row, because, owner.ended()).await
}

/// Ends one of the caller's own sessions, this one too.
///
/// # Errors
/// `sign_in_needed` for a token; `not_found` for one that is not theirs, or has ended.
pub async fn end_own(uow: &mut UnitOfWork, id: SessionId) -> Result<()> {
    let (owner, _) = own(&uow.caller())?;
    end(uow, owner, id, "ended_by_owner").await
}

/// Ends the caller's own sessions, but perhaps this one.
///
/// # Errors
/// `sign_in_needed` for a token.
pub async fn end_all_own(uow: &mut UnitOfWork, input: &EndSessions) -> Result<EndedSessions> {
    let (owner, current) = own(&uow.caller())?;
    if let Owner::Staff(user) = owner {
        // a sign-in that is under way is before this, and ends with the others, or after it
        users::find_locked(uow, user).await?;
    }
    let keep = Some(current).filter(|_| input.keep_current.unwrap_or(true));
    Ok(EndedSessions { ended: revoke_all(uow, owner, keep, "ended_by_owner").await? })
}

/// Ends one session of a member of the workspace.
///
/// # Errors
/// `forbidden` without `admin.manage_users`; `role_too_high` for a member who may more than the caller may; `shared_account` where the
/// account belongs to other workspaces too; `not_found`.
pub async fn end_of(uow: &mut UnitOfWork, user: UserId, id: SessionId) -> Result<()> {
    to_end(uow, user).await?;
    end(uow, user.into(), id, "ended_by_admin").await
}

/// Ends every session of a member of the workspace. API tokens of the account go on.
///
/// # Errors
/// As [`end_of`].
pub async fn end_all_of(uow: &mut UnitOfWork, user: UserId) -> Result<EndedSessions> {
    to_end(uow, user).await?;
    Ok(EndedSessions { ended: revoke_all(uow, user, None, "ended_by_admin").await? })
}

/// Makes sure that the caller may end sessions of this account.
async fn to_end(uow: &mut UnitOfWork, user: UserId) -> Result<()> {
    let caller = uow.caller();
    caller.require(Permission::AdminManageUsers)?;
    users::find_to_change(uow, user).await.map(|_| ())
}
