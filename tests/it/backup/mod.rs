//! Backups, through HTTP and through the program.

mod archives;
mod asked;
mod drill;
mod imports;
mod only;
mod places;

use std::path::{Path, PathBuf};
use std::time::Duration;

use ::backup::archive::Recipients;
use ::backup::{BackupConfig, Backups, Destination};
use ::files::{Files, FilesConfig, StorageUrl};
use harness::{Database, TestApp};
use store::Store;

fn storage(path: &Path) -> StorageUrl {
    StorageUrl::parse(&format!("file:{}", path.display())).unwrap()
}

fn files_config(folder: &Path) -> FilesConfig {
    FilesConfig {
        storage: storage(&folder.join("files")),
        further: Vec::new(),
        spool: folder.join("spool"),
        storage_timeout: Duration::from_secs(5),
        most_bytes: 50 << 20,
        scanner: None,
        public_url: "http://localhost".to_owned(),
    }
}

pub(crate) fn backup_config(folder: &Path) -> BackupConfig {
    BackupConfig {
        target: storage(&folder.join("backups")),
        second: None,
        scratch: folder.join("backing-up"),
        recipients: Recipients::default(),
        with_files: true,
        keep_days: 14,
        is_nightly: true,
        overdue: Duration::from_hours(26),
        target_timeout: Duration::from_secs(5),
    }
}

/// The files of a server, as this process may open them too.
pub(crate) fn files_of(app: &TestApp, store: &Store) -> Files {
    Files::open(store.clone(), files_config(app.folder.path()), api::ATTACHABLES).unwrap()
}

/// The backups of a server, as this process may make them too.
pub(crate) fn backups_of(app: &TestApp, store: &Store, change: impl FnOnce(&mut BackupConfig)) -> Backups {
    let mut config = backup_config(app.folder.path());
    change(&mut config);
    Backups::open(store.clone(), files_of(app, store), config).unwrap()
}

/// Makes an archive in this process, and says where it lies.
async fn archive_of(app: &TestApp, change: impl FnOnce(&mut BackupConfig)) -> PathBuf {
    let store = app.store().await;
    let made = ::backup::make(&backups_of(app, &store, change), async |_| Ok(())).await.unwrap();
    let kept = app.folder.path().join("kept.archive");
    std::fs::copy(&made.path, &kept).unwrap();
    store.close().await;
    kept
}

/// Where an archive of a server can be brought to: another database, and a folder of its own.
fn elsewhere(app: &TestApp, database: &Database, folder: &Path) -> Destination {
    Destination {
        database: database.config.clone(),
        secret: app.secret(),
        files: files_config(folder),
        scratch: folder.join("backing-up"),
    }
}
