//! Text: what has nothing in it that is not text, and is not meant for a browser to run.

use super::{Declared, FileType, Refusal, name};

/// What makes a browser take text for a page or a picture, wherever in the beginning it stands.
const MARKUP: [&str; 9] = ["<!doctype", "<html", "<head", "<body", "<script", "<svg", "<iframe", "<?xml", "<?php"];
/// How much of the beginning browsers look at (WHATWG MIME Sniffing, 5.2).
const SNIFFED: usize = 1445;

const UNKNOWN: &str = "The content is of no type that is taken here.";

/// Which text it is; what is no text is nothing that is known here.
pub(super) fn type_of(is_text: bool, head: &[u8], declared: &Declared) -> Result<FileType, Refusal> {
    if !is_text {
        return Err(Refusal::NotAllowed(UNKNOWN.to_owned()));
    }
    let early = String::from_utf8_lossy(head.get(..SNIFFED).unwrap_or(head)).to_lowercase();
    if MARKUP.into_iter().any(|markup| early.contains(markup)) {
        return Err(Refusal::NotAllowed("This is markup that a browser would run.".to_owned()));
    }
    // the content of both is text; which of them is meant, only the sender can say
    let named = declared.filename.as_deref().and_then(name::ending).map(str::to_ascii_lowercase);
    let is_table = match named {
        Some(end) => FileType::Csv.may_end_in(&end),
        None => declared.mime_type.as_deref() == Some("text/csv"),
    };
    Ok(if is_table { FileType::Csv } else { FileType::Text })
}

/// Tells of what goes by, piece by piece, whether it is text: UTF-16 with its mark, or UTF-8 or an older alphabet of one byte, and no
/// control characters in it. Nothing of it is kept, so a long text need not be read again once it is whole.
#[derive(Debug, Default)]
pub(crate) struct TextCheck {
    /// What came before there were the two bytes that tell the alphabet, then the byte of UTF-16 whose other half is still to come.
    kept: Vec<u8>,
    alphabet: Option<Alphabet>,
    is_other: bool,
}

#[derive(Clone, Copy, Debug)]
enum Alphabet {
    OfBytes,
    Wide(fn([u8; 2]) -> u16),
}

impl TextCheck {
    /// Looks at the next bytes.
    pub(crate) fn update(&mut self, piece: &[u8]) {
        if self.is_other {
            return;
        }
        if self.alphabet.is_none() {
            self.kept.extend_from_slice(piece);
            self.alphabet = match self.kept.as_slice() {
                [0xFF, 0xFE, ..] => Some(Alphabet::Wide(u16::from_le_bytes)),
                [0xFE, 0xFF, ..] => Some(Alphabet::Wide(u16::from_be_bytes)),
                [_, _, ..] => Some(Alphabet::OfBytes),
                _ => None,
            };
            if self.alphabet.is_some() {
                let begin = std::mem::take(&mut self.kept);
                self.look_at(&begin);
            }
        } else {
            self.look_at(piece);
        }
    }

    fn look_at(&mut self, mut piece: &[u8]) {
        let Some(Alphabet::Wide(unit)) = self.alphabet else {
            self.is_other = has_control(piece);
            return;
        };
        if let Some((other, behind)) = piece.split_first()
            && let Some(half) = self.kept.pop()
        {
            self.is_other = is_no_wide_text(unit([half, *other]));
            piece = behind;
        }
        let (pairs, rest) = piece.as_chunks::<2>();
        self.kept.extend_from_slice(rest);
        self.is_other |= pairs.iter().any(|pair| is_no_wide_text(unit(*pair)));
    }

    /// Whether all that went by is text.
    pub(crate) fn is_text(&self) -> bool {
        let is_whole = match self.alphabet {
            None => !has_control(&self.kept),
            Some(Alphabet::OfBytes) => true,
            Some(Alphabet::Wide(_)) => self.kept.is_empty(),
        };
        is_whole && !self.is_other
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

fn is_no_wide_text(unit: u16) -> bool {
    is_control(unit) || unit == 0xFFFF
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_what_goes_by_is_cut_makes_no_difference() {
        let wide = [0xFF, 0xFE, 0x39, 0x03, 0x1F, 0x1E, 0x0A, 0x00];
        let other_way = [0xFE, 0xFF, 0x03, 0x39, 0x1E, 0x1F];
        let samples: [(&[u8], bool); 13] = [
            ("Γειά\tσου\r\n".as_bytes(), true),
            (b"\xc3\xe5\xe9\xdc", true),
            (b"a", true),
            (&wide, true),
            (&other_way, true),
            (b"\xff\xfe", true),
            (b"a\0b", false),
            (b"\0", false),
            (b"text\x1b", false),
            // half a unit at the end, a control character, what is no character
            (&wide[..7], false),
            (b"\xff\xfea\0\x01\0", false),
            (b"\xfe\xff\0a\0\x01", false),
            (b"\xff\xfea\0\xff\xff", false),
        ];
        for (sample, is_text) in samples {
            for first in 0..=sample.len() {
                for second in first..=sample.len() {
                    let mut check = TextCheck::default();
                    for piece in [&sample[..first], &sample[first..second], &sample[second..]] {
                        check.update(piece);
                    }
                    assert_eq!(check.is_text(), is_text, "{sample:?} cut at {first} and {second}");
                }
            }
        }
    }
}
