//! How backups are kept.

use std::path::PathBuf;
use std::time::Duration;

use files::StorageUrl;

use crate::archive::Recipients;

/// How backups are kept.
#[derive(Clone, Debug)]
pub struct BackupConfig {
    /// Where they go.
    pub target: StorageUrl,
    /// Where each goes too, for the day on which the first is lost with everything else.
    pub second: Option<StorageUrl>,
    /// A folder for what is in the making; it needs room for the archive, the database, and the largest file.
    pub scratch: PathBuf,
    /// Who can open them; everybody where there is none.
    pub recipients: Recipients,
    /// Whether the content of files is in them.
    pub with_files: bool,
    /// Days after which one goes.
    pub keep_days: u32,
    /// Whether one is made each night.
    pub is_nightly: bool,
    /// How old the newest may be before the installation is called degraded.
    pub overdue: Duration,
    /// How long a target may take over one step.
    pub target_timeout: Duration,
}
