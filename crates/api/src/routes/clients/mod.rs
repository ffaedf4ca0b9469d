//! Clients and contacts: `/v1/clients`, `/v1/contacts`, `/v1/client-groups`, `/v1/client-relationships`, `/v1/interactions`, and what hangs on them.

mod admins;
mod bulk;
mod client_contacts;
#[expect(clippy::module_inception, reason = "the file is named after its resource, the folder after its domain")]
mod clients;
mod contacts;
mod duplicates;
mod groups;
mod imports;
mod interactions;
mod notes;
mod portal;
mod privacy;
mod relationships;
mod stages;
mod tags;

use crate::registry::Registry;

pub(super) fn register(registry: &mut Registry) {
    clients::register(registry);
    client_contacts::register(registry);
    notes::register(registry);
    tags::register(registry);
    contacts::register(registry);
    bulk::register(registry);
    imports::register(registry);
    admins::register(registry);
    groups::register(registry);
    relationships::register(registry);
    interactions::register(registry);
    portal::register(registry);
    stages::register(registry);
    privacy::register(registry);
    duplicates::register(registry);
}
