//! Files and the folders they lie in: what is kept of them, where their content is, and who may have it.
//!
//! What must always hold:
//! - A file has its content: the object is whole in its storage before the row is there. What a crash leaves over is an object without a
//!   row, which the clean-up finds.
//! - A file on a record follows that record: whoever may see the record may see it, whoever may edit the record may change it. The
//!   domains say so for their own records, each with an [`Attachable`]. A file on none needs the permissions of the area `files`.
//! - What a file is, its content says; its name and what the sender declared are only compared with it.
//! - A download reads from the storage that the file was put in, whatever is configured for new ones.
//!
//! `object_store` speaks to S3 and to a folder in the same words. It signs links, but not with a file name in them, so `storage::presign`
//! does. `image` reads dimensions and makes thumbnails under limits; `cfb` opens the containers of older Office files; `flate2` reads what
//! is in a ZIP, whose directory `content::zip` reads by itself, because a library would hold all of it in memory before it could be refused.

mod attach;
pub mod brands;
pub mod cleanup;
mod config;
pub mod content;
pub mod errors;
pub mod files;
pub mod folders;
pub mod imports;
pub mod links;
mod rows;
mod scanner;
mod service;
mod spool;
pub mod storage;
pub mod thumbnails;
mod tidy;

pub use attach::{Attachable, Seen};
pub use config::{FilesConfig, Scanner, StorageUrl};
pub use links::{FileLink, LinkRequest, Shown};
pub use rows::{FileId, FolderId, Thumbnail};
pub use service::{Examined, Files, Stored};
pub use spool::{Received, Spool, disk_failed};
pub use tidy::FileCleanup;
