//! The numbers of each operation, looked up once: a metric with labels is found by hashing them, which costs more than counting.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use metrics::{Counter, Histogram};

use crate::access;

/// The statuses that are counted by themselves; any other counts as `other`.
const STATUSES: [(u16, &str); 24] = [
    (200, "200"),
    (201, "201"),
    (204, "204"),
    (206, "206"),
    (304, "304"),
    (307, "307"),
    (400, "400"),
    (401, "401"),
    (403, "403"),
    (404, "404"),
    (405, "405"),
    (406, "406"),
    (408, "408"),
    (409, "409"),
    (412, "412"),
    (413, "413"),
    (415, "415"),
    (416, "416"),
    (422, "422"),
    (428, "428"),
    (429, "429"),
    (500, "500"),
    (503, "503"),
    (507, "507"),
];
/// What a request counts as that no operation answers.
const UNKNOWN: &str = "unknown";

/// The numbers of every operation.
pub struct Measures(HashMap<&'static str, OfOperation>);

struct OfOperation {
    name: &'static str,
    seconds: OnceLock<Histogram>,
    by_status: [OnceLock<Counter>; STATUSES.len()],
    other: OnceLock<Counter>,
}

impl OfOperation {
    fn new(name: &'static str) -> Self {
        let by_status = std::array::from_fn(|_| OnceLock::new());
        Self { name, seconds: OnceLock::new(), by_status, other: OnceLock::new() }
    }

    fn record(&self, status: u16, elapsed: Duration) {
        let place = STATUSES.iter().position(|(known, _)| *known == status);
        let counter = place.and_then(|place| self.by_status.get(place)).unwrap_or(&self.other);
        let label = place.and_then(|place| STATUSES.get(place)).map_or("other", |(_, label)| label);
        counter
            .get_or_init(|| metrics::counter!("pelatis_requests_total", "operation" => self.name, "status" => label))
            .increment(1);
        self.seconds
            .get_or_init(|| metrics::histogram!("pelatis_request_seconds", "operation" => self.name))
            .record(elapsed.as_secs_f64());
    }
}

impl Default for Measures {
    fn default() -> Self {
        let names = access::OPERATIONS.iter().map(|operation| operation.id).chain([UNKNOWN]);
        Self(names.map(|name| (name, OfOperation::new(name))).collect())
    }
}

impl Measures {
    /// Counts a request that has ended.
    pub(crate) fn record(&self, operation: Option<&str>, status: u16, elapsed: Duration) {
        if let Some(known) = operation.and_then(|name| self.0.get(name)).or_else(|| self.0.get(UNKNOWN)) {
            known.record(status, elapsed);
        }
    }
}
