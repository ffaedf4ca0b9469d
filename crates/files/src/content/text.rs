//! Text: what has nothing in it that is not text, and is not meant for a browser to run.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};

use super::{Declared, FileType, Judged, Refusal, name};

/// What makes a browser take text for a page or a picture, wherever in the beginning it stands.
const MARKUP: [&str; 9] = ["<!doctype", "<html", "<head", "<body", "<script", "<svg", "<iframe", "<?xml", "<?php"];
/// How much of the beginning browsers look at (WHATWG MIME Sniffing, 5.2).
const SNIFFED: usize = 1445;

const UNKNOWN: &str = "The content is of no type that is taken here.";

/// Whether it is text, and which; what is no text is nothing that is known here.
pub(super) fn type_of(file: &mut File, head: &[u8], declared: &Declared) -> Judged<FileType> {
    if !is_text(file)? {
        return Ok(Err(Refusal::NotAllowed(UNKNOWN.to_owned())));
    }
    let early = String::from_utf8_lossy(head.get(..SNIFFED).unwrap_or(head)).to_lowercase();
    if MARKUP.into_iter().any(|markup| early.contains(markup)) {
        return Ok(Err(Refusal::NotAllowed("This is markup that a browser would run.".to_owned())));
    }
    // the content of both is text; which of them is meant, only the sender can say
    let named = declared.filename.as_deref().and_then(name::ending).map(str::to_ascii_lowercase);
    let is_table = match named {
        Some(end) => FileType::Csv.may_end_in(&end),
        None => declared.mime_type.as_deref() == Some("text/csv"),
    };
    Ok(Ok(if is_table { FileType::Csv } else { FileType::Text }))
}

/// Whether all of it is text: UTF-16 with its mark, or UTF-8 or an older alphabet of one byte, and no control characters in it.
fn is_text(file: &mut File) -> std::io::Result<bool> {
    file.seek(SeekFrom::Start(0))?;
    let mut piece = Vec::with_capacity(64 * 1024);
    let mut wide: Option<fn([u8; 2]) -> u16> = None;
    let mut is_first = true;
    loop {
        piece.clear();
        file.by_ref().take(64 * 1024).read_to_end(&mut piece)?;
        if piece.is_empty() {
            return Ok(true);
        }
        if std::mem::take(&mut is_first) {
            wide = match piece.as_slice() {
                [0xFF, 0xFE, ..] => Some(u16::from_le_bytes),
                [0xFE, 0xFF, ..] => Some(u16::from_be_bytes),
                _ => None,
            };
        }
        let fits = match wide {
            Some(unit) => is_wide_text(&piece, unit),
            None => !has_control(&piece),
        };
        if !fits {
            return Ok(false);
        }
    }
}

/// A control character that text has no use for.
fn is_control(unit: u16) -> bool {
    matches!(unit, 0..=8 | 11 | 14..=31 | 127)
}

/// Whether a control character is in it. Some bytes are looked at without stopping at the first one, so that the compiler takes many at a
/// time: eight times as fast, where long texts spent a third of their time.
fn has_control(piece: &[u8]) -> bool {
    piece.chunks(4096).any(|some| some.iter().fold(false, |found, byte| found | is_control(u16::from(*byte))))
}

fn is_wide_text(piece: &[u8], unit: fn([u8; 2]) -> u16) -> bool {
    let (pairs, rest) = piece.as_chunks::<2>();
    rest.is_empty() && !pairs.iter().any(|pair| is_control(unit(*pair)) || unit(*pair) == 0xFFFF)
}
