//! The bookkeeping of backups: one row for each that was asked for, and what became of it. A backup holds every workspace, so it is a matter
//! of the installation's super admins, signed in themselves and not through a token.

use kernel::{Caller, DateTime, Error, Page, Result, TypedId as _, UserId};
use serde::{Deserialize, Serialize};
use store::jobs::{Job, JobState};
use store::list::{ListField, ListQuery, ListSpec};
use store::query::{Expr, ExprTrait, Order, Query};
use store::{Action, Change, Conn, Record as _, UnitOfWork};
use utoipa::ToSchema;

use crate::errors::BACKUP_RUNS;
use crate::jobs::BackUp;
use crate::make::Made;

kernel::typed_id! {
    /// Names a backup.
    pub BackupRunId
}
store::id_fields!(BackupRunId);

store::text_enum! {
    /// How far a backup is.
    pub enum BackupState {
        /// It waits for a worker.
        Waiting = "waiting",
        /// It is being made.
        Running = "running",
        /// It is in its target.
        Finished = "finished",
        /// It could not be made.
        Failed = "failed",
    }
}

store::record! {
    pub(crate) struct BackupRunRow in "backup_run" of installation {
        id: BackupRunId;
        state: BackupState,
        asked_by: Option<UserId>,
        name: Option<String>,
        bytes: Option<i64>,
        sha256: Option<String>,
        is_encrypted: bool,
        has_files: bool,
        record_count: Option<i64>,
        file_count: Option<i64>,
        damaged_count: Option<i64>,
        problem: Option<String>,
        started_at: Option<DateTime>,
        finished_at: Option<DateTime>,
        copied_at: Option<DateTime>,
    }
}

/// A backup of the installation.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Backup {
    /// Its id.
    pub id: BackupRunId,
    /// How far it is.
    pub state: BackupState,
    /// Who asked for it; none where it was made at its time, or by the command line.
    pub asked_by: Option<UserId>,
    /// What the archive is called in its target.
    pub name: Option<String>,
    /// The bytes of the archive.
    pub bytes: Option<i64>,
    /// The SHA-256 of the archive, in hexadecimal.
    pub sha256: Option<String>,
    /// Whether it can be opened by the holders of the keys alone.
    pub is_encrypted: bool,
    /// Whether the content of files is in it.
    pub has_files: bool,
    /// How many rows the database had.
    pub record_count: Option<i64>,
    /// How many files are in it, those of imports among them.
    pub file_count: Option<i64>,
    /// How many files could not be backed up, because their content is damaged or gone.
    pub damaged_count: Option<i64>,
    /// Why it failed, or why there is no second copy of it.
    pub problem: Option<String>,
    /// When it was begun.
    pub started_at: Option<DateTime>,
    /// When it was in its target, or had failed.
    pub finished_at: Option<DateTime>,
    /// When it was in the second target too; none where there is no second one.
    pub copied_at: Option<DateTime>,
    /// When it was asked for.
    pub created_at: DateTime,
    /// When this last changed.
    pub updated_at: DateTime,
    /// Counts its changes; the ETag is made from it.
    #[serde(skip)]
    pub version: i64,
}

impl From<BackupRunRow> for Backup {
    fn from(row: BackupRunRow) -> Self {
        Self {
            id: row.id,
            state: row.state,
            asked_by: row.asked_by,
            name: row.name,
            bytes: row.bytes,
            sha256: row.sha256,
            is_encrypted: row.is_encrypted,
            has_files: row.has_files,
            record_count: row.record_count,
            file_count: row.file_count,
            damaged_count: row.damaged_count,
            problem: row.problem,
            started_at: row.started_at,
            finished_at: row.finished_at,
            copied_at: row.copied_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

/// How backups can be listed.
pub static BACKUP_LIST: ListSpec = ListSpec {
    name: "backups",
    table: "backup_run",
    fields: &[
        ListField::word("state", BackupState::TEXTS),
        ListField::time("created_at").sorted(),
        ListField::time("finished_at").nullable(),
    ],
    ..ListSpec::EMPTY
};

/// Backups, newest first.
///
/// # Errors
/// `forbidden` to everybody but the installation's super admins.
pub async fn list(conn: &mut Conn, caller: &Caller, query: &ListQuery) -> Result<Page<Backup>> {
    caller.require_super_admin()?;
    let page = store::list::page::<BackupRunRow>(conn, caller, BackupRunRow::select(), &BACKUP_LIST, query).await?;
    Ok(page.map(Backup::from))
}

/// One backup.
///
/// # Errors
/// `forbidden` to everybody but the installation's super admins; `not_found`.
pub async fn get(conn: &mut Conn, caller: &Caller, id: BackupRunId) -> Result<Backup> {
    caller.require_super_admin()?;
    conn.one::<BackupRunRow>(&of(id)).await?.map(Backup::from).ok_or_else(Error::not_found)
}

pub(crate) fn of(id: BackupRunId) -> store::query::SelectStatement {
    let mut select = BackupRunRow::select();
    select.and_where(Expr::col(("backup_run", "id")).eq(id.uuid()));
    select
}

/// Asks for a backup now. A worker makes it.
///
/// # Errors
/// `forbidden` to everybody but the installation's super admins; `backup_runs` while another one waits.
pub async fn request(uow: &mut UnitOfWork) -> Result<Backup> {
    uow.caller().require_super_admin()?;
    let asked_by = uow.caller().user()?;
    uow.enter(None).await?;
    begin(uow, Some(asked_by)).await?.map(Backup::from).ok_or_else(|| Error::new(&BACKUP_RUNS))
}

/// A row and its job; none while another one waits.
pub(crate) async fn begin(uow: &mut UnitOfWork, asked_by: Option<UserId>) -> Result<Option<BackupRunRow>> {
    if is_one_waiting(uow).await? {
        return Ok(None);
    }
    let row = new_row(uow, asked_by, BackupState::Waiting);
    uow.insert(&row, Change::of(Action::Create).event("backup.requested")).await?;
    uow.enqueue(Job::of(&BackUp { backup: row.id })).await?;
    Ok(Some(row))
}

async fn is_one_waiting(uow: &mut UnitOfWork) -> Result<bool> {
    let mut select = Query::select();
    select
        .column("id")
        .from("job")
        .and_where(Expr::col("kind").eq(<BackUp as store::jobs::JobKind>::KIND))
        .and_where(Expr::col("state").eq(JobState::Waiting.as_str()))
        .limit(1);
    Ok(uow.row(&select).await?.is_some())
}

/// A row as it begins.
pub(crate) fn new_row(uow: &UnitOfWork, asked_by: Option<UserId>, state: BackupState) -> BackupRunRow {
    let now = uow.now();
    BackupRunRow {
        id: uow.id(),
        state,
        asked_by,
        name: None,
        bytes: None,
        sha256: None,
        is_encrypted: false,
        has_files: false,
        record_count: None,
        file_count: None,
        damaged_count: None,
        problem: None,
        started_at: (state == BackupState::Running).then_some(now),
        finished_at: None,
        copied_at: None,
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

/// The row, as a job or the command line finds it.
pub(crate) async fn find(conn: &mut Conn, id: BackupRunId) -> Result<BackupRunRow> {
    conn.one::<BackupRunRow>(&of(id)).await?.ok_or_else(Error::not_found)
}

/// What a row says when the backup is in its target.
pub(crate) fn kept(row: &BackupRunRow, made: &Made, is_encrypted: bool, now: DateTime) -> Result<BackupRunRow> {
    let number = |number: u64| i64::try_from(number).map(Some).map_err(Error::internal);
    Ok(BackupRunRow {
        state: BackupState::Finished,
        name: Some(made.name.clone()),
        bytes: number(made.written.bytes)?,
        sha256: Some(made.written.sha256.clone()),
        is_encrypted,
        has_files: made.manifest.has_files,
        record_count: number(made.manifest.rows())?,
        file_count: number(made.manifest.files)?,
        damaged_count: number(made.manifest.damaged_files)?,
        problem: None,
        finished_at: Some(now),
        ..row.clone()
    })
}

/// The newest backup that is in its target; none where there never was one.
///
/// # Errors
/// What the database says.
pub async fn newest(conn: &mut Conn) -> Result<Option<Backup>> {
    let mut select = BackupRunRow::select();
    select
        .and_where(Expr::col(("backup_run", "state")).eq(BackupState::Finished.as_str()))
        .order_by(("backup_run", "created_at"), Order::Desc)
        .limit(1);
    Ok(conn.one::<BackupRunRow>(&select).await?.map(Backup::from))
}
