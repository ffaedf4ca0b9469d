//! Addresses that get no mail from a workspace.

use kernel::{Caller, DateTime, Error, FieldError, Page, Permission, Result, TypedId as _, WorkspaceId};
use serde::{Deserialize, Serialize};
use store::list::{ListField, ListQuery, ListSpec};
use store::query::{Expr, ExprTrait, SelectStatement};
use store::{Change, Conn, OnUnique as _, Record as _, UnitOfWork};
use utoipa::ToSchema;
use validator::Validate;

use crate::errors::ALREADY_SUPPRESSED;
use crate::rows::{MailId, SuppressionId, SuppressionReason, SuppressionRow, address_key};

/// An address that gets no mail.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Suppression {
    /// Its id.
    pub id: SuppressionId,
    /// The address.
    pub address: String,
    /// Why.
    pub reason: SuppressionReason,
    /// The mail that came back, where it was one.
    pub mail_id: Option<MailId>,
    /// Since when.
    pub created_at: DateTime,
    /// When it last changed.
    pub updated_at: DateTime,
    /// Counts its changes; the ETag is made from it.
    #[serde(skip)]
    pub version: i64,
}

impl From<SuppressionRow> for Suppression {
    fn from(row: SuppressionRow) -> Self {
        Self {
            id: row.id,
            address: row.address,
            reason: row.reason,
            mail_id: row.mail_id,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

/// The body of `POST /v1/mail-suppressions`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CreateSuppression {
    /// The address.
    #[schema(format = "email", max_length = 254)]
    #[validate(email(message = "must be an e-mail address"), length(max = 254))]
    pub address: String,
    /// Why; `manual` unless given.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<SuppressionReason>,
}

/// How suppressed addresses can be listed.
pub static SUPPRESSION_LIST: ListSpec = ListSpec {
    name: "mail_suppressions",
    table: "mail_suppression",
    fields: &[
        ListField { column: "address_key", sort: Some("address_key"), ..ListField::caseless("address").indexed() },
        ListField::word("reason", SuppressionReason::TEXTS),
        ListField::time("created_at").sorted().indexed(),
    ],
    ..ListSpec::EMPTY
};

fn visible_to(caller: &Caller) -> Result<SelectStatement> {
    caller.require(Permission::AdminManageSettings)?;
    let mut select = SuppressionRow::select();
    select.and_where(Expr::col(("mail_suppression", "workspace_id")).eq(caller.workspace()?.uuid()));
    Ok(select)
}

/// Suppressed addresses of the workspace.
///
/// # Errors
/// `forbidden` without `admin.manage_settings`.
pub async fn list(conn: &mut Conn, caller: &Caller, query: &ListQuery) -> Result<Page<Suppression>> {
    let page = store::list::page::<SuppressionRow>(conn, caller, visible_to(caller)?, &SUPPRESSION_LIST, query).await?;
    Ok(page.map(Suppression::from))
}

/// One suppressed address.
///
/// # Errors
/// `forbidden` without `admin.manage_settings`; `not_found`.
pub async fn get(conn: &mut Conn, caller: &Caller, id: SuppressionId) -> Result<Suppression> {
    let mut select = visible_to(caller)?;
    select.and_where(Expr::col(("mail_suppression", "id")).eq(id.uuid()));
    conn.one::<SuppressionRow>(&select).await?.map(Suppression::from).ok_or_else(Error::not_found)
}

/// Suppresses an address.
///
/// # Errors
/// `forbidden` without `admin.manage_settings`; `already_suppressed`.
pub async fn create(uow: &mut UnitOfWork, input: CreateSuppression) -> Result<Suppression> {
    let caller = uow.caller();
    caller.require(Permission::AdminManageSettings)?;
    let workspace = uow.workspace()?;
    let mut row = row(uow, workspace, &input.address, input.reason.unwrap_or(SuppressionReason::Manual), None);
    row.created_by = caller.actor.user();
    uow.insert(&row, Change::plain()).await.on_unique(|| {
        Error::new(&ALREADY_SUPPRESSED).with_field(FieldError::new("/address", "already_suppressed", "is suppressed already"))
    })?;
    Ok(row.into())
}

/// Lets an address get mail again.
///
/// # Errors
/// `forbidden` without `admin.manage_settings`; `not_found`; `stale`.
pub async fn delete(uow: &mut UnitOfWork, id: SuppressionId, seen: Option<i64>) -> Result<()> {
    let mut select = visible_to(&uow.caller())?;
    select.and_where(Expr::col(("mail_suppression", "id")).eq(id.uuid()));
    let row = uow.locked::<SuppressionRow>(select).await?.ok_or_else(Error::not_found)?;
    match seen {
        Some(seen) if seen != row.version => Err(Error::new(&kernel::error::codes::STALE)),
        _ => uow.delete(&row, Change::plain()).await,
    }
}

fn row(
    uow: &UnitOfWork,
    workspace: WorkspaceId,
    address: &str,
    reason: SuppressionReason,
    mail: Option<MailId>,
) -> SuppressionRow {
    let now = uow.now();
    SuppressionRow {
        id: uow.id(),
        workspace_id: workspace,
        address: address.trim().to_owned(),
        address_key: address_key(address),
        reason,
        mail_id: mail,
        created_by: None,
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

async fn find(conn: &mut Conn, workspace: WorkspaceId, key: &str) -> Result<Option<SuppressionRow>> {
    let mut select = SuppressionRow::select();
    select
        .and_where(Expr::col(("mail_suppression", "workspace_id")).eq(workspace.uuid()))
        .and_where(Expr::col(("mail_suppression", "address_key")).eq(key));
    conn.one(&select).await
}

/// Why an address gets no mail; none where it gets some.
pub(crate) async fn reason(conn: &mut Conn, workspace: WorkspaceId, key: &str) -> Result<Option<SuppressionReason>> {
    Ok(find(conn, workspace, key).await?.map(|row| row.reason))
}

/// Suppresses an address that a mail came back from. One that was suppressed for another reason does not work either, from now on.
pub(crate) async fn add(
    uow: &mut UnitOfWork,
    workspace: WorkspaceId,
    address: &str,
    reason: SuppressionReason,
    mail: Option<MailId>,
) -> Result<()> {
    match find(uow, workspace, &address_key(address)).await? {
        Some(before) => {
            let after = SuppressionRow { reason, mail_id: mail, ..before.clone() };
            uow.update(&before, after, Change::plain()).await.map(|_| ())
        }
        None => {
            let row = row(uow, workspace, address, reason, mail);
            // somebody else was faster: then this is tried again, and finds it
            uow.insert(&row, Change::plain()).await.on_unique(|| Error::new(&store::errors::BUSY))
        }
    }
}
