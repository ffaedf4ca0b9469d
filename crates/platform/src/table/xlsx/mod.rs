//! Excel workbooks (ECMA-376), as far as tables need them: one sheet, row by row.
//!
//! `calamine` is the usual library for this. It holds each shared text by itself, and a text of any length, so that a small file can ask
//! for all the memory there is; here texts lie in one piece and are cut, and nothing is read without a bound. `zip` and `quick-xml` do
//! what is hard about it.
//!
//! Dates are told by their format and written as `2026-11-25`, or with the time where they have one. A number is written as a person would,
//! so that a phone number which a spreadsheet made a number is one again. Of a formula its last value counts.

mod cell;
mod guard;
mod sheet;
mod strings;
mod styles;

use std::io::{BufReader, Read, Seek};

use kernel::{Error, Result};
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use zip::ZipArchive;

use super::{Head, Sink};
use crate::csv_source::{short, wrong};
use guard::Guard;

/// Bytes of a part that is held in memory, when it is opened, at most.
const MOST_HELD: u64 = 64 * 1024 * 1024;
/// Bytes of the sheet at most.
const MOST_OF_A_SHEET: u64 = 1024 * 1024 * 1024;

/// A part that is being read.
type Part<'a, R> = Reader<BufReader<Guard<zip::read::ZipFile<'a, R>>>>;

#[track_caller]
fn damaged(what: &str) -> Error {
    wrong("malformed_workbook", format!("The workbook is damaged: {what}."))
}

/// Where a part stands in the archive; none where there is no such part.
fn part<'a, R: Read + Seek>(archive: &'a mut ZipArchive<R>, name: &str, most: u64) -> Result<Option<Part<'a, R>>> {
    match archive.by_name(name) {
        Ok(file) => {
            if file.size() > most {
                return Err(wrong("workbook_too_large", "The workbook is too large when it is opened; save the table as CSV."));
            }
            let mut reader = Reader::from_reader(BufReader::with_capacity(64 * 1024, Guard::new(file, most)));
            reader.config_mut().expand_empty_elements = true;
            Ok(Some(reader))
        }
        Err(zip::result::ZipError::FileNotFound) => Ok(None),
        Err(_) => Err(damaged("its archive cannot be read")),
    }
}

/// The next event of a part.
fn next<'b, R: std::io::BufRead>(reader: &mut Reader<R>, buffer: &'b mut Vec<u8>) -> Result<Event<'b>> {
    buffer.clear();
    reader.read_event_into(buffer).map_err(|error| match error {
        quick_xml::Error::Io(error) if guard::is_bound(&error) => {
            wrong("workbook_too_large", "A text in the workbook, or all of it, is too long.")
        }
        _ => damaged("its XML cannot be read"),
    })
}

/// An attribute, by its name without its prefix.
fn attribute(element: &BytesStart<'_>, name: &[u8]) -> Result<Option<String>> {
    for found in element.attributes() {
        let found = found.map_err(|_| damaged("its XML cannot be read"))?;
        if found.key.local_name().as_ref() == name {
            let value = found
                .decoded_and_normalized_value(XmlVersion::Implicit1_0, element.decoder())
                .map_err(|_| damaged("its XML cannot be read"))?;
            return Ok(Some(value.into_owned()));
        }
    }
    Ok(None)
}

/// The text that an event stands for, where it stands for one.
fn text_of(event: &Event<'_>, into: &mut String) -> Result<()> {
    let unread = || damaged("its XML cannot be read");
    match event {
        Event::Text(text) => into.push_str(&text.decode().map_err(|_| unread())?),
        Event::CData(text) => into.push_str(&text.decode().map_err(|_| unread())?),
        Event::GeneralRef(reference) => match reference.resolve_char_ref().map_err(|_| unread())? {
            Some(letter) => into.push(letter),
            None => {
                let name = reference.decode().map_err(|_| unread())?;
                into.push_str(quick_xml::escape::resolve_predefined_entity(&name).ok_or_else(unread)?);
            }
        },
        _ => {}
    }
    Ok(())
}

/// What the workbook says of its sheets.
struct Book {
    /// Names, each with the part that the sheet is in.
    sheets: Vec<(String, String)>,
    /// Whether days are counted from 1904.
    is_1904: bool,
}

fn book<R: Read + Seek>(archive: &mut ZipArchive<R>) -> Result<Book> {
    let (mut named, mut is_1904) = (Vec::new(), false);
    let mut buffer = Vec::new();
    let mut reader = part(archive, "xl/workbook.xml", MOST_HELD)?.ok_or_else(|| damaged("it has no workbook"))?;
    loop {
        match next(&mut reader, &mut buffer)? {
            Event::Start(element) if element.local_name().as_ref() == b"sheet" => {
                let (name, id) = (attribute(&element, b"name")?, attribute_of_relation(&element)?);
                named.extend(name.zip(id));
            }
            Event::Start(element) if element.local_name().as_ref() == b"workbookPr" => {
                is_1904 = attribute(&element, b"date1904")?.is_some_and(|value| value == "1" || value == "true");
            }
            Event::Eof => break,
            _ => {}
        }
    }
    drop(reader);
    let mut parts = Vec::new();
    let mut reader =
        part(archive, "xl/_rels/workbook.xml.rels", MOST_HELD)?.ok_or_else(|| damaged("it does not say where its sheets are"))?;
    loop {
        match next(&mut reader, &mut buffer)? {
            Event::Start(element) if element.local_name().as_ref() == b"Relationship" => {
                parts.extend(attribute(&element, b"Id")?.zip(attribute(&element, b"Target")?));
            }
            Event::Eof => break,
            _ => {}
        }
    }
    let place = |id: &str| {
        let target = parts.iter().find(|(known, _)| known == id).map(|(_, target)| target)?;
        Some(target.strip_prefix('/').map_or_else(|| format!("xl/{target}"), str::to_owned))
    };
    let sheets = named.into_iter().filter_map(|(name, id)| place(&id).map(|part| (name, part))).collect();
    Ok(Book { sheets, is_1904 })
}

/// `r:id`, beside which a sheet has a `sheetId`.
fn attribute_of_relation(element: &BytesStart<'_>) -> Result<Option<String>> {
    attribute(element, b"id")
}

/// Reads one sheet of a workbook: the one of this name, or the first.
pub(super) fn read<R: Read + Seek>(file: R, sheet: Option<&str>, sink: &mut impl Sink) -> Result<()> {
    let mut archive = ZipArchive::new(file).map_err(|_| damaged("it is no archive"))?;
    let book = book(&mut archive)?;
    let names: Vec<String> = book.sheets.iter().map(|(name, _)| name.clone()).collect();
    let found = match sheet {
        Some(wanted) => book.sheets.iter().find(|(name, _)| name == wanted),
        None => book.sheets.first(),
    };
    let Some((name, place)) = found else {
        if sheet.is_none() {
            return Err(damaged("it has no sheet"));
        }
        let known: Vec<String> = names.iter().take(20).map(|name| format!("“{}”", short(name))).collect();
        return Err(Error::invalid_field("/sheet", "unknown_sheet", format!("must be one of {}", known.join(", "))));
    };
    let strings = strings::read(&mut archive)?;
    let styles = styles::read(&mut archive)?;
    let head = |headers: Vec<String>| Head {
        headers,
        encoding: None,
        delimiter: None,
        sheet: Some(name.clone()),
        sheets: names.clone(),
    };
    let part = part(&mut archive, place, MOST_OF_A_SHEET)?.ok_or_else(|| damaged("a sheet is missing"))?;
    sheet::read(part, &cell::Values { strings: &strings, styles: &styles, is_1904: book.is_1904 }, head, sink)
}

#[cfg(test)]
mod tests;
