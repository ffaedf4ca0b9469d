//! What an archive says of itself.

use kernel::DateTime;
use serde::{Deserialize, Serialize};
use store::snapshot::Contents;

/// The format that this program writes. Another number is another format.
pub const FORMAT: u32 = 1;

/// What was backed up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The format of the archive.
    pub format: u32,
    /// The version of the program that made it.
    pub pelatis: String,
    /// The engine of the database: `sqlite` or `postgres`.
    pub engine: String,
    /// The moment whose state it has.
    pub taken_at: DateTime,
    /// What shows whether a secret is the installation's, without showing the secret.
    pub secret_check: String,
    /// The database.
    pub database: Contents,
    /// Whether the content of files is in it.
    pub has_files: bool,
    /// The storages that its files were in.
    pub storages: Vec<String>,
    /// How many files are in it.
    pub files: u64,
    /// The bytes of their content.
    pub file_bytes: u64,
    /// How many files could not be backed up, because their content is not what it was when they were uploaded, or gone.
    pub damaged_files: u64,
    /// Which: the first thousand of them.
    pub damaged: Vec<Damaged>,
}

impl Manifest {
    /// Rows of all tables.
    pub fn rows(&self) -> u64 {
        self.database.tables.iter().map(|table| table.rows).sum()
    }
}

/// A file that could not be backed up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damaged {
    /// The storage it is in.
    pub storage: String,
    /// Its key there.
    pub key: String,
    /// What is wrong with it.
    pub problem: String,
}
