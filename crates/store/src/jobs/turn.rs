//! A worker's turn at the database: one transaction that writes how jobs ended, gives back what it does not get to, and takes more.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use kernel::{Caller, Result};

use super::claim::{self, Claimed};
use super::end::{self, Outcome};
use super::follow::Followers;
use super::hold::Hold;
use super::row::JobId;
use super::watch::Life;
use crate::store::Store;

/// A job that has ended, until that is written.
#[derive(Debug)]
pub(crate) struct Ended {
    pub job: Rc<Claimed>,
    pub outcome: Outcome,
}

/// What is to be written and taken.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    pub ended: Vec<Ended>,
    /// Whether something that was put off is due now.
    pub comes_due: bool,
    /// How many to take, for each hold in its order.
    pub rooms: Vec<usize>,
}

impl Turn {
    /// Whether there is nothing to do.
    pub(crate) fn is_empty(&self) -> bool {
        self.ended.is_empty() && !self.comes_due && self.rooms.iter().all(|room| *room == 0)
    }

    /// Does it; returns what was taken, for each hold. Nothing has happened when it fails, so it can be done again.
    pub(crate) async fn run(
        &self,
        store: &Store,
        caller: &Arc<Caller>,
        life: &mut Life,
        holds: &[Hold],
        followers: Followers,
    ) -> Result<Vec<Vec<Claimed>>> {
        let began = Instant::now();
        let beats = life.is_due() && self.rooms.iter().any(|room| *room > 0);
        let seen: &Life = life;
        let taken = store
            .write(caller, async |uow| {
                if beats {
                    seen.beat(uow).await?;
                }
                let of = |wanted: fn(&Outcome) -> bool| self.ended.iter().filter(move |ended| wanted(&ended.outcome));
                let done: Vec<JobId> = of(|outcome| matches!(outcome, Outcome::Done)).map(|ended| ended.job.id).collect();
                if !done.is_empty() {
                    end::done(uow, seen.id, done).await?;
                }
                let back: Vec<_> = of(|outcome| matches!(outcome, Outcome::GivenBack))
                    .map(|ended| (ended.job.id, ended.job.unique_key.clone()))
                    .collect();
                if !back.is_empty() {
                    end::give_back(uow, followers, seen.id, &back).await?;
                }
                for ended in &self.ended {
                    match &ended.outcome {
                        Outcome::Failed(failure) => end::failed(uow, followers, seen.id, &ended.job, failure).await?,
                        Outcome::Cancelled => end::cancelled(uow, followers, seen.id, ended.job.id).await?,
                        Outcome::Done | Outcome::Completed | Outcome::GivenBack => {}
                    }
                }
                if self.comes_due {
                    claim::come_due(uow).await?;
                }
                let mut taken = Vec::with_capacity(holds.len());
                for (hold, room) in holds.iter().zip(&self.rooms) {
                    taken.push(match room {
                        0 => Vec::new(),
                        room => claim::claim(uow, seen.id, &hold.doable, *room).await?,
                    });
                }
                Ok(taken)
            })
            .await?;
        if beats {
            life.beaten(began);
        }
        Ok(taken)
    }
}
