//! The objects that files and imports have, for whoever copies all of them.

use kernel::{Caller, Cause, Result, TypedId as _, WorkspaceId};
use serde::{Deserialize, Serialize};
use store::query::{Expr, ExprTrait, Order, Query, SelectStatement};
use store::{Row, Store};
use uuid::Uuid;

/// What objects belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Holder {
    /// A file.
    File,
    /// A file, as its thumbnail.
    Thumbnail,
    /// An import, as long as its file is kept.
    Import,
}

impl Holder {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::File, Self::Thumbnail, Self::Import];

    fn table(self) -> &'static str {
        match self {
            Self::File | Self::Thumbnail => "file",
            Self::Import => "import_run",
        }
    }

    /// Where the row has the key of the object, its length and its SHA-256; imports keep none.
    fn columns(self) -> (&'static str, &'static str, Option<&'static str>) {
        match self {
            Self::File => ("storage_key", "filesize_bytes", Some("sha256")),
            Self::Thumbnail => ("thumbnail_key", "thumbnail_bytes", Some("thumbnail_sha256")),
            Self::Import => ("storage_key", "filesize_bytes", None),
        }
    }
}

/// The object of a file or an import, as its row speaks of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// What it belongs to.
    pub holder: Holder,
    /// The row.
    pub id: Uuid,
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// The storage that it is in.
    pub storage: String,
    /// Its key there.
    pub key: String,
    /// Its length in bytes.
    pub length: u64,
    /// Its SHA-256, in hexadecimal; imports keep none.
    pub sha256: Option<String>,
}

/// Selects the objects of a workspace's files or imports, by the id of the row, those after one.
pub fn objects(holder: Holder, workspace: WorkspaceId, after: Option<Uuid>, at_once: u64) -> SelectStatement {
    let (key, length, sha256) = holder.columns();
    let mut select = Query::select();
    select
        .columns(["id", "workspace_id", "storage_bucket", key, length])
        .columns(sha256)
        .from(holder.table())
        .and_where(Expr::col("workspace_id").eq(workspace.uuid()))
        // not every picture has a thumbnail; the command line keeps no file of an import, and after 30 days nobody does
        .and_where(Expr::col(key).is_not_null())
        .order_by("id", Order::Asc)
        .limit(at_once);
    if let Some(after) = after {
        select.and_where(Expr::col("id").gt(after));
    }
    select
}

impl Object {
    /// Reads a row of [`objects`].
    ///
    /// # Errors
    /// `internal` when it is another row.
    pub fn read(holder: Holder, row: &Row) -> Result<Self> {
        Ok(Self {
            holder,
            id: row.get(0)?,
            workspace: row.get(1)?,
            storage: row.get(2)?,
            key: row.get(3)?,
            length: u64::try_from(row.get::<i64>(4)?).map_err(kernel::Error::internal)?,
            sha256: if holder.columns().2.is_some() { Some(row.get(5)?) } else { None },
        })
    }

    /// Whether the row still has it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn is_still_there(&self, store: &Store) -> Result<bool> {
        let caller = Caller::job(store.runtime().uuid(), Some(self.workspace), Cause::Command);
        let mut select = Query::select();
        select
            .column("id")
            .from(self.holder.table())
            .and_where(Expr::col("id").eq(self.id))
            .and_where(Expr::col(self.holder.columns().0).eq(self.key.as_str()));
        let mut reader = store.reader(&caller).await?;
        let found = reader.row(&select).await?;
        reader.close().await?;
        Ok(found.is_some())
    }
}
