//! What any record can have: tags, brands, the audit trail, imports.

pub(super) mod audit;
mod brands;
mod imports;
mod tags;

use crate::registry::Registry;

pub(super) fn register(registry: &mut Registry) {
    tags::register(registry);
    brands::register(registry);
    audit::register(registry);
    imports::register(registry);
}
