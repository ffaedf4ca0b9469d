//! A folder on this machine. A file comes into it by being renamed, so that it is whole or not there.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _};
use std::ops::Range;
use std::path::{Path as FsPath, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::StreamExt as _;
use kernel::{Error, Result};
use object_store::local::LocalFileSystem;
use object_store::path::Path;

use super::Content;
use super::failure::{from_io, unavailable};

/// Bytes that are read at a time.
const PIECE: u64 = 256 * 1024;

/// A folder on this machine.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    /// Opened when the folder is there.
    open: Mutex<Option<Arc<LocalFileSystem>>>,
}

impl Folder {
    /// The folder is made here where it is not there yet; one that cannot be made now may be there later.
    pub fn new(root: &FsPath) -> Self {
        if let Err(error) = fs::create_dir_all(root) {
            tracing::warn!(%error, "the folder of files is not there");
        }
        Self { root: root.to_owned(), open: Mutex::default() }
    }

    /// The folder as a storage. It is looked for each time: writing would make one anew where a disk was taken away.
    pub async fn objects(&self) -> Result<Arc<LocalFileSystem>> {
        let root = self.root.clone();
        let found = tokio::task::spawn_blocking(move || fs::metadata(root)).await.map_err(Error::internal)?;
        if !found.is_ok_and(|found| found.is_dir()) {
            return Err(unavailable("local").with_source(format!("{} is not a folder", self.root.display())));
        }
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = &*open {
            return Ok(open.clone());
        }
        let opened = LocalFileSystem::new_with_prefix(&self.root).map_err(|error| unavailable("local").with_source(error))?;
        let opened = Arc::new(opened.with_automatic_cleanup(true));
        *open = Some(opened.clone());
        Ok(opened)
    }

    /// Takes a file that lies on the disk, under a key.
    pub async fn adopt(&self, name: &str, file: &FsPath, key: &str) -> Result<()> {
        let objects = self.objects().await?;
        let target = objects.path_to_filesystem(&Path::from(key)).map_err(|error| unavailable(name).with_source(error))?;
        let file = file.to_owned();
        let adopted = tokio::task::spawn_blocking(move || adopt(&file, &target)).await.map_err(Error::internal)?;
        adopted.map_err(|error| from_io(name, error))
    }
}

fn adopt(file: &FsPath, target: &FsPath) -> io::Result<()> {
    let folder = target.parent().ok_or(io::ErrorKind::InvalidInput)?;
    fs::create_dir_all(folder)?;
    match fs::rename(file, target) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            // listings leave out names with a number after `#`, so a copy that is not whole yet is no object
            let mut copy = target.as_os_str().to_owned();
            copy.push("#1");
            let copied =
                fs::copy(file, &copy).and_then(|_| File::open(&copy)?.sync_all()).and_then(|()| fs::rename(&copy, target));
            if let Err(error) = copied {
                // what cannot be removed now is found by the clean-up
                let _ = fs::remove_file(&copy);
                return Err(error);
            }
            fs::remove_file(file)?;
        }
        Err(error) => return Err(error),
    }
    // the name is on the disk too, and so are the folders above it, before anybody is told
    for above in folder.ancestors().take(3) {
        File::open(above)?.sync_all()?;
    }
    Ok(())
}

/// A part of a file, read ahead by one piece.
pub(super) fn pieces(file: File, range: Range<u64>) -> Content {
    let begin = async move {
        let mut file = file;
        let first = tokio::task::spawn_blocking(move || {
            file.seek(io::SeekFrom::Start(range.start))?;
            read(file, range.end.saturating_sub(range.start))
        });
        Ok::<_, Error>(Some(first))
    };
    futures::stream::once(begin).flat_map(|first| futures::stream::try_unfold(first.unwrap_or(None), next)).boxed()
}

type Reading = tokio::task::JoinHandle<io::Result<(Bytes, File, u64)>>;

async fn next(reading: Option<Reading>) -> Result<Option<(Bytes, Option<Reading>)>> {
    let Some(reading) = reading else { return Ok(None) };
    let (piece, file, left) = reading.await.map_err(Error::internal)?.map_err(|error| from_io("local", error))?;
    if piece.is_empty() {
        return Ok(None);
    }
    let more = (left > 0).then(|| tokio::task::spawn_blocking(move || read(file, left)));
    Ok(Some((piece, more)))
}

fn read(mut file: File, left: u64) -> io::Result<(Bytes, File, u64)> {
    let wanted = left.min(PIECE);
    let mut piece = Vec::with_capacity(usize::try_from(wanted).unwrap_or(0));
    let read = file.by_ref().take(wanted).read_to_end(&mut piece)?;
    if u64::try_from(read).unwrap_or(0) < wanted {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok((piece.into(), file, left - wanted))
}
