//! The rows of a sheet.

use std::io::BufRead;

use kernel::Result;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::cell::Values;
use super::strings::cut;
use super::{Head, Sink, attribute, damaged, next, text_of};
use crate::csv_source::{CsvRow, MAX_COLUMNS, MAX_FIELD_BYTES, MAX_ROW_BYTES, RowProblem, check_headers, wrong};

/// Columns that a sheet can have.
const COLUMNS_OF_A_SHEET: usize = 16_384;

/// A row that is being read.
#[derive(Default)]
struct RowInTheMaking {
    line: u64,
    /// Filled cells with their columns, from 0.
    cells: Vec<(usize, String)>,
    bytes: usize,
    /// The first column with an error of the spreadsheet in it.
    error: Option<usize>,
}

/// A cell that is being read.
#[derive(Default)]
struct Cell {
    column: usize,
    kind: Option<String>,
    style: Option<usize>,
    value: String,
}

/// The column of a reference such as `AB12`, from 0.
fn column_of(reference: &str) -> Option<usize> {
    let letters: Vec<u8> = reference.bytes().take_while(u8::is_ascii_alphabetic).collect();
    if letters.is_empty() || letters.len() > 3 {
        return None;
    }
    let number = letters.iter().fold(0, |sum, letter| sum * 26 + usize::from(letter.to_ascii_uppercase() - b'A') + 1);
    Some(number - 1)
}

pub(super) fn read<R: BufRead>(
    mut reader: Reader<R>,
    values: &Values<'_>,
    head: impl Fn(Vec<String>) -> Head,
    sink: &mut impl Sink,
) -> Result<()> {
    let mut buffer = Vec::new();
    let mut headers: Option<Vec<String>> = None;
    let (mut row, mut cell) = (RowInTheMaking::default(), Cell::default());
    let (mut is_value, mut phonetic, mut next_column) = (false, 0_u32, 0);
    loop {
        let event = next(&mut reader, &mut buffer)?;
        match &event {
            Event::Start(element) => match element.local_name().as_ref() {
                b"row" => (row, next_column) = (begin_row(element, row.line)?, 0),
                b"c" => {
                    cell = begin_cell(element, next_column)?;
                    next_column = cell.column + 1;
                }
                b"rPh" => phonetic += 1,
                b"v" | b"t" => is_value = phonetic == 0,
                _ => {}
            },
            Event::End(element) => match element.local_name().as_ref() {
                b"v" | b"t" => is_value = false,
                b"rPh" => phonetic = phonetic.saturating_sub(1),
                b"c" => row.take(values, &cell),
                b"row" if row.cells.is_empty() && row.error.is_none() => {}
                b"row" => {
                    let go_on = match &headers {
                        Some(headers) => sink.row(row.finish(headers))?,
                        None => {
                            let found = row.header()?;
                            headers = Some(found.clone());
                            sink.head(head(found))?
                        }
                    };
                    if !go_on {
                        return Ok(());
                    }
                }
                b"sheetData" => break,
                _ => {}
            },
            Event::Eof => return Err(damaged("a sheet is cut off")),
            event if is_value => {
                text_of(event, &mut cell.value)?;
                cut(&mut cell.value, 0);
            }
            _ => {}
        }
    }
    match headers {
        Some(_) => Ok(()),
        None => Err(wrong("empty_file", "The sheet is empty.")),
    }
}

fn begin_row(element: &BytesStart<'_>, before: u64) -> Result<RowInTheMaking> {
    let line = match attribute(element, b"r")? {
        Some(number) => number.parse().map_err(|_| damaged("a row has no number"))?,
        None => before + 1,
    };
    if line <= before {
        return Err(damaged("its rows are not in order"));
    }
    Ok(RowInTheMaking { line, ..RowInTheMaking::default() })
}

fn begin_cell(element: &BytesStart<'_>, next_column: usize) -> Result<Cell> {
    let column = match attribute(element, b"r")? {
        Some(reference) => column_of(&reference).ok_or_else(|| damaged("a cell has no place"))?,
        None => next_column,
    };
    if column >= COLUMNS_OF_A_SHEET {
        return Err(damaged("a cell has no place"));
    }
    let style = attribute(element, b"s")?.and_then(|style| style.parse().ok());
    Ok(Cell { column, kind: attribute(element, b"t")?, style, value: String::new() })
}

impl RowInTheMaking {
    fn take(&mut self, values: &Values<'_>, cell: &Cell) {
        match values.text(cell.kind.as_deref(), cell.style, &cell.value) {
            None => self.error = self.error.or(Some(cell.column)),
            Some(text) if text.trim().is_empty() => {}
            Some(text) => {
                self.bytes = self.bytes.saturating_add(text.len());
                // what is too long is told, and need not be held for that
                if self.bytes <= MAX_ROW_BYTES {
                    self.cells.push((cell.column, text));
                }
            }
        }
    }

    /// The row as the header.
    fn header(&mut self) -> Result<Vec<String>> {
        let width = self.cells.iter().map(|(column, _)| column + 1).max().unwrap_or(0);
        if width > MAX_COLUMNS {
            return Err(wrong("too_many_columns", format!("The header has more than {MAX_COLUMNS} columns.")));
        }
        if width == 0 || self.bytes > MAX_ROW_BYTES {
            return Err(wrong("missing_header", "The first row of the sheet that has anything in it must name the columns."));
        }
        let mut headers = vec![String::new(); width];
        for (column, text) in self.cells.drain(..) {
            if text.len() > MAX_FIELD_BYTES || text.contains('\0') {
                return Err(wrong("not_text", "A name of a column is no name."));
            }
            if let Some(header) = headers.get_mut(column) {
                *header = text.trim().to_owned();
            }
        }
        check_headers(&headers)?;
        Ok(headers)
    }

    /// The row with a value for each header, or what is wrong with it.
    fn finish(&mut self, headers: &[String]) -> std::result::Result<CsvRow, RowProblem> {
        let line = self.line;
        let problem = |column: Option<usize>, code, reason: String| {
            let column = column.and_then(|column| headers.get(column)).filter(|name| !name.is_empty()).cloned();
            Err(RowProblem { line, column, code, reason })
        };
        if let Some(column) = self.error {
            return problem(Some(column), "cell_error", format!("Cell {} holds an error of the spreadsheet.", column + 1));
        }
        if self.bytes > MAX_ROW_BYTES {
            return problem(None, "row_too_long", format!("The row is longer than {MAX_ROW_BYTES} bytes."));
        }
        let mut values = vec![String::new(); headers.len()];
        for (column, text) in self.cells.drain(..) {
            if text.len() > MAX_FIELD_BYTES {
                let reason = format!("Cell {} is longer than {MAX_FIELD_BYTES} bytes.", column + 1);
                return problem(Some(column), "field_too_long", reason);
            }
            if text.contains('\0') {
                return problem(Some(column), "nul", format!("Cell {} holds a NUL character.", column + 1));
            }
            let Some(value) = values.get_mut(column) else {
                let reason = format!("The row has {} cells, the header {}.", column + 1, headers.len());
                return problem(None, "wrong_number_of_fields", reason);
            };
            *value = text.trim().to_owned();
        }
        Ok(CsvRow { line, values })
    }
}
