//! What any record can have: tags and the audit trail.

pub(super) mod audit;
mod tags;

use crate::registry::Registry;

pub(super) fn register(registry: &mut Registry) {
    tags::register(registry);
    audit::register(registry);
}
