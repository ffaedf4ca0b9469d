//! Folders: in each other, on a record or in the workspace.

mod bring_back;
mod commands;
mod list;
mod wire;

pub use bring_back::names;
pub(crate) use bring_back::{bring_back, had};
pub(crate) use commands::forget;
pub use commands::{create, delete, update};
pub(crate) use list::get_row;
pub use list::{FOLDER_LIST, get, list};
pub use wire::{CreateFolder, Folder, FolderPatch};
