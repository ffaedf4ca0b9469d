//! What every request can reach.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use auth::Auth;
use backup::Backups;
use files::Files;
use ipnet::IpNet;
use mail::Mail;
use metrics_exporter_prometheus::PrometheusHandle;
use store::Store;

use crate::deprecation::Deprecations;
use crate::middleware::measures::Measures;
use crate::openapi::Published;
use crate::schema::Schemas;
use crate::stopping::Answering;
use crate::turns::Turns;

/// How the edge behaves.
#[derive(Clone, Debug)]
pub struct ApiConfig {
    /// Origins that browsers may call from.
    pub cors_origins: Vec<String>,
    /// Proxies whose `X-Forwarded-For` counts.
    pub trusted_proxies: Vec<IpNet>,
    /// Requests a minute for each caller.
    pub rate_limit_per_minute: u32,
    /// Bulk calls a minute for each caller.
    pub bulk_per_minute: u32,
    /// Uploads a minute for each caller.
    pub uploads_per_minute: u32,
    /// Bytes of a JSON body at most.
    pub json_limit: usize,
    /// How long a request may take.
    pub request_timeout: Duration,
    /// How long a connection may stay open without a request.
    pub keep_alive: Duration,
    /// How long what runs may take when the server stops.
    pub shutdown_timeout: Duration,
    /// Threads that serve; one for each core where this is 0.
    pub workers: usize,
    /// How long a job may be due before the queue counts as degraded.
    pub queue_age: Duration,
    /// Requests of one caller that are worked on at a time; its others wait for them.
    pub turns: usize,
}

impl Default for ApiConfig {
    fn default() -> Self {
        Self {
            cors_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            rate_limit_per_minute: 120,
            bulk_per_minute: 5,
            uploads_per_minute: 10,
            json_limit: 1024 * 1024,
            request_timeout: Duration::from_secs(30),
            keep_alive: Duration::from_secs(75),
            shutdown_timeout: Duration::from_secs(30),
            workers: 0,
            queue_age: Duration::from_mins(5),
            turns: 12,
        }
    }
}

impl ApiConfig {
    /// The address of the client: the peer, or what trusted proxies say of it, read from the right as far as they are trusted. An IPv4 address
    /// that a socket for both families has in the form of IPv6 (RFC 4291, 2.5.5.2) is the IPv4 address: networks are written in that.
    pub fn client_ip(&self, peer: Option<IpAddr>, forwarded: Option<&str>) -> Option<IpAddr> {
        let trusted = |ip: &IpAddr| self.trusted_proxies.iter().any(|network| auth::networks::holds(network, *ip));
        let mut ip = peer?.to_canonical();
        let Some(forwarded) = forwarded else { return Some(ip) };
        for hop in forwarded.rsplit(',') {
            if !trusted(&ip) {
                break;
            }
            match hop.trim().parse::<IpAddr>() {
                Ok(hop) => ip = hop.to_canonical(),
                Err(_) => break,
            }
        }
        Some(ip)
    }
}

/// What every request can reach. Cheap to clone.
#[derive(Clone)]
pub struct State(Arc<Inner>);

/// The parts of [`State`].
pub struct Inner {
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
    /// Frontends that called.
    pub client_infos: crate::client_info::ClientInfos,
    /// The numbers of each operation.
    pub measures: Measures,
    /// Who uses names that go.
    pub deprecations: Deprecations,
    /// Whose turn it is.
    pub turns: Turns,
    /// What is being answered.
    pub answering: Answering,
    /// The schemas that bodies are checked against.
    pub schemas: Schemas,
    /// The OpenAPI document.
    pub openapi: Published,
}

impl State {
    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }
}

impl std::ops::Deref for State {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("State")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forwarded_addresses_count_as_far_as_the_proxies_are_trusted() {
        let config = ApiConfig { trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()], ..ApiConfig::default() };
        let ip =
            |peer: &str, forwarded: Option<&str>| config.client_ip(Some(peer.parse().unwrap()), forwarded).unwrap().to_string();
        assert_eq!(ip("203.0.113.9", Some("198.51.100.1")), "203.0.113.9", "a stranger may say what it wants");
        assert_eq!(ip("10.0.0.1", Some("198.51.100.1")), "198.51.100.1");
        assert_eq!(ip("10.0.0.1", Some("6.6.6.6, 198.51.100.1, 10.0.0.2")), "198.51.100.1", "what a client made up is not read");
        assert_eq!(ip("10.0.0.1", Some("nonsense")), "10.0.0.1");
        assert_eq!(ip("10.0.0.1", None), "10.0.0.1");
        // as a socket for both families tells them
        assert_eq!(ip("::ffff:203.0.113.9", None), "203.0.113.9");
        assert_eq!(ip("::ffff:10.0.0.1", Some("::ffff:198.51.100.1")), "198.51.100.1");
        assert_eq!(ip("10.0.0.1", Some("::ffff:10.0.0.2")), "10.0.0.2");
    }
}
