//! `pelatis worker`.

use kernel::{Error, Result};
use tokio::signal::unix::{SignalKind, signal};

use super::say;
use crate::config::Config;
use crate::wiring;

/// Works jobs until it is asked to stop.
pub(super) async fn work(config: &Config) -> Result<()> {
    let (store, auth) = wiring::open(config).await?;
    let files = wiring::open_files(config, &store)?;
    let worker = wiring::work(config, &store, &auth, &files);
    say(&format!("Pelatis {} works jobs ({})", env!("CARGO_PKG_VERSION"), store.dialect().name()));
    asked_to_stop().await?;
    worker.stop();
    worker.ended().await?;
    store.close().await;
    tracing::info!("stopped");
    Ok(())
}

/// Waits for SIGTERM or SIGINT.
pub(super) async fn asked_to_stop() -> Result<()> {
    let mut term = signal(SignalKind::terminate()).map_err(Error::internal)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::internal)?;
    tokio::select! {
        _ = term.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
