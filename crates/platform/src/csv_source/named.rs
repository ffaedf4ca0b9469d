//! Small tables whose columns are known by name and nothing else: no aliases, no mapping.

use std::io::Read;

use kernel::error::Faults;
use kernel::{Error, Result};

use super::{CsvSource, Options, RowProblem};

/// A row with its values in the order of the columns that were asked for; empty where the table lacks one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedRow<const N: usize> {
    /// The line that it begins in, from 1.
    pub line: u64,
    /// The values.
    pub values: [String; N],
}

/// Reads a table that has these columns, in any order and case, of which the first `required` must be there, and `most` rows at
/// most.
///
/// # Errors
/// `validation_failed` with the pointer `header` and one of `unknown_column`, `missing_column` or what [`CsvSource::open`] says; with none and
/// `too_many_rows`.
pub fn read_named<const N: usize>(
    reader: impl Read,
    columns: [&'static str; N],
    required: usize,
    most: usize,
) -> Result<(Vec<NamedRow<N>>, Vec<RowProblem>)> {
    let source = CsvSource::open(reader, Options::default())?;
    let is = |header: &String, name: &str| header.trim().eq_ignore_ascii_case(name);
    let mut faults = Faults::new();
    for header in source.headers().iter().filter(|header| columns.iter().all(|name| !is(header, name))) {
        faults.add("header", "unknown_column", format!("{header} is no column here; there are {}", columns.join(", ")));
    }
    let places = columns.map(|name| source.headers().iter().position(|header| is(header, name)));
    for (name, _) in columns.iter().zip(places).take(required).filter(|(_, place)| place.is_none()) {
        faults.add("header", "missing_column", format!("must have a column {name}"));
    }
    faults.into_result()?;
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    for (number, row) in source.enumerate() {
        if number == most {
            return Err(Error::invalid_field("", "too_many_rows", format!("must have at most {most} rows")));
        }
        match row {
            Ok(row) => {
                let value = |place: Option<usize>| place.and_then(|place| row.values.get(place)).cloned().unwrap_or_default();
                rows.push(NamedRow { line: row.line, values: places.map(value) });
            }
            Err(problem) if problem.code == "read_failed" => return Err(Error::internal(problem.reason)),
            Err(problem) => problems.push(problem),
        }
    }
    Ok((rows, problems))
}
