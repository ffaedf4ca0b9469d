//! The API: HTTP in, JSON out. Handlers extract, call one command or query, and answer; rules and SQL are elsewhere.
//!
//! - [`access`]: the permission table.
//! - [`registry`]: what is served, behind the gate.
//! - [`context`]: what a handler works with.
//! - [`deprecation`]: old names.
//! - [`problem`]: every failure, as RFC 9457 says.
//! - [`openapi`]: the document.
//! - [`routes`]: the handlers, by domain and resource.
//!
//! `jsonschema` checks bodies against the published schemas, so that the document is what is enforced; `validator` checks what a
//! schema cannot say; `xxhash-rust` makes ETags, which need no cryptography; `matchit`, the router of axum, finds the path of a request in one tree
//! for all workers, where the framework compiles a pattern for each path in each worker and tries them one after the other;
//! `tokio-util` knows when the last of many answers has ended, and `socket2` shuts a socket that listens, which the standard library cannot.

pub mod access;
pub mod answer;
pub mod body;
pub mod bulk;
pub mod client_info;
mod connections;
pub mod context;
pub mod deprecation;
mod download;
pub mod errors;
pub mod etag;
mod export;
mod middleware;
pub mod openapi;
mod outflow;
mod personal;
pub mod problem;
pub mod query;
pub mod registry;
pub mod routes;
pub mod schema;
mod serve;
pub mod state;
mod stopping;
mod turns;

pub use serve::{ATTACHABLES, FIELD_HOLDERS, FOLLOWERS, IMPORTERS, Parts, Running, VIEWABLES, serve};
pub use state::{ApiConfig, State};
pub use stopping::Stopper;
