//! Files and folders: `/v1/files`, `/v1/folders`, what is on a record, and links that anybody can follow.

mod content;
#[expect(clippy::module_inception, reason = "the file is named after its resource, the folder after its domain")]
mod files;
mod folders;
mod on_records;

use crate::registry::Registry;

pub(super) fn register(registry: &mut Registry) {
    files::register(registry);
    content::register(registry);
    folders::register(registry);
    on_records::register(registry);
}
