//! Who follows a job: a record that says of itself that something is being done about it must hear where that will not be.

use async_trait::async_trait;
use kernel::{Error, Kind, Result, TypedId as _};
use sea_orm::sea_query::{Expr, ExprTrait as _};

use super::kind::JobKind;
use super::row::{JobRow, JobState};
use crate::conn::Conn;
use crate::record::Record as _;
use crate::uow::UnitOfWork;

/// What a crate does when a job of one of its kinds ends otherwise than done: it was called off or thrown away, or it is dead, perhaps
/// because its worker died each time. A handler that heard of it has written down what comes of it; then nothing is left to do.
#[async_trait]
pub trait Follower: Send + Sync {
    /// The name of the kind.
    fn kind(&self) -> &'static str;

    /// Writes down what comes of it, if nobody has, in the unit of work that ends the job and in the workspace of the job.
    ///
    /// # Errors
    /// What the database says.
    async fn ended(&self, uow: &mut UnitOfWork, job: &JobRow) -> Result<()>;
}

/// Those of all crates.
#[derive(Clone, Copy, Default)]
pub struct Followers(pub &'static [&'static dyn Follower]);

impl std::fmt::Debug for Followers {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_list().entries(self.0.iter().map(|follower| follower.kind())).finish()
    }
}

impl Followers {
    /// Tells whoever follows jobs of this kind that this one has ended, and was not done. What a follower cannot do is told in the log and
    /// left: the job must end all the same, and others with it.
    ///
    /// # Errors
    /// `busy` and `unavailable`, with which the unit of work is begun again.
    pub async fn tell(self, uow: &mut UnitOfWork, job: &JobRow) -> Result<()> {
        for follower in self.0.iter().filter(|follower| follower.kind() == job.kind) {
            let before = uow.savepoint().await?;
            match follower.ended(uow, job).await {
                Ok(()) => uow.keep(before).await?,
                Err(error) if error.kind() == Kind::Unavailable => return Err(error),
                Err(error) => {
                    tracing::error!(?error, job = %job.id, kind = job.kind, "who follows a job could not write what became of it");
                    uow.back_to(before).await?;
                }
            }
        }
        Ok(())
    }
}

impl JobRow {
    /// Whether another job of its kind waits or runs in its workspace.
    ///
    /// # Errors
    /// What the database says.
    pub async fn has_another(&self, conn: &mut Conn) -> Result<bool> {
        let column = |name: &'static str| Expr::col(("job", name));
        let states = [JobState::Waiting, JobState::Running].map(|state| state.as_str());
        let mut select = Self::select();
        select
            .and_where(column("kind").eq(self.kind.as_str()))
            .and_where(column("state").is_in(states))
            .and_where(column("id").ne(self.id.uuid()))
            .and_where(match self.workspace_id {
                Some(workspace) => column("workspace_id").eq(workspace.uuid()),
                None => column("workspace_id").is_null(),
            })
            .limit(1);
        Ok(conn.one::<Self>(&select).await?.is_some())
    }

    /// What the job was given, where it is of this kind.
    ///
    /// # Errors
    /// `internal` where it cannot be read as such.
    pub fn given<K: JobKind>(&self) -> Result<K> {
        serde_json::from_value(self.payload.0.clone()).map_err(Error::internal)
    }
}
