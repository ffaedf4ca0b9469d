//! Clients and contacts: `/v1/clients`, `/v1/contacts`, and what hangs on them.

mod bulk;
mod client_contacts;
#[expect(clippy::module_inception, reason = "the file is named after its resource, the folder after its domain")]
mod clients;
mod contacts;
mod imports;
mod notes;
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
}
