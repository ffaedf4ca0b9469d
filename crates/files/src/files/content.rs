//! The content of files, for those who may have it.

use std::ops::Range;

use kernel::{Caller, Cause, Error, Result, TypedId as _, WorkspaceId};
use store::dialect::unindexed;
use store::query::{Expr, ExprTrait, Order};
use store::{Conn, Record as _};

use super::list::get_row;
use crate::content::FileType;
use crate::rows::{FileId, FileRow};
use crate::service::Files;
use crate::storage::Content;

/// A file whose content the caller may have.
#[derive(Clone, Debug)]
pub struct Readable {
    /// Its name.
    pub filename: String,
    /// Its type.
    pub mime_type: String,
    /// How many bytes it has.
    pub length: u64,
    /// Its digest, which names its content.
    pub sha256: String,
    /// Whether a browser may show it in its own window.
    pub may_be_shown: bool,
    pub(crate) bucket: String,
    pub(crate) key: String,
}

impl Readable {
    pub(crate) fn of(row: FileRow) -> Result<Self> {
        let may_be_shown = FileType::of_mime(&row.mime_type).is_some_and(FileType::may_be_shown);
        Ok(Self {
            filename: row.filename,
            mime_type: row.mime_type,
            length: u64::try_from(row.filesize_bytes).map_err(Error::internal)?,
            sha256: row.sha256,
            may_be_shown,
            bucket: row.storage_bucket,
            key: row.storage_key,
        })
    }

    /// Where its content is.
    pub(crate) fn place(&self) -> (&str, &str) {
        (&self.bucket, &self.key)
    }

    /// Whether its content is where it should be.
    ///
    /// # Errors
    /// `storage_unavailable`.
    pub async fn is_there(&self, files: &Files) -> Result<bool> {
        files.storages().of(&self.bucket)?.has(&self.key).await
    }

    /// Its content, or a part of it.
    ///
    /// # Errors
    /// `storage_unavailable`.
    pub async fn open(&self, files: &Files, range: Option<Range<u64>>) -> Result<Content> {
        files.storages().of(&self.bucket)?.open(&self.key, range).await
    }
}

/// A file whose content the caller may have.
///
/// # Errors
/// `not_found`.
pub async fn readable(conn: &mut Conn, caller: &Caller, files: &Files, id: FileId) -> Result<Readable> {
    Readable::of(get_row(conn, caller, files, id).await?)
}

/// The contents of these files, in the order of their ids, for whoever is told of the files: the domain of their record has seen to that. One that
/// is gone is left out.
///
/// # Errors
/// What the database says.
pub async fn contents(conn: &mut Conn, caller: &Caller, ids: &[FileId]) -> Result<Vec<(FileId, Readable)>> {
    let mut select = FileRow::select();
    select
        .and_where(unindexed(conn.dialect(), "file", "workspace_id").eq(caller.workspace()?.uuid()))
        .and_where(Expr::col(("file", "id")).is_in(ids.iter().map(|id| id.uuid())))
        .order_by(("file", "id"), Order::Asc);
    let rows = conn.all::<FileRow>(&select).await?;
    rows.into_iter().map(|row| Ok((row.id, Readable::of(row)?))).collect()
}

/// The file that a link leads to, whoever has the link. One that was put away since is not there.
pub(crate) async fn of_link(files: &Files, workspace: WorkspaceId, id: FileId) -> Result<Readable> {
    let caller = Caller::job(id.uuid(), Some(workspace), Cause::Request);
    let mut select = FileRow::select();
    select
        .and_where(Expr::col(("file", "workspace_id")).eq(workspace.uuid()))
        .and_where(Expr::col(("file", "id")).eq(id.uuid()))
        .and_where(Expr::col(("file", "archived_at")).is_null());
    let mut reader = files.store().reader(&caller).await?;
    let row = reader.one::<FileRow>(&select).await?.ok_or_else(Error::not_found)?;
    reader.close().await?;
    Readable::of(row)
}
