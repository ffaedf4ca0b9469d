//! Logs: JSON for machines, text for people; levels as configured.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::Config;

/// Begins to log to standard error.
pub fn begin(config: &Config) {
    // the filter was checked with the configuration
    let filter = EnvFilter::try_new(without_strangers(config.log.as_str())).unwrap_or_else(|_| EnvFilter::new("info"));
    // a line that cannot be written is given up: to complain of it on the same standard error would end the request
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).log_internal_errors(false);
    let begun = if config.log_format.is_json(std::io::stderr().is_terminal()) {
        builder.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
    } else {
        builder.try_init()
    };
    if let Err(error) = begun {
        tracing::debug!(%error, "logging had begun already");
    }
}

/// Bytes that are no request are a stranger's fault, which actix logs as an error of ours, one for each connection. Who names that
/// module gets to see them.
fn without_strangers(levels: &str) -> String {
    if levels.contains("actix_http") { levels.to_owned() } else { format!("{levels},actix_http::h1=off") }
}
