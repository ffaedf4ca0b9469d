//! A worker from outside: how it is to work, and how it is stopped.

use std::time::Duration;

use kernel::{Error, Result};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How a worker works.
#[derive(Clone, Copy, Debug)]
pub struct WorkerOptions {
    /// How long a worker may show no sign of life before the others take over what it holds.
    pub lease: Duration,
    /// How long jobs that run may take when it stops; then they are given back.
    pub shutdown: Duration,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self { lease: Duration::from_secs(15), shutdown: Duration::from_secs(30) }
    }
}

/// A worker that runs.
#[derive(Debug)]
pub struct Running {
    pub(super) stop: watch::Sender<bool>,
    pub(super) task: JoinHandle<()>,
}

impl Running {
    /// Tells it to stop: it takes nothing more.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Waits until it has stopped and given back what it did not finish.
    ///
    /// # Errors
    /// `internal` when it broke down.
    pub async fn ended(self) -> Result<()> {
        self.task.await.map_err(Error::internal)
    }
}
