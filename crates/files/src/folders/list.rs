//! Reading folders. Every select of a folder begins at [`visible_to`].

use kernel::{Caller, Error, Page, Permission, Result, TypedId as _};
use store::list::{ListField, ListQuery, ListSpec};
use store::query::{Expr, ExprTrait, SelectStatement};
use store::{Conn, Record as _, UnitOfWork};

use super::wire::Folder;
use crate::rows::{FolderId, FolderRow};
use crate::service::Files;

/// How folders can be listed.
pub static FOLDER_LIST: ListSpec = ListSpec {
    name: "folders",
    table: "folder",
    fields: &[
        ListField::text("name").folded("name_key"),
        ListField::uuid("parent_id").nullable().indexed(),
        ListField::text("rel_type").nullable(),
        ListField::uuid("rel_id").nullable().indexed(),
        ListField::uuid("created_by").nullable(),
        ListField::time("created_at").sorted().indexed(),
        ListField::time("updated_at").sorted().indexed(),
    ],
    pairs: &[("rel_id", "name")],
    default_sort: &["name"],
    ..ListSpec::EMPTY
};

fn column(name: &'static str) -> Expr {
    Expr::col(("folder", name))
}

/// Folders that the caller may see: those on records that they may see, and with `files.view` those of the workspace.
fn visible_to(files: &Files, caller: &Caller) -> Result<SelectStatement> {
    let mut select = FolderRow::select();
    let visible = files.attachables().visible(caller, "folder", caller.can(Permission::FilesView))?;
    select.and_where(column("workspace_id").eq(caller.workspace()?.uuid())).and_where(visible);
    Ok(select)
}

/// Folders that the caller may see.
///
/// # Errors
/// What the database says.
pub async fn list(conn: &mut Conn, caller: &Caller, files: &Files, query: &ListQuery) -> Result<Page<Folder>> {
    let page = store::list::page::<FolderRow>(conn, caller, visible_to(files, caller)?, &FOLDER_LIST, query).await?;
    Ok(page.map(Folder::from))
}

/// One folder.
///
/// # Errors
/// `not_found`.
pub async fn get(conn: &mut Conn, caller: &Caller, files: &Files, id: FolderId) -> Result<Folder> {
    get_row(conn, caller, files, id).await.map(Folder::from)
}

pub(crate) async fn get_row(conn: &mut Conn, caller: &Caller, files: &Files, id: FolderId) -> Result<FolderRow> {
    let mut select = visible_to(files, caller)?;
    select.and_where(column("id").eq(id.uuid()));
    conn.one(&select).await?.ok_or_else(Error::not_found)
}

/// A folder that the caller may see, locked until the transaction ends, at the version that they have seen.
pub(super) async fn find_locked(uow: &mut UnitOfWork, files: &Files, id: FolderId, seen: Option<i64>) -> Result<FolderRow> {
    let mut select = visible_to(files, &uow.caller())?;
    select.and_where(column("id").eq(id.uuid()));
    let row = uow.locked::<FolderRow>(select).await?.ok_or_else(Error::not_found)?;
    auth::check_seen(seen, row.version)?;
    Ok(row)
}
