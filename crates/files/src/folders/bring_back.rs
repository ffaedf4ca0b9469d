//! Bringing back the folders of a record.

use std::collections::HashSet;

use kernel::{Error, Result};
use store::query::{Expr, ExprTrait, Order};
use store::{Change, Conn, Record as _, UnitOfWork};
use uuid::Uuid;

use crate::rows::{FolderId, FolderRow};

/// The folders that a record had, read from the database of a backup.
pub(crate) async fn had(conn: &mut Conn, rel_type: &str, rel_id: Uuid) -> Result<Vec<FolderRow>> {
    let mut select = FolderRow::select();
    select
        .and_where(Expr::col(("folder", "rel_type")).eq(rel_type))
        .and_where(Expr::col(("folder", "rel_id")).eq(rel_id))
        .order_by(("folder", "id"), Order::Asc);
    conn.all(&select).await
}

/// The names of the folders on a record. The domain of the record has seen to it that the caller may know.
///
/// # Errors
/// What the database says.
pub async fn names(conn: &mut Conn, rel_type: &str, rel_id: Uuid) -> Result<Vec<String>> {
    Ok(had(conn, rel_type, rel_id).await?.into_iter().map(|row| row.name).collect())
}

/// Makes folders once more: those in which others lie first.
pub(crate) async fn bring_back(uow: &mut UnitOfWork, folders: &[FolderRow], change: impl Fn() -> Change) -> Result<()> {
    let mut there: HashSet<FolderId> = HashSet::new();
    while there.len() < folders.len() {
        let missing = folders.iter().filter(|row| !there.contains(&row.id));
        let ready: Vec<&FolderRow> = missing.filter(|row| row.parent_id.is_none_or(|parent| there.contains(&parent))).collect();
        if ready.is_empty() {
            return Err(Error::internal("folders lie in a circle"));
        }
        for row in ready {
            uow.bring_back(row.clone(), change()).await?;
            there.insert(row.id);
        }
    }
    Ok(())
}
