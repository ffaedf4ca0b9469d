//! Mail as administrators see it: what went out, what waits, what came back. What a mail says is not shown, because it may open something.

use kernel::{Caller, DateTime, Error, Page, Permission, Result, TypedId as _};
use serde::{Deserialize, Serialize};
use store::list::{ListField, ListQuery, ListSpec};
use store::query::{Expr, ExprTrait, Order, SelectStatement};
use store::{Conn, Record as _};
use utoipa::ToSchema;

use crate::Mail;
use crate::language::Language;
use crate::letter::MailKind;
use crate::rows::{MailId, MailRow, MailState};

/// A mail, without what it says.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MailMessage {
    /// Its id.
    pub id: MailId,
    /// What it is for.
    pub kind: MailKind,
    /// The language that it is in.
    pub language: Language,
    /// To which address.
    pub to: String,
    /// To whom.
    pub to_name: Option<String>,
    /// Its subject.
    pub subject: String,
    /// The id that it has on its way, the same in every attempt.
    pub message_id: String,
    /// How it is with it.
    pub state: MailState,
    /// How often it was tried.
    pub attempts: i64,
    /// What went wrong last.
    pub last_problem: Option<String>,
    /// When it was taken.
    pub sent_at: Option<DateTime>,
    /// When it was written.
    pub created_at: DateTime,
    /// When it last changed.
    pub updated_at: DateTime,
    /// Counts its changes; the ETag is made from it.
    #[serde(skip)]
    pub version: i64,
}

impl From<MailRow> for MailMessage {
    fn from(row: MailRow) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            language: row.language,
            to: row.to_address,
            to_name: row.to_name,
            subject: row.subject,
            message_id: row.message_id,
            state: row.state,
            attempts: row.attempts,
            last_problem: row.last_problem,
            sent_at: row.sent_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

/// How mail can be listed.
pub static MAIL_LIST: ListSpec = ListSpec {
    name: "mail_messages",
    table: "mail_message",
    fields: &[
        ListField::word("state", MailState::TEXTS).indexed(),
        ListField::word("kind", MailKind::TEXTS),
        ListField::word("language", Language::TEXTS),
        ListField { column: "to_key", ..ListField::caseless("to").indexed() },
        ListField::time("sent_at").nullable(),
        ListField::time("created_at").sorted().indexed(),
    ],
    pairs: &[("state", "created_at")],
    ..ListSpec::EMPTY
};

fn visible_to(caller: &Caller) -> Result<SelectStatement> {
    caller.require(Permission::AdminManageSettings)?;
    let mut select = MailRow::select();
    select.and_where(Expr::col(("mail_message", "workspace_id")).eq(caller.workspace()?.uuid()));
    Ok(select)
}

/// Mail of the workspace.
///
/// # Errors
/// `forbidden` without `admin.manage_settings`.
pub async fn list(conn: &mut Conn, caller: &Caller, query: &ListQuery) -> Result<Page<MailMessage>> {
    let page = store::list::page::<MailRow>(conn, caller, visible_to(caller)?, &MAIL_LIST, query).await?;
    Ok(page.map(MailMessage::from))
}

/// One mail of the workspace.
///
/// # Errors
/// `forbidden` without `admin.manage_settings`; `not_found`.
pub async fn get(conn: &mut Conn, caller: &Caller, id: MailId) -> Result<MailMessage> {
    let mut select = visible_to(caller)?;
    select.and_where(Expr::col(("mail_message", "id")).eq(id.uuid()));
    conn.one::<MailRow>(&select).await?.map(MailMessage::from).ok_or_else(Error::not_found)
}

/// A mail that waits, or lies in the folder, with what it says.
#[derive(Clone, Debug)]
pub struct WaitingMail {
    /// When it was written.
    pub created_at: DateTime,
    /// What it is for.
    pub kind: MailKind,
    /// To whom.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub body: String,
    /// What went wrong when it was last tried.
    pub last_problem: Option<String>,
}

impl Mail {
    /// Mail that lies in the folder where no server is configured, oldest first. For the installation's own operator.
    ///
    /// # Errors
    /// `forbidden` to anybody but the installation itself; `internal` where the folder cannot be read.
    pub async fn in_folder(&self, caller: &Caller) -> Result<Vec<WaitingMail>> {
        caller.require(Permission::AdminSystemBackup)?;
        self.0.transport.in_folder().await
    }
}

/// Mail that waits, oldest first. For the installation's own operator.
///
/// # Errors
/// `forbidden` to anybody but the installation itself.
pub async fn waiting(conn: &mut Conn, caller: &Caller) -> Result<Vec<WaitingMail>> {
    caller.require(Permission::AdminSystemBackup)?;
    let mut select = MailRow::select();
    select
        .and_where(Expr::col(("mail_message", "state")).eq(MailState::Waiting.as_str()))
        .order_by(("mail_message", "created_at"), Order::Asc);
    let rows = conn.all::<MailRow>(&select).await?;
    let shown = |row: MailRow| WaitingMail {
        created_at: row.created_at,
        kind: row.kind,
        to: row.to_address,
        subject: row.subject,
        body: row.body,
        last_problem: row.last_problem,
    };
    Ok(rows.into_iter().map(shown).collect())
}
