//! `/v1/portal`: where contacts sign in, and what they see and change there.

mod company;
mod devices;
mod me;
mod sign_in;

use crate::registry::Registry;

pub(super) fn register(registry: &mut Registry) {
    sign_in::register(registry);
    me::register(registry);
    devices::register(registry);
    company::register(registry);
}
