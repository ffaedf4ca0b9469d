//! Excel workbooks.

use std::io::{Cursor, Write as _};

use harness::TestApp;
use serde_json::json;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

/// A workbook with these rows on its first sheet, and one row on a second.
fn workbook(rows: &str, strings: &str) -> Vec<u8> {
    let sheet = |rows: &str| format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
    let parts = [
        ("[Content_Types].xml", "<Types/>".to_owned()),
        (
            "xl/workbook.xml",
            r#"<workbook><sheets><sheet name="Clients" sheetId="1" r:id="rId1"/><sheet name="Άλλο" sheetId="2" r:id="rId2"/></sheets></workbook>"#
                .to_owned(),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            r#"<Relationships><Relationship Id="rId1" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Target="worksheets/sheet2.xml"/></Relationships>"#
                .to_owned(),
        ),
        ("xl/styles.xml", r#"<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>"#.to_owned()),
        ("xl/sharedStrings.xml", format!("<sst>{strings}</sst>")),
        ("xl/worksheets/sheet1.xml", sheet(rows)),
        (
            "xl/worksheets/sheet2.xml",
            sheet(r#"<row r="1"><c r="A1" t="inlineStr"><is><t>name</t></is></c></row><row r="2"><c r="A2" t="inlineStr"><is><t>Elsewhere</t></is></c></row>"#),
        ),
    ];
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        writer.start_file(name, SimpleFileOptions::default()).unwrap();
        writer.write_all(content.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

const STRINGS: &str = "<si><t>Επωνυμία</t></si><si><t>phone</t></si><si><t>tax number</t></si><si><t>Αφοί Παπά</t></si>";
const ROWS: &str = r#"<row r="1"/><row r="2"><c r="A2" t="s"><v>0</v></c><c r="B2" t="s"><v>1</v></c><c r="C2" t="s"><v>2</v></c></row>
    <row r="4"><c r="A4" t="s"><v>3</v></c><c r="B4"><v>302101234567</v></c><c r="C4" s="1"><v>46351</v></c></row>
    <row r="5"><c r="A5" t="str"><f>"B"&amp;"eta"</f><v>Beta</v></c></row><row r="6"><c r="A6" t="e"><v>#REF!</v></c></row>"#;

async fn begin(app: &TestApp, members: &[(&str, &str)], file: &[u8]) -> harness::Answer {
    app.send(app.importing(&app.admin, members, "clients.xlsx", file)).await
}

#[tokio::test]
async fn a_workbook_is_read_as_people_see_it() {
    let app = working().await;
    let begun = begin(&app, &[], &workbook(ROWS, STRINGS)).await.expect(202);
    assert_eq!((&begun.body["file"]["sheets"], &begun.body["file_type"]), (&json!(["Clients", "Άλλο"]), &json!("xlsx")));
    let id = begun.id();
    until(&app, &id, "staged").await;
    let found = rows(&app, &id, "").await;
    assert_eq!(outcomes(&found), [(4, "new"), (5, "new"), (6, "wrong")]);
    let says = json!({ "name": "Αφοί Παπά", "phone": "302101234567", "tax_number": "2026-11-25" });
    assert_eq!((&found[0]["values"], &found[2]["issues"][0]["code"]), (&says, &json!("cell_error")));
    approve(&app, &id).await;
    let all = clients(&app).await;
    assert_eq!((&all[0]["name"], &all[1]["phone"]), (&json!("Beta"), &json!("302101234567")));
}

#[tokio::test]
async fn another_sheet_is_read_where_it_is_named() {
    let app = working().await;
    let id = begin(&app, &[("sheet", "Άλλο")], &workbook(ROWS, STRINGS)).await.expect(202).id();
    until(&app, &id, "staged").await;
    assert_eq!(rows(&app, &id, "").await[0]["values"], json!({ "name": "Elsewhere" }));
    app.patch(&format!("/v1/imports/{id}"), &app.admin, &json!({ "sheet": null })).await.expect(200);
    assert_eq!(until(&app, &id, "staged").await["rows_read"], 3);
    let refused = begin(&app, &[("sheet", "Nowhere"), ("source", "x")], &workbook(ROWS, STRINGS)).await;
    assert_eq!(refused.expect_problem(422, "validation_failed").pointers(), ["/sheet"]);
    let refused = begin(&app, &[("encoding", "utf-8"), ("delimiter", "tab")], &workbook(ROWS, STRINGS)).await;
    assert_eq!(refused.expect_problem(422, "validation_failed").pointers(), ["/delimiter", "/encoding"]);
}

#[tokio::test]
async fn a_workbook_that_becomes_too_large_or_is_damaged_is_refused() {
    let app = TestApp::spawn().await;
    let bomb = format!("<si><t>{}</t></si>", "x".repeat(80 << 20));
    let refused = begin(&app, &[], &workbook(ROWS, &bomb)).await;
    assert_eq!((refused.status, refused.code()), (422, "file_too_dense"), "{}", refused.text);
    let text = format!("<si><t>{}</t></si>", "x".repeat(3 << 20));
    let refused = begin(&app, &[], &workbook(ROWS, &text)).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.body["errors"][0]["code"], "workbook_too_large");
    let refused = begin(&app, &[], &workbook("<row r='1'><c", STRINGS)).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.body["errors"][0]["code"], "malformed_workbook");
    let refused = begin(&app, &[], &workbook("", STRINGS)).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.body["errors"][0]["code"], "empty_file");
    let mut cut = workbook(ROWS, STRINGS);
    cut.truncate(cut.len() - 30);
    let refused = begin(&app, &[], &cut).await;
    assert_eq!((refused.status, refused.code()), (422, "file_malformed"));
    assert_eq!(app.count("import_run").await, 0);
}
