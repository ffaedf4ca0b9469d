//! The report.

use super::*;

async fn report(app: &harness::TestApp, id: &str) -> harness::Answer {
    app.get(&format!("/v1/imports/{id}/report"), &app.admin).await.expect(200)
}

#[tokio::test]
async fn the_report_tells_of_every_row_and_nothing_in_it_runs() {
    let app = working().await;
    let id = staged(&app, "external_id,name,email,=HYPERLINK(1)\n1,Alpha,,\n2,Beta,nobody,\n3,,x,\n").await;
    let told = report(&app, &id).await;
    assert_eq!(told.header("content-type"), Some("text/csv; charset=utf-8"));
    let first = rows(&app, &id, "").await[0]["record_id"].as_str().unwrap().to_owned();
    let lines: Vec<&str> = told.text.lines().collect();
    assert_eq!(lines[0], "line,outcome,record_id,column,code,reason");
    assert_eq!(lines[1], format!("2,new,{first},,,"));
    assert_eq!(lines[2], "3,wrong,,email,email,must be an e-mail address");
    assert!(lines[3].starts_with("4,wrong,,name,required,") && lines[4].starts_with("4,wrong,,email,"), "{lines:?}");
    approve(&app, &id).await;
    assert!(report(&app, &id).await.text.contains(&format!("2,created,{first},,,")));
    undo(&app, &id).await;
    assert!(report(&app, &id).await.text.contains(&format!("2,undone,{first},,,")));
    let path = format!("/v1/imports/{id}/report?format=pdf");
    app.get(&path, &app.admin).await.expect_problem(422, "validation_failed");
}

/// A column of the file that a spreadsheet would run is harmless in the report of its rows.
#[tokio::test]
async fn a_column_that_a_spreadsheet_would_run_stands_behind_an_apostrophe() {
    let app = working().await;
    let file = [b"name,=cmd\n".as_slice(), b"Alpha,\xce\xb1\nBeta,\xff\n"].concat();
    let id = start_as(&app, &app.admin, &[("encoding", "utf-8")], &file).await;
    until(&app, &id, "staged").await;
    let told = report(&app, &id).await.text;
    assert!(told.contains("3,wrong,,'=cmd,invalid_utf8,"), "{told}");
}

#[tokio::test]
async fn a_report_of_many_rows_has_each_once() {
    let app = working().await;
    let mut file = "name,email\n".to_owned();
    for number in 0..2500 {
        file.push_str(&format!("Client {number},wrong\n"));
    }
    let id = staged(&app, &file).await;
    let told = report(&app, &id).await.text;
    let lines: Vec<i64> = told.lines().skip(1).map(|line| line.split(',').next().unwrap().parse().unwrap()).collect();
    assert_eq!(lines, (2..=2501).collect::<Vec<i64>>());
    // the list of issues is one that can be read
    assert_eq!(app.count("import_issue").await, 1000);
}
