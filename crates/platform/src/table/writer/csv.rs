//! CSV (RFC 4180), in UTF-8 with the mark by which Excel knows it.

use std::borrow::Cow;

use csv::{Terminator, Writer, WriterBuilder};
use kernel::{Error, Result};

use super::harmless;

/// Says that it is UTF-8.
const MARK: &str = "\u{feff}";

pub(super) struct CsvWriter {
    writer: Writer<Vec<u8>>,
}

fn over(bytes: Vec<u8>) -> Writer<Vec<u8>> {
    WriterBuilder::new().terminator(Terminator::CRLF).from_writer(bytes)
}

impl CsvWriter {
    pub fn new(headers: &[&str]) -> Result<Self> {
        let mut writer = over(MARK.as_bytes().to_vec());
        writer.write_record(headers).map_err(Error::internal)?;
        Ok(Self { writer })
    }

    pub fn row<'c>(&mut self, cells: impl Iterator<Item = Cow<'c, str>>) -> Result<()> {
        for cell in cells {
            self.writer.write_field(harmless(&cell).as_bytes()).map_err(Error::internal)?;
        }
        self.writer.write_record(None::<&[u8]>).map_err(Error::internal)
    }

    pub fn take(&mut self) -> Result<Vec<u8>> {
        let written = std::mem::replace(&mut self.writer, over(Vec::new()));
        written.into_inner().map_err(|_| Error::internal("a table was not written"))
    }
}
