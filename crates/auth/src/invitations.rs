//! Invitations: the only way in. A token is sent by mail, of which only the digest is kept; it works once and expires.

use kernel::{Caller, DateTime, Error, FieldError, Page, Permission, Result, TypedId as _, UserId};
use mail::{Letter, Recipient};
use serde::{Deserialize, Serialize};
use store::list::{ListField, ListQuery, ListSpec};
use store::query::{Expr, ExprTrait, SelectStatement};
use store::{Change, Conn, OnUnique as _, Record as _, UnitOfWork};
use utoipa::ToSchema;
use validator::Validate;

use crate::errors::{ALREADY_INVITED, ALREADY_MEMBER, INVALID_INVITATION};
use crate::rows::{InvitationId, InvitationRow, UserRow, WorkspaceRow};
use crate::users::{self, User};
use crate::{Auth, identify, memberships, password, roles, secret_text, shape, workspaces};

/// An invitation to the workspace.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// The address it was sent to.
    pub email: String,
    /// Given name, if known.
    pub given_name: Option<String>,
    /// Family name, if known.
    pub family_name: Option<String>,
    /// The key of the role that it gives.
    pub role: String,
    /// Who invited.
    pub invited_by: UserId,
    /// When it stops working.
    pub expires_at: DateTime,
    /// When it was accepted.
    pub accepted_at: Option<DateTime>,
    /// When it was taken back.
    pub revoked_at: Option<DateTime>,
    /// When it was made.
    pub created_at: DateTime,
    /// When it last changed.
    pub updated_at: DateTime,
    /// Counts its changes; the ETag is made from it.
    #[serde(skip)]
    pub version: i64,
}

/// The body of `POST /v1/invitations`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CreateInvitation {
    /// The address to send it to.
    #[schema(format = "email", max_length = 254)]
    #[validate(email(message = "must be an e-mail address"), length(max = 254))]
    pub email: String,
    /// The key of the role that it gives.
    pub role: String,
    /// Given name, if known.
    #[schema(max_length = 100)]
    #[validate(length(max = 100))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// Family name, if known.
    #[schema(max_length = 100)]
    #[validate(length(max = 100))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
}

/// The body of `POST /v1/auth/accept-invitation`. Somebody who has an account already gives the token alone.
#[derive(Clone, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct AcceptInvitation {
    /// The token from the mail.
    #[schema(min_length = 1, max_length = 200)]
    pub token: String,
    /// At least 12 characters and not easy to guess; needed for a new account.
    #[schema(format = "password")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// Needed for a new account where the invitation has none.
    #[schema(max_length = 100)]
    #[validate(length(max = 100))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// Needed for a new account where the invitation has none.
    #[schema(max_length = 100)]
    #[validate(length(max = 100))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
}

/// How invitations can be listed.
pub static INVITATION_LIST: ListSpec = ListSpec {
    name: "invitations",
    table: "invitation",
    fields: &[
        ListField::text("email_key"),
        ListField::time("expires_at").sorted(),
        ListField::time("accepted_at").nullable(),
        ListField::time("revoked_at").nullable(),
        ListField::time("created_at").sorted(),
    ],
    ..ListSpec::EMPTY
};

fn visible_to(caller: &Caller) -> Result<SelectStatement> {
    let mut select = InvitationRow::select();
    select.and_where(Expr::col(("invitation", "workspace_id")).eq(caller.workspace()?.uuid()));
    Ok(select)
}

async fn dress(conn: &mut Conn, row: InvitationRow) -> Result<Invitation> {
    let role = roles::find(conn, row.workspace_id, row.role_id).await?.map(|role| role.row.key).unwrap_or_default();
    Ok(wire(row, role))
}

fn wire(row: InvitationRow, role: String) -> Invitation {
    Invitation {
        id: row.id,
        email: row.email,
        given_name: row.given_name,
        family_name: row.family_name,
        role,
        invited_by: row.invited_by,
        expires_at: row.expires_at,
        accepted_at: row.accepted_at,
        revoked_at: row.revoked_at,
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    }
}

/// Invitations of the workspace.
///
/// # Errors
/// `forbidden` without `admin.manage_users`.
pub async fn list(conn: &mut Conn, caller: &Caller, query: &ListQuery) -> Result<Page<Invitation>> {
    caller.require(Permission::AdminManageUsers)?;
    let page = store::list::page::<InvitationRow>(conn, caller, visible_to(caller)?, &INVITATION_LIST, query).await?;
    let keys = roles::keys(conn, caller.workspace()?).await?;
    Ok(page.map(|row| {
        let role = keys.get(&row.role_id).cloned().unwrap_or_default();
        wire(row, role)
    }))
}

/// One invitation of the workspace.
///
/// # Errors
/// `forbidden` without `admin.manage_users`; `not_found`.
pub async fn get(conn: &mut Conn, caller: &Caller, id: InvitationId) -> Result<Invitation> {
    caller.require(Permission::AdminManageUsers)?;
    let mut select = visible_to(caller)?;
    select.and_where(Expr::col(("invitation", "id")).eq(id.uuid()));
    let row = conn.one::<InvitationRow>(&select).await?.ok_or_else(Error::not_found)?;
    dress(conn, row).await
}

/// Invites somebody; the mail with the token waits to be sent.
///
/// # Errors
/// `forbidden` without `admin.manage_users`; `role_too_high`; `already_member`; `already_invited`; `validation_failed`.
pub async fn create(auth: &Auth, uow: &mut UnitOfWork, input: CreateInvitation) -> Result<Invitation> {
    let caller = uow.caller();
    caller.require(Permission::AdminManageUsers)?;
    let (workspace, user, now) = (uow.workspace()?, caller.user()?, uow.now());
    // a role that is deleted meanwhile is gone before, or in use
    workspaces::lock(uow, workspace).await?;
    let role = memberships::role_to_give(uow, &caller, &input.role).await?;
    if let Some(account) = users::find_by_email(uow, &input.email).await?
        && users::is_member(uow, workspace, account.id).await?
    {
        return Err(Error::new(&ALREADY_MEMBER).with_field(FieldError::new("/email", "already_member", "belongs to a member")));
    }
    retire_dead(uow, &input.email).await?;
    let token = secret_text::make("pli_", uow.random());
    let row = InvitationRow {
        id: uow.id(),
        workspace_id: workspace,
        email_key: shape::email_key(&input.email),
        email: input.email.trim().to_owned(),
        given_name: input.given_name,
        family_name: input.family_name,
        role_id: role.id,
        invited_by: user,
        token_hash: secret_text::hash(&token),
        expires_at: now + chrono::Duration::days(auth.config.invitation_days),
        accepted_at: None,
        revoked_at: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    uow.insert(&row, Change::plain()).await.on_unique(|| {
        Error::new(&ALREADY_INVITED).with_field(FieldError::new("/email", "already_invited", "has an invitation that waits"))
    })?;
    // whoever has an account already reads in a language of their own
    let account = users::find_by_email(uow, &row.email).await?;
    let inviter = users::find(uow, user).await?.map(|inviter| format!("{} {}", inviter.given_name, inviter.family_name));
    let name = [row.given_name.as_deref(), row.family_name.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let to = Recipient {
        address: &row.email,
        name: Some(&name),
        locale: account.as_ref().map(|account| account.locale.as_str()),
        timezone: account.as_ref().map(|account| account.timezone.as_str()),
    };
    let inviter = inviter.unwrap_or_default();
    let letter = Letter::Invitation { inviter: &inviter, token: &token, expires_at: row.expires_at };
    auth.mail().post(uow, to, &letter).await?;
    Ok(wire(row, role.key))
}

/// An invitation that has expired, or whose inviter may not give it any more, stands in nobody's way.
async fn retire_dead(uow: &mut UnitOfWork, email: &str) -> Result<()> {
    let now = uow.now();
    let mut select = visible_to(&uow.caller())?;
    select
        .and_where(Expr::col(("invitation", "email_key")).eq(shape::email_key(email)))
        .and_where(Expr::col(("invitation", "accepted_at")).is_null())
        .and_where(Expr::col(("invitation", "revoked_at")).is_null());
    let Some(before) = uow.locked::<InvitationRow>(select).await? else { return Ok(()) };
    let event = if before.expires_at <= now {
        "invitation.expired"
    } else if uow.as_installation(async |conn| may_still_give(conn, &before).await).await? {
        return Ok(());
    } else {
        "invitation.revoked"
    };
    let after = InvitationRow { revoked_at: Some(now), ..before.clone() };
    uow.update(&before, after, Change::plain().event(event)).await?;
    Ok(())
}

/// Takes an invitation back.
///
/// # Errors
/// `forbidden` without `admin.manage_users`; `not_found`; `stale`; `invalid_invitation` when it was accepted.
pub async fn revoke(uow: &mut UnitOfWork, id: InvitationId, seen: Option<i64>) -> Result<()> {
    let caller = uow.caller();
    caller.require(Permission::AdminManageUsers)?;
    let mut select = visible_to(&caller)?;
    select.and_where(Expr::col(("invitation", "id")).eq(id.uuid()));
    let before = uow.locked::<InvitationRow>(select).await?.ok_or_else(Error::not_found)?;
    crate::check_seen(seen, before.version)?;
    if before.accepted_at.is_some() {
        return Err(Error::new(&INVALID_INVITATION).with_detail("It was accepted."));
    }
    let after = InvitationRow { revoked_at: before.revoked_at.or(Some(uow.now())), ..before.clone() };
    uow.update(&before, after, Change::plain().event("invitation.revoked")).await.map(|_| ())
}

/// What is known before the transaction: the password was checked and hashed off the event loop.
#[derive(Debug)]
pub struct Acceptance {
    token_hash: String,
    password_hash: Option<String>,
    given_name: Option<String>,
    family_name: Option<String>,
}

impl Auth {
    /// Checks an acceptance and hashes its password, outside any transaction.
    ///
    /// # Errors
    /// `invalid_invitation`; `validation_failed` when a new account lacks a good password or a name.
    pub async fn prepare_acceptance(&self, input: AcceptInvitation) -> Result<Acceptance> {
        let token_hash = secret_text::hash(&input.token);
        let mut reader = self.store.reader(&self.installation()).await?;
        let invitation = find_open(&mut reader, &token_hash, self.store.runtime().now()).await?;
        let account = users::find_by_email(&mut reader, &invitation.email).await?;
        reader.close().await?;
        let mut acceptance = Acceptance { token_hash, password_hash: None, given_name: None, family_name: None };
        if account.is_some() {
            return Ok(acceptance);
        }
        let mut faults = kernel::error::Faults::new();
        let mut name = |given: Option<String>, invited: Option<String>, pointer: &str| {
            let name = given.or(invited).map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
            if name.is_none() {
                faults.add(pointer, "required", "is needed for a new account");
            }
            name
        };
        acceptance.given_name = name(input.given_name, invitation.given_name, "/given_name");
        acceptance.family_name = name(input.family_name, invitation.family_name, "/family_name");
        match &input.password {
            None => faults.add("/password", "required", "is needed for a new account"),
            Some(password) => {
                let about = [
                    invitation.email.as_str(),
                    acceptance.given_name.as_deref().unwrap_or_default(),
                    acceptance.family_name.as_deref().unwrap_or_default(),
                ];
                faults.keep(password::check_new("/password", password, &about))?;
            }
        }
        faults.into_result()?;
        if let Some(password) = input.password {
            acceptance.password_hash = Some(self.passwords.hash(password).await?);
        }
        Ok(acceptance)
    }
}

async fn find_open(conn: &mut Conn, token_hash: &str, now: DateTime) -> Result<InvitationRow> {
    let mut select = InvitationRow::select();
    select.and_where(Expr::col(("invitation", "token_hash")).eq(token_hash));
    conn.one::<InvitationRow>(&select)
        .await?
        .filter(|row| row.accepted_at.is_none() && row.revoked_at.is_none() && row.expires_at > now)
        .ok_or_else(|| Error::new(&INVALID_INVITATION))
}

/// Accepts an invitation: makes the account where there is none, and the membership. Runs as the installation.
///
/// # Errors
/// `invalid_invitation` when it was used, taken back or expired meanwhile, and when whoever invited may not any more.
pub async fn accept(uow: &mut UnitOfWork, acceptance: &Acceptance) -> Result<User> {
    let now = uow.now();
    let mut select = InvitationRow::select();
    select.and_where(Expr::col(("invitation", "token_hash")).eq(acceptance.token_hash.as_str()));
    let found = uow.locked::<InvitationRow>(select).await?;
    let before = found
        .filter(|row| row.accepted_at.is_none() && row.revoked_at.is_none() && row.expires_at > now)
        .ok_or_else(|| Error::new(&INVALID_INVITATION))?;
    if !may_still_give(uow, &before).await? {
        return Err(Error::new(&INVALID_INVITATION).with_detail("Whoever invited may not any more."));
    }
    let user = match users::find_by_email(uow, &before.email).await? {
        Some(user) => user,
        None => {
            let account = NewAccount {
                email: &before.email,
                given_name: acceptance.given_name.as_deref().unwrap_or_default(),
                family_name: acceptance.family_name.as_deref().unwrap_or_default(),
                is_super_admin: false,
                password_hash: Some(acceptance.password_hash.as_deref().ok_or_else(|| Error::new(&INVALID_INVITATION))?),
            };
            insert_account(uow, account, before.workspace_id).await?
        }
    };
    uow.enter(Some(before.workspace_id)).await?;
    memberships::insert(uow, before.workspace_id, user.id, before.role_id).await.on_unique(|| Error::new(&ALREADY_MEMBER))?;
    let after = InvitationRow { accepted_at: Some(now), ..before.clone() };
    uow.update(&before, after, Change::plain().event("invitation.accepted").about("user_account", user.id)).await?;
    uow.enter(None).await?;
    Ok(user.into())
}

/// Whether whoever invited is still one who could: nobody gives more than they have, and who has left gives nothing.
async fn may_still_give(conn: &mut Conn, invitation: &InvitationRow) -> Result<bool> {
    let inviter = users::find(conn, invitation.invited_by).await?.filter(|user| user.is_active);
    let Some(inviter) = inviter else { return Ok(false) };
    let place = identify::place_in(conn, inviter.id, inviter.is_super_admin, invitation.workspace_id).await?;
    let role = roles::find(conn, invitation.workspace_id, invitation.role_id).await?;
    let (Some(place), Some(role)) = (place, role) else { return Ok(false) };
    Ok(place.permissions.contains(Permission::AdminManageUsers) && role.permissions.difference(&place.permissions).is_empty())
}

pub(crate) struct NewAccount<'a> {
    pub email: &'a str,
    pub given_name: &'a str,
    pub family_name: &'a str,
    pub is_super_admin: bool,
    /// None where they have to ask for a new one.
    pub password_hash: Option<&'a str>,
}

/// Makes an account with its password. It begins with the time zone and the language of its workspace.
pub(crate) async fn insert_account(
    uow: &mut UnitOfWork,
    account: NewAccount<'_>,
    workspace: kernel::WorkspaceId,
) -> Result<UserRow> {
    use store::Field as _;
    use store::query::Query;
    let now = uow.now();
    let mut select = WorkspaceRow::select();
    select.and_where(Expr::col(("workspace", "id")).eq(workspace.uuid()));
    let place = uow.one::<WorkspaceRow>(&select).await?.ok_or_else(Error::not_found)?;
    let user = UserRow {
        id: uow.id(),
        email: account.email.trim().to_owned(),
        email_key: shape::email_key(account.email),
        given_name: account.given_name.trim().to_owned(),
        family_name: account.family_name.trim().to_owned(),
        name_key: shape::name_key(account.given_name, account.family_name),
        phone: None,
        signature: None,
        timezone: place.timezone,
        locale: place.locale,
        is_super_admin: account.is_super_admin,
        is_active: true,
        last_login_at: None,
        default_workspace_id: Some(workspace),
        preferences: store::Json::default(),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    uow.insert(&user, Change::plain()).await?;
    let Some(hash) = account.password_hash else { return Ok(user) };
    let mut insert = Query::insert();
    insert
        .into_table("credential")
        .columns(["user_id", "hash", "changed_at"])
        .values_panic([user.id.value(), hash.to_owned().value(), now.value()].map(Expr::value));
    uow.execute(&insert).await?;
    Ok(user)
}
