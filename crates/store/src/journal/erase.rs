//! Erasing personal values: the one change that the journal allows, and only to nothing.

use kernel::{DateTime, Result};
use sea_orm::sea_query::{Expr, ExprTrait, Query, UpdateStatement, Value};
use uuid::Uuid;

use crate::field::Field;
use crate::uow::UnitOfWork;

/// Records in one statement: an engine takes only so many parameters.
const AT_ONCE: usize = 500;

/// Erases every personal value that the journal holds of these records, and returns in how many entries. The entries stay.
///
/// # Errors
/// What the database says.
pub async fn erase(uow: &mut UnitOfWork, records: impl IntoIterator<Item = Uuid>) -> Result<u64> {
    let now = uow.now();
    let records: Vec<Uuid> = records.into_iter().collect();
    let mut erased = 0;
    for records in records.chunks(AT_ONCE) {
        erased += erase_some(uow, records, now).await?;
    }
    Ok(erased)
}

/// As [`erase`], of the records of a type that stand in the trails of these `subjects`, also of those that are gone.
///
/// # Errors
/// What the database says.
pub async fn erase_about(uow: &mut UnitOfWork, record_type: &'static str, subjects: &[Uuid]) -> Result<u64> {
    let mut erased = 0;
    for subjects in subjects.chunks(AT_ONCE) {
        let mut records = Query::select();
        records
            .distinct()
            .column("record_id")
            .from("journal_entry")
            .and_where(Expr::col("subject_id").is_in(subjects.iter().copied()))
            .and_where(Expr::col("record_type").eq(record_type));
        let records = uow.rows(&records).await?.iter().map(|row| row.get(0)).collect::<Result<Vec<Uuid>>>()?;
        erased += erase(uow, records).await?;
    }
    Ok(erased)
}

/// As [`erase`], of what this contact did, to whatever, and of nothing that others did.
///
/// # Errors
/// What the database says.
pub async fn erase_done_by_contact(uow: &mut UnitOfWork, contact: Uuid) -> Result<u64> {
    let mut done = Query::select();
    done.column("id")
        .from("journal_entry")
        // in so many words, by which the engine knows the index of contacts
        .and_where(Expr::cust("actor_kind = 'contact'"))
        .and_where(Expr::col("actor_id").eq(contact));
    let mut update = emptied(uow.now());
    update.and_where(Expr::col("entry_id").in_subquery(done));
    uow.execute(&update).await
}

/// Erases every personal value of these entries. The entries stay.
///
/// # Errors
/// What the database says.
pub async fn erase_entries(uow: &mut UnitOfWork, entries: &[Uuid]) -> Result<u64> {
    let now = uow.now();
    let mut erased = 0;
    for some in entries.chunks(AT_ONCE) {
        let mut update = emptied(now);
        update.and_where(Expr::col("entry_id").is_in(some.iter().copied()));
        erased += uow.execute(&update).await?;
    }
    Ok(erased)
}

async fn erase_some(uow: &mut UnitOfWork, records: &[Uuid], now: DateTime) -> Result<u64> {
    let mut update = emptied(now);
    update.and_where(Expr::col("record_id").is_in(records.iter().copied()));
    uow.execute(&update).await
}

/// Personal values that are not erased yet become nothing.
fn emptied(now: DateTime) -> UpdateStatement {
    let mut update = Query::update();
    update
        .table("journal_personal")
        .value("changes", Value::Json(None))
        .value("ip", Value::String(None))
        .value("user_agent", Value::String(None))
        .value("erased_at", now.value())
        .and_where(Expr::col("erased_at").is_null());
    update
}
