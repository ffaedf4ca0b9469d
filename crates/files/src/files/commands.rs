//! Changing files.

use kernel::error::Faults;
use kernel::{Caller, Error, FieldError, Kind, Patch, Permission, Result, TypedId as _};
use store::{Action, Change, UnitOfWork};
use uuid::Uuid;

use super::create::fill_derived;
use super::list::find_locked;
use super::wire::{File, FilePatch};
use crate::content::{FileType, clean, fits_name};
use crate::errors::FILE_ARCHIVED;
use crate::folders;
use crate::rows::{FileId, FileRow};
use crate::service::Files;

/// A change that stands in the trail of the record too.
pub(crate) fn about(rel_type: &'static str, rel_id: Uuid) -> Change {
    Change::plain().about(rel_type, FileId::from_uuid(rel_id))
}

/// Fails unless the caller may change the file: as the record says that it is on, or with the permission where it is on none.
pub(super) async fn editable(uow: &mut UnitOfWork, files: &Files, row: &FileRow, permission: Permission) -> Result<Change> {
    match row.rel_type.as_deref().zip(row.rel_id) {
        Some((rel_type, rel_id)) => {
            let attachable = files.attachables().editable(uow, rel_type, rel_id).await?;
            Ok(about(attachable.rel_type, rel_id))
        }
        None => uow.caller().require(permission).map(|()| Change::plain()),
    }
}

/// Changes what is said of a file. What changes nothing writes nothing.
///
/// # Errors
/// `not_found`; `forbidden` without `files.upload` where it is on no record, else without the right to edit the record; `stale`;
/// `file_archived`; `validation_failed`.
pub async fn update(uow: &mut UnitOfWork, files: &Files, id: FileId, seen: Option<i64>, patch: FilePatch) -> Result<File> {
    let before = find_locked(uow, files, id, seen).await?;
    let change = editable(uow, files, &before, Permission::FilesUpload).await?;
    if before.archived_at.is_some() {
        return Err(Error::new(&FILE_ARCHIVED).with_detail("Restore it first."));
    }
    let (caller, mut faults) = (uow.caller(), Faults::new());
    let mut after = before.clone();
    if let Some(given) = patch.filename {
        after.filename = clean(&given);
        check_name(&after, &mut faults);
    }
    if let Patch::Value(folder) = patch.folder_id
        && before.folder_id != Some(folder)
    {
        check_folder(uow, &caller, files, &before, folder, &mut faults).await?;
    }
    faults.into_result()?;
    patch.category.apply(&mut after.category);
    patch.subject.apply(&mut after.subject);
    patch.description.apply(&mut after.description);
    patch.folder_id.apply(&mut after.folder_id);
    after.visible_to_client = patch.visible_to_client.unwrap_or(after.visible_to_client);
    fill_derived(&mut after);
    uow.update(&before, after, change).await.map(File::from)
}

fn check_name(row: &FileRow, faults: &mut Faults) {
    if row.filename.is_empty() {
        faults.add("/filename", "invalid", "must have something in it that can be read");
    } else if FileType::of_mime(&row.mime_type).is_some_and(|file_type| !fits_name(file_type, &row.filename)) {
        faults.extend([FieldError::new("/filename", "file_type_mismatch", "must end as files of its type do")]);
    }
}

async fn check_folder(
    uow: &mut UnitOfWork,
    caller: &Caller,
    files: &Files,
    row: &FileRow,
    folder: crate::rows::FolderId,
    faults: &mut Faults,
) -> Result<()> {
    match folders::get_row(uow, caller, files, folder).await {
        Ok(folder) if (&folder.rel_type, folder.rel_id) == (&row.rel_type, row.rel_id) => {}
        Ok(_) => faults.add("/folder_id", "elsewhere", "must be a folder of the same record"),
        Err(error) if error.kind() == Kind::NotFound => faults.add("/folder_id", "not_found", "there is no such folder"),
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Puts a file away. One that is away stays so.
///
/// # Errors
/// `not_found`; `forbidden` without `files.delete` where it is on no record, else without the right to edit the record; `stale`.
pub async fn archive(uow: &mut UnitOfWork, files: &Files, id: FileId, seen: Option<i64>) -> Result<()> {
    set_archived(uow, files, id, seen, true).await.map(|_| ())
}

/// Brings a file back. One that is there stays so.
///
/// # Errors
/// As [`archive`].
pub async fn restore(uow: &mut UnitOfWork, files: &Files, id: FileId, seen: Option<i64>) -> Result<File> {
    set_archived(uow, files, id, seen, false).await
}

async fn set_archived(uow: &mut UnitOfWork, files: &Files, id: FileId, seen: Option<i64>, archived: bool) -> Result<File> {
    let before = find_locked(uow, files, id, seen).await?;
    let change = editable(uow, files, &before, Permission::FilesDelete).await?;
    if before.archived_at.is_some() == archived {
        return Ok(before.into());
    }
    let (action, archived_at) = if archived { (Action::Archive, Some(uow.now())) } else { (Action::Restore, None) };
    let after = FileRow { archived_at, ..before.clone() };
    uow.update(&before, after, change.action(action)).await.map(File::from)
}
