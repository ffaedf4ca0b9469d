//! Backups: one archive of everything, made while the server serves, kept in one place or two, and brought back into an empty one.
//!
//! What must always hold:
//! - An archive has the state of one moment: the database as of one snapshot, and every file that it speaks of, each compared with the
//!   digest of its upload on the way; the file of an import, which has none, with its length. Thumbnails are carried too, as files are: what
//!   is brought back is whole before any worker runs.
//! - It is in a target whole or not at all, and it tells by itself whether it is whole ([`archive::verify`]).
//! - Nothing is brought back into a place that holds something, but for a single record, which is taken from a database of its own
//!   ([`lay_aside`]) and written by its domain; and nothing is touched before everything that can be known was looked at.
//! - The installation's secret is in no archive; an archive only tells whether a secret is the right one.
//!
//! `tar`, `zstd` and `age` write what the tools of those names read, so that a backup can be opened where this program is not;
//! `age` is the encryption that is made for files and has readers in several languages.

pub mod archive;
mod aside;
mod bring_back;
mod config;
pub mod errors;
mod health;
mod jobs;
pub mod keep;
mod make;
mod runs;
mod service;
mod spool;

pub use aside::{Aside, lay_aside};
pub use bring_back::{Destination, Milestone, check, restore};
pub use config::BackupConfig;
pub use health::{Health, health};
pub use jobs::{BackUp, BackupCleanup, FollowBackups, NightlyBackup};
pub use make::{Made, make};
pub use runs::{BACKUP_LIST, Backup, BackupRunId, BackupState, get, list, newest, request};
pub use service::{Backups, fetch, taken_at, targets};
