//! Taking turns. A caller who sends more at a time than its share waits for itself, and not the others for it: without this, one integrator
//! with 200 connections has every connection to the database, and whoever comes next waits behind all of them. A turn lasts as long as the
//! work with the database: who sends a body byte by byte keeps nobody waiting, not even itself.

use std::sync::Arc;
use std::time::Duration;

use kernel::error::codes;
use kernel::{Caller, Error, Result};
use moka::sync::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Callers whose turns are known at a time. One that is forgotten while it waits only has a second share.
const MOST_CALLERS: u64 = 10_000;
/// When a caller who has stopped calling is forgotten.
const FORGOTTEN: Duration = Duration::from_mins(1);
/// How long somebody waits for a turn: as long as for a connection.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whose turn it is.
pub struct Turns {
    share: usize,
    callers: Cache<String, Arc<Semaphore>>,
}

impl Turns {
    /// Every caller has so many at a time.
    pub fn new(share: usize) -> Self {
        let callers = Cache::builder().max_capacity(MOST_CALLERS).time_to_idle(FORGOTTEN).build();
        Self { share: share.max(1), callers }
    }

    /// Waits for a turn, which lasts as long as what is returned.
    ///
    /// # Errors
    /// `unavailable` with `Retry-After` after ten seconds.
    pub async fn take(&self, caller: &Caller) -> Result<OwnedSemaphorePermit> {
        let own = self.callers.get_with(caller.key(), || Arc::new(Semaphore::new(self.share)));
        if let Ok(turn) = own.clone().try_acquire_owned() {
            return Ok(turn);
        }
        // what seldom happens is kept apart: a request is moved about with room for all that may become of it
        Box::pin(async move {
            match tokio::time::timeout(PATIENCE, own.acquire_owned()).await {
                Ok(turn) => turn.map_err(Error::internal),
                Err(_) => {
                    Err(Error::new(&codes::UNAVAILABLE).with_detail("You have too many requests at a time.").with_retry_after(5))
                }
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use kernel::{Cause, Origin};

    use super::*;

    #[tokio::test]
    async fn a_caller_waits_for_itself_and_nobody_else_for_it() {
        let turns = Turns::new(2);
        let (one, other) = (Caller::job(uuid::Uuid::from_u128(1), None, Cause::Command), Caller::anonymous(Origin::default()));
        let first = turns.take(&one).await.unwrap();
        let _second = turns.take(&one).await.unwrap();
        let third = turns.take(&one);
        tokio::pin!(third);
        assert!(futures::poll!(third.as_mut()).is_pending());
        drop(turns.take(&other).await.unwrap());
        drop(first);
        drop(third.await.unwrap());
    }
}
