//! What a file is, its content says; what it may be, the workspace says.

use harness::TestApp;
use image::ImageFormat;
use serde_json::json;

use super::samples::{archive, container, excel, pdf, picture, word, zeros};
use super::upload::{expect_nothing, lying_in};

/// Lets a workspace take these kinds.
async fn take(app: &TestApp, kinds: &[&str]) {
    let settings = json!({ "settings": { "file_kinds": kinds } });
    app.patch(&format!("/v1/workspaces/{}", app.workspace), &app.admin, &settings).await.expect(200);
}

#[tokio::test]
async fn every_kind_is_told_from_its_content() {
    let app = TestApp::spawn().await;
    let docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    let xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    let wide: Vec<u8> = [0xFF, 0xFE].into_iter().chain("Γειά\r\n".encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let files: [(&str, Vec<u8>, &str); 15] = [
        ("a.jpg", picture(ImageFormat::Jpeg, 20, 10), "image/jpeg"),
        ("a.JPEG", picture(ImageFormat::Jpeg, 20, 10), "image/jpeg"),
        ("a.png", picture(ImageFormat::Png, 20, 10), "image/png"),
        ("a.gif", picture(ImageFormat::Gif, 20, 10), "image/gif"),
        ("a.webp", picture(ImageFormat::WebP, 20, 10), "image/webp"),
        ("a.pdf", pdf(100), "application/pdf"),
        ("a.docx", word(), docx),
        ("a.xlsx", excel(), xlsx),
        ("a.doc", container("WordDocument"), "application/msword"),
        ("a.xls", container("Workbook"), "application/vnd.ms-excel"),
        ("a.txt", "Γειά σου".as_bytes().to_vec(), "text/plain"),
        ("a.txt", b"\xc3\xe5\xe9\xdc in an older alphabet".to_vec(), "text/plain"),
        ("wide.txt", wide, "text/plain"),
        ("a.csv", b"name;email\nx;y\n".to_vec(), "text/csv"),
        ("no ending", pdf(100), "application/pdf"),
    ];
    for (name, content, mime) in files {
        let made = app.upload(&app.admin, &[], name, &content).await.expect(201);
        assert_eq!(made.body["mime_type"], mime, "{name}");
    }
    // the usual workspace takes no archives
    let refused = app.upload(&app.admin, &[], "a.zip", &archive(&[("a.txt", b"a")])).await;
    refused.expect_problem(422, "file_type_not_allowed");
    take(&app, &["zip"]).await;
    app.upload(&app.admin, &[], "a.zip", &archive(&[("a.txt", b"a"), ("b.docx", &word())])).await.expect(201);
    app.upload(&app.admin, &[], "a.pdf", &pdf(100)).await.expect_problem(422, "file_type_not_allowed");
    take(&app, &[]).await;
    app.upload(&app.admin, &[], "a.zip", &archive(&[("a.txt", b"a")])).await.expect_problem(422, "file_type_not_allowed");
    let settings = json!({ "settings": { "file_kinds": ["exe"] } });
    let refused = app.patch(&format!("/v1/workspaces/{}", app.workspace), &app.admin, &settings).await;
    assert_eq!(refused.expect_problem(422, "validation_failed").pointers(), ["/settings/file_kinds/0"]);
}

#[tokio::test]
async fn what_is_not_what_it_says_is_refused() {
    let app = TestApp::spawn().await;
    for (name, content) in [
        ("a.png", pdf(100)),
        ("a.pdf", picture(ImageFormat::Png, 2, 2)),
        ("a.docx", excel()),
        ("a.txt", pdf(100)),
        ("a.exe", b"just text".to_vec()),
        ("a.html", b"just text".to_vec()),
        ("a.pdf.exe", pdf(100)),
    ] {
        let refused = app.upload(&app.admin, &[], name, &content).await.expect_problem(422, "file_type_mismatch");
        assert_eq!(refused.pointers(), ["/file"], "{name}");
    }
    let declared = reqwest::multipart::Part::bytes(pdf(100)).file_name("a.pdf").mime_str("image/png").unwrap();
    let form = reqwest::multipart::Form::new().part("file", declared);
    let refused = app.send(app.request(reqwest::Method::POST, "/v1/files", &app.admin).multipart(form)).await;
    refused.expect_problem(422, "file_type_mismatch");
    expect_nothing(&app).await;
}

#[tokio::test]
async fn what_a_browser_or_a_machine_would_run_is_refused_whatever_it_is_called() {
    let app = TestApp::spawn().await;
    take(&app, &["jpeg", "png", "gif", "webp", "pdf", "word", "excel", "text", "csv", "zip"]).await;
    let macros = archive(&[("[Content_Types].xml", b""), ("word/document.xml", b""), ("word/vbaProject.bin", b"")]);
    for (name, content) in [
        ("program", b"MZ\x90\0\x03\0\0\0".to_vec()),
        ("program.txt", b"\x7fELF\x02\x01\x01\0".to_vec()),
        ("page.txt", b"<!DOCTYPE html><p>hello".to_vec()),
        ("page.txt", b"\xef\xbb\xbf  <HTML>".to_vec()),
        ("drawing.txt", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>".to_vec()),
        ("feed.txt", b"<?xml version='1.0'?><a/>".to_vec()),
        ("wide.txt", b"\xff\xfe\0\0\x01\0".to_vec()),
        ("a.docx", macros),
        ("a.doc", container("EncryptedPackage")),
        ("a.doc", container("Other")),
        ("a.zip", archive(&[("inner.gz", b"\x1f\x8b\x08\0")])),
    ] {
        let refused = app.upload(&app.admin, &[], name, &content).await;
        assert_eq!((refused.status, refused.code()), (422, "file_type_not_allowed"), "{name}: {}", refused.text);
    }
    let with = |mut first: Vec<u8>, then: &[u8]| {
        first.extend_from_slice(then);
        first
    };
    let page = {
        let mut gif = b"GIF89a".to_vec();
        gif.extend_from_slice(b"/*<script>*/=1;");
        gif
    };
    for (name, content) in [
        ("a.png", with(picture(ImageFormat::Png, 2, 2), &archive(&[("a.txt", b"a")]))),
        ("a.pdf", with(pdf(1000), &archive(&[("a.txt", b"a")]))),
        ("a.gif", page),
        ("a.jpg", with(b"\xff\xd8\xff\xe0".to_vec(), b"%PDF-1.7")),
        ("a.png", picture(ImageFormat::Png, 20, 20)[..20].to_vec()),
        ("a.zip", with(b"PK\x03\x04 cut off".to_vec(), b"")),
        ("a.zip", with(archive(&[("a.txt", b"a")]), b"and more")),
        ("a.txt", Vec::new()),
    ] {
        let refused = app.upload(&app.admin, &[], name, &content).await;
        assert_eq!((refused.status, refused.code()), (422, "file_malformed"), "{name}: {}", refused.text);
    }
    expect_nothing(&app).await;
}

/// The head of an image of so many pixels, and nothing else.
fn huge(width: u32, height: u32) -> Vec<u8> {
    let mut content = picture(ImageFormat::Png, 1, 1);
    content[16..20].copy_from_slice(&width.to_be_bytes());
    content[20..24].copy_from_slice(&height.to_be_bytes());
    let sum = crc(&content[12..29]);
    content[29..33].copy_from_slice(&sum.to_be_bytes());
    content
}

/// The checksum of PNG (its specification, annex D).
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0xEDB8_8320 } else { sum >> 1 })
    })
}

#[tokio::test]
async fn what_would_become_too_large_is_refused_before_it_is_opened() {
    let app = TestApp::spawn().await;
    take(&app, &["png", "word", "zip"]).await;
    let small = zeros(1_000_000);
    // the directory says less than there is
    let mut lying = zeros(20_000_000);
    let at = lying.windows(4).rposition(|part| part == b"PK\x01\x02").unwrap();
    lying[at + 24..at + 28].copy_from_slice(&1000_u32.to_le_bytes());
    let inner = zeros(10_000_000);
    let many: Vec<(String, &[u8])> = (0..10).map(|number| (format!("{number}.zip"), inner.as_slice())).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|(name, content)| (name.as_str(), *content)).collect();
    let nested = archive(&[("c.zip", &archive(&[("b.zip", &archive(&[("a.zip", &small)]))]))]);
    for (name, content) in [
        ("a.png", huge(100_000, 100_000)),
        ("a.zip", zeros(100_000_000)),
        ("a.docx", archive(&[("[Content_Types].xml", b""), ("word/document.xml", &vec![b' '; 100_000_000])])),
        ("a.zip", lying),
        ("a.zip", archive(&many)),
        ("a.zip", nested),
    ] {
        let refused = app.upload(&app.admin, &[], name, &content).await;
        assert_eq!((refused.status, refused.code()), (422, "file_too_dense"), "{name}: {}", refused.text);
    }
    expect_nothing(&app).await;
    app.upload(&app.admin, &[], "a.zip", &small).await.expect(201);
    app.upload(&app.admin, &[], "a.png", &huge(10_000, 10_000)).await.expect(201);
    assert_eq!(lying_in(&app.folder.path().join("files")).len(), 2);
}

#[tokio::test]
async fn entries_that_share_their_content_are_refused() {
    let app = TestApp::spawn().await;
    take(&app, &["zip"]).await;
    // both entries of the directory lead to the first
    let mut content = archive(&[("a.txt", &[b'a'; 1000]), ("b.txt", &[b'a'; 1000])]);
    let second = content.windows(4).rposition(|part| part == b"PK\x01\x02").unwrap();
    content[second + 42..second + 46].copy_from_slice(&0_u32.to_le_bytes());
    app.upload(&app.admin, &[], "a.zip", &content).await.expect_problem(422, "file_malformed");
    expect_nothing(&app).await;
}
