//! Who follows a job: a record that says of itself that something is being done about it must hear where that will not be.

use async_trait::async_trait;
use kernel::{Error, Result};

use super::kind::JobKind;
use super::row::JobRow;
use crate::uow::UnitOfWork;

/// What a crate does when somebody called off, or threw away, a job of one of its kinds that no worker has. Where a worker has it, the
/// handler hears of it and writes down what comes of it.
#[async_trait]
pub trait Follower: Send + Sync {
    /// The name of the kind.
    fn kind(&self) -> &'static str;

    /// Writes down what comes of it, in the unit of work that ends the job.
    ///
    /// # Errors
    /// What the database says.
    async fn called_off(&self, uow: &mut UnitOfWork, job: &JobRow) -> Result<()>;
}

/// Those of all crates.
#[derive(Clone, Copy)]
pub struct Followers(pub &'static [&'static dyn Follower]);

impl std::fmt::Debug for Followers {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_list().entries(self.0.iter().map(|follower| follower.kind())).finish()
    }
}

impl Followers {
    /// Tells whoever follows jobs of this kind that this one was called off or thrown away.
    ///
    /// # Errors
    /// What the database says.
    pub async fn tell(self, uow: &mut UnitOfWork, job: &JobRow) -> Result<()> {
        for follower in self.0.iter().filter(|follower| follower.kind() == job.kind) {
            follower.called_off(uow, job).await?;
        }
        Ok(())
    }
}

impl JobRow {
    /// What the job was given, where it is of this kind.
    ///
    /// # Errors
    /// `internal` where it cannot be read as such.
    pub fn given<K: JobKind>(&self) -> Result<K> {
        serde_json::from_value(self.payload.0.clone()).map_err(Error::internal)
    }
}
