//! Serving: the application, on a listener that is open already.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_cors::Cors;
use actix_web::dev::ServerHandle;
use actix_web::middleware::{Compress, from_fn};
use actix_web::web::Data;
use actix_web::{App, HttpRequest, HttpServer, web};
use auth::Auth;
use backup::Backups;
use files::{Attachable, Files};
use kernel::error::codes;
use kernel::{Error, Result};
use mail::Mail;
use metrics_exporter_prometheus::PrometheusHandle;
use platform::custom_fields::FieldHolders;
use platform::imports::{FollowImports, Importers};
use platform::saved_views::Viewables;
use store::Store;
use store::jobs::Followers;

use crate::client_info::ClientInfos;
use crate::connections::Connections;
use crate::deprecation::{Deprecations, keep_writing, write_down};
use crate::middleware::find::find;
use crate::middleware::gate::counted;
use crate::middleware::measures::Measures;
use crate::middleware::observe::observe;
use crate::openapi::Published;
use crate::schema::Schemas;
use crate::state::{ApiConfig, Inner, State};
use crate::turns::Turns;
use crate::{openapi, problem, routes};

/// How long a client may take to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections at once for each worker.
const MOST_CONNECTIONS: usize = 10_000;

/// What serving needs.
pub struct Parts {
    /// The database.
    pub store: Store,
    /// Who comes in.
    pub auth: Auth,
    /// Files and their storages.
    pub files: Files,
    /// Backups and their targets.
    pub backups: Backups,
    /// Mail and its way out.
    pub mail: Mail,
    /// How the edge behaves.
    pub config: ApiConfig,
    /// The metrics of this process.
    pub metrics: PrometheusHandle,
}

/// The records that files can be on, as their domains say.
pub static ATTACHABLES: &[&[Attachable]] = &[&files::brands::ATTACHABLES, &clients::ATTACHABLES];

/// What can be imported, as its domains say.
pub static IMPORTERS: Importers = Importers(&[&clients::import::ClientImporter]);

/// The lists that can be looked at through saved views.
pub static VIEWABLES: Viewables = Viewables(&[clients::clients::VIEWABLE, clients::contacts::VIEWABLE]);

/// The record types that have custom fields, as their domains say.
pub static FIELD_HOLDERS: FieldHolders = FieldHolders(&[&clients::ClientFields, &clients::ContactFields]);

/// What must hear of jobs that end otherwise than done.
pub static FOLLOWERS: Followers = Followers(&[
    &mail::FollowMails,
    &backup::FollowBackups,
    &files::thumbnails::FollowThumbnails,
    &FollowImports::STAGING,
    &FollowImports::WRITING,
    &FollowImports::UNDOING,
]);

/// A server that runs.
pub struct Running {
    server: actix_web::dev::Server,
    state: Data<State>,
    /// What is done meanwhile.
    beside: tokio::task::JoinHandle<()>,
}

impl Running {
    /// Stops the server from elsewhere.
    pub fn handle(&self) -> ServerHandle {
        self.server.handle()
    }

    /// Waits until the server has stopped, and writes down what it kept in memory.
    ///
    /// # Errors
    /// What stopped it.
    pub async fn ended(self) -> std::io::Result<()> {
        let ended = self.server.await;
        self.beside.abort();
        write_down(&self.state).await;
        ended
    }
}

/// Serves on `listener` until it is stopped. On SIGTERM and SIGINT it stops accepting and finishes what runs.
///
/// # Errors
/// `internal` when an operation has no row in the permission table, or the listener cannot be used.
pub fn serve(listener: TcpListener, parts: Parts) -> Result<Running> {
    let registry = routes::registry();
    registry.check()?;
    let paths = Data::new(registry.paths()?);
    let registry = Arc::new(registry);
    let config = parts.config.clone();
    let state = Data::new(State::new(Inner {
        store: parts.store,
        auth: parts.auth,
        files: parts.files,
        backups: parts.backups,
        mail: parts.mail,
        config: parts.config,
        metrics: parts.metrics,
        client_infos: ClientInfos::default(),
        measures: Measures::default(),
        deprecations: Deprecations::default(),
        turns: Turns::new(config.turns),
        schemas: Schemas::default(),
        openapi: Published::new(registry.clone()),
    }));
    let beside = actix_web::rt::spawn(keep_writing(state.clone()));
    let (origins, served) = (config.cors_origins.clone(), state.clone());
    let server = HttpServer::new(move || {
        let registry = registry.clone();
        App::new()
            .app_data(served.clone())
            .app_data(paths.clone())
            .wrap(from_fn(find))
            .wrap(Compress::default())
            .wrap(cors(&origins))
            .wrap(from_fn(observe))
            .configure(|config| registry.mount(config))
            .configure(openapi::mount_reference)
            .default_service(web::to(async |request: HttpRequest| {
                counted(&request, problem::respond(&Error::new(&codes::ROUTE_NOT_FOUND), &request)).await
            }))
    });
    let connections = Connections::default();
    let noted = connections.clone();
    tokio::spawn(connections.watch(config.keep_alive + HEAD_TIMEOUT));
    let server = if config.workers > 0 { server.workers(config.workers) } else { server };
    let server = server
        .on_connect(move |io, extensions| noted.add(io, extensions))
        .client_request_timeout(HEAD_TIMEOUT)
        .keep_alive(config.keep_alive)
        .max_connections(MOST_CONNECTIONS)
        .shutdown_timeout(config.shutdown_timeout.as_secs())
        .listen(listener)
        .map_err(Error::internal)?
        .run();
    Ok(Running { server, state, beside })
}

fn cors(origins: &[String]) -> Cors {
    let cors = Cors::default()
        .allowed_methods(["GET", "HEAD", "POST", "PATCH", "DELETE"])
        .allowed_headers([
            "authorization",
            "content-type",
            "if-match",
            "if-none-match",
            "if-range",
            "range",
            "idempotency-key",
            "x-workspace",
            "x-client-info",
            "x-request-id",
        ])
        .expose_headers([
            "etag",
            "accept-ranges",
            "content-disposition",
            "content-range",
            "location",
            "retry-after",
            "x-request-id",
            "idempotency-replayed",
            "ratelimit-limit",
            "ratelimit-remaining",
            "ratelimit-reset",
            "x-ratelimit-limit",
            "x-ratelimit-remaining",
            "x-ratelimit-reset",
            "deprecation",
            "sunset",
            "link",
        ])
        .block_on_origin_mismatch(false)
        .max_age(3600);
    origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}
