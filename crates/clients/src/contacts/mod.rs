//! Contacts: the people at clients.

mod commands;
mod export;
mod list;
mod wire;

pub use commands::{archive, audit, create, create_many, list_files, purge, restore, update};
pub(crate) use commands::{create_as, fill_derived, forget, settle_portal, update_row, whole_name};
pub use export::ContactExport;
pub use list::{CONTACT_LIST, VIEWABLE, get, list};
pub(crate) use list::{
    briefs, find_all_locked, find_by_external, find_editable, find_locked, get_row, lock_all, visible_among, visible_to,
};
pub use wire::{Contact, ContactBrief, ContactPatch, CreateContact, OfClient};
