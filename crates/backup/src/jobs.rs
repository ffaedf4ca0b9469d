//! Backups that make themselves.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::Duration;
use kernel::{Caller, Cause, Error, Result};
use store::jobs::schedule::When;
use store::jobs::{Follower, Handlers, JobContext, JobKind, JobRow, JobState};
use store::{Action, Change, Store, UnitOfWork};

use crate::archive::from_io;
use crate::aside::ASIDE;
use crate::keep;
use crate::make::{Made, make};
use crate::runs::{self, BackupRunId, BackupRunRow, BackupState};
use crate::service::Backups;

store::job_kind! {
    /// Makes a backup and brings it to its targets.
    pub struct BackUp as "back_up" on Maintenance {
        /// Its row.
        backup: BackupRunId,
    }
}

store::job_kind! {
    /// Asks for the backup of the night.
    pub struct NightlyBackup as "nightly_backup" on Maintenance {}
}

store::job_kind! {
    /// Removes backups that are older than the configured days, but never the newest three of a target.
    pub struct BackupCleanup as "backup_cleanup" on Maintenance {}
}

/// What a crash leaves in the folder of what is in the making is removed when it is older.
const LEFT_OVER: Duration = Duration::days(1);

impl Backups {
    /// Registers the jobs of this crate.
    pub fn handle_jobs(&self, handlers: &mut Handlers) {
        let (own, nightly, cleaning) = (self.clone(), self.config().is_nightly, self.clone());
        handlers.on(move |context: JobContext, BackUp { backup }| back_up(own.clone(), context, backup));
        handlers.on(async |context: JobContext, NightlyBackup {}| {
            context.complete(async |uow| runs::begin(uow, None).await.map(|_| ())).await
        });
        handlers.on(move |context: JobContext, BackupCleanup {}| {
            let backups = cleaning.clone();
            async move { keep::clean_up(&backups, context.store().runtime().now()).await.map(|_| ()) }
        });
        if nightly {
            handlers.recurring("database-backup", When::Daily(2, 0), NightlyBackup {});
        }
        handlers.recurring("backup-cleanup", When::Weekly(chrono::Weekday::Sun, 4, 0), BackupCleanup {});
    }

    /// Makes a backup now, in this process, and says how its copy went; with its row in the bookkeeping.
    ///
    /// # Errors
    /// What the database says; `storage_unavailable`; `storage_full`.
    pub async fn back_up(&self, caller: &Arc<Caller>, on_way: impl AsyncFnMut(u64) -> Result<()>) -> Result<(Made, Result<()>)> {
        let begun = self
            .store()
            .write(caller, async |uow| {
                let row = runs::new_row(uow, None, BackupState::Waiting);
                uow.insert(&row, Change::of(Action::Create).event("backup.requested")).await?;
                Ok(row.id)
            })
            .await?;
        let (made, copied) = carry_out(self, &Pen::Command(self.store(), caller), begun, on_way).await?;
        Ok((made.ok_or_else(|| Error::internal("a backup was finished before it began"))?, copied))
    }
}

/// A backup whose job ends without it is not made.
#[derive(Debug)]
pub struct FollowBackups;

#[async_trait]
impl Follower for FollowBackups {
    fn kind(&self) -> &'static str {
        BackUp::KIND
    }

    async fn ended(&self, uow: &mut UnitOfWork, job: &JobRow) -> Result<()> {
        let BackUp { backup } = job.given()?;
        let row = uow.one::<BackupRunRow>(&runs::of(backup)).await?;
        // one that is in its target may have had only the copy left to make
        let is_open = row.is_some_and(|row| matches!(row.state, BackupState::Waiting | BackupState::Running));
        let problem = if job.state == JobState::Dead { "It was tried in vain." } else { "It was called off." };
        if is_open { failed(uow, backup, problem).await } else { Ok(()) }
    }
}

/// What people are told of a failure.
fn said(error: &Error) -> String {
    error.detail().unwrap_or(error.code().title).to_owned()
}

/// As who the steps of a backup are written down.
enum Pen<'a> {
    /// A job, as long as it is this worker's.
    Job(&'a JobContext),
    /// The command line.
    Command(&'a Store, &'a Arc<Caller>),
}

impl Pen<'_> {
    async fn write(&self, work: impl AsyncFnMut(&mut UnitOfWork) -> Result<()>) -> Result<()> {
        match self {
            Self::Job(context) => context.write(work).await,
            Self::Command(store, caller) => store.write(caller, work).await,
        }
    }

    /// Writes the last of them.
    async fn end(&self, work: impl AsyncFnMut(&mut UnitOfWork) -> Result<()>) -> Result<()> {
        match self {
            Self::Job(context) => context.complete(work).await,
            Self::Command(..) => self.write(work).await,
        }
    }

    /// Whether nobody will try again.
    fn is_last_try(&self) -> bool {
        match self {
            Self::Job(context) => context.is_last_attempt() || context.is_cancelled(),
            Self::Command(..) => true,
        }
    }
}

async fn back_up(backups: Backups, context: JobContext, id: BackupRunId) -> Result<()> {
    clear(&backups)?;
    let on_way = async |bytes: u64| {
        context.go_on()?;
        context.progress(i64::try_from(bytes).unwrap_or(i64::MAX), None).await
    };
    carry_out(&backups, &Pen::Job(&context), id, on_way).await?.1
}

/// Makes a backup, brings it to its targets, and writes down how far it is. What was made is not made again by a later try, which has
/// only the copy left to make.
async fn carry_out(
    backups: &Backups,
    pen: &Pen<'_>,
    id: BackupRunId,
    on_way: impl AsyncFnMut(u64) -> Result<()>,
) -> Result<(Option<Made>, Result<()>)> {
    let store = backups.store();
    let mut reader = store.reader(&Caller::job(store.runtime().uuid(), None, Cause::Command)).await?;
    let row = runs::find(&mut reader, id).await?;
    reader.close().await?;
    let mut made = None;
    if row.state != BackupState::Finished {
        pen.write(async |uow| started(uow, id).await).await?;
        let making = async {
            let made = make(backups, on_way).await?;
            keep::deliver(backups, &made).await?;
            pen.write(async |uow| finished(backups, uow, id, &made).await).await?;
            Ok(made)
        };
        made = match making.await {
            Ok(made) => Some(made),
            Err(error) => {
                if pen.is_last_try() {
                    let problem = said(&error);
                    pen.write(async |uow| failed(uow, id, &problem).await).await?;
                }
                return Err(error);
            }
        };
    }
    let has_second = backups.targets().len() > 1;
    let copied = match keep::copy_missing(backups, store.runtime().now()).await {
        Ok(_) => pen.end(async |uow| if has_second { copied(uow, id).await } else { Ok(()) }).await,
        Err(error) => {
            let problem = said(&error);
            pen.write(async |uow| not_copied(uow, id, &problem).await).await?;
            Err(error)
        }
    };
    Ok((made, copied))
}

/// Removes what a crash left over.
fn clear(backups: &Backups) -> Result<()> {
    let before = backups.store().runtime().now() - LEFT_OVER;
    let folder = &backups.config().scratch;
    std::fs::create_dir_all(folder).map_err(from_io)?;
    for entry in std::fs::read_dir(folder).map_err(from_io)? {
        let entry = entry.map_err(from_io)?;
        let found = entry.metadata().map_err(from_io)?;
        let is_ours = entry.path().extension().is_some_and(|ending| ending == "part" || ending == "db");
        if kernel::DateTime::from(found.modified().map_err(from_io)?) >= before {
            continue;
        }
        let removed = if found.is_file() && is_ours {
            std::fs::remove_file(entry.path())
        } else if found.is_dir() && entry.file_name().to_string_lossy().starts_with(ASIDE) {
            std::fs::remove_dir_all(entry.path())
        } else {
            Ok(())
        };
        // no reason not to make a backup
        if let Err(error) = removed {
            tracing::warn!(%error, path = %entry.path().display(), "what a crash left of a backup cannot be removed");
        }
    }
    Ok(())
}

async fn change(
    uow: &mut UnitOfWork,
    id: BackupRunId,
    event: &'static str,
    change: impl FnOnce(&BackupRunRow) -> Result<BackupRunRow>,
) -> Result<()> {
    let before = runs::find(uow, id).await?;
    let after = change(&before)?;
    uow.update(&before, after, Change::plain().event(event)).await.map(|_| ())
}

async fn started(uow: &mut UnitOfWork, id: BackupRunId) -> Result<()> {
    let now = uow.now();
    change(uow, id, "backup.started", |row| {
        Ok(BackupRunRow { state: BackupState::Running, started_at: Some(now), ..row.clone() })
    })
    .await
}

async fn finished(backups: &Backups, uow: &mut UnitOfWork, id: BackupRunId, made: &Made) -> Result<()> {
    let (now, is_encrypted) = (uow.now(), !backups.config().recipients.is_empty());
    change(uow, id, "backup.finished", |row| runs::kept(row, made, is_encrypted, now)).await
}

async fn failed(uow: &mut UnitOfWork, id: BackupRunId, problem: &str) -> Result<()> {
    let now = uow.now();
    change(uow, id, "backup.failed", |row| {
        Ok(BackupRunRow { state: BackupState::Failed, problem: Some(problem.to_owned()), finished_at: Some(now), ..row.clone() })
    })
    .await
}

async fn copied(uow: &mut UnitOfWork, id: BackupRunId) -> Result<()> {
    let now = uow.now();
    change(uow, id, "backup.copied", |row| Ok(BackupRunRow { copied_at: Some(now), problem: None, ..row.clone() })).await
}

async fn not_copied(uow: &mut UnitOfWork, id: BackupRunId, problem: &str) -> Result<()> {
    change(uow, id, "backup.not_copied", |row| Ok(BackupRunRow { problem: Some(problem.to_owned()), ..row.clone() })).await
}
