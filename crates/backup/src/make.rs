//! Making a backup: a snapshot of the database, then the content of every file that it speaks of, in one archive. The files of imports are
//! among them: one that is staged can be read in another way, and is then staged anew from its file.

use std::collections::BTreeSet;
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use files::files::{Holder, Object, objects};
use kernel::{Error, Result, WorkspaceId};
use store::snapshot::{PART, Parts, Snapshot};
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;

use crate::archive::{DATABASE, Damaged, FILES, FORMAT, MANIFEST, Manifest, Writer, Written, from_io};
use crate::service::{Backups, archive_name, secret_check};
use crate::spool;

/// Files of a workspace that are listed in one go.
const AT_ONCE: u64 = 1000;
/// Damaged files that the manifest names; of the others the log tells.
const NAMED: usize = 1000;

/// A backup that is on the disk and in no target yet. It goes with this value, unless it was put somewhere.
#[derive(Debug)]
pub struct Made {
    /// What it is called.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
    /// What it came to.
    pub written: Written,
    /// What is in it.
    pub manifest: Manifest,
}

impl Drop for Made {
    fn drop(&mut self) {
        // one that was moved into a target is not there any more
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Makes one. `on_way` hears after each step how many bytes were read, and may stop it.
///
/// # Errors
/// What the database says; `storage_unavailable`; `storage_full`; what `on_way` returns.
pub async fn make(backups: &Backups, on_way: impl AsyncFnMut(u64) -> Result<()>) -> Result<Made> {
    let (store, config) = (backups.store(), backups.config());
    std::fs::create_dir_all(&config.scratch).map_err(from_io)?;
    let taken_at = store.runtime().now();
    let name = archive_name(taken_at, store.runtime().uuid(), !config.recipients.is_empty());
    let path = config.scratch.join(format!("{name}.part"));
    let unfinished = Unfinished(Some(path.clone()));

    let writer = Writer::begin(&path, &config.recipients, taken_at);
    let mut making = Making { writer, read: 0, on_way };
    let mut snapshot = Snapshot::take(store, &config.scratch).await?;
    let database = snapshot.hand_over(&mut making).await?;
    let listed = if config.with_files { Some(list(&mut snapshot, &config.scratch).await?) } else { None };
    snapshot.end().await?;

    let mut manifest = Manifest {
        format: FORMAT,
        pelatis: env!("CARGO_PKG_VERSION").to_owned(),
        engine: store.dialect().name().to_owned(),
        taken_at,
        secret_check: secret_check(store.secret())?,
        database,
        has_files: config.with_files,
        storages: Vec::new(),
        files: 0,
        file_bytes: 0,
        damaged_files: 0,
        damaged: Vec::new(),
    };
    if let Some(listed) = listed {
        making.add_files(backups, listed, &mut manifest).await?;
    }
    let text = serde_json::to_vec_pretty(&manifest).map_err(Error::internal)?;
    making.writer.whole(MANIFEST.to_owned(), text).await?;
    let written = making.writer.finish().await?;
    unfinished.keep();
    Ok(Made { name, path, written, manifest })
}

/// Removes what was not finished.
struct Unfinished(Option<PathBuf>);

impl Unfinished {
    fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Every object that a file or an import has, on the disk, a line for each: there may be millions.
async fn list(snapshot: &mut Snapshot, scratch: &Path) -> Result<std::fs::File> {
    let mut listed = tempfile::tempfile_in(scratch).map_err(from_io)?;
    for workspace in snapshot.workspaces().await? {
        for holder in Holder::ALL {
            list_of(snapshot, holder, workspace, &mut listed).await?;
        }
    }
    listed.rewind().map_err(from_io)?;
    Ok(listed)
}

async fn list_of(snapshot: &mut Snapshot, holder: Holder, workspace: WorkspaceId, listed: &mut std::fs::File) -> Result<()> {
    let mut after = None;
    loop {
        let rows = snapshot.rows_of(workspace, &objects(holder, workspace, after, AT_ONCE)).await?;
        for row in &rows {
            let object = Object::read(holder, row)?;
            after = Some(object.id);
            let line = serde_json::to_vec(&object).map_err(Error::internal)?;
            listed.write_all(&line).and_then(|()| listed.write_all(b"\n")).map_err(from_io)?;
        }
        if rows.len() < usize::try_from(AT_ONCE).unwrap_or(usize::MAX) {
            return Ok(());
        }
    }
}

struct Making<F> {
    writer: Writer,
    read: u64,
    on_way: F,
}

impl<F: AsyncFnMut(u64) -> Result<()>> Parts for Making<F> {
    async fn part(&mut self, name: String, bytes: Vec<u8>) -> Result<()> {
        let length = u64::try_from(bytes.len()).map_err(Error::internal)?;
        self.writer.whole(format!("{DATABASE}{name}"), bytes).await?;
        self.went_on(length).await
    }
}

impl<F: AsyncFnMut(u64) -> Result<()>> Making<F> {
    async fn went_on(&mut self, bytes: u64) -> Result<()> {
        self.read += bytes;
        (self.on_way)(self.read).await
    }

    async fn add_files(&mut self, backups: &Backups, listed: std::fs::File, manifest: &mut Manifest) -> Result<()> {
        let mut storages = BTreeSet::new();
        let mut lines = std::io::BufReader::new(listed);
        loop {
            let mut line = Vec::new();
            std::io::BufRead::read_until(&mut lines.by_ref(), b'\n', &mut line).map_err(from_io)?;
            if line.is_empty() {
                break;
            }
            let object: Object = serde_json::from_slice(&line).map_err(Error::internal)?;
            storages.insert(object.storage.clone());
            match self.add_file(backups, &object).await? {
                Added::Whole => {
                    manifest.files += 1;
                    manifest.file_bytes += object.length;
                }
                Added::Purged => {}
                Added::Damaged(problem) => {
                    tracing::error!(storage = object.storage, key = object.key, problem, "a file could not be backed up");
                    manifest.damaged_files += 1;
                    if manifest.damaged.len() < NAMED {
                        manifest.damaged.push(Damaged { storage: object.storage, key: object.key, problem });
                    }
                }
            }
        }
        manifest.storages = storages.into_iter().collect();
        Ok(())
    }

    /// Brings the content here first: an entry needs a length that holds, and what a storage gives may not be what the row says.
    async fn add_file(&mut self, backups: &Backups, object: &Object) -> Result<Added> {
        let storage = backups.files().storages().of(&object.storage)?;
        let path = backups.config().scratch.join(format!("{}.part", backups.store().runtime().uuid()));
        let here = Unfinished(Some(path.clone()));
        let (length, sha256) = match spool::fetch(storage, &object.key, &path).await {
            Ok(fetched) => fetched,
            Err(error) if storage.has(&object.key).await? => return Err(error),
            // the storage answers, and has no such object
            Err(_) if !object.is_still_there(backups.store()).await? => return Ok(Added::Purged),
            Err(_) => return Ok(Added::Damaged("it is gone from its storage".to_owned())),
        };
        if length != object.length || object.sha256.as_ref().is_some_and(|expected| sha256 != *expected) {
            return Ok(Added::Damaged("it is not what was uploaded".to_owned()));
        }
        self.writer.entry(format!("{FILES}{}/{}", object.storage, object.key), length).await?;
        let mut file = File::open(&path).await.map_err(from_io)?;
        let mut left = length;
        while left > 0 {
            let mut piece = Vec::with_capacity(PART);
            let read = (&mut file).take(left.min(PART as u64)).read_to_end(&mut piece).await.map_err(from_io)?;
            if read == 0 {
                return Err(Error::internal("what was just written cannot be read"));
            }
            left -= read as u64;
            self.writer.piece(Bytes::from(piece)).await?;
        }
        drop(here);
        self.went_on(length).await?;
        Ok(Added::Whole)
    }
}

enum Added {
    Whole,
    /// It was purged since the snapshot was taken.
    Purged,
    Damaged(String),
}
