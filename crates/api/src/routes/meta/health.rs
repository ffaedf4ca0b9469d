//! Health.

use std::time::Instant;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::context::Context;
use crate::state::State;

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HealthStatus {
    /// All is well.
    Healthy,
    /// The server serves, some of it less well.
    Degraded,
    /// The server does not serve.
    Down,
}

/// A service that the server needs.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ServiceHealth {
    /// Which: `database`, `redis`, `queue`, `storage`, `mail`, `backups`.
    name: String,
    /// How it is.
    status: HealthStatus,
    /// Milliseconds that it took to answer.
    latency_ms: u64,
    /// What there is to say.
    detail: String,
}

/// How the server and its services are.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Health {
    /// The worst that matters: `down` without the database, `degraded` without anything else.
    status: HealthStatus,
    /// The services.
    services: Vec<ServiceHealth>,
}

/// That the process is alive.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Alive {
    /// `healthy`.
    status: HealthStatus,
}

/// Whether the process is alive
///
/// It asks no other service, so it tells whether to restart this one.
#[utoipa::path(get, path = "/health/live", tag = "meta", responses((status = 200, description = "It is", body = Alive)))]
pub(super) async fn health_live(_: Context) -> HttpResponse {
    HttpResponse::Ok().json(Alive { status: HealthStatus::Healthy })
}

/// Whether the server can serve
///
/// It asks the services that the server needs, so it tells whether to send requests here.
#[utoipa::path(get, path = "/health/ready", tag = "meta", responses(
    (status = 200, description = "It can, perhaps with some of it degraded", body = Health),
    (status = 503, description = "It cannot", body = Health)))]
pub(super) async fn health_ready(context: Context) -> HttpResponse {
    let store = &context.state.store;
    let started = Instant::now();
    let database = store.ping().await;
    let latency = |started: Instant| u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let mut services = vec![ServiceHealth {
        name: "database".to_owned(),
        status: if database.is_ok() { HealthStatus::Healthy } else { HealthStatus::Down },
        latency_ms: latency(started),
        detail: store.dialect().name().to_owned(),
    }];
    let started = Instant::now();
    if let Some(well) = store.shared().ping().await {
        services.push(ServiceHealth {
            name: "redis".to_owned(),
            status: if well { HealthStatus::Healthy } else { HealthStatus::Degraded },
            latency_ms: latency(started),
            detail: if well { "limits and invalidations are shared" } else { "limits and caches are this node's own" }.to_owned(),
        });
    }
    let started = Instant::now();
    // a database that does not answer would not answer this either, only later
    if database.is_ok() {
        let now = store.runtime().now();
        let waited =
            store::jobs::oldest_due(store).await.map(|oldest| oldest.map_or(0, |since| (now - since).num_seconds().max(0)));
        let bound = context.state.config.queue_age.as_secs();
        let (is_well, detail) = match waited {
            Ok(seconds) => (seconds.unsigned_abs() <= bound, format!("the oldest job that is due has waited {seconds} s")),
            Err(_) => (false, "the queue cannot be read".to_owned()),
        };
        services.push(ServiceHealth {
            name: "queue".to_owned(),
            status: if is_well { HealthStatus::Healthy } else { HealthStatus::Degraded },
            latency_ms: latency(started),
            detail,
        });
    }
    let started = Instant::now();
    let (well, detail) = storages(&context.state.files).await;
    services.push(ServiceHealth {
        name: "storage".to_owned(),
        status: if well { HealthStatus::Healthy } else { HealthStatus::Degraded },
        latency_ms: latency(started),
        detail,
    });
    let mail = context.state.mail.health().await;
    services.push(ServiceHealth {
        name: "mail".to_owned(),
        status: if mail.is_well { HealthStatus::Healthy } else { HealthStatus::Degraded },
        latency_ms: u64::try_from(mail.took.as_millis()).unwrap_or(u64::MAX),
        detail: mail.detail,
    });
    if database.is_ok() {
        let started = Instant::now();
        let (well, detail) = backups(&context.state).await;
        services.push(ServiceHealth {
            name: "backups".to_owned(),
            status: if well { HealthStatus::Healthy } else { HealthStatus::Degraded },
            latency_ms: latency(started),
            detail,
        });
    }
    let worst = |status| services.iter().any(|service| service.status == status);
    let status = match () {
        () if worst(HealthStatus::Down) => HealthStatus::Down,
        () if worst(HealthStatus::Degraded) => HealthStatus::Degraded,
        () => HealthStatus::Healthy,
    };
    let mut response = HttpResponse::Ok();
    if status == HealthStatus::Down {
        response.status(StatusCode::SERVICE_UNAVAILABLE).insert_header((header::RETRY_AFTER, "1"));
    }
    response.json(Health { status, services })
}

/// Whether the storages of files can be used, and which of them can not.
async fn storages(files: &files::Files) -> (bool, String) {
    let asked = files.storages().iter().map(async |storage| (storage, storage.ping().await));
    let answers = futures::future::join_all(asked).await;
    let told = |well: bool| answers.iter().filter(move |(_, answer)| answer.is_ok() == well);
    let list = |well: bool| told(well).map(|(storage, _)| format!("{} ({})", storage.name, storage.kind())).collect::<Vec<_>>();
    for (storage, answer) in &answers {
        if let Err(error) = answer {
            tracing::debug!(storage = storage.name, ?error, "a storage is away");
        }
    }
    let away = list(false);
    if away.is_empty() { (true, list(true).join(", ")) } else { (false, format!("away: {}", away.join(", "))) }
}

/// Whether the newest backup is young enough, and in every place that it should be in.
async fn backups(state: &State) -> (bool, String) {
    match backup::health(&state.backups).await {
        Ok(health) => (health.is_well, health.detail),
        Err(error) => {
            tracing::warn!(?error, "the bookkeeping of backups cannot be read");
            (false, "the bookkeeping of backups cannot be read".to_owned())
        }
    }
}
