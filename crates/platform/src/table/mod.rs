//! Tables as people have them, whatever their form: CSV, or a sheet of an Excel workbook. A table is read in one pass and in little
//! memory; what reads it is told of the header first and then of row after row. It is written in the same way, by a [`TableWriter`].

mod writer;
mod xlsx;

use std::fs::File;
use std::io::BufReader;

use kernel::Result;

use crate::csv_source::{CsvRow, CsvSource, Delimiter, Encoding, Options, RowProblem};

pub use writer::{TableWriter, harmless};

store::text_enum! {
    /// The form of a table.
    pub enum TableForm {
        /// Comma-separated values, whatever stands between them.
        Csv = "csv",
        /// An Excel workbook.
        Xlsx = "xlsx",
    }
}

/// How to read a table; the default finds out by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The encoding and the delimiter, of CSV alone.
    pub csv: Options,
    /// The sheet, of a workbook alone; the first one unless given.
    pub sheet: Option<String>,
}

/// The beginning of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The names of the columns, as they stand in the file. A column may have no name.
    pub headers: Vec<String>,
    /// The encoding that CSV is read in, as far as it is known by then.
    pub encoding: Option<Encoding>,
    /// The delimiter of CSV.
    pub delimiter: Option<Delimiter>,
    /// The sheet that is read of a workbook.
    pub sheet: Option<String>,
    /// All sheets of a workbook.
    pub sheets: Vec<String>,
}

/// A row with as many values as there are headers, or what is wrong with it.
pub type ReadRow = std::result::Result<CsvRow, RowProblem>;

/// What is told of a table. Each answers whether to go on.
pub trait Sink {
    /// The table begins.
    ///
    /// # Errors
    /// What ends the reading.
    fn head(&mut self, head: Head) -> Result<bool>;

    /// The next row.
    ///
    /// # Errors
    /// What ends the reading.
    fn row(&mut self, row: ReadRow) -> Result<bool>;
}

/// Reads a table. It takes its time: not for a thread that others wait for.
///
/// # Errors
/// `validation_failed` with the pointer `header` (or `/sheet`) and what is wrong with the file as a whole; what the sink returns.
pub fn read(file: File, form: TableForm, reading: &Reading, sink: &mut impl Sink) -> Result<()> {
    match form {
        TableForm::Csv => read_csv(file, reading, sink),
        TableForm::Xlsx => xlsx::read(BufReader::new(file), reading.sheet.as_deref(), sink),
    }
}

fn read_csv(file: File, reading: &Reading, sink: &mut impl Sink) -> Result<()> {
    let source = CsvSource::open(file, reading.csv)?;
    let head = Head {
        headers: source.headers().to_vec(),
        encoding: Some(source.encoding()),
        delimiter: Some(source.delimiter()),
        sheet: None,
        sheets: Vec::new(),
    };
    if !sink.head(head)? {
        return Ok(());
    }
    for row in source {
        if !sink.row(row)? {
            break;
        }
    }
    Ok(())
}
