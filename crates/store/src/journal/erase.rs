//! Erasing personal values: the one change that the journal allows, and only to nothing.

use kernel::Result;
use sea_orm::sea_query::{Expr, ExprTrait, Query, Value};
use uuid::Uuid;

use crate::field::Field;
use crate::uow::UnitOfWork;

/// Erases every personal value that the journal holds of a record, and returns in how many entries. The entries stay.
///
/// # Errors
/// What the database says.
pub async fn erase_record(uow: &mut UnitOfWork, record_id: Uuid) -> Result<u64> {
    let now = uow.now();
    let mut erase = Query::update();
    erase
        .table("journal_personal")
        .value("changes", Value::Json(None))
        .value("ip", Value::String(None))
        .value("user_agent", Value::String(None))
        .value("erased_at", now.value())
        .and_where(Expr::col("record_id").eq(record_id))
        .and_where(Expr::col("erased_at").is_null());
    uow.execute(&erase).await
}
