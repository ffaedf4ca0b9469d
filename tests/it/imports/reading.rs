//! Files as people have them, and files that are none.

use harness::TestApp;
use serde_json::json;

use super::*;

/// Whether nothing was left behind: no run, no object, nothing on its way in.
async fn is_untouched(app: &TestApp) -> bool {
    let lying = |name: &str| std::fs::read_dir(app.folder.path().join(name)).map_or(0, Iterator::count);
    app.count("import_run").await == 0 && app.count("job").await == 0 && lying("spool") == 0 && lying("files") == 0
}

#[tokio::test]
async fn a_file_that_is_no_table_is_refused_with_all_that_is_wrong_and_leaves_nothing() {
    let app = TestApp::spawn().await;
    let refused = async |members: &[(&str, &str)], file: &[u8]| app.send(app.importing(&app.admin, members, "x.csv", file)).await;
    let cases: [(&[u8], u16, &str); 5] = [
        (b"%PDF-1.7\n", 415, "import_file_type"),
        (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 old", 415, "import_file_type"),
        (b"\x1F\x8B compressed", 415, "import_file_type"),
        (b"PK\x03\x04 cut off", 422, "file_malformed"),
        (b"\x89PNG\r\n\x1a\n", 415, "import_file_type"),
    ];
    for (file, status, code) in cases {
        let answer = refused(&[], file).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{:?}: {}", file, answer.text);
    }
    let long = format!("name,{}\n", "x".repeat(300));
    let many = format!("name{}\n", ",".repeat(600));
    for (file, code) in [
        ("", "empty_file"),
        ("\n \n", "missing_header"),
        ("email\na@b.gr\n", "missing_column"),
        ("name,Name\na,b\n", "duplicate_column"),
        ("na\0me,b\n", "not_text"),
        (long.as_str(), "header_too_long"),
        (many.as_str(), "too_many_columns"),
    ] {
        let answer = refused(&[], file.as_bytes()).await.expect_problem(422, "validation_failed");
        assert_eq!(answer.body["errors"][0]["code"], code, "{}", answer.text);
    }
    let members = [("encoding", "klingon"), ("delimiter", "fence"), ("sheet", "1"), ("unheard", "of"), ("mapping", "{")];
    let answer = refused(&members, b"name\nAlpha\n").await.expect_problem(422, "validation_failed");
    assert!(answer.pointers().contains(&"/mapping".to_owned()) && answer.pointers().len() >= 2, "{}", answer.text);
    let members = [("encoding", "klingon"), ("delimiter", "fence"), ("sheet", "1")];
    let answer = refused(&members, b"name\nAlpha\n").await.expect_problem(422, "validation_failed");
    assert_eq!(answer.pointers(), ["/delimiter", "/encoding", "/sheet"]);
    let members = [("mapping", r#"{"name": "unheard of", "nothing": "name"}"#)];
    let answer = refused(&members, b"name\nAlpha\n").await.expect_problem(422, "validation_failed");
    assert_eq!(answer.pointers(), ["/mapping/name", "/mapping/nothing"]);
    let form = reqwest::multipart::Form::new().text("source", "x");
    let request = app.request(reqwest::Method::POST, "/v1/clients/imports", &app.admin).multipart(form);
    app.send(request).await.expect_problem(422, "validation_failed");
    app.post("/v1/clients/imports", &app.admin, &json!({})).await.expect_problem(415, "unsupported_media_type");
    assert!(is_untouched(&app).await);
}

#[tokio::test]
async fn encodings_byte_order_marks_and_wrong_bytes_are_read_as_over_the_command_line() {
    let app = working().await;
    let wide: Vec<u8> = "\u{feff}name;city\nΆλφα;Αθήνα\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let id = start_as(&app, &app.admin, &[], &wide).await;
    let read = until(&app, &id, "staged").await;
    assert_eq!(
        (&read["file"]["encoding"], &rows(&app, &id, "").await[0]["values"]["city"]),
        (&json!("utf-16le"), &json!("Αθήνα"))
    );
    let odd = [b"\xef\xbb\xbfname,city\nAlpha,\xff\xfe\nBe\0ta,x\nGamma,y,z\nDelta,\"open\n".as_slice()].concat();
    let id = start_as(&app, &app.admin, &[], &odd).await;
    until(&app, &id, "staged").await;
    let found = rows(&app, &id, "").await;
    let codes: Vec<&str> = found.iter().map(|row| row["issues"][0]["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["invalid_utf8", "nul", "wrong_number_of_fields", "quote_not_closed"]);
}

#[tokio::test]
async fn a_header_alone_is_an_import_of_nothing() {
    let app = working().await;
    let id = staged(&app, "name,city\n").await;
    let done = approve(&app, &id).await;
    assert_eq!((&done["rows_read"], &done["created"]), (&json!(0), &json!(0)));
}

#[tokio::test]
async fn a_value_of_a_megabyte_is_a_wrong_row_and_formulas_are_texts() {
    let app = working().await;
    let file = format!("name,city\n{},x\n=1+1,y\nGamma,{}\n", "x".repeat(1 << 20), "y".repeat(1000));
    let id = staged(&app, &file).await;
    let found = rows(&app, &id, "").await;
    assert_eq!(outcomes(&found), [(2, "wrong"), (3, "new"), (4, "wrong")]);
    assert_eq!((&found[0]["issues"][0]["code"], &found[2]["issues"][0]["code"]), (&json!("field_too_long"), &json!("too_long")));
    assert!(found[2]["values"]["city"].as_str().unwrap().len() <= 300);
    approve(&app, &id).await;
    assert_eq!(clients(&app).await[0]["name"], "=1+1");
}

#[tokio::test]
async fn an_upload_that_is_cut_off_begins_nothing() {
    use std::io::Write as _;
    let app = TestApp::spawn().await;
    let address = app.base.strip_prefix("http://").unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let token = app.admin.token.clone().unwrap();
    let head = format!(
        "POST /v1/clients/imports HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
         content-type: multipart/form-data; boundary=b\r\ncontent-length: 100000\r\n\r\n\
         --b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\nname\nAlpha\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let began = Instant::now();
    while !app.folder.path().join("spool").exists() && began.elapsed() < Duration::from_secs(5) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    drop(stream);
    let began = Instant::now();
    while !is_untouched(&app).await {
        assert!(began.elapsed() < Duration::from_secs(10), "something was left behind");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn the_same_upload_with_the_same_key_begins_one_import() {
    let app = TestApp::spawn().await;
    let send = async || {
        let request = app.importing(&app.admin, &[], "a.csv", b"name\nAlpha\n").header("idempotency-key", "once");
        app.send(request).await.expect(202)
    };
    let (first, second) = (send().await, send().await);
    assert_eq!((first.id(), second.header("idempotency-replayed")), (second.id(), Some("true")));
    assert_eq!((app.count("import_run").await, app.count("job").await), (1, 1));
}
