//! Backups as a service: where they are, and what they are made of.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use files::Files;
use files::storage::Storage;
use kernel::{DateTime, Error, Result};
use store::Store;

use crate::archive::hex;
use crate::config::BackupConfig;
use crate::errors::NO_BACKUP;

/// What archives begin with.
const PREFIX: &str = "pelatis-";
/// What archives end with, encrypted ones with `.age` after it.
const ENDING: &str = ".tar.zst";

/// Backups as a service. Cheap to clone.
#[derive(Clone)]
pub struct Backups(Arc<Inner>);

struct Inner {
    store: Store,
    files: Files,
    config: BackupConfig,
    targets: Vec<Storage>,
}

impl std::fmt::Debug for Backups {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Backups({:?})", self.0.config.target)
    }
}

impl Backups {
    /// Takes the targets into use. None of them needs to be there.
    ///
    /// # Errors
    /// `internal` where a target cannot be what it is configured as.
    pub fn open(store: Store, files: Files, config: BackupConfig) -> Result<Self> {
        let targets = targets(&config)?;
        Ok(Self(Arc::new(Inner { store, files, config, targets })))
    }

    /// How they are kept.
    pub fn config(&self) -> &BackupConfig {
        &self.0.config
    }

    /// Where they go, the first target first.
    pub fn targets(&self) -> &[Storage] {
        &self.0.targets
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(crate) fn files(&self) -> &Files {
        &self.0.files
    }
}

/// The targets that are configured, the first one first.
///
/// # Errors
/// `internal` where a target cannot be what it is configured as.
pub fn targets(config: &BackupConfig) -> Result<Vec<Storage>> {
    let urls = std::iter::once(&config.target).chain(&config.second);
    urls.map(|url| Storage::new(url, config.target_timeout)).collect()
}

/// What shows whether a secret is the installation's, without showing the secret.
pub(crate) fn secret_check(secret: &store::Secret) -> Result<String> {
    secret.derive("backup-check").map(|key| hex(&key))
}

/// What an archive of this moment is called: in the order of their names, archives are in the order of their moments.
pub(crate) fn archive_name(taken_at: DateTime, id: uuid::Uuid, is_sealed: bool) -> String {
    let tail: String = id.simple().to_string().chars().rev().take(8).collect();
    let sealed = if is_sealed { ".age" } else { "" };
    format!("{PREFIX}{}-{tail}{ENDING}{sealed}", taken_at.format("%Y%m%dT%H%M%SZ"))
}

/// When the archive of this name was taken; none where it is no name of an archive.
pub fn taken_at(name: &str) -> Option<DateTime> {
    let middle = name.strip_suffix(".age").unwrap_or(name).strip_prefix(PREFIX)?.strip_suffix(ENDING)?;
    let (moment, tail) = middle.split_once('-')?;
    let is_tail = tail.len() == 8 && tail.bytes().all(|byte| byte.is_ascii_hexdigit());
    let moment = chrono::NaiveDateTime::parse_from_str(moment, "%Y%m%dT%H%M%SZ").ok()?;
    is_tail.then(|| moment.and_utc())
}

/// Brings an archive from a target to the disk.
///
/// # Errors
/// `no_backup`; `storage_unavailable`; `storage_full`.
pub async fn fetch(target: &Storage, name: &str, scratch: &Path) -> Result<PathBuf> {
    if taken_at(name).is_none() {
        return Err(Error::new(&NO_BACKUP).with_detail(format!("{name} is not what a backup is called.")));
    }
    std::fs::create_dir_all(scratch).map_err(Error::internal)?;
    let path = scratch.join(name);
    crate::spool::fetch(target, name, &path).await?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone as _;

    use super::*;

    #[test]
    fn the_name_of_an_archive_tells_its_moment() {
        let moment = chrono::Utc.with_ymd_and_hms(2026, 11, 25, 2, 0, 7).unwrap();
        for is_sealed in [false, true] {
            let name = archive_name(moment, uuid::Uuid::from_u128(0x1234_5678_9abc), is_sealed);
            assert_eq!(taken_at(&name), Some(moment), "{name}");
        }
        for wrong in [
            "",
            "pelatis-.tar.zst",
            "pelatis-20261125T020007Z.tar.zst",
            "pelatis-20261125T020007Z-1234567.tar.zst",
            "pelatis-20261325T020007Z-12345678.tar.zst",
            "x-20261125T020007Z-12345678.tar.zst",
            "pelatis-20261125T020007Z-12345678.tar",
        ] {
            assert_eq!(taken_at(wrong), None, "{wrong}");
        }
    }
}
