//! Files: their rows, and what is done with them.

mod bring_back;
mod commands;
mod content;
mod create;
mod list;
mod objects;
mod remove;
mod wire;

pub use bring_back::{Again, Had, bring_back, had, take_back};
pub(crate) use commands::about;
pub use commands::{archive, restore, update};
pub(crate) use content::of_link;
pub use content::{Readable, contents, readable};
pub use create::{check, create};
pub(crate) use list::get_row;
pub use list::{FILE_LIST, get, list, list_on};
pub use objects::{Holder, Object, objects};
pub(crate) use remove::note_removal;
pub use remove::{forget, purge, sweep};
pub use wire::{File, FilePatch, UploadFile};
