//! Where the records of a file begin and end, with their lines and limits.
//!
//! The `csv` crate parses, but it reads on to the end of the file if a quote is never closed, and it counts lines by `\n` alone.
//! So this scanner goes before it: it knows just enough of quoting to hand over one record at a time, and its notion of
//! quoting is that of the `csv` crate (a test compares the two on random input).

use std::io::{self, Read};

use super::decode::Decoder;
use super::{MAX_COLUMNS, MAX_FIELD_BYTES, MAX_ROW_BYTES};

/// Where in a record a byte stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    BeforeRecord,
    FieldStart,
    InField,
    InQuotes,
    /// After a quote within quotes: the closing one, or the first of two.
    AfterQuote,
}

/// Why a record was not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// A field is longer than [`MAX_FIELD_BYTES`].
    FieldTooLong,
    /// There are more fields than [`MAX_COLUMNS`].
    TooManyFields,
    /// The record is longer than [`MAX_ROW_BYTES`].
    RowTooLong,
    /// The file ends within quotes.
    QuoteNotClosed,
}

/// A record of the file.
pub(super) struct Found {
    /// The line it begins in, from 1.
    pub(super) line: u64,
    /// The line its last field ends in.
    pub(super) end: u64,
    /// Why it was not kept, if it was not, and the number of the field concerned, from 0.
    pub(super) refused: Option<(Refused, usize)>,
}

/// Cuts decoded text into records.
pub(super) struct Scanner<R> {
    pub(super) decoder: Decoder<R>,
    pub(super) delimiter: u8,
    line: u64,
    after_cr: bool,
}

impl<R: Read> Scanner<R> {
    pub(super) fn new(decoder: Decoder<R>, delimiter: u8) -> Self {
        Self { decoder, delimiter, line: 1, after_cr: false }
    }

    /// Puts the next record into `record`, ended by one `\n`. A record that is refused is read to its end and not kept.
    pub(super) fn next(&mut self, record: &mut Vec<u8>) -> io::Result<Option<Found>> {
        record.clear();
        let mut scan = Scan { state: State::BeforeRecord, size: 0, field: 0, refused: None };
        let mut line = self.line;
        loop {
            let piece = self.decoder.piece()?;
            if piece.is_empty() {
                if scan.state == State::BeforeRecord {
                    return Ok(None);
                }
                if scan.state == State::InQuotes {
                    scan.refused = scan.refused.or(Some((Refused::QuoteNotClosed, scan.field)));
                }
                record.push(b'\n');
                return Ok(Some(scan.found(line, self.line)));
            }
            let mut count = 0;
            let mut ended = false;
            for &byte in piece {
                count += 1;
                let same_end = byte == b'\n' && self.after_cr;
                self.after_cr = byte == b'\r';
                if scan.state == State::BeforeRecord {
                    line = self.line;
                }
                ended = scan.take(byte, self.delimiter, record);
                if ended {
                    break;
                }
                self.line += u64::from((byte == b'\n' && !same_end) || byte == b'\r');
            }
            self.decoder.consume(count);
            if ended {
                let found = scan.found(line, self.line);
                self.line += 1;
                return Ok(Some(found));
            }
        }
    }

    /// The line that is being read, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Leaves the first line behind, which is `length` bytes long without its end.
    pub(super) fn skip_line(&mut self, length: usize) -> io::Result<()> {
        let piece = self.decoder.ahead(length + 2)?;
        let end = if piece.get(length..).is_some_and(|rest| rest.starts_with(b"\r\n")) { 2 } else { 1 };
        self.decoder.consume(length + end);
        self.line += 1;
        Ok(())
    }
}

struct Scan {
    state: State,
    size: usize,
    field: usize,
    refused: Option<(Refused, usize)>,
}

impl Scan {
    /// Takes one byte in; whether it ends the record.
    fn take(&mut self, byte: u8, delimiter: u8, record: &mut Vec<u8>) -> bool {
        let ends_line = byte == b'\n' || byte == b'\r';
        if self.state == State::BeforeRecord {
            if ends_line {
                return false;
            }
            self.state = State::FieldStart;
        }
        let mut content = true;
        self.state = match (self.state, byte) {
            (State::InQuotes, b'"') => {
                content = false;
                State::AfterQuote
            }
            (State::InQuotes, _) | (State::AfterQuote, b'"') => State::InQuotes,
            (State::FieldStart, b'"') => {
                content = false;
                State::InQuotes
            }
            _ if ends_line => {
                record.push(b'\n');
                return true;
            }
            _ if byte == delimiter => {
                self.field += 1;
                self.size = 0;
                content = false;
                State::FieldStart
            }
            _ => State::InField,
        };
        self.size += usize::from(content);
        if self.refused.is_none() {
            let refused = match () {
                () if self.size > MAX_FIELD_BYTES => Some(Refused::FieldTooLong),
                () if self.field >= MAX_COLUMNS => Some(Refused::TooManyFields),
                () if record.len() >= MAX_ROW_BYTES => Some(Refused::RowTooLong),
                () => None,
            };
            match refused {
                None => record.push(byte),
                Some(refused) => {
                    self.refused = Some((refused, self.field));
                    record.clear();
                }
            }
        }
        false
    }

    fn found(&self, line: u64, end: u64) -> Found {
        Found { line, end, refused: self.refused }
    }
}
