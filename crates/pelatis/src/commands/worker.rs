//! `pelatis worker`.

use kernel::Result;

use super::say;
use super::signals::StopSignals;
use crate::config::Config;
use crate::wiring;

/// Works jobs until it is asked to stop.
pub(super) async fn work(config: &Config) -> Result<()> {
    let (store, auth) = wiring::open(config).await?;
    let files = wiring::open_files(config, &store)?;
    let backups = wiring::open_backups(config, &store, &files)?;
    let mut signals = StopSignals::hear()?;
    let worker = wiring::work(config, &store, wiring::handlers(&auth, &files, &backups));
    say(&format!("Pelatis {} works jobs ({})", env!("CARGO_PKG_VERSION"), store.dialect().name()));
    signals.next().await;
    worker.stop();
    worker.ended().await?;
    store.close().await;
    tracing::info!("stopped");
    Ok(())
}
