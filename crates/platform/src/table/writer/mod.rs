//! Tables on their way out, row by row: what is ready is taken while the rest is still being written, so that a table of any length takes
//! little memory.
//!
//! CSV is written by `csv`. A workbook is put together here: `rust_xlsxwriter` writes one only as a whole, at the end, where a download
//! would wait for the last row before its first byte; `zip` can write its archive while it is sent.

mod csv;
mod xlsx;

use std::borrow::Cow;

use kernel::Result;

use super::TableForm;

/// What a spreadsheet would not take for text: it is put behind an apostrophe, which spreadsheets do not show.
pub fn harmless(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { format!("'{text}").into() } else { text.into() }
}

impl TableForm {
    /// Its media type.
    pub fn mime_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }
}

enum Form {
    Csv(Box<csv::CsvWriter>),
    Xlsx(Box<xlsx::XlsxWriter>),
}

/// A table that is being written. It takes its time: not on a thread that others wait for.
pub struct TableWriter(Form);

impl TableWriter {
    /// A table with these columns. `name` is that of its sheet, where it has one.
    ///
    /// # Errors
    /// `internal` when it cannot be written.
    pub fn new(form: TableForm, name: &str, headers: &[&str]) -> Result<Self> {
        Ok(Self(match form {
            TableForm::Csv => Form::Csv(Box::new(csv::CsvWriter::new(headers)?)),
            TableForm::Xlsx => Form::Xlsx(Box::new(xlsx::XlsxWriter::new(name, headers)?)),
        }))
    }

    /// Writes a row. Whatever a cell holds is text to the spreadsheet that opens it, and never a formula.
    ///
    /// # Errors
    /// `internal` when it cannot be written.
    pub fn row<'c>(&mut self, cells: impl Iterator<Item = Cow<'c, str>>) -> Result<()> {
        match &mut self.0 {
            Form::Csv(writer) => writer.row(cells),
            Form::Xlsx(writer) => writer.row(cells),
        }
    }

    /// What is ready by now.
    ///
    /// # Errors
    /// `internal` when it cannot be written.
    pub fn take(&mut self) -> Result<Vec<u8>> {
        match &mut self.0 {
            Form::Csv(writer) => writer.take(),
            Form::Xlsx(writer) => Ok(writer.take()),
        }
    }

    /// What was not taken yet, with the end of the table.
    ///
    /// # Errors
    /// `internal` when it cannot be written.
    pub fn finish(self) -> Result<Vec<u8>> {
        match self.0 {
            Form::Csv(mut writer) => writer.take(),
            Form::Xlsx(writer) => writer.finish(),
        }
    }
}

impl std::fmt::Debug for TableWriter {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("TableWriter")
    }
}

#[cfg(test)]
mod tests;
