//! The objects that files have, for whoever copies all of them.

use kernel::{Caller, Cause, Result, TypedId as _, WorkspaceId};
use serde::{Deserialize, Serialize};
use store::query::{Expr, ExprTrait, Order, Query, SelectStatement};
use store::{Row, Store};

use crate::rows::FileId;

/// The object of a file, as its row speaks of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// The file.
    pub id: FileId,
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// The storage that it is in.
    pub storage: String,
    /// Its key there.
    pub key: String,
    /// Its length in bytes.
    pub length: u64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
}

/// Selects the objects of a workspace's files, by the id of the file, those after one.
pub fn objects(workspace: WorkspaceId, after: Option<FileId>, at_once: u64) -> SelectStatement {
    let mut select = Query::select();
    select
        .columns(["id", "workspace_id", "storage_bucket", "storage_key", "filesize_bytes", "sha256"])
        .from("file")
        .and_where(Expr::col("workspace_id").eq(workspace.uuid()))
        .order_by("id", Order::Asc)
        .limit(at_once);
    if let Some(after) = after {
        select.and_where(Expr::col("id").gt(after.uuid()));
    }
    select
}

impl Object {
    /// Reads a row of [`objects`].
    ///
    /// # Errors
    /// `internal` when it is another row.
    pub fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            workspace: row.get(1)?,
            storage: row.get(2)?,
            key: row.get(3)?,
            length: u64::try_from(row.get::<i64>(4)?).map_err(kernel::Error::internal)?,
            sha256: row.get(5)?,
        })
    }

    /// Whether the file is there now.
    ///
    /// # Errors
    /// What the database says.
    pub async fn is_still_there(&self, store: &Store) -> Result<bool> {
        let caller = Caller::job(store.runtime().uuid(), Some(self.workspace), Cause::Command);
        let mut select = Query::select();
        select.column("id").from("file").and_where(Expr::col("id").eq(self.id.uuid()));
        let mut reader = store.reader(&caller).await?;
        let found = reader.row(&select).await?;
        reader.close().await?;
        Ok(found.is_some())
    }
}
