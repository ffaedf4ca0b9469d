//! Mail as the data of the person that it went to.

use kernel::{Caller, Result, TypedId as _};
use store::query::{Expr, ExprTrait, Order, SelectStatement};
use store::{Change, Conn, Record as _, UnitOfWork, journal};

use crate::messages::MailMessage;
use crate::rows::{MailRow, SuppressionRow, address_key};
use crate::suppressions::Suppression;

fn to(caller: &Caller, addresses: &[String]) -> Result<SelectStatement> {
    let mut select = MailRow::select();
    select
        .and_where(Expr::col(("mail_message", "workspace_id")).eq(caller.workspace()?.uuid()))
        .and_where(Expr::col(("mail_message", "to_key")).is_in(addresses.iter().map(|address| address_key(address))))
        .order_by(("mail_message", "id"), Order::Asc);
    Ok(select)
}

/// What the workspace wrote to these addresses. The domain of the person has seen to it that the caller may know.
///
/// # Errors
/// What the database says.
pub async fn written_to(conn: &mut Conn, caller: &Caller, addresses: &[String]) -> Result<Vec<MailMessage>> {
    Ok(conn.all::<MailRow>(&to(caller, addresses)?).await?.into_iter().map(MailMessage::from).collect())
}

/// Which of these addresses get no mail of the workspace.
///
/// # Errors
/// What the database says.
pub async fn suppressed(conn: &mut Conn, caller: &Caller, addresses: &[String]) -> Result<Vec<Suppression>> {
    let mut select = SuppressionRow::select();
    select
        .and_where(Expr::col(("mail_suppression", "workspace_id")).eq(caller.workspace()?.uuid()))
        .and_where(Expr::col(("mail_suppression", "address_key")).is_in(addresses.iter().map(|address| address_key(address))))
        .order_by(("mail_suppression", "id"), Order::Asc);
    Ok(conn.all::<SuppressionRow>(&select).await?.into_iter().map(Suppression::from).collect())
}

/// Deletes for ever what the workspace wrote to these addresses, also what still waits, and erases what the journal holds of it. How many.
///
/// # Errors
/// What the database says.
pub async fn forget(uow: &mut UnitOfWork, addresses: &[String]) -> Result<usize> {
    let rows = uow.locked_all::<MailRow>(to(&uow.caller(), addresses)?).await?;
    journal::erase(uow, rows.iter().map(|row| row.id.uuid())).await?;
    uow.delete_and_forget_all(&rows, |_| Change::plain()).await?;
    Ok(rows.len())
}
