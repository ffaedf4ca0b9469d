//! An Excel workbook (ECMA-376) with nothing in it but text. The sheet comes first in the archive and what describes it last, because only
//! then it is known how many sheets there are: one takes a million rows.

use std::borrow::Cow;

use kernel::Result;

use crate::archive::Archive;

/// Rows that a sheet can have, the header among them.
const ROWS: u32 = 1_048_576;
/// Bytes of a sheet at most: one of 4 GiB would need an archive of a form that not every spreadsheet opens.
const BYTES: u64 = 3 << 30;
/// UTF-16 units that a cell can have.
const CELL: usize = 32_767;
/// Units of the name of a sheet, less what is added to it.
const NAME: usize = 25;

const XML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";

pub(super) struct XlsxWriter {
    archive: Archive,
    name: String,
    headers: Vec<String>,
    /// The letters of each column.
    letters: Vec<String>,
    sheets: u32,
    /// Rows of the present sheet.
    rows: u32,
    /// Bytes of the present sheet.
    bytes: u64,
    /// The row in the making.
    row: String,
    most_rows: u32,
}

/// The letters of a column, from 0.
fn letters(mut column: usize) -> String {
    let mut letters = Vec::new();
    loop {
        letters.push(char::from(b'A' + u8::try_from(column % 26).unwrap_or_default()));
        match (column / 26).checked_sub(1) {
            Some(next) => column = next,
            None => return letters.into_iter().rev().collect(),
        }
    }
}

/// Adds text as it stands in XML. What XML cannot hold is written as Excel writes it, `_x0008_`, and so is what looks like that.
fn add_text(xml: &mut String, text: &str) {
    let mut units = 0;
    for (place, letter) in text.char_indices() {
        units += letter.len_utf16();
        if units > CELL {
            return;
        }
        match letter {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            // a reader would make it a line feed
            '\r' => xml.push_str("&#13;"),
            '\t' | '\n' => xml.push(letter),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => xml.push_str(&format!("_x{:04X}_", u32::from(letter))),
            '_' if is_escape(text.get(place..).unwrap_or_default()) => xml.push_str("_x005F_"),
            _ => xml.push(letter),
        }
    }
}

/// Whether a text begins as `_x0008_` does.
fn is_escape(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.starts_with(b"_x") && bytes.get(6) == Some(&b'_') && bytes.iter().skip(2).take(4).all(u8::is_ascii_hexdigit)
}

/// A name as a sheet may have it.
fn sheet_name(name: &str) -> String {
    name.chars().filter(|letter| !"[]:*?/\\'".contains(*letter) && !letter.is_control()).take(NAME).collect()
}

impl XlsxWriter {
    pub fn new(name: &str, headers: &[&str]) -> Result<Self> {
        Self::with_sheets_of(ROWS, name, headers)
    }

    fn with_sheets_of(most_rows: u32, name: &str, headers: &[&str]) -> Result<Self> {
        let mut writer = Self {
            archive: Archive::new(),
            name: sheet_name(name),
            headers: headers.iter().map(|&header| header.to_owned()).collect(),
            letters: (0..headers.len()).map(letters).collect(),
            sheets: 0,
            rows: 0,
            bytes: 0,
            row: String::new(),
            most_rows,
        };
        writer.begin_sheet()?;
        Ok(writer)
    }

    #[cfg(test)]
    pub(super) fn in_short_sheets(name: &str, headers: &[&str]) -> Result<Self> {
        Self::with_sheets_of(3, name, headers)
    }

    fn write(&mut self, xml: &str) -> Result<()> {
        self.bytes += xml.len() as u64;
        self.archive.write(xml.as_bytes())
    }

    fn part(&mut self, name: &str, xml: &str) -> Result<()> {
        self.archive.begin(name, BYTES)?;
        self.write(XML)?;
        self.write(xml)
    }

    fn begin_sheet(&mut self) -> Result<()> {
        self.sheets += 1;
        (self.rows, self.bytes) = (0, 0);
        // the header stays in sight
        let view = "<sheetViews><sheetView workbookViewId=\"0\"><pane ySplit=\"1\" topLeftCell=\"A2\" activePane=\"bottomLeft\" \
                    state=\"frozen\"/></sheetView></sheetViews>";
        let head = format!("<worksheet xmlns=\"{MAIN}\">{view}<sheetData>");
        self.part(&format!("xl/worksheets/sheet{}.xml", self.sheets), &head)?;
        let headers = std::mem::take(&mut self.headers);
        let written = self.cells(headers.iter().map(|header| Cow::Borrowed(header.as_str())));
        self.headers = headers;
        written
    }

    fn end_sheet(&mut self) -> Result<()> {
        self.write("</sheetData></worksheet>")
    }

    pub fn row<'c>(&mut self, cells: impl Iterator<Item = Cow<'c, str>>) -> Result<()> {
        if self.rows >= self.most_rows || self.bytes >= BYTES {
            self.end_sheet()?;
            self.begin_sheet()?;
        }
        self.cells(cells)
    }

    fn cells<'c>(&mut self, cells: impl Iterator<Item = Cow<'c, str>>) -> Result<()> {
        self.rows += 1;
        let number = self.rows.to_string();
        let mut row = std::mem::take(&mut self.row);
        row.clear();
        row.push_str("<row r=\"");
        row.push_str(&number);
        row.push_str("\">");
        for (letters, text) in self.letters.iter().zip(cells) {
            if text.is_empty() {
                continue;
            }
            for part in ["<c r=\"", letters, &number, "\" t=\"inlineStr\"><is><t xml:space=\"preserve\">"] {
                row.push_str(part);
            }
            add_text(&mut row, &text);
            row.push_str("</t></is></c>");
        }
        row.push_str("</row>");
        let written = self.write(&row);
        self.row = row;
        written
    }

    pub fn take(&mut self) -> Vec<u8> {
        self.archive.take()
    }

    pub fn finish(mut self) -> Result<Vec<u8>> {
        self.end_sheet()?;
        let (mut sheets, mut relations, mut types) = (String::new(), String::new(), String::new());
        for number in 1..=self.sheets {
            let name = if number == 1 { self.name.clone() } else { format!("{} {number}", self.name) };
            let mut escaped = String::new();
            add_text(&mut escaped, &name);
            sheets.push_str(&format!("<sheet name=\"{escaped}\" sheetId=\"{number}\" r:id=\"rId{number}\"/>"));
            relations.push_str(&format!(
                "<Relationship Id=\"rId{number}\" Type=\"{RELATIONS}/worksheet\" Target=\"worksheets/sheet{number}.xml\"/>"
            ));
            types.push_str(&format!(
                "<Override PartName=\"/xl/worksheets/sheet{number}.xml\" \
                 ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml\"/>"
            ));
        }
        let book = format!("<workbook xmlns=\"{MAIN}\" xmlns:r=\"{RELATIONS}\"><sheets>{sheets}</sheets></workbook>");
        self.part("xl/workbook.xml", &book)?;
        let relations = format!("<Relationships xmlns=\"{PACKAGE}/relationships\">{relations}</Relationships>");
        self.part("xl/_rels/workbook.xml.rels", &relations)?;
        let root = format!(
            "<Relationships xmlns=\"{PACKAGE}/relationships\"><Relationship Id=\"rId1\" Type=\"{RELATIONS}/officeDocument\" \
             Target=\"xl/workbook.xml\"/></Relationships>"
        );
        self.part("_rels/.rels", &root)?;
        let types = format!(
            "<Types xmlns=\"{PACKAGE}/content-types\"><Default Extension=\"rels\" \
             ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Override PartName=\"/xl/workbook.xml\" \
             ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml\"/>{types}</Types>"
        );
        self.part("[Content_Types].xml", &types)?;
        self.archive.finish()
    }
}
