//! Erasing personal values: the one change that the journal allows, and only to nothing.

use kernel::Result;
use sea_orm::sea_query::{Expr, ExprTrait, Query, Value};
use uuid::Uuid;

use crate::field::Field;
use crate::uow::UnitOfWork;

/// Erases every personal value that the journal holds of these records, and returns in how many entries. The entries stay.
///
/// # Errors
/// What the database says.
pub async fn erase(uow: &mut UnitOfWork, records: impl IntoIterator<Item = Uuid>) -> Result<u64> {
    let now = uow.now();
    let mut update = Query::update();
    update
        .table("journal_personal")
        .value("changes", Value::Json(None))
        .value("ip", Value::String(None))
        .value("user_agent", Value::String(None))
        .value("erased_at", now.value())
        .and_where(Expr::col("record_id").is_in(records))
        .and_where(Expr::col("erased_at").is_null());
    uow.execute(&update).await
}
