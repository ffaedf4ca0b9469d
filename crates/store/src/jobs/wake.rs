//! Word to the workers of this process that a job waits.

use std::sync::Arc;

use tokio::sync::watch;

/// Wakes every worker that listens, at once and without the database. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Wake(Arc<watch::Sender<()>>);

impl Default for Wake {
    fn default() -> Self {
        Self(Arc::new(watch::channel(()).0))
    }
}

impl Wake {
    /// Something waits, or something was called off.
    pub(crate) fn tell(&self) {
        self.0.send_replace(());
    }

    /// Hears of it from now on.
    pub(crate) fn listen(&self) -> watch::Receiver<()> {
        self.0.subscribe()
    }
}
