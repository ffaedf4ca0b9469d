//! What becomes of an import whose job ends without it.

use async_trait::async_trait;
use kernel::Result;
use store::UnitOfWork;
use store::jobs::{Follower, JobKind as _, JobRow, JobState};

use super::jobs::{StageImport, UndoImport, WriteImport, fail, locked_in};
use super::rows::{ImportRunId, ImportState};

/// An import whose job ends without it has failed; one that was being taken back can be gone on with.
#[derive(Debug)]
pub struct FollowImports {
    kind: &'static str,
    state: ImportState,
}

impl FollowImports {
    /// Those whose file is read.
    pub const STAGING: Self = Self { kind: StageImport::KIND, state: ImportState::Staging };
    /// Those that are written.
    pub const WRITING: Self = Self { kind: WriteImport::KIND, state: ImportState::Running };
    /// Those that are taken back.
    pub const UNDOING: Self = Self { kind: UndoImport::KIND, state: ImportState::Undoing };

    /// The run of a job, and which round of it the job was for, where it says so.
    fn run_of(&self, job: &JobRow) -> Result<(ImportRunId, Option<i64>)> {
        Ok(match self.state {
            ImportState::Staging => job.given().map(|StageImport { run, round }| (run, Some(round)))?,
            ImportState::Running => (job.given::<WriteImport>()?.run, None),
            _ => (job.given::<UndoImport>()?.run, None),
        })
    }
}

#[async_trait]
impl Follower for FollowImports {
    fn kind(&self) -> &'static str {
        self.kind
    }

    async fn ended(&self, uow: &mut UnitOfWork, job: &JobRow) -> Result<()> {
        let (run, round) = self.run_of(job)?;
        let (code, reason) = match job.state {
            JobState::Dead => ("job_dead", "It was tried in vain."),
            _ => ("job_called_off", "It was called off."),
        };
        match locked_in(uow, run, self.state).await? {
            // what has failed already has its reason, and a later round has a job of its own
            Some(before) if before.failure_code.is_none() && round.is_none_or(|round| round == before.round) => {
                fail(uow, &before, code, reason).await
            }
            _ => Ok(()),
        }
    }
}
