//! What any record can have: tags, brands, custom fields, the audit trail, imports, saved views; and names that go.

pub(super) mod audit;
mod brands;
mod custom_fields;
mod deprecations;
mod imports;
mod saved_views;
mod tags;

use crate::registry::Registry;

pub(super) fn register(registry: &mut Registry) {
    tags::register(registry);
    brands::register(registry);
    custom_fields::register(registry);
    audit::register(registry);
    deprecations::register(registry);
    imports::register(registry);
    saved_views::register(registry);
}
