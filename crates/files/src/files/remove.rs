//! Removing files for ever. The row goes with its transaction, which also notes the object; the object goes after it, when the row is known
//! to be gone. What could not be removed at once stays noted.

use std::sync::Arc;

use kernel::{Caller, Error, Permission, Result, TypedId as _};
use store::query::{Expr, ExprTrait, Order, Query};
use store::{Change, Field as _, Record as _, UnitOfWork, journal};
use uuid::Uuid;

use super::commands::{about, editable};
use super::list::find_locked;
use crate::errors::FILE_NOT_ARCHIVED;
use crate::folders;
use crate::rows::{FileId, FileRow};
use crate::service::Files;

/// Objects that are removed in one go.
const AT_ONCE: u64 = 100;

/// Deletes an archived file for ever, and erases the personal values that the journal holds of it.
///
/// # Errors
/// `not_found`; `forbidden` without `files.delete`, or without the right to edit the record that it is on; `stale`; `file_not_archived`.
pub async fn purge(uow: &mut UnitOfWork, files: &Files, id: FileId, seen: Option<i64>) -> Result<()> {
    let row = find_locked(uow, files, id, seen).await?;
    uow.caller().require(Permission::FilesDelete)?;
    let change = editable(uow, files, &row, Permission::FilesDelete).await?;
    if row.archived_at.is_none() {
        return Err(Error::new(&FILE_NOT_ARCHIVED).with_detail("Archive it first."));
    }
    delete(uow, &row, change).await
}

async fn delete(uow: &mut UnitOfWork, row: &FileRow, change: Change) -> Result<()> {
    note_removal(uow, row.id.uuid(), &row.storage_bucket, &row.storage_key).await?;
    if let Some(key) = &row.thumbnail_key {
        let id: FileId = uow.id();
        note_removal(uow, id.uuid(), &row.storage_bucket, key).await?;
    }
    journal::erase(uow, [row.id.uuid()]).await?;
    uow.delete_and_forget(row, change).await
}

/// Notes an object that is to be removed once this commits.
pub(crate) async fn note_removal(uow: &mut UnitOfWork, id: Uuid, bucket: &str, key: &str) -> Result<()> {
    let mut insert = Query::insert();
    insert
        .into_table("file_removal")
        .columns(["id", "workspace_id", "storage_bucket", "storage_key", "created_at"])
        .values_panic([
            Expr::value(id.value()),
            Expr::value(uow.workspace()?.value()),
            Expr::value(bucket.to_owned()),
            Expr::value(key.to_owned()),
            Expr::value(uow.now().value()),
        ]);
    uow.execute(&insert).await.map(|_| ())
}

/// Deletes every file on records of one type that are purged, and their folders.
///
/// # Errors
/// What the database says.
pub async fn forget(uow: &mut UnitOfWork, rel_type: &'static str, records: &[Uuid]) -> Result<()> {
    let mut select = FileRow::select();
    select
        .and_where(Expr::col(("file", "workspace_id")).eq(uow.workspace()?.uuid()))
        .and_where(Expr::col(("file", "rel_id")).is_in(records.iter().copied()))
        .order_by(("file", "id"), Order::Asc);
    for row in uow.all::<FileRow>(&select).await? {
        delete(uow, &row, row.rel_id.map_or_else(Change::plain, |rel_id| about(rel_type, rel_id))).await?;
    }
    folders::forget(uow, rel_type, records).await
}

/// Removes the objects of files that were deleted, as far as their storages are there, and says how many.
///
/// # Errors
/// What the database says.
pub async fn sweep(files: &Files, caller: &Arc<Caller>) -> Result<u64> {
    let mut removed = 0;
    let mut after: Option<FileId> = None;
    loop {
        let mut select = Query::select();
        select.columns(["id", "storage_bucket", "storage_key"]).from("file_removal").order_by("id", Order::Asc).limit(AT_ONCE);
        if let Some(after) = after {
            select.and_where(Expr::col("id").gt(after.uuid()));
        }
        let mut reader = files.store().reader(caller).await?;
        let rows = reader.rows(&select).await?;
        reader.close().await?;
        if rows.is_empty() {
            return Ok(removed);
        }
        for row in &rows {
            let (id, bucket, key): (FileId, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            after = Some(id);
            let gone = match files.storages().of(&bucket) {
                Ok(storage) => storage.remove(&key).await,
                Err(error) => Err(error),
            };
            match gone {
                Ok(()) => {
                    files.store().write(caller, async |uow| settle(uow, id).await).await?;
                    removed += 1;
                }
                Err(error) => tracing::warn!(?error, "an object of a deleted file is removed later"),
            }
        }
    }
}

async fn settle(uow: &mut UnitOfWork, id: FileId) -> Result<()> {
    let mut delete = Query::delete();
    delete.from_table("file_removal").and_where(Expr::col("id").eq(id.uuid()));
    uow.execute(&delete).await.map(|_| ())
}
