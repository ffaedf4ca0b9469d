//! ZIP archives, and the Office files that are such: their directory is read by itself, so that one of a million entries costs no memory,
//! and everything in them is opened once within bounds, so that what the directory says is known to be true.

mod directory;

use std::fs::File;
use std::io::{BufReader, Read, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use flate2::read::DeflateDecoder;

use super::{FileType, Judged, Refusal, accept};
use directory::{Directory, Entry, entries};

pub(super) use directory::has_directory;

/// Bytes that everything in an archive may have together when it is opened.
const MOST_OPENED: u64 = 512 * 1024 * 1024;
/// How many times larger it may become, beyond [`FREE`].
const MOST_TIMES: u64 = 100;
/// What anything may become, however small it was.
const FREE: u64 = 16 * 1024 * 1024;
/// Archives in archives that are opened.
const DEEPEST: u32 = 2;

const MACROS: &str = "The Office file has macros in it.";

/// Whether it is a Word document, an Excel workbook, or an archive of anything.
pub(super) fn type_of(file: &mut File) -> Judged<FileType> {
    let directory = accept!(Directory::find(file));
    let (mut is_office, mut is_word, mut is_excel, mut has_macros) = (false, false, false, false);
    let listed = entries(file, &directory, |entry| {
        let name = entry.name.as_slice();
        is_office |= name == b"[Content_Types].xml";
        is_word |= name == b"word/document.xml";
        is_excel |= name == b"xl/workbook.xml";
        has_macros |= name.to_ascii_lowercase().ends_with(b"vbaproject.bin");
        Ok(Ok(()))
    });
    accept!(listed);
    Ok(match (is_office, is_word, is_excel) {
        (true, true, false) | (true, false, true) if has_macros => Err(Refusal::NotAllowed(MACROS.to_owned())),
        (true, true, false) => Ok(FileType::Docx),
        (true, false, true) => Ok(FileType::Xlsx),
        _ => Ok(FileType::Zip),
    })
}

/// What may still be opened.
struct Bounds<'a> {
    /// Bytes that are left.
    left: u64,
    /// How many archives lie around this one.
    depth: u32,
    /// Where an archive in the archive may lie while it is looked into.
    room: &'a Path,
}

/// Opens everything that is in it, within bounds; what lies within it once more is put into `room` meanwhile.
pub(super) fn open(file: &mut File, room: &Path) -> Judged<()> {
    let length = file.metadata()?.len();
    let left = MOST_OPENED.min(length.saturating_mul(MOST_TIMES).max(FREE));
    open_within(file, &mut Bounds { left, depth: 1, room })
}

fn open_within(file: &mut File, bounds: &mut Bounds<'_>) -> Judged<()> {
    let directory = accept!(Directory::find(file));
    let mut listed: Vec<Entry> = Vec::new();
    let mut promised: u64 = 0;
    accept!(entries(file, &directory, |entry| {
        promised = promised.saturating_add(entry.opened);
        listed.push(Entry { name: Vec::new(), ..entry });
        Ok(if promised > bounds.left { Err(too_dense()) } else { Ok(()) })
    }));
    // entries that share their content make much of little (D. Fifield, "A better zip bomb", 2019)
    listed.sort_by_key(|entry| entry.at);
    let mut end = 0;
    for entry in &listed {
        if entry.at < end {
            return Ok(Err(Refusal::Malformed("Entries of the archive lie in one another.")));
        }
        end = entry.at.saturating_add(entry.packed);
    }
    if end > directory.at {
        return Ok(Err(Refusal::Malformed("The archive is damaged.")));
    }
    for entry in &listed {
        accept!(open_entry(file, entry, bounds));
    }
    Ok(Ok(()))
}

fn too_dense() -> Refusal {
    Refusal::TooDense("The archive would become too large when it is opened.")
}

fn open_entry(file: &mut File, entry: &Entry, bounds: &mut Bounds<'_>) -> Judged<()> {
    let Some(begin) = directory::content_of(file, entry)? else {
        return Ok(Err(Refusal::Malformed("The archive is damaged.")));
    };
    file.seek(SeekFrom::Start(begin))?;
    let packed = BufReader::new(file.take(entry.packed));
    if entry.is_deflated { read_entry(DeflateDecoder::new(packed), entry, bounds) } else { read_entry(packed, entry, bounds) }
}

/// Reads all of an entry, and what is in it where that is an archive once more.
fn read_entry(mut content: impl Read, entry: &Entry, bounds: &mut Bounds<'_>) -> Judged<()> {
    let mut piece = vec![0; 64 * 1024];
    let (mut length, mut inner) = (0_u64, None);
    loop {
        let Ok(read) = content.read(&mut piece) else {
            return Ok(Err(Refusal::Malformed("The archive is damaged.")));
        };
        let Some(bytes) = piece.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        if length == 0 {
            if is_other_archive(bytes) {
                return Ok(Err(Refusal::NotAllowed("There is an archive of another kind in the archive.".to_owned())));
            }
            if bytes.starts_with(b"PK\x03\x04") {
                if bounds.depth >= DEEPEST {
                    return Ok(Err(Refusal::TooDense("Archives lie in archives too deeply.")));
                }
                inner = Some(tempfile::tempfile_in(bounds.room)?);
            }
        }
        length = length.saturating_add(bytes.len() as u64);
        bounds.left = bounds.left.saturating_sub(bytes.len() as u64);
        if bounds.left == 0 || length > entry.opened {
            return Ok(Err(too_dense()));
        }
        if let Some(inner) = &mut inner {
            inner.write_all(bytes)?;
        }
    }
    if length != entry.opened {
        return Ok(Err(Refusal::Malformed("The archive is damaged.")));
    }
    match inner {
        Some(mut inner) => {
            bounds.depth += 1;
            let opened = open_within(&mut inner, bounds);
            bounds.depth -= 1;
            opened
        }
        None => Ok(Ok(())),
    }
}

/// gzip, bzip2, xz, 7-Zip, RAR, Zstandard: what cannot be looked into is not taken along.
fn is_other_archive(bytes: &[u8]) -> bool {
    let magics: [&[u8]; 6] =
        [&[0x1F, 0x8B], b"BZh", b"\xFD7zXZ\0", b"7z\xBC\xAF\x27\x1C", b"Rar!\x1A\x07", &[0x28, 0xB5, 0x2F, 0xFD]];
    magics.into_iter().any(|magic| bytes.starts_with(magic))
}
