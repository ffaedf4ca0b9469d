//! Making, moving and deleting folders.

use kernel::error::Faults;
use kernel::{Error, FieldError, Kind, Patch, Permission, Result, TypedId as _, text};
use store::query::{Expr, ExprTrait, Order, Query};
use store::{Change, OnUnique as _, Record as _, UnitOfWork};
use uuid::Uuid;

use super::list::{find_locked, get_row};
use super::wire::{CreateFolder, Folder, FolderPatch};
use crate::errors::{FOLDER_CYCLE, FOLDER_NAME_TAKEN, FOLDER_NOT_EMPTY};
use crate::files::about;
use crate::rows::{FolderId, FolderRow};
use crate::service::Files;

/// How deep folders may lie in each other.
const DEEPEST: usize = 50;

fn taken() -> Error {
    Error::new(&FOLDER_NAME_TAKEN).with_field(FieldError::new("/name", "taken", "belongs to another folder here"))
}

/// Fails unless the caller may change folders of this record; of the workspace where it is none.
async fn editable(uow: &mut UnitOfWork, files: &Files, on: Option<(&str, Uuid)>) -> Result<Change> {
    match on {
        Some((rel_type, rel_id)) => {
            let attachable = files.attachables().editable(uow, rel_type, rel_id).await?;
            Ok(about(attachable.rel_type, rel_id))
        }
        None => uow.caller().require(Permission::FilesManageFolders).map(|()| Change::plain()),
    }
}

/// A folder for something to lie in, which the caller may see.
async fn parent(uow: &mut UnitOfWork, files: &Files, id: FolderId, faults: &mut Faults) -> Result<Option<FolderRow>> {
    let caller = uow.caller();
    match get_row(uow, &caller, files, id).await {
        Ok(row) => Ok(Some(row)),
        Err(error) if error.kind() == Kind::NotFound => {
            faults.add("/parent_id", "not_found", "there is no such folder");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Makes a folder.
///
/// # Errors
/// `forbidden` without `files.manage_folders`, or without the right to edit the record; `validation_failed`; `folder_name_taken`.
pub async fn create(uow: &mut UnitOfWork, files: &Files, input: CreateFolder) -> Result<Folder> {
    let mut faults = Faults::new();
    let above = match input.parent_id {
        Some(id) => parent(uow, files, id, &mut faults).await?,
        None => None,
    };
    let named = input.rel_type.clone().zip(input.rel_id);
    if input.rel_type.is_some() != input.rel_id.is_some() {
        faults.add("/rel_id", "incomplete", "rel_type and rel_id belong together");
    }
    if let Some((rel_type, rel_id)) = &named {
        let caller = uow.caller();
        files.attachables().check(uow, &caller, rel_type, *rel_id, &mut faults).await?;
    }
    let of_parent = above.as_ref().map(|above| above.rel_type.clone().zip(above.rel_id));
    if let (Some(of_parent), Some(_)) = (&of_parent, &named)
        && *of_parent != named
    {
        faults.add("/parent_id", "elsewhere", "must be a folder of the same record");
    }
    faults.into_result()?;
    let on = of_parent.unwrap_or(named);
    let missing = |error: Error| match error.kind() {
        Kind::NotFound => Error::invalid_field("/rel_id", "not_found", "there is no such record"),
        _ => error,
    };
    let change = editable(uow, files, on.as_ref().map(|(rel_type, id)| (rel_type.as_str(), *id))).await.map_err(missing)?;
    check_depth(uow, input.parent_id, None).await?;
    let (now, workspace_id) = (uow.now(), uow.workspace()?);
    let (rel_type, rel_id) = on.unzip();
    let name = input.name.trim().to_owned();
    let row = FolderRow {
        id: uow.id(),
        workspace_id,
        name_key: text::fold(&name),
        name,
        place_id: input.parent_id.map(FolderId::uuid).or(rel_id).unwrap_or_else(|| workspace_id.uuid()),
        parent_id: input.parent_id,
        rel_type,
        rel_id,
        created_by: uow.caller().actor.user(),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    uow.insert(&row, change).await.on_unique(taken)?;
    Ok(row.into())
}

/// Renames a folder, or moves it with all that lies in it.
///
/// # Errors
/// `not_found`; `forbidden` as when it was made; `stale`; `validation_failed`; `folder_cycle`; `folder_name_taken`.
pub async fn update(uow: &mut UnitOfWork, files: &Files, id: FolderId, seen: Option<i64>, patch: FolderPatch) -> Result<Folder> {
    let workspace = uow.workspace()?;
    if !patch.parent_id.is_absent() {
        // whoever moves a folder holds the lock of the workspace's tree, so that two moves cannot close a circle together
        auth::workspaces::lock(uow, workspace).await?;
    }
    let before = find_locked(uow, files, id, seen).await?;
    let on = before.rel_type.as_deref().zip(before.rel_id);
    let change = editable(uow, files, on).await?;
    let mut after = before.clone();
    if let Some(name) = patch.name {
        after.name = name.trim().to_owned();
        after.name_key = text::fold(&after.name);
    }
    if let Patch::Value(parent_id) = patch.parent_id {
        let mut faults = Faults::new();
        if let Some(above) = parent(uow, files, parent_id, &mut faults).await?
            && (&above.rel_type, above.rel_id) != (&before.rel_type, before.rel_id)
        {
            faults.add("/parent_id", "elsewhere", "must be a folder of the same record");
        }
        faults.into_result()?;
        check_depth(uow, Some(parent_id), Some(id)).await?;
    }
    patch.parent_id.apply(&mut after.parent_id);
    after.place_id = after.parent_id.map(FolderId::uuid).or(after.rel_id).unwrap_or_else(|| workspace.uuid());
    uow.update(&before, after, change).await.on_unique(taken).map(Folder::from)
}

/// Goes up from a folder: it must not lie too deep, nor in the one that is moved.
async fn check_depth(uow: &mut UnitOfWork, from: Option<FolderId>, moved: Option<FolderId>) -> Result<()> {
    let workspace = uow.workspace()?;
    let mut above = from;
    for _ in 0..DEEPEST {
        let Some(id) = above else { return Ok(()) };
        if Some(id) == moved {
            return Err(Error::new(&FOLDER_CYCLE));
        }
        let mut select = Query::select();
        select
            .column("parent_id")
            .from("folder")
            .and_where(Expr::col("workspace_id").eq(workspace.uuid()))
            .and_where(Expr::col("id").eq(id.uuid()));
        above = uow.row(&select).await?.map(|row| row.get(0)).transpose()?.flatten();
    }
    Err(Error::new(&FOLDER_CYCLE).with_detail("Folders would lie in each other too deeply."))
}

/// Deletes an empty folder.
///
/// # Errors
/// `not_found`; `forbidden` as when it was made; `stale`; `folder_not_empty`.
pub async fn delete(uow: &mut UnitOfWork, files: &Files, id: FolderId, seen: Option<i64>) -> Result<()> {
    let row = find_locked(uow, files, id, seen).await?;
    let change = editable(uow, files, row.rel_type.as_deref().zip(row.rel_id)).await?;
    uow.delete(&row, change).await.map_err(|error| {
        if *error.code() == store::errors::IN_USE {
            Error::new(&FOLDER_NOT_EMPTY).with_detail("Files that are archived count too.")
        } else {
            error
        }
    })
}

/// Deletes the folders on records of one type that are purged, when their files are gone: those that lie in others first.
pub(crate) async fn forget(uow: &mut UnitOfWork, rel_type: &'static str, records: &[Uuid]) -> Result<()> {
    let mut select = FolderRow::select();
    select
        .and_where(Expr::col(("folder", "workspace_id")).eq(uow.workspace()?.uuid()))
        .and_where(Expr::col(("folder", "rel_id")).is_in(records.iter().copied()))
        .order_by(("folder", "id"), Order::Asc);
    let mut left = uow.all::<FolderRow>(&select).await?;
    while !left.is_empty() {
        let parents: Vec<FolderId> = left.iter().filter_map(|row| row.parent_id).collect();
        let (above, leaves): (Vec<_>, Vec<_>) = left.into_iter().partition(|row| parents.contains(&row.id));
        if leaves.is_empty() {
            return Err(Error::internal("folders lie in a circle"));
        }
        store::journal::erase(uow, leaves.iter().map(|row| row.id.uuid())).await?;
        let change = |row: &FolderRow| row.rel_id.map_or_else(Change::plain, |rel_id| about(rel_type, rel_id));
        uow.delete_and_forget_all(&leaves, change).await?;
        left = above;
    }
    Ok(())
}
