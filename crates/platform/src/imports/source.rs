//! How the file of an import is read: as somebody says, or as it looks.

use std::fs::File;

use kernel::error::Faults;
use kernel::{Error, Result};

use super::importer::{Columns, Importer};
use super::rows::{Found, GivenReading};
use crate::csv_source::{Mapping, Options, given_mapping, mapping};
use crate::table::{self, Head, ReadRow, Reading, Sink, TableForm};

/// Letters that a header may have.
const LONGEST_HEADER: usize = 200;
/// Rows that are shown before anything is staged.
const SHOWN_ROWS: usize = 5;
/// Letters that are shown of a value, and values of a row.
const SHOWN_LETTERS: usize = 100;
const SHOWN_VALUES: usize = 100;

/// How a file is to be read.
///
/// # Errors
/// `validation_failed` with everything that is wrong.
pub fn reading_of(given: &GivenReading, form: TableForm) -> Result<Reading> {
    let mut faults = Faults::new();
    let mut csv = Options::default();
    match given.encoding.as_deref().map(str::parse) {
        Some(Ok(encoding)) => csv.encoding = encoding,
        Some(Err(_)) => faults.add("/encoding", "unknown_value", "must be an encoding such as utf-8 or windows-1253"),
        None => {}
    }
    match given.delimiter.as_deref().map(str::parse) {
        Some(Ok(delimiter)) => csv.delimiter = Some(delimiter),
        Some(Err(_)) => faults.add("/delimiter", "unknown_value", "must be comma, semicolon, tab or pipe"),
        None => {}
    }
    match form {
        TableForm::Csv if given.sheet.is_some() => faults.add("/sheet", "not_applicable", "is for workbooks, and this is CSV"),
        TableForm::Xlsx => {
            for (name, is_given) in [("/encoding", given.encoding.is_some()), ("/delimiter", given.delimiter.is_some())] {
                if is_given {
                    faults.add(name, "not_applicable", "is for CSV, and this is a workbook");
                }
            }
        }
        TableForm::Csv => {}
    }
    faults.into_result()?;
    Ok(Reading { csv, sheet: given.sheet.clone() })
}

/// Which column stands for what: as it was said, or by the names.
///
/// # Errors
/// `validation_failed` with everything that is wrong.
pub(super) fn mapping_of(headers: &[String], importer: &dyn Importer, given: &GivenReading) -> Result<Mapping> {
    let columns = importer.columns();
    let (mapping, at) = match &given.mapping {
        Some(given) => (given_mapping(headers, columns, given)?, "/mapping"),
        None => (mapping(headers, columns), "header"),
    };
    let missing = mapping.missing(importer.required());
    if missing.is_empty() {
        return Ok(mapping);
    }
    Err(Error::invalid_field(at, "missing_column", missing_words(&missing, columns)))
}

fn missing_words(missing: &[&str], columns: Columns) -> String {
    format!("the column {} is missing; there can be {}", missing.join(", "), columns.known())
}

/// What is found at the beginning of a file, with how its rows are to be understood.
pub(super) fn found_of(head: Head, importer: &dyn Importer, given: &GivenReading) -> Result<(Found, Mapping)> {
    for (number, header) in head.headers.iter().enumerate() {
        if header.chars().count() > LONGEST_HEADER {
            let reason = format!("The name of column {} is longer than {LONGEST_HEADER} letters.", number + 1);
            return Err(Error::invalid_field("header", "header_too_long", reason));
        }
    }
    let mapping = mapping_of(&head.headers, importer, given)?;
    let used = mapping.known().iter().filter_map(|(column, index)| Some((head.headers.get(*index)?.clone(), column.to_string())));
    let found = Found {
        mapping: used.collect(),
        unknown: mapping.unknown().to_vec(),
        repeated: mapping.repeated().to_vec(),
        encoding: head.encoding.map(|encoding| encoding.name().to_lowercase()),
        delimiter: head.delimiter.map(|delimiter| delimiter.name().to_owned()),
        sheet: head.sheet,
        sheets: head.sheets,
        preview: Vec::new(),
        headers: head.headers,
    };
    Ok((found, mapping))
}

/// Adds a row to what is shown; whether there is room for more.
pub(super) fn show(found: &mut Found, row: &ReadRow) -> bool {
    if let Ok(row) = row
        && found.preview.len() < SHOWN_ROWS
    {
        let cut = |value: &String| value.chars().take(SHOWN_LETTERS).collect();
        found.preview.push(row.values.iter().take(SHOWN_VALUES).map(cut).collect());
    }
    found.preview.len() < SHOWN_ROWS
}

struct Look<'a> {
    importer: &'a dyn Importer,
    given: &'a GivenReading,
    found: Option<Found>,
}

impl Sink for Look<'_> {
    fn head(&mut self, head: Head) -> Result<bool> {
        self.found = Some(found_of(head, self.importer, self.given)?.0);
        Ok(true)
    }

    fn row(&mut self, row: ReadRow) -> Result<bool> {
        Ok(self.found.as_mut().is_some_and(|found| show(found, &row)))
    }
}

/// Looks at the beginning of a file: its header and its first rows. It takes its time.
///
/// # Errors
/// `validation_failed` with everything that is wrong with the file as a whole, and with how it is said to be read.
pub fn look(file: File, form: TableForm, importer: &dyn Importer, given: &GivenReading) -> Result<Found> {
    let reading = reading_of(given, form)?;
    let mut look = Look { importer, given, found: None };
    table::read(file, form, &reading, &mut look)?;
    look.found.ok_or_else(|| Error::internal("a table without a head was read"))
}
