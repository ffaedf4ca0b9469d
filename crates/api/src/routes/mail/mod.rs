//! Mail: what went out, addresses that get none, templates, and what comes back.

mod bounces;
mod messages;
mod suppressions;
mod templates;

use crate::registry::Registry;

pub(super) fn register(registry: &mut Registry) {
    messages::register(registry);
    suppressions::register(registry);
    templates::register(registry);
    bounces::register(registry);
}
