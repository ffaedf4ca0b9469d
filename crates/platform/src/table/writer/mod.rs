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

/// What a spreadsheet would not take for text is put behind an apostrophe, also within: where a list is separated by semicolons, as in half of
/// Europe, a cell of a file with commas ends at the semicolon or the line that stands in it, and another begins there. OWASP names what begins
/// a formula ("CSV Injection").
pub fn harmless(text: &str) -> Cow<'_, str> {
    let runs = |letter: char| matches!(letter, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠');
    let (mut safe, mut done, mut begins) = (String::new(), 0, true);
    for (place, letter) in text.char_indices() {
        if (begins && runs(letter)) || (place == 0 && matches!(letter, '\t' | '\r' | '\n')) {
            safe.push_str(text.get(done..place).unwrap_or_default());
            safe.push('\'');
            done = place;
        }
        begins = matches!(letter, ';' | '\t' | '\r' | '\n') || (begins && letter == ' ');
    }
    if done == 0 && safe.is_empty() {
        return text.into();
    }
    safe.push_str(text.get(done..).unwrap_or_default());
    safe.into()
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
