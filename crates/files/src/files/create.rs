//! Making files of what was stored.

use kernel::error::Faults;
use kernel::{Caller, Error, Kind, Permission, Result, text};
use store::jobs::Job;
use store::{Change, Conn, UnitOfWork};
use uuid::Uuid;

use super::wire::{File, UploadFile};
use crate::content::clean;
use crate::folders;
use crate::rows::{FileId, FileRow, Thumbnail};
use crate::service::{Files, Stored};
use crate::thumbnails::MakeThumbnail;

/// The record that an upload goes to: the one it names, or that of its folder.
async fn place(
    conn: &mut Conn,
    caller: &Caller,
    files: &Files,
    input: &UploadFile,
    faults: &mut Faults,
) -> Result<Option<(String, Uuid)>> {
    let named = match (&input.rel_type, input.rel_id) {
        (Some(rel_type), Some(rel_id)) => Some((rel_type.clone(), rel_id)),
        (None, None) => None,
        (None, Some(_)) => {
            faults.add("/rel_type", "incomplete", "rel_type and rel_id belong together");
            return Ok(None);
        }
        (Some(_), None) => {
            faults.add("/rel_id", "incomplete", "rel_type and rel_id belong together");
            return Ok(None);
        }
    };
    if let Some((rel_type, rel_id)) = &named {
        files.attachables().check(conn, caller, rel_type, *rel_id, faults).await?;
    }
    let Some(folder_id) = input.folder_id else { return Ok(named) };
    let folder = match folders::get_row(conn, caller, files, folder_id).await {
        Ok(folder) => folder,
        Err(error) if error.kind() == Kind::NotFound => {
            faults.add("/folder_id", "not_found", "there is no such folder");
            return Ok(named);
        }
        Err(error) => return Err(error),
    };
    let of_folder = folder.rel_type.zip(folder.rel_id);
    if named.is_some() && named != of_folder {
        faults.add("/folder_id", "elsewhere", "must be a folder of the same record");
    }
    Ok(named.or(of_folder))
}

/// Checks what an upload says of itself as far as it can be told before its content is stored, and tells the record that it goes to.
///
/// # Errors
/// `forbidden` without `files.upload`, where it is to be on no record; `validation_failed` with everything that is wrong.
pub async fn check(conn: &mut Conn, caller: &Caller, files: &Files, input: &UploadFile) -> Result<Option<(String, Uuid)>> {
    let mut faults = Faults::new();
    let place = place(conn, caller, files, input, &mut faults).await?;
    faults.into_result()?;
    if place.is_none() {
        caller.require(Permission::FilesUpload)?;
    }
    Ok(place)
}

/// Makes a file of what was stored.
///
/// # Errors
/// `forbidden` without `files.upload`, or without the right to edit the record that it is to be on; `validation_failed`; `archived`.
pub async fn create(uow: &mut UnitOfWork, files: &Files, input: &UploadFile, filename: &str, stored: &Stored) -> Result<File> {
    let caller = uow.caller();
    let place = check(uow, &caller, files, input).await?;
    let mut change = Change::plain();
    if let Some((rel_type, rel_id)) = &place {
        let missing = |error: Error| match error.kind() {
            Kind::NotFound => Error::invalid_field("/rel_id", "not_found", "there is no such record"),
            _ => error,
        };
        let attachable = files.attachables().editable(uow, rel_type, *rel_id).await.map_err(missing)?;
        change = super::commands::about(attachable.rel_type, *rel_id).event(attachable.added);
    }
    let (now, name) = (uow.now(), named(filename, stored));
    let (rel_type, rel_id) = place.unzip();
    let mut row = FileRow {
        id: stored.id,
        workspace_id: uow.workspace()?,
        category: input.category.clone(),
        subject: input.subject.clone(),
        description: input.description.clone().filter(|text| !text.is_empty()),
        storage_bucket: stored.bucket.clone(),
        storage_key: stored.key.clone(),
        filename: name,
        filename_key: String::new(),
        mime_type: stored.file_type.mime().to_owned(),
        filesize_bytes: stored.length,
        sha256: stored.sha256.clone(),
        uploaded_by: caller.actor.user(),
        visible_to_client: input.visible_to_client.unwrap_or(false),
        rel_type,
        rel_id,
        folder_id: input.folder_id,
        archived_at: None,
        thumbnail: if stored.file_type.is_image() { Thumbnail::Pending } else { Thumbnail::None },
        thumbnail_key: None,
        thumbnail_bytes: None,
        thumbnail_sha256: None,
        search_text: String::new(),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    fill_derived(&mut row);
    uow.insert(&row, change).await?;
    if row.thumbnail == Thumbnail::Pending {
        uow.enqueue(Job::of(&MakeThumbnail { file: row.id })).await?;
    }
    Ok(row.into())
}

/// The name that it is given: the sender's without what does not belong there, or one of its type.
fn named(filename: &str, stored: &Stored) -> String {
    let name = clean(filename);
    if name.is_empty() { format!("file.{}", stored.file_type.ending()) } else { name }
}

/// Fills the columns that follow from others.
pub(super) fn fill_derived(row: &mut FileRow) {
    row.filename_key = text::fold(&row.filename);
    let parts = [Some(row.filename.as_str()), row.subject.as_deref(), row.description.as_deref()];
    row.search_text = text::search_text(parts.into_iter().flatten());
}

impl Stored {
    /// The id that the file is to have.
    pub fn id(&self) -> FileId {
        self.id
    }
}
