//! Reading files. Every select of a file begins at [`visible_to`].

use kernel::{Caller, Error, Page, Permission, Result, TypedId as _};
use store::list::{ListField, ListQuery, ListSpec};
use store::query::{Expr, ExprTrait, SelectStatement};
use store::{Conn, Record as _, UnitOfWork};
use uuid::Uuid;

use super::wire::File;
use crate::attach::Attachables;
use crate::rows::{FileId, FileRow};
use crate::service::Files;

/// How files can be listed.
pub static FILE_LIST: ListSpec = ListSpec {
    name: "files",
    table: "file",
    fields: &[
        ListField::text("filename").folded("filename_key"),
        ListField::text("mime_type"),
        ListField::integer("filesize_bytes").sorted().indexed(),
        ListField::text("sha256").indexed(),
        ListField::text("category").nullable(),
        ListField::text("rel_type").nullable(),
        ListField::uuid("rel_id").nullable().indexed(),
        ListField::uuid("folder_id").nullable().indexed(),
        ListField::uuid("uploaded_by").nullable().indexed(),
        ListField::boolean("visible_to_client"),
        ListField::time("created_at").sorted().indexed(),
        ListField::time("updated_at").sorted().indexed(),
    ],
    pairs: &[("rel_id", "created_at"), ("folder_id", "created_at"), ("uploaded_by", "created_at")],
    members: &[
        "id",
        "filename",
        "mime_type",
        "filesize_bytes",
        "sha256",
        "category",
        "subject",
        "description",
        "storage_bucket",
        "uploaded_by",
        "visible_to_client",
        "rel_type",
        "rel_id",
        "folder_id",
        "thumbnail",
        "archived_at",
        "created_at",
        "updated_at",
    ],
    searched: true,
    archived: true,
    ..ListSpec::EMPTY
};

fn column(name: &'static str) -> Expr {
    Expr::col(("file", name))
}

/// Files that the caller may see: those on records that they may see, and with `files.view` those on none.
pub(crate) fn visible_to(attachables: Attachables, caller: &Caller) -> Result<SelectStatement> {
    let mut select = FileRow::select();
    select.and_where(column("workspace_id").eq(caller.workspace()?.uuid())).and_where(attachables.visible(
        caller,
        "file",
        caller.can(Permission::FilesView),
    )?);
    Ok(select)
}

/// Files that the caller may see.
///
/// # Errors
/// What the database says.
pub async fn list(conn: &mut Conn, caller: &Caller, files: &Files, query: &ListQuery) -> Result<Page<File>> {
    let base = visible_to(files.attachables(), caller)?;
    let page = store::list::page::<FileRow>(conn, caller, base, &FILE_LIST, query).await?;
    Ok(page.map(File::from))
}

/// Files on a record that the caller may see: its domain has seen to that.
///
/// # Errors
/// What the database says.
pub async fn list_on(conn: &mut Conn, caller: &Caller, rel_type: &str, rel_id: Uuid, query: &ListQuery) -> Result<Page<File>> {
    let mut base = FileRow::select();
    base.and_where(column("workspace_id").eq(caller.workspace()?.uuid()))
        .and_where(column("rel_type").eq(rel_type))
        .and_where(column("rel_id").eq(rel_id));
    let page = store::list::page::<FileRow>(conn, caller, base, &FILE_LIST, &query.within(rel_id)).await?;
    Ok(page.map(File::from))
}

/// One file.
///
/// # Errors
/// `not_found`.
pub async fn get(conn: &mut Conn, caller: &Caller, files: &Files, id: FileId) -> Result<File> {
    get_row(conn, caller, files, id).await.map(File::from)
}

pub(crate) async fn get_row(conn: &mut Conn, caller: &Caller, files: &Files, id: FileId) -> Result<FileRow> {
    let mut select = visible_to(files.attachables(), caller)?;
    select.and_where(column("id").eq(id.uuid()));
    conn.one(&select).await?.ok_or_else(Error::not_found)
}

/// A file that the caller may see, locked until the transaction ends, at the version that they have seen.
pub(super) async fn find_locked(uow: &mut UnitOfWork, files: &Files, id: FileId, seen: Option<i64>) -> Result<FileRow> {
    let mut select = visible_to(files.attachables(), &uow.caller())?;
    select.and_where(column("id").eq(id.uuid()));
    let row = uow.locked::<FileRow>(select).await?.ok_or_else(Error::not_found)?;
    auth::check_seen(seen, row.version)?;
    Ok(row)
}
