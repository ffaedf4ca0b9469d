//! Looking after the installation: `/v1/admin`.

mod backups;
mod jobs;

use crate::registry::Registry;

pub(super) fn register(registry: &mut Registry) {
    jobs::register(registry);
    backups::register(registry);
}
