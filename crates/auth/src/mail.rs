//! Mail that waits to be sent: written in the transaction that needs it, with its Message-ID fixed, so that sending it twice is
//! the same mail. `pelatis mail` shows what waits.

use kernel::{Caller, DateTime, Result, TypedId as _, WorkspaceId};
use serde::Serialize;
use store::query::{Expr, ExprTrait, Order, Query};
use store::{Conn, Field as _, UnitOfWork};

/// A mail that waits.
#[derive(Clone, Debug, Serialize)]
pub struct WaitingMail {
    /// When it was written.
    pub created_at: DateTime,
    /// What it is for, such as `invitation`.
    pub kind: String,
    /// To whom.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub body: String,
}

pub(crate) struct Mail<'a> {
    pub workspace: WorkspaceId,
    pub kind: &'static str,
    pub to: &'a str,
    pub subject: String,
    pub body: String,
}

pub(crate) async fn enqueue(uow: &mut UnitOfWork, mail: Mail<'_>) -> Result<()> {
    let (id, now): (crate::rows::InvitationId, DateTime) = (uow.id(), uow.now());
    let mut insert = Query::insert();
    insert
        .into_table("mail_message")
        .columns([
            "id",
            "workspace_id",
            "kind",
            "to_address",
            "subject",
            "body",
            "message_id",
            "version",
            "created_at",
            "updated_at",
        ])
        .values_panic(
            [
                id.uuid().value(),
                mail.workspace.value(),
                mail.kind.to_owned().value(),
                mail.to.to_owned().value(),
                mail.subject.value(),
                mail.body.value(),
                format!("<{id}@pelatis>").value(),
                1_i64.value(),
                now.value(),
                now.value(),
            ]
            .map(Expr::value),
        );
    uow.execute(&insert).await.map(|_| ())
}

/// Mail that waits, oldest first. For the installation's own operator.
///
/// # Errors
/// `forbidden` to anybody but the installation itself.
pub async fn waiting(conn: &mut Conn, caller: &Caller) -> Result<Vec<WaitingMail>> {
    caller.require(kernel::Permission::AdminSystemBackup)?;
    let mut select = Query::select();
    select
        .columns(["created_at", "kind", "to_address", "subject", "body"])
        .from("mail_message")
        .and_where(Expr::col("sent_at").is_null())
        .order_by("created_at", Order::Asc);
    conn.rows(&select)
        .await?
        .iter()
        .map(|row| {
            Ok(WaitingMail {
                created_at: row.get(0)?,
                kind: row.get(1)?,
                to: row.get(2)?,
                subject: row.get(3)?,
                body: row.get(4)?,
            })
        })
        .collect()
}
