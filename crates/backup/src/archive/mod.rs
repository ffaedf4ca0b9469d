//! The archive: a tar of one backup, compressed with zstd and, where somebody is to hold the key, encrypted with age. Every part can be
//! looked at with the tools of those names:
//!
//! ```text
//! age --decrypt -i key.txt pelatis-….tar.zst.age | zstd -d | tar -x && sha256sum -c SHA256SUMS
//! ```
//!
//! | entry | what it is |
//! | --- | --- |
//! | `database/pelatis.db/00000001` … | SQLite: the pieces of the file, to be put together in their order |
//! | `database/<table>/00000001.copy` … | PostgreSQL: the rows of a table in the text format of `COPY`, likewise |
//! | `files/<storage>/<key>` | the content of a file |
//! | `manifest.json` | what was backed up, by whom and when ([`Manifest`]) |
//! | `SHA256SUMS` | a line for each entry before it; it is the last one, so an archive that has it is whole |
//!
//! Neither the list of checksums nor a file is ever held in memory.

mod manifest;
mod read;
mod sealed;
mod write;

pub use manifest::{Damaged, FORMAT, Manifest};
pub use read::{Entry, verify, walk};
pub use sealed::{Identities, Recipients};
pub(crate) use write::from_io;
pub use write::{Writer, Written};

/// The entry that says what was backed up.
pub(crate) const MANIFEST: &str = "manifest.json";
/// The entry of checksums.
pub(crate) const SUMS: &str = "SHA256SUMS";
/// Where the parts of the database are.
pub(crate) const DATABASE: &str = "database/";
/// Where the content of files is.
pub(crate) const FILES: &str = "files/";

/// A digest as checksums have it.
pub(crate) fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A line of the checksums.
pub(crate) fn sum_line(digest: &[u8], name: &str) -> String {
    format!("{}  {name}\n", hex(digest))
}
