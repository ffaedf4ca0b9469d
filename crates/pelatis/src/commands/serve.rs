//! `pelatis serve`.

use std::net::TcpListener;
use std::time::Duration;

use api::{ApiConfig, Parts};
use kernel::{Error, Result};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};

use super::say;
use super::signals::StopSignals;
use crate::config::Config;
use crate::wiring;

/// Bounds of the buckets in which durations are counted, in seconds.
const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// How often durations that were measured are put into their buckets; until then each takes memory.
const UPKEEP: Duration = Duration::from_secs(5);

pub(super) async fn serve(config: &Config) -> Result<()> {
    // where several nodes serve one database, each may come here; one migrates and the others wait
    if store::may_migrate(&wiring::database(config)).await? {
        wiring::migrate(config).await?;
    }
    let metrics = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(Error::internal)?;
    let (store, auth) = wiring::open(config).await?;
    store.prepare_months().await?;
    let listener = TcpListener::bind(config.listen).map_err(Error::internal)?;
    let address = listener.local_addr().map_err(Error::internal)?;
    let setup_code = auth.offer_setup().await?;

    let files = wiring::open_files(config, &store)?;
    let backups = wiring::open_backups(config, &store, &files)?;
    let worker = config.worker.then(|| wiring::work(config, &store, wiring::handlers(&auth, &files, &backups)));
    let measured = metrics.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP).await;
            measured.run_upkeep();
        }
    });

    let mail = auth.mail().clone();
    let parts = Parts { store: store.clone(), auth, files, backups, mail, config: api_config(config), metrics };
    let mut signals = StopSignals::hear()?;
    let running = api::serve(listener, parts)?;
    say(&format!("Pelatis {} listens on http://{address} ({})", env!("CARGO_PKG_VERSION"), store.dialect().name()));
    say(&format!("Reached at {}, the reference at {0}/docs", config.public_url.as_str()));
    if let Some(code) = setup_code {
        say(&format!("Set-up code: {code}"));
        say("Make the first administrator with it: POST /v1/setup. It works once, until the server starts again.");
    }
    let stopper = running.stopper();
    tokio::spawn(async move {
        signals.next().await;
        stopper.stop();
        // whoever asks once more does not want to wait
        signals.next().await;
        stopper.stop_at_once();
    });
    let mut broken = Ok(());
    let jobs = async {
        if let Some(worker) = worker {
            worker.stop();
            broken = worker.ended().await;
        }
    };
    running.ended(jobs).await.map_err(Error::internal)?;
    broken?;
    store.close().await;
    tracing::info!("stopped");
    Ok(())
}

fn api_config(config: &Config) -> ApiConfig {
    let seconds = |seconds: u32| Duration::from_secs(seconds.into());
    ApiConfig {
        cors_origins: config.cors_origins.iter().map(|origin| origin.as_str().to_owned()).collect(),
        trusted_proxies: config.trusted_proxies.clone(),
        rate_limit_per_minute: config.rate_limit_per_minute,
        bulk_per_minute: config.bulk_per_minute,
        uploads_per_minute: config.uploads_per_minute,
        json_limit: config.json_limit_bytes,
        request_timeout: seconds(config.request_timeout_seconds),
        shutdown_timeout: seconds(config.shutdown_seconds),
        workers: usize::try_from(config.workers).unwrap_or(0),
        queue_age: seconds(config.queue_age_seconds),
        // a quarter of the connections is left to the others, whatever one does
        turns: usize::try_from(config.database_connections).unwrap_or(1).div_ceil(4) * 3,
        ..ApiConfig::default()
    }
}
