//! Word to workers that a job waits: from their own process, and from other nodes.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::store::Store;

/// The pause before the database is asked again for a connection to listen on.
const PAUSE: Duration = Duration::from_millis(200);

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

/// Hears of jobs of other nodes, for as long as the worker listens.
pub(crate) fn ears(store: &Store) -> watch::Receiver<()> {
    let (tell, told) = watch::channel(());
    let store = store.clone();
    tokio::task::spawn_local(async move {
        while !tell.is_closed() {
            match store.pools.job_listener().await {
                Ok(None) => return tell.closed().await,
                Ok(Some(mut listener)) => {
                    // what was told before it listened
                    tell.send_replace(());
                    loop {
                        tokio::select! {
                            heard = listener.try_recv() => {
                                if let Err(error) = heard {
                                    tracing::debug!(%error, "the connection that hears of jobs was lost");
                                    break;
                                }
                                // none: the connection was cut and made anew, and something may have been told meanwhile
                                tell.send_replace(());
                            }
                            () = tell.closed() => return,
                        }
                    }
                }
                Err(error) => tracing::debug!(%error, "no connection to hear of jobs"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    });
    told
}
