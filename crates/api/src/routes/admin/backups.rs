//! `/v1/admin/backups`.

use backup::{BACKUP_LIST, Backup, BackupRunId};

use crate::answer::Answer;
use crate::body::Body;
use crate::context::Context;
use crate::problem::ApiResult;
use crate::registry::Registry;
use crate::routes::page_schema;

page_schema! {
    /// A page of backups.
    BackupPage of Backup
}

pub(super) fn register(registry: &mut Registry) {
    registry.add::<__path_list_backups, _, _>(list_backups).list(&BACKUP_LIST);
    registry.add::<__path_request_backup, _, _>(request_backup);
    registry.add::<__path_get_backup, _, _>(get_backup).record(&BACKUP_LIST);
}

/// List backups
///
/// What became of each, newest first. They are of the whole installation, so only its super admins see them.
#[utoipa::path(get, path = "/v1/admin/backups", tag = "admin", responses((status = 200, description = "A page of backups", body = BackupPage)))]
async fn list_backups(context: Context) -> ApiResult {
    let query = context.list_query(&BACKUP_LIST)?;
    let page = context.read(async |conn, caller| backup::list(conn, caller, &query).await).await?;
    context.page(&page, &query)
}

/// Ask for a backup now
///
/// A worker makes it. While one waits there is no other.
#[utoipa::path(post, path = "/v1/admin/backups", tag = "admin",
    responses((status = 201, description = "The backup, which waits", body = Backup)))]
async fn request_backup(context: Context, body: Body) -> ApiResult {
    let work = async |uow: &mut store::UnitOfWork, _| {
        let asked = backup::request(uow).await?;
        Ok(Answer::created(format!("/v1/admin/backups/{}", asked.id), &asked)?.version(asked.version))
    };
    context.act(body, work).await
}

/// Get a backup
#[utoipa::path(get, path = "/v1/admin/backups/{backup_id}", tag = "admin", responses((status = 200, description = "The backup", body = Backup)))]
async fn get_backup(context: Context) -> ApiResult {
    let id: BackupRunId = context.id("backup_id")?;
    let query = context.record_query(&BACKUP_LIST)?;
    let found = context.read(async |conn, caller| backup::get(conn, caller, id).await).await?;
    context.record(&found, found.version, &query)
}
