//! The directory at the end of an archive (PKWARE, APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16), read entry by entry.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom};

use super::super::{Judged, Refusal};

/// Entries of an archive at most.
const MOST_ENTRIES: u16 = 10_000;
/// The record at the end, and the longest comment that can come after it.
const END: usize = 22;
const LONGEST_END: u64 = END as u64 + 65_535;

/// Where the directory is.
pub(super) struct Directory {
    pub at: u64,
    entries: u16,
}

/// What the directory says of one entry.
pub(super) struct Entry {
    pub name: Vec<u8>,
    pub is_deflated: bool,
    /// Bytes that it has in the archive.
    pub packed: u64,
    /// Bytes that it has when it is opened.
    pub opened: u64,
    /// Where its own head is.
    pub at: u64,
}

fn short(bytes: &[u8], at: usize) -> u16 {
    let pair = bytes.get(at..at + 2).and_then(|pair| pair.try_into().ok());
    u16::from_le_bytes(pair.unwrap_or_default())
}

fn long(bytes: &[u8], at: usize) -> u64 {
    let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
    u32::from_le_bytes(four.unwrap_or_default()).into()
}

/// The record at the end, where the file ends with one, and where it is.
fn end_of(file: &mut File) -> io::Result<Option<(Vec<u8>, u64)>> {
    let length = file.metadata()?.len();
    let from = length.saturating_sub(LONGEST_END);
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(from))?;
    file.by_ref().take(LONGEST_END).read_to_end(&mut tail)?;
    let begins = (0..=tail.len().saturating_sub(END)).rev().find(|at| {
        let record = tail.get(*at..).unwrap_or_default();
        record.starts_with(b"PK\x05\x06") && record.len() == END + usize::from(short(record, 20))
    });
    Ok(begins.and_then(|at| Some((tail.get(at..)?.to_vec(), from + at as u64))))
}

/// Whether a file that is something else can be opened as an archive too.
pub(in super::super) fn has_directory(file: &mut File) -> io::Result<bool> {
    end_of(file).map(|end| end.is_some())
}

impl Directory {
    /// Finds the directory of an archive that has nothing before its first entry and nothing after its end.
    pub fn find(file: &mut File) -> Judged<Self> {
        let Some((end, end_at)) = end_of(file)? else {
            return Ok(Err(Refusal::Malformed("The archive is cut off.")));
        };
        let (disk, entries, size, at) = (short(&end, 4), short(&end, 10), long(&end, 12), long(&end, 16));
        if entries == u16::MAX || size == u64::from(u32::MAX) || at == u64::from(u32::MAX) {
            return Ok(Err(Refusal::NotAllowed("Archives in the form for very large files are not taken.".to_owned())));
        }
        if disk != 0 || at + size != end_at {
            return Ok(Err(Refusal::Malformed("The archive is damaged.")));
        }
        if entries > MOST_ENTRIES {
            return Ok(Err(Refusal::TooDense("The archive has more than 10,000 entries.")));
        }
        Ok(Ok(Self { at, entries }))
    }
}

/// Goes through the directory, as far as the visitor lets it.
pub(super) fn entries(file: &mut File, directory: &Directory, mut visit: impl FnMut(Entry) -> Judged<()>) -> Judged<()> {
    file.seek(SeekFrom::Start(directory.at))?;
    let mut reader = BufReader::new(&mut *file);
    for _ in 0..directory.entries {
        let mut head = [0; 46];
        if reader.read_exact(&mut head).is_err() || !head.starts_with(b"PK\x01\x02") {
            return Ok(Err(Refusal::Malformed("The archive is damaged.")));
        }
        let (flags, method) = (short(&head, 8), short(&head, 10));
        let (name, extra, comment) = (short(&head, 28), short(&head, 30), short(&head, 32));
        let mut words = vec![0; usize::from(name) + usize::from(extra) + usize::from(comment)];
        if reader.read_exact(&mut words).is_err() {
            return Ok(Err(Refusal::Malformed("The archive is damaged.")));
        }
        words.truncate(usize::from(name));
        if flags & 1 != 0 {
            return Ok(Err(Refusal::NotAllowed(
                "The archive is locked with a password, so nothing can be known of it.".to_owned(),
            )));
        }
        if method != 0 && method != 8 {
            return Ok(Err(Refusal::NotAllowed("The archive is packed in a way that is not read here.".to_owned())));
        }
        let entry = Entry {
            name: words,
            is_deflated: method == 8,
            packed: long(&head, 20),
            opened: long(&head, 24),
            at: long(&head, 42),
        };
        if !entry.is_deflated && entry.packed != entry.opened {
            return Ok(Err(Refusal::Malformed("The archive is damaged.")));
        }
        if let Err(refusal) = visit(entry)? {
            return Ok(Err(refusal));
        }
    }
    Ok(Ok(()))
}

/// Where the content of an entry begins; none where its own head is damaged.
pub(super) fn content_of(file: &mut File, entry: &Entry) -> io::Result<Option<u64>> {
    let mut head = [0; 30];
    file.seek(SeekFrom::Start(entry.at))?;
    if file.read_exact(&mut head).is_err() || !head.starts_with(b"PK\x03\x04") {
        return Ok(None);
    }
    Ok(Some(entry.at + 30 + u64::from(short(&head, 26)) + u64::from(short(&head, 28))))
}
