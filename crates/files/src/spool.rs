//! What comes in, on its way: written to a file of its own while it is hashed, and gone again unless a storage takes it.
//!
//! It lies on the disk before a storage sees it, because what it is can only be told when it is whole: the directory of an archive is
//! at its end. So nothing that is refused, cut off or infected ever comes near a storage.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use futures::TryStreamExt as _;
use kernel::error::codes;
use kernel::{Error, Result, Runtime};
use tokio::io::AsyncWriteExt as _;
use tokio::task::JoinHandle;

use crate::content::TextCheck;
use crate::service::Files;
use crate::storage::failure::from_io;

/// Bytes that are gathered before they are written.
const GATHERED: usize = 256 * 1024;
/// Bytes after which the disk is told to take what it has, so that there is little left to wait for at the end.
const SYNCED: u64 = 8 * 1024 * 1024;

/// A file that is removed when it is dropped, unless it has become something else.
#[derive(Debug)]
pub(crate) struct Lying(PathBuf);

impl Drop for Lying {
    fn drop(&mut self) {
        match fs::remove_file(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, "what was left on its way is removed by the clean-up");
            }
            _ => {}
        }
    }
}

/// What is being written.
struct Writing {
    file: File,
    digest: Context,
    text: TextCheck,
    /// Bytes since the disk was last told to take them.
    unsynced: u64,
}

impl Writing {
    fn write(mut self, bytes: Vec<u8>) -> io::Result<(Self, Vec<u8>)> {
        self.digest.update(&bytes);
        self.text.update(&bytes);
        self.file.write_all(&bytes)?;
        self.unsynced += bytes.len() as u64;
        Ok((self, bytes))
    }
}

/// An upload on its way in. Dropping it leaves nothing.
pub struct Spool {
    lying: Lying,
    gathered: Vec<u8>,
    /// The piece before, which is written meanwhile, and comes back with its room.
    writing: JoinHandle<io::Result<(Writing, Vec<u8>)>>,
    /// What the disk takes meanwhile.
    syncing: Option<JoinHandle<io::Result<()>>>,
    length: u64,
    most: u64,
}

impl std::fmt::Debug for Spool {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Spool({} bytes)", self.length)
    }
}

/// An upload that is whole, and lies on the disk until it is dropped.
#[derive(Debug)]
pub struct Received {
    lying: Lying,
    /// How many bytes it has.
    pub length: u64,
    /// Its digest, in hexadecimal digits.
    pub sha256: String,
    /// Whether it reads as text.
    pub(crate) is_text: bool,
}

impl Received {
    /// Where it lies.
    pub(crate) fn path(&self) -> &Path {
        &self.lying.0
    }
}

/// What a failure of our own disk means: `storage_full`, or `storage_unavailable`.
#[track_caller]
pub fn disk_failed(error: io::Error) -> Error {
    from_io("spool", error)
}

impl Spool {
    pub(crate) async fn begin(folder: &Path, runtime: &Runtime, most: u64) -> Result<Self> {
        let path = folder.join(format!("{}.part", runtime.uuid()));
        let opening = path.clone();
        let open = move || {
            if let Some(folder) = opening.parent() {
                fs::create_dir_all(folder)?;
            }
            File::options().write(true).create_new(true).open(&opening)
        };
        let file = tokio::task::spawn_blocking(open).await.map_err(Error::internal)?.map_err(disk_failed)?;
        let writing = Writing { file, digest: Context::new(&SHA256), text: TextCheck::default(), unsynced: 0 };
        let writing = tokio::task::spawn_blocking(move || Ok((writing, Vec::with_capacity(GATHERED))));
        Ok(Self { lying: Lying(path), gathered: Vec::with_capacity(GATHERED), writing, syncing: None, length: 0, most })
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// `too_large` when it becomes longer than allowed; `storage_full`; `storage_unavailable` where the disk fails.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.length += bytes.len() as u64;
        if self.length > self.most {
            return Err(Error::new(&codes::TOO_LARGE).with_detail(format!("A file may have at most {} bytes.", self.most)));
        }
        self.gathered.extend_from_slice(bytes);
        if self.gathered.len() >= GATHERED { self.hand_on().await } else { Ok(()) }
    }

    /// Lets what was gathered be written, once the piece before is.
    async fn hand_on(&mut self) -> Result<()> {
        let (mut writing, mut room) = (&mut self.writing).await.map_err(Error::internal)?.map_err(disk_failed)?;
        if writing.unsynced >= SYNCED {
            // the disk is at one part while the next comes in, and never two behind
            self.synced().await?;
            let file = writing.file.try_clone().map_err(disk_failed)?;
            self.syncing = Some(tokio::task::spawn_blocking(move || file.sync_data()));
            writing.unsynced = 0;
        }
        room.clear();
        let bytes = std::mem::replace(&mut self.gathered, room);
        self.writing = tokio::task::spawn_blocking(move || writing.write(bytes));
        Ok(())
    }

    /// The disk has what it was last told to take.
    async fn synced(&mut self) -> Result<()> {
        match self.syncing.take() {
            Some(syncing) => syncing.await.map_err(Error::internal)?.map_err(disk_failed),
            None => Ok(()),
        }
    }

    /// All of it has come.
    ///
    /// # Errors
    /// `storage_full`; `storage_unavailable` where the disk fails.
    pub async fn finish(mut self) -> Result<Received> {
        self.hand_on().await?;
        self.synced().await?;
        let (writing, _) = self.writing.await.map_err(Error::internal)?.map_err(disk_failed)?;
        let sync = move || writing.file.sync_all().map(|()| (writing.digest, writing.text.is_text()));
        let (digest, is_text) = tokio::task::spawn_blocking(sync).await.map_err(Error::internal)?.map_err(disk_failed)?;
        let sha256 = digest.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Received { lying: self.lying, length: self.length, sha256, is_text })
    }
}

/// Fetches an object from its storage to the disk, so that it is read at its own pace.
///
/// # Errors
/// `storage_unavailable`; `storage_full`.
pub(crate) async fn fetch(files: &Files, bucket: &str, key: &str) -> Result<(Lying, File)> {
    let folder = files.config().spool.clone();
    let path = folder.join(format!("{}.part", files.store().runtime().uuid()));
    tokio::fs::create_dir_all(&folder).await.map_err(disk_failed)?;
    let mut file = tokio::fs::File::create_new(&path).await.map_err(disk_failed)?;
    let lying = Lying(path);
    let mut content = files.storages().of(bucket)?.open(key, None).await?;
    while let Some(piece) = content.try_next().await? {
        file.write_all(&piece).await.map_err(disk_failed)?;
    }
    file.flush().await.map_err(disk_failed)?;
    let file = File::open(&lying.0).map_err(disk_failed)?;
    Ok((lying, file))
}
