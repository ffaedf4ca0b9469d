//! From the bytes of a file to UTF-8, piece by piece.

use std::io::{self, Read};
use std::str::FromStr;

use encoding_rs::{DecoderResult, UTF_8};

/// How many bytes are read at a time, and how many are looked at to tell UTF-8 from an older encoding.
const WINDOW: usize = 64 * 1024;

/// What stands in the decoded text where bytes mean nothing in their encoding. It is never part of UTF-8, so the row that
/// holds it is found out like any other that is not UTF-8.
const MEANINGLESS: u8 = 0xFF;

/// How the bytes of a file become text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// By the byte order mark, else UTF-8 if the bytes look like it, else the fallback of the options.
    #[default]
    Auto,
    /// UTF-8, with a byte order mark or without.
    Utf8,
    /// UTF-16, low byte first.
    Utf16Le,
    /// UTF-16, high byte first.
    Utf16Be,
    /// Windows-1253: Greek.
    Windows1253,
    /// Windows-1252: Western European. It stands for ISO 8859-1 too, as on the web.
    Windows1252,
    /// Windows-1250: Central European.
    Windows1250,
    /// ISO 8859-7: Greek.
    Iso8859_7,
}

/// Each encoding that can be asked for, with the table that reads it.
const TABLES: &[(Encoding, &encoding_rs::Encoding)] = &[
    (Encoding::Utf8, UTF_8),
    (Encoding::Utf16Le, encoding_rs::UTF_16LE),
    (Encoding::Utf16Be, encoding_rs::UTF_16BE),
    (Encoding::Windows1253, encoding_rs::WINDOWS_1253),
    (Encoding::Windows1252, encoding_rs::WINDOWS_1252),
    (Encoding::Windows1250, encoding_rs::WINDOWS_1250),
    (Encoding::Iso8859_7, encoding_rs::ISO_8859_7),
];

impl Encoding {
    /// The name, as on the web: `windows-1253`; `auto` for [`Encoding::Auto`].
    pub fn name(self) -> &'static str {
        self.table().map_or("auto", encoding_rs::Encoding::name)
    }

    fn table(self) -> Option<&'static encoding_rs::Encoding> {
        TABLES.iter().find(|(encoding, _)| *encoding == self).map(|(_, table)| *table)
    }
}

/// The text names no encoding that files are read in.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownEncoding;

impl FromStr for Encoding {
    type Err = UnknownEncoding;

    /// `auto`, or any label of the WHATWG encoding standard, such as `utf-8`, `cp1253` or `iso-8859-7`.
    fn from_str(label: &str) -> Result<Self, Self::Err> {
        if label.trim().eq_ignore_ascii_case("auto") {
            return Ok(Self::Auto);
        }
        let table = encoding_rs::Encoding::for_label(label.as_bytes()).ok_or(UnknownEncoding)?;
        TABLES.iter().find(|(_, known)| *known == table).map(|(encoding, _)| *encoding).ok_or(UnknownEncoding)
    }
}

enum Mode {
    /// Only ASCII so far, which says nothing: UTF-8 and the older encodings agree on it.
    Undecided { fallback: Encoding },
    /// The bytes are handed on as they are; those that are not UTF-8 are found out field by field.
    Utf8,
    /// Read by a table.
    Table(encoding_rs::Decoder),
}

/// A reader's bytes as UTF-8. What cannot be decoded stays in the text as bytes that are not UTF-8.
pub(super) struct Decoder<R> {
    reader: R,
    raw: Vec<u8>,
    at_end: bool,
    failure: Option<io::Error>,
    mode: Mode,
    encoding: Encoding,
    text: Vec<u8>,
    used: usize,
}

impl<R: Read> Decoder<R> {
    /// Reads the first bytes and, where there is a byte order mark, takes it off.
    pub(super) fn new(reader: R, encoding: Encoding, fallback: Encoding) -> Self {
        let mut decoder = Self {
            reader,
            raw: Vec::with_capacity(WINDOW),
            at_end: false,
            failure: None,
            mode: Mode::Undecided { fallback },
            encoding,
            text: Vec::new(),
            used: 0,
        };
        decoder.fill();
        if let Some((marked, length)) = encoding_rs::Encoding::for_bom(&decoder.raw)
            && (encoding == Encoding::Auto || encoding.table() == Some(marked))
        {
            decoder.raw.drain(..length);
            let marked = TABLES.iter().find(|(_, table)| *table == marked).map_or(Encoding::Utf8, |(encoding, _)| *encoding);
            decoder.settle(marked);
        } else if encoding != Encoding::Auto {
            decoder.settle(encoding);
        }
        decoder
    }

    /// The encoding, as far as it is known: UTF-8 while all is ASCII.
    pub(super) fn encoding(&self) -> Encoding {
        if self.encoding == Encoding::Auto { Encoding::Utf8 } else { self.encoding }
    }

    /// Whether the bytes of the file that are not decoded yet begin so.
    pub(super) fn begins_with(&self, bytes: &[u8]) -> bool {
        self.raw.starts_with(bytes)
    }

    /// The text that is decoded and not consumed; empty only at the end of the file.
    pub(super) fn piece(&mut self) -> io::Result<&[u8]> {
        self.ahead(1)
    }

    /// At least `count` bytes of the text that is not consumed, fewer only at the end of the file or before a failure.
    pub(super) fn ahead(&mut self, count: usize) -> io::Result<&[u8]> {
        while self.text.len() - self.used < count {
            match self.decode() {
                Ok(true) => {}
                Ok(false) => break,
                Err(failure) if self.text.is_empty() => return Err(failure),
                Err(failure) => {
                    self.failure = Some(failure);
                    break;
                }
            }
        }
        Ok(self.text.get(self.used..).unwrap_or_default())
    }

    /// Leaves the first `count` bytes of the text behind.
    pub(super) fn consume(&mut self, count: usize) {
        self.used = self.text.len().min(self.used + count);
    }

    /// How many bytes are held, decoded or not.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.raw.capacity() + self.text.capacity()
    }

    fn settle(&mut self, encoding: Encoding) {
        self.encoding = if encoding == Encoding::Auto { Encoding::Utf8 } else { encoding };
        self.mode = match self.encoding.table() {
            Some(table) if table != UTF_8 => Mode::Table(table.new_decoder_without_bom_handling()),
            _ => Mode::Utf8,
        };
    }

    /// Reads until the window is full. A failure waits until what was read before it is used up.
    fn fill(&mut self) {
        let wanted = WINDOW.saturating_sub(self.raw.len());
        if self.at_end || wanted == 0 {
            return;
        }
        match self.reader.by_ref().take(wanted as u64).read_to_end(&mut self.raw) {
            Ok(read) => self.at_end = read < wanted,
            Err(error) => {
                self.at_end = true;
                self.failure = Some(error);
            }
        }
    }

    /// Decodes another piece; `false` at the end.
    fn decode(&mut self) -> io::Result<bool> {
        self.text.drain(..self.used);
        self.used = 0;
        self.fill();
        if self.raw.is_empty()
            && let Some(failure) = self.failure.take()
        {
            return Err(failure);
        }
        if let Mode::Undecided { fallback } = self.mode {
            let ascii = encoding_rs::Encoding::ascii_valid_up_to(&self.raw);
            if ascii > 0 {
                self.text.extend(self.raw.drain(..ascii));
                return Ok(true);
            }
            if !self.raw.is_empty() {
                // the window begins at the first byte that says anything
                self.settle(if looks_like_utf8(&self.raw, self.at_end) { Encoding::Utf8 } else { fallback });
            }
        }
        let Mode::Table(decoder) = &mut self.mode else {
            let some = !self.raw.is_empty();
            self.text.append(&mut self.raw);
            return Ok(some);
        };
        let last = self.at_end;
        read_by_table(decoder, &self.raw, last, &mut self.text);
        self.raw.clear();
        if last {
            // a decoder that was told of the end must not be asked again
            self.mode = Mode::Utf8;
        }
        Ok(!self.text.is_empty() || !last)
    }
}

fn read_by_table(decoder: &mut encoding_rs::Decoder, mut bytes: &[u8], last: bool, text: &mut Vec<u8>) {
    let mut room = vec![0; decoder.max_utf8_buffer_length_without_replacement(bytes.len()).unwrap_or(4 * WINDOW).max(64)];
    loop {
        let (result, read, written) = decoder.decode_to_utf8_without_replacement(bytes, &mut room, last);
        text.extend_from_slice(room.get(..written).unwrap_or_default());
        bytes = bytes.get(read..).unwrap_or_default();
        match result {
            DecoderResult::InputEmpty => return,
            DecoderResult::Malformed(..) => text.push(MEANINGLESS),
            DecoderResult::OutputFull => {}
        }
    }
}

/// Whether more of the letters beyond ASCII are good UTF-8 than are not. A file in an older encoding has hardly any that are,
/// by chance; a UTF-8 file that was damaged in a few places must not be read as Greek gibberish throughout.
fn looks_like_utf8(window: &[u8], whole: bool) -> bool {
    let (mut good, mut bad) = (0_usize, 0_usize);
    let mut chunks = window.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        good += chunk.valid().chars().filter(|letter| !letter.is_ascii()).count();
        // a letter may be cut in two by the end of the window
        let cut = !whole && chunks.peek().is_none();
        bad += usize::from(!chunk.invalid().is_empty() && !cut);
    }
    good > bad
}
