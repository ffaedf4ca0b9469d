//! CSV files as people have them: in UTF-8 or an old encoding, with commas or semicolons, with lines that end in any way, and
//! with rows that are wrong.
//!
//! [`CsvSource`] reads a file of any length in little memory. What is wrong with the file as a whole fails at once; what is
//! wrong with a row is a [`RowProblem`] with its line, and the rows after it are read. It knows nothing of what the columns
//! mean: [`mapping`] finds that out from names and their aliases.
//!
//! How the encoding is told, where it is not given: by the byte order mark; else, as long as all is ASCII, it does not matter;
//! from the first byte beyond ASCII on, 64 KB are looked at, wherever in the file that is. If more letters are good UTF-8
//! than not, the file is UTF-8, and a later row that is not is a problem of that row; else it is in the fallback encoding.
//!
//! What is skipped without a word: blank lines, rows whose fields are all empty (spreadsheets write them), and a first line
//! `sep=;` (Excel writes it).

use std::io::{self, Read};

use kernel::{Error, FieldError, Result};
use serde::Serialize;

mod decode;
mod header;
mod named;
mod record;
#[cfg(test)]
mod tests;

pub use decode::{Encoding, UnknownEncoding};
pub use header::{Cells, Delimiter, Mapping, Name, Names, UnknownDelimiter, custom_column, given_mapping, mapping};
pub use named::{NamedRow, read_named};

use decode::Decoder;
use record::{Found, Refused, Scanner};

/// The most columns that a file may have.
pub const MAX_COLUMNS: usize = 500;

/// The most bytes of UTF-8 that a field may have, without the quotes around it.
pub const MAX_FIELD_BYTES: usize = 64 * 1024;

/// The most bytes of UTF-8 that a row may have. It bounds what is held in memory at a time.
pub const MAX_ROW_BYTES: usize = 4 * 1024 * 1024;

/// How much of the header is looked at to tell the delimiter, in bytes.
const SNIFFED_BYTES: usize = 64 * 1024;

/// How to read a file; the default finds out by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The encoding.
    pub encoding: Encoding,
    /// The encoding of a file that is not UTF-8 and has no byte order mark; of use with [`Encoding::Auto`] alone.
    pub fallback: Encoding,
    /// The delimiter; none to tell it from the header.
    pub delimiter: Option<Delimiter>,
}

impl Default for Options {
    fn default() -> Self {
        Self { encoding: Encoding::Auto, fallback: Encoding::Windows1253, delimiter: None }
    }
}

/// A row that was read: as many values as there are headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvRow {
    /// The line of the file that it begins in, from 1.
    pub line: u64,
    /// The fields without the blanks around them. None holds a NUL.
    pub values: Vec<String>,
}

/// A row that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RowProblem {
    /// The line of the file that the row begins in, from 1.
    pub line: u64,
    /// The header of the column, where it is about one.
    pub column: Option<String>,
    /// One of `wrong_number_of_fields`, `invalid_utf8`, `invalid_encoding`, `nul`, `field_too_long`, `row_too_long`,
    /// `quote_not_closed` and `read_failed`, after which nothing more comes.
    pub code: &'static str,
    /// A sentence for people. It never repeats a value.
    pub reason: String,
}

/// The bytes of one record, as the parser is fed with them.
#[derive(Default)]
struct Feed {
    record: Vec<u8>,
    used: usize,
}

impl Read for Feed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.record.get(self.used..).unwrap_or_default().read(buffer)?;
        self.used += read;
        Ok(read)
    }
}

/// A CSV file that is being read: an iterator of its rows.
pub struct CsvSource<R> {
    scanner: Scanner<R>,
    parser: csv::Reader<Feed>,
    record: csv::ByteRecord,
    headers: Vec<String>,
    delimiter: Delimiter,
    ended: bool,
}

impl<R> std::fmt::Debug for CsvSource<R> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("CsvSource").field("headers", &self.headers).field("delimiter", &self.delimiter).finish_non_exhaustive()
    }
}

impl<R: Read> CsvSource<R> {
    /// Begins to read and reads the header, which is the first line that is not blank.
    ///
    /// # Errors
    /// `validation_failed` with the pointer `header` and one of `empty_file`, `missing_header`, `not_csv` (a spreadsheet),
    /// `not_text`, `too_many_columns`, `duplicate_column` (once for each), or a code of [`RowProblem`]; `internal` if the
    /// reader fails.
    pub fn open(reader: R, options: Options) -> Result<Self> {
        let mut decoder = Decoder::new(reader, options.encoding, options.fallback);
        if decoder.begins_with(b"PK\x03\x04") || decoder.begins_with(b"\xD0\xCF\x11\xE0") {
            return Err(wrong("not_csv", "This is a workbook, not CSV; save it as CSV first."));
        }
        let start = decoder.ahead(SNIFFED_BYTES).map_err(|error| Error::internal(error))?;
        if start.is_empty() {
            return Err(wrong("empty_file", "The file is empty."));
        }
        let sniffed = header::sniff(start);
        let delimiter = options.delimiter.unwrap_or(sniffed.delimiter);
        let mut scanner = Scanner::new(decoder, delimiter.byte());
        if let Some(length) = sniffed.skip {
            scanner.skip_line(length).map_err(|error| Error::internal(error))?;
        }
        let parser =
            csv::ReaderBuilder::new().delimiter(delimiter.byte()).has_headers(false).flexible(true).from_reader(Feed::default());
        let record = csv::ByteRecord::new();
        let mut source = Self { scanner, parser, record, headers: Vec::new(), delimiter, ended: false };
        source.read_header()?;
        Ok(source)
    }

    /// The names of the columns without the blanks around them, as they stand in the file. A column may have no name.
    pub fn headers(&self) -> &[String] {
        &self.headers
    }

    /// The delimiter that the file is read with.
    pub fn delimiter(&self) -> Delimiter {
        self.delimiter
    }

    /// The encoding that the file is read in: UTF-8 as long as all that was read is ASCII.
    pub fn encoding(&self) -> Encoding {
        self.scanner.decoder.encoding()
    }

    fn read_header(&mut self) -> Result<()> {
        let found = loop {
            match self.load().map_err(|error| Error::internal(error))? {
                None => {
                    return Err(wrong("missing_header", "The file has blank lines only; the first line must name the columns."));
                }
                Some(found) if found.refused.is_none() && self.is_blank() => {}
                Some(found) => break found,
            }
        };
        if let Some((Refused::TooManyFields, _)) = found.refused {
            return Err(wrong("too_many_columns", format!("The header has more than {MAX_COLUMNS} columns.")));
        }
        if self.record.as_slice().contains(&0) {
            let message = "The header holds a NUL: this is no text, or it is UTF-16 without a byte order mark.";
            return Err(wrong("not_text", message));
        }
        self.headers = self.values(&found).map_err(|problem| wrong(problem.code, problem.reason))?;
        check_headers(&self.headers)
    }

    /// Reads the next record; none at the end of the file. One that is refused leaves no fields.
    fn load(&mut self) -> io::Result<Option<Found>> {
        let feed = self.parser.get_mut();
        feed.used = 0;
        let found = self.scanner.next(&mut feed.record)?;
        self.record.clear();
        if found.as_ref().is_some_and(|found| found.refused.is_none()) {
            self.parser.read_byte_record(&mut self.record).map_err(io::Error::other)?;
        }
        Ok(found)
    }

    fn is_blank(&self) -> bool {
        self.record.iter().all(|field| str::from_utf8(field).is_ok_and(|text| text.trim().is_empty()))
    }

    /// The values of the record that was loaded. Before the header is known, any number of them is right.
    fn values(&self, found: &Found) -> std::result::Result<Vec<String>, RowProblem> {
        let problem = |field: Option<usize>, code, reason: String| RowProblem {
            line: found.line,
            column: field.and_then(|index| self.headers.get(index)).filter(|name| !name.is_empty()).cloned(),
            code,
            reason,
        };
        let expected = self.headers.len();
        if let Some((refused, field)) = found.refused {
            let lines = if found.end > found.line {
                format!(" Lines {} to {} are skipped.", found.line, found.end)
            } else {
                String::new()
            };
            let (field, code, reason) = match refused {
                Refused::FieldTooLong => {
                    let reason =
                        format!("Field {} is longer than {MAX_FIELD_BYTES} bytes; a quote may be missing.{lines}", field + 1);
                    (Some(field), "field_too_long", reason)
                }
                Refused::TooManyFields => (
                    None,
                    "wrong_number_of_fields",
                    format!("The row has more than {MAX_COLUMNS} fields, the header {expected}.{lines}"),
                ),
                Refused::RowTooLong => (None, "row_too_long", format!("The row is longer than {MAX_ROW_BYTES} bytes.{lines}")),
                Refused::QuoteNotClosed => {
                    let reason =
                        format!("Field {} begins with a quote, and the file ends without the closing one.{lines}", field + 1);
                    (Some(field), "quote_not_closed", reason)
                }
            };
            return Err(problem(field, code, reason));
        }
        if expected > 0 && self.record.len() != expected {
            let fields = self.record.len();
            let reason = format!("The row has {fields} field{}, the header {expected}.", if fields == 1 { "" } else { "s" });
            return Err(problem(None, "wrong_number_of_fields", reason));
        }
        let mut values = Vec::with_capacity(self.record.len());
        for (index, field) in self.record.iter().enumerate() {
            let Ok(text) = str::from_utf8(field) else {
                let code = if self.encoding() == Encoding::Utf8 { "invalid_utf8" } else { "invalid_encoding" };
                let reason = format!("Field {} holds bytes that are not {}.", index + 1, self.encoding().name());
                return Err(problem(Some(index), code, reason));
            };
            if text.contains('\0') {
                return Err(problem(Some(index), "nul", format!("Field {} holds a NUL character.", index + 1)));
            }
            values.push(text.trim().to_owned());
        }
        Ok(values)
    }
}

impl<R: Read> Iterator for CsvSource<R> {
    type Item = std::result::Result<CsvRow, RowProblem>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            match self.load() {
                Ok(Some(found)) if found.refused.is_none() && self.is_blank() => {}
                Ok(Some(found)) => return Some(self.values(&found).map(|values| CsvRow { line: found.line, values })),
                Ok(None) => self.ended = true,
                Err(error) => {
                    self.ended = true;
                    let reason = format!("The file could not be read any further ({}).", error.kind());
                    return Some(Err(RowProblem { line: self.scanner.line(), column: None, code: "read_failed", reason }));
                }
            }
        }
        None
    }
}

/// Fails where two columns have the same name.
pub(crate) fn check_headers(headers: &[String]) -> Result<()> {
    let names: Vec<String> = headers.iter().map(|name| header::comparable(name)).collect();
    let mut twice = Vec::new();
    for (index, name) in names.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
        if let Some(first) = names.iter().take(index).position(|earlier| earlier == name) {
            let name = headers.get(index).map(|name| short(name)).unwrap_or_default();
            let message = format!("Columns {} and {} have the same name, “{name}”.", first + 1, index + 1);
            twice.push(FieldError::new("header", "duplicate_column", message));
        }
    }
    if twice.is_empty() { Ok(()) } else { Err(Error::invalid(twice)) }
}

#[track_caller]
pub(crate) fn wrong(code: &'static str, message: impl Into<String>) -> Error {
    Error::invalid_field("header", code, message)
}

/// A name of the file, for a message: its first 60 characters, without control characters.
pub(crate) fn short(name: &str) -> String {
    name.chars().filter(|letter| !letter.is_control()).take(60).collect()
}
