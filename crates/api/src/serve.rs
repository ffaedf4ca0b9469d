//! Serving: the application, on a listener that is open already.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_cors::Cors;
use actix_web::middleware::{Compress, from_fn};
use actix_web::web::Data;
use actix_web::{App, HttpRequest, HttpServer, web};
use auth::Auth;
use backup::Backups;
use files::{Attachable, Files};
use futures::FutureExt as _;
use futures::future::FusedFuture as _;
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
use crate::stopping::{Answering, LAST_BYTES, Stopper, WRITES_DOWN_WITHIN};
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
    &clients::duplicates::FollowSearch,
]);

/// A server that runs.
pub struct Running {
    server: actix_web::dev::Server,
    state: Data<State>,
    listener: TcpListener,
    connections: Connections,
    /// What is done meanwhile.
    beside: tokio::task::JoinHandle<()>,
}

impl Running {
    /// Stops the server from elsewhere.
    pub fn stopper(&self) -> Stopper {
        self.state.answering.stopper()
    }

    /// Waits until the server has stopped, with what it kept in memory written down. `jobs` are those that run beside it: they are begun
    /// to be ended when the server stops accepting, and have ended when its threads do.
    ///
    /// # Errors
    /// What stopped it.
    pub async fn ended(self, jobs: impl Future<Output = ()>) -> std::io::Result<()> {
        let Self { mut server, state, listener, connections, beside } = self;
        let (handle, answering) = (server.handle(), state.answering.clone());
        let mut jobs = std::pin::pin!(jobs.fuse());
        let asked = answering.end(&handle, &listener, &connections, state.config.shutdown_timeout, &mut jobs);
        let ended = tokio::select! {
            ended = &mut server => Some(ended),
            () = asked => None,
        };
        if !jobs.is_terminated() {
            // it was not asked to stop, and whatever ended it ends them
            jobs.await;
        }
        beside.abort();
        let _late = tokio::time::timeout(WRITES_DOWN_WITHIN, write_down(&state)).await;
        match ended {
            Some(ended) => ended,
            None => {
                // this is said to the server, whose end is waited for below
                drop(handle.stop(!answering.stopper().is_at_once()));
                server.await
            }
        }
    }
}

/// Serves on `listener` until it is stopped, for which it hears no signal by itself.
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
        answering: Answering::default(),
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
    tokio::spawn(connections.clone().watch(config.keep_alive + HEAD_TIMEOUT));
    let refuses = listener.try_clone().map_err(Error::internal)?;
    let server = if config.workers > 0 { server.workers(config.workers) } else { server };
    let server = server
        .on_connect(move |io, extensions| noted.add(io, extensions))
        .client_request_timeout(HEAD_TIMEOUT)
        .keep_alive(config.keep_alive)
        .max_connections(MOST_CONNECTIONS)
        .disable_signals()
        .shutdown_timeout(LAST_BYTES.as_secs())
        .listen(listener)
        .map_err(Error::internal)?
        .run();
    Ok(Running { server, state, listener: refuses, connections, beside })
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
