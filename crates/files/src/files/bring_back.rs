//! Bringing back the files and folders of a record, from the database of a backup.

use std::collections::HashMap;
use std::path::Path;

use kernel::{Error, Result};
use store::jobs::Job;
use store::query::{Expr, ExprTrait, Order};
use store::{Conn, Record as _, UnitOfWork};
use uuid::Uuid;

use super::about;
use crate::folders;
use crate::rows::{FileId, FileRow, FolderRow, Thumbnail};
use crate::service::Files;
use crate::thumbnails::MakeThumbnail;

/// The files and folders that a record had when it was backed up.
#[derive(Clone, Debug)]
pub struct Had {
    rel_type: &'static str,
    rel_id: Uuid,
    folders: Vec<FolderRow>,
    files: Vec<FileRow>,
}

/// An object that was put into its storage once more.
#[derive(Clone, Debug)]
pub struct Again {
    bucket: String,
    key: String,
}

/// What a record had, read from the database of a backup.
///
/// # Errors
/// What the database says.
pub async fn had(conn: &mut Conn, rel_type: &'static str, rel_id: Uuid) -> Result<Had> {
    let mut select = FileRow::select();
    select
        .and_where(Expr::col(("file", "rel_type")).eq(rel_type))
        .and_where(Expr::col(("file", "rel_id")).eq(rel_id))
        .order_by(("file", "id"), Order::Asc);
    let files = conn.all::<FileRow>(&select).await?;
    Ok(Had { rel_type, rel_id, folders: folders::had(conn, rel_type, rel_id).await?, files })
}

impl Had {
    /// Each file, its name for people, and what its content is called in the archive.
    pub fn contents(&self) -> impl Iterator<Item = (FileId, &str, String)> {
        self.files.iter().map(|row| (row.id, row.filename.as_str(), format!("{}/{}", row.storage_bucket, row.storage_key)))
    }

    /// Puts the content of one of these files into the storage for new ones, under a key of its own: its old object may yet be removed.
    ///
    /// # Errors
    /// `not_found`; `storage_unavailable`; `storage_full`.
    pub async fn store(&self, files: &Files, id: FileId, content: &Path) -> Result<Again> {
        let row = self.files.iter().find(|row| row.id == id).ok_or_else(Error::not_found)?;
        let folder = row.storage_key.rsplit_once('/').map_or("files", |(folder, _)| folder);
        let ending = row.storage_key.rsplit_once('.').map_or("bin", |(_, ending)| ending);
        let key = format!("{folder}/{}.{ending}", files.store().runtime().uuid());
        let storage = files.storages().for_new()?;
        storage.keep(content, &key, &row.mime_type).await?;
        Ok(Again { bucket: storage.name.clone(), key })
    }
}

/// Makes the folders, and the files whose content is there, once more. Their record must be there already. Thumbnails are made anew.
///
/// # Errors
/// `already_exists` where one of them is there.
pub async fn bring_back(uow: &mut UnitOfWork, had: &Had, stored: &HashMap<FileId, Again>) -> Result<()> {
    folders::bring_back(uow, &had.folders, || about(had.rel_type, had.rel_id)).await?;
    for row in &had.files {
        let Some(again) = stored.get(&row.id) else { continue };
        let had_thumbnail = row.thumbnail != Thumbnail::None;
        let row = FileRow {
            storage_bucket: again.bucket.clone(),
            storage_key: again.key.clone(),
            thumbnail: if had_thumbnail { Thumbnail::Pending } else { Thumbnail::None },
            thumbnail_key: None,
            thumbnail_bytes: None,
            thumbnail_sha256: None,
            ..row.clone()
        };
        let row = uow.bring_back(row, about(had.rel_type, had.rel_id)).await?;
        if had_thumbnail {
            uow.enqueue(Job::of(&MakeThumbnail { file: row.id })).await?;
        }
    }
    Ok(())
}

/// Removes objects that got no row after all. One that cannot be removed now is found by the clean-up.
pub async fn take_back(files: &Files, stored: &HashMap<FileId, Again>) {
    for again in stored.values() {
        files.remove_object(&again.bucket, &again.key).await;
    }
}
