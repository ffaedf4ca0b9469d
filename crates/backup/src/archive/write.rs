//! Writing an archive. Compressing and encrypting take a thread of their own, which is handed what to write piece by piece.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, Digest, SHA256};
use bytes::Bytes;
use kernel::{DateTime, Error, Result};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::sealed::Recipients;
use super::{SUMS, hex, sum_line};

/// Pieces that wait for the thread at most, each of up to a part's length.
const AHEAD: usize = 4;
/// How hard zstd tries: its own default, which a disk can just follow.
const LEVEL: i32 = 3;

/// What an archive came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its length in bytes.
    pub bytes: u64,
    /// The SHA-256 of all of it, in hexadecimal.
    pub sha256: String,
}

enum Step {
    Begin { name: String, length: u64 },
    Piece(Bytes),
    End,
}

/// An archive in the making. It is there when [`finish`](Self::finish) has returned; whoever drops it before leaves an unfinished file.
pub struct Writer {
    steps: mpsc::Sender<Step>,
    thread: JoinHandle<io::Result<Written>>,
}

impl Writer {
    /// Begins a new file, which must not be there yet.
    pub fn begin(path: &Path, recipients: &Recipients, taken_at: DateTime) -> Self {
        let (steps, waiting) = mpsc::channel(AHEAD);
        let (path, recipients) = (path.to_owned(), recipients.clone());
        let at = u64::try_from(taken_at.timestamp()).unwrap_or(0);
        let thread = tokio::task::spawn_blocking(move || write(&path, &recipients, at, waiting));
        Self { steps, thread }
    }

    /// Begins an entry of exactly this length.
    ///
    /// # Errors
    /// `storage_full`, and what else hinders writing.
    pub async fn entry(&mut self, name: String, length: u64) -> Result<()> {
        self.step(Step::Begin { name, length }).await
    }

    /// The next piece of the entry.
    ///
    /// # Errors
    /// As [`entry`](Self::entry).
    pub async fn piece(&mut self, piece: Bytes) -> Result<()> {
        self.step(Step::Piece(piece)).await
    }

    /// An entry in one piece.
    ///
    /// # Errors
    /// As [`entry`](Self::entry).
    pub async fn whole(&mut self, name: String, content: Vec<u8>) -> Result<()> {
        let length = u64::try_from(content.len()).map_err(Error::internal)?;
        self.entry(name, length).await?;
        self.piece(content.into()).await
    }

    /// Writes the checksums and brings everything to the disk.
    ///
    /// # Errors
    /// As [`entry`](Self::entry); `internal` when the last entry is shorter than was said.
    pub async fn finish(mut self) -> Result<Written> {
        self.step(Step::End).await?;
        ended(self.thread).await
    }

    async fn step(&mut self, step: Step) -> Result<()> {
        if self.steps.send(step).await.is_ok() {
            return Ok(());
        }
        // the thread has ended, and knows why
        match ended(std::mem::replace(&mut self.thread, tokio::task::spawn_blocking(|| Err(io::ErrorKind::BrokenPipe.into()))))
            .await
        {
            Ok(_) => Err(Error::internal("the archive ended before its end")),
            Err(error) => Err(error),
        }
    }
}

async fn ended(thread: JoinHandle<io::Result<Written>>) -> Result<Written> {
    thread.await.map_err(Error::internal)?.map_err(from_io)
}

/// What a disk says.
pub(crate) fn from_io(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Error::new(&kernel::error::codes::STORAGE_FULL).with_source(error)
        }
        _ => Error::internal(error),
    }
}

fn write(path: &PathBuf, recipients: &Recipients, at: u64, mut steps: mpsc::Receiver<Step>) -> io::Result<Written> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let mut sums = tempfile::tempfile_in(folder)?;
    let sealed = recipients.seal(Counting::new(BufWriter::with_capacity(1 << 18, file)))?;
    let mut packed = zstd::Encoder::new(sealed, LEVEL)?;
    packed.include_checksum(true)?;
    let mut tar = tar::Builder::new(packed);
    loop {
        match steps.blocking_recv() {
            Some(Step::Begin { name, length }) => {
                let mut body = Body { steps: &mut steps, left: length, piece: Bytes::new(), digest: Context::new(&SHA256) };
                append(&mut tar, &name, length, at, &mut body)?;
                sums.write_all(sum_line(body.digest.finish().as_ref(), &name).as_bytes())?;
            }
            Some(Step::Piece(_)) => return Err(io::Error::other("an entry is longer than was said")),
            Some(Step::End) => break,
            // whoever made it gave it up
            None => return Err(io::ErrorKind::Interrupted.into()),
        }
    }
    let length = sums.seek(SeekFrom::End(0))?;
    sums.rewind()?;
    append(&mut tar, SUMS, length, at, &mut sums)?;
    let counted = tar.into_inner()?.finish()?.finish()?;
    let (file, written) = counted.finish();
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    Ok(written)
}

fn append(tar: &mut tar::Builder<impl Write>, name: &str, length: u64, at: u64, body: &mut impl Read) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(length);
    header.set_mode(0o600);
    header.set_mtime(at);
    tar.append_data(&mut header, name, body)
}

/// The entry that is being handed over.
struct Body<'a> {
    steps: &'a mut mpsc::Receiver<Step>,
    left: u64,
    piece: Bytes,
    digest: Context,
}

impl Read for Body<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() && self.left > 0 {
            match self.steps.blocking_recv() {
                Some(Step::Piece(piece)) => {
                    self.left = self
                        .left
                        .checked_sub(piece.len() as u64)
                        .ok_or_else(|| io::Error::other("an entry is longer than was said"))?;
                    self.digest.update(&piece);
                    self.piece = piece;
                }
                Some(_) => return Err(io::Error::other("an entry is shorter than was said")),
                None => return Err(io::ErrorKind::Interrupted.into()),
            }
        }
        let taken = self.piece.split_to(self.piece.len().min(into.len()));
        if let Some(place) = into.get_mut(..taken.len()) {
            place.copy_from_slice(&taken);
        }
        Ok(taken.len())
    }
}

/// Counts and digests what goes through.
struct Counting<W> {
    into: W,
    bytes: u64,
    digest: Context,
}

impl<W> Counting<W> {
    fn new(into: W) -> Self {
        Self { into, bytes: 0, digest: Context::new(&SHA256) }
    }

    fn finish(self) -> (W, Written) {
        let digest: Digest = self.digest.finish();
        (self.into, Written { bytes: self.bytes, sha256: hex(digest.as_ref()) })
    }
}

impl<W: Write> Write for Counting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.into.write(bytes)?;
        self.digest.update(bytes.get(..written).unwrap_or_default());
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.into.flush()
    }
}
