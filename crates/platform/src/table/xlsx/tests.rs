use std::io::{Cursor, Write as _};

use kernel::Result;
use zip::write::SimpleFileOptions;

use super::super::{Head, ReadRow, Sink};

/// A workbook of these parts.
fn workbook(parts: &[(&str, &str)]) -> Cursor<Vec<u8>> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(content.as_bytes()).unwrap();
    }
    Cursor::new(writer.finish().unwrap().into_inner())
}

const BOOK: (&str, &str) = (
    "xl/workbook.xml",
    r#"<workbook xmlns:r="r"><sheets><sheet name="Πελάτες" sheetId="7" r:id="rId1"/><sheet name="B" sheetId="8" r:id="rId2"/></sheets></workbook>"#,
);
const RELATIONS: (&str, &str) = (
    "xl/_rels/workbook.xml.rels",
    r#"<Relationships><Relationship Id="rId1" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Target="/xl/worksheets/sheet2.xml"/></Relationships>"#,
);

#[derive(Default)]
struct All {
    head: Option<Head>,
    rows: Vec<ReadRow>,
}

impl Sink for All {
    fn head(&mut self, head: Head) -> Result<bool> {
        self.head = Some(head);
        Ok(true)
    }
    fn row(&mut self, row: ReadRow) -> Result<bool> {
        self.rows.push(row);
        Ok(true)
    }
}

fn read(parts: &[(&str, &str)], sheet: Option<&str>) -> Result<All> {
    let mut all = All::default();
    let parts: Vec<_> = [BOOK, RELATIONS].into_iter().chain(parts.iter().copied()).collect();
    super::read(workbook(&parts), sheet, &mut all)?;
    Ok(all)
}

fn sheet(rows: &str) -> String {
    format!("<worksheet><sheetData>{rows}</sheetData></worksheet>")
}

#[test]
fn texts_numbers_dates_and_formulas_are_read_as_people_see_them() {
    let first = sheet(
        r#"<row r="2"/><row r="3"><c r="A3" t="s"><v>0</v></c><c r="B3" t="inlineStr"><is><t>phone</t></is></c><c r="C3" t="str"><v>since</v></c></row>
        <row r="4"><c r="A4" t="s"><v>1</v></c><c r="B4"><v>302101234567</v></c><c r="C4" s="1"><v>46351</v></c></row>
        <row r="5"><c r="B5"><v>1.5</v></c><c r="C5" t="str"><f>A1&amp;B1</f><v>cached</v></c></row><row r="6"><c r="A6" s="1"/></row>
        <row r="9"><c r="A9" t="e"><v>#N/A</v></c></row><row r="10"><c r="D10"><v>1</v></c></row>"#,
    );
    let strings = r#"<sst><si><t>name</t></si><si><r><t xml:space="preserve">Αφοί </t></r><r><t>Παπά &amp; Υιοί</t></r><rPh><t>no</t></rPh></si></sst>"#;
    let styles = r#"<styleSheet><numFmts><numFmt numFmtId="164" formatCode="dd/mm/yyyy"/></numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="164"/></cellXfs></styleSheet>"#;
    let parts = [("xl/worksheets/sheet1.xml", first.as_str()), ("xl/sharedStrings.xml", strings), ("xl/styles.xml", styles)];
    let all = read(&parts, None).unwrap();
    let head = all.head.unwrap();
    assert_eq!(
        (head.headers.join("|"), head.sheet.as_deref(), head.sheets.len()),
        ("name|phone|since".to_owned(), Some("Πελάτες"), 2)
    );
    let told: Vec<String> = all
        .rows
        .iter()
        .map(|row| match row {
            Ok(row) => format!("{} {}", row.line, row.values.join("|")),
            Err(problem) => format!("{} {} {}", problem.line, problem.code, problem.column.as_deref().unwrap_or("-")),
        })
        .collect();
    assert_eq!(
        told,
        ["4 Αφοί Παπά & Υιοί|302101234567|2026-11-25", "5 |1.5|cached", "9 cell_error name", "10 wrong_number_of_fields -"]
    );
}

#[test]
fn another_sheet_is_read_by_its_name_and_one_that_is_not_there_is_told() {
    let second = sheet(r#"<row><c t="inlineStr"><is><t>a</t></is></c><c/><c t="inlineStr"><is><t>b</t></is></c></row>"#);
    let parts = [("xl/worksheets/sheet2.xml", second.as_str())];
    assert_eq!(read(&parts, Some("B")).unwrap().head.unwrap().headers, ["a", "", "b"]);
    let code = |sheet| read(&parts, sheet).err().unwrap().fields()[0].code.to_string();
    assert_eq!((code(Some("C")), code(None)), ("unknown_sheet".to_owned(), "malformed_workbook".to_owned()));
}

#[test]
fn what_is_damaged_empty_or_too_long_fails_and_takes_no_memory() {
    let code = |first: &str| {
        let parts = [("xl/worksheets/sheet1.xml", first)];
        read(&parts, None).err().unwrap().fields()[0].code.to_string()
    };
    assert_eq!(code(&sheet("")), "empty_file");
    assert_eq!(code("<worksheet><sheetData><row>"), "malformed_workbook");
    assert_eq!(code(&sheet(r#"<row r="2"><c t="str"><v>a</v></c></row><row r="2"/>"#)), "malformed_workbook");
    let endless = format!(r#"<row r="1"><c t="str"><v>{}</v></c></row>"#, "x".repeat(3 << 20));
    assert_eq!(code(&sheet(&endless)), "workbook_too_large");
    let twice = sheet(r#"<row r="1"><c t="str"><v>a</v></c><c t="str"><v>A</v></c></row>"#);
    assert_eq!(code(&twice), "duplicate_column");
    assert!(super::read(Cursor::new(b"PK\x03\x04 nothing".to_vec()), None, &mut All::default()).is_err());
}
