//! Tells a type from the first bytes, and looks into what can hide something.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use super::{Declared, FileType, Judged, Refusal, archive, image, office, text};

/// Bytes at the beginning that are looked at.
const HEAD: u64 = 4096;
/// Within this many bytes a reader of PDF looks for its beginning, and a browser for something to run.
const POLYGLOT: usize = 1024;

/// The type of a file, whatever it is called; whether `is_text` was told while it came in.
pub(super) fn sniff(file: &mut File, is_text: bool, declared: &Declared) -> Judged<FileType> {
    let mut head = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.by_ref().take(HEAD).read_to_end(&mut head)?;
    let begins = |with: &[u8]| head.starts_with(with);
    let webp = begins(b"RIFF") && head.get(8..12) == Some(b"WEBP".as_slice());
    let found = match () {
        () if head.is_empty() => return Ok(Err(Refusal::Malformed("The file is empty."))),
        () if begins(&[0xFF, 0xD8, 0xFF]) => FileType::Jpeg,
        () if begins(b"\x89PNG\r\n\x1a\n") => FileType::Png,
        () if begins(b"GIF87a") || begins(b"GIF89a") => FileType::Gif,
        () if webp => FileType::Webp,
        () if begins(b"%PDF-") => FileType::Pdf,
        () if begins(b"PK\x03\x04") => return archive::type_of(file),
        () if begins(b"PK\x05\x06") => return Ok(Err(Refusal::Malformed("The archive is empty."))),
        () if begins(&[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]) => return Ok(office::type_of(file)),
        () => return Ok(text::type_of(is_text, &head, declared)),
    };
    // one file that is two things is let in as the one and opened as the other
    let early: Vec<u8> = head.iter().take(POLYGLOT).map(u8::to_ascii_lowercase).collect();
    let has = |words: &[u8]| early.windows(words.len()).any(|part| part == words);
    let is_pdf_too = found != FileType::Pdf && has(b"%pdf-");
    let is_page_too = found.is_image() && [b"<script".as_slice(), b"<html", b"<svg", b"<!doctype"].into_iter().any(has);
    if is_pdf_too || is_page_too || archive::has_directory(file)? {
        return Ok(Err(Refusal::Malformed("The file is two things at once.")));
    }
    Ok(Ok(found))
}

/// What files begin with that are neither text nor archives of the usual kind. An empty file is told by whoever reads it.
const NO_TEXT: [&[u8]; 11] = [
    &[0xFF, 0xD8, 0xFF],
    b"\x89PNG\r\n\x1a\n",
    b"GIF87a",
    b"GIF89a",
    b"RIFF",
    b"%PDF-",
    b"PK\x05\x06",
    &[0xD0, 0xCF, 0x11, 0xE0],
    &[0x1F, 0x8B],
    b"7z\xBC\xAF\x27\x1C",
    b"Rar!\x1A\x07",
];

/// What a file may be, as it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    /// Text in some alphabet.
    Text,
    /// An archive, or what is made of one.
    Archive,
    /// Neither.
    Other,
}

/// What a file may be, as it begins.
pub(super) fn begins_as(file: &mut File) -> std::io::Result<Beginning> {
    let mut head = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.by_ref().take(16).read_to_end(&mut head)?;
    Ok(match () {
        () if head.starts_with(b"PK\x03\x04") => Beginning::Archive,
        () if NO_TEXT.iter().any(|begin| head.starts_with(begin)) => Beginning::Other,
        () => Beginning::Text,
    })
}

/// Looks for what becomes too large when it is opened.
pub(super) fn look_inside(file: &mut File, found: FileType, room: &Path) -> Judged<()> {
    match found {
        FileType::Zip | FileType::Docx | FileType::Xlsx => archive::open(file, room),
        _ if found.is_image() => image::measure(file),
        _ => Ok(Ok(())),
    }
}
