//! What any record can have: tags, the audit trail, imports.

pub(super) mod audit;
mod imports;
mod tags;

use crate::registry::Registry;

pub(super) fn register(registry: &mut Registry) {
    tags::register(registry);
    audit::register(registry);
    imports::register(registry);
}
