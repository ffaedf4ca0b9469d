//! Uploads: all of it is there afterwards, or nothing.

use std::path::Path;
use std::time::Duration;

use api::ApiConfig;
use harness::TestApp;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::samples::pdf;

/// Every file below a folder.
pub(crate) fn lying_in(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(lying_in(&path));
        } else {
            found.push(path.display().to_string());
        }
    }
    found
}

/// That nothing of an upload was left: no row, no entry, no object, nothing on the way.
pub(crate) async fn expect_nothing(app: &TestApp) {
    assert_eq!(app.count("file").await, 0);
    assert_eq!(app.count("journal_entry WHERE record_type = 'file'").await, 0);
    assert_eq!(lying_in(&app.folder.path().join("files")), Vec::<String>::new());
    assert_eq!(lying_in(&app.folder.path().join("spool")), Vec::<String>::new());
}

#[tokio::test]
async fn an_upload_keeps_what_was_sent_and_tells_what_it_is() {
    let app = TestApp::spawn().await;
    let (content, client) = (pdf(300_000), app.client(&app.admin, "Παπάς").await);
    let members = [
        ("rel_type", "client"),
        ("rel_id", client.as_str()),
        ("category", "contract"),
        ("subject", "Σύμβαση"),
        ("description", ""),
        ("visible_to_client", "true"),
    ];
    let made = app.upload(&app.admin, &members, "../Σύμβαση.pdf", &content).await.expect(201);
    let digest = store::digest(&content);
    let expected = json!({
        "filename": "Σύμβαση.pdf", "mime_type": "application/pdf", "filesize_bytes": 300_000, "sha256": digest, "category": "contract",
        "subject": "Σύμβαση", "description": null, "storage_bucket": "local", "uploaded_by": app.admin.user_id,
        "visible_to_client": true, "rel_type": "client", "rel_id": client, "folder_id": null, "archived_at": null,
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(made.body[name], *value, "{name}");
    }
    assert_eq!(made.header("location"), Some(format!("/v1/files/{}", made.id()).as_str()));
    assert_eq!(made.etag(), "\"v1\"");

    let lying = lying_in(&app.folder.path().join("files"));
    let [object] = lying.as_slice() else { panic!("{lying:?}") };
    assert_eq!(std::fs::read(object).unwrap(), content);
    let key = app.db.scalar("SELECT storage_key FROM file").await.unwrap();
    assert!(object.ends_with(&key), "{object} is not {key}");
    let parts: Vec<&str> = key.split('/').collect();
    assert_eq!(parts[..3], [app.workspace.as_str(), "clients", client.as_str()]);
    assert!(parts[3].ends_with(".pdf") && parts[3].len() == 40 && parts.len() == 4, "{key}");
    assert!(lying_in(&app.folder.path().join("spool")).is_empty());

    assert_eq!(app.actions_of(&made.id()).await, ["create"]);
    let trail = app.get(&format!("/v1/clients/{client}/audit"), &app.admin).await.expect(200);
    assert_eq!(trail.body["data"][0]["event"], "client.file_added");
    assert_eq!(trail.body["data"][0]["changes"]["filename"]["to"], "Σύμβαση.pdf");
}

#[tokio::test]
async fn everything_that_is_wrong_with_an_upload_is_told_at_once_and_nothing_is_kept() {
    let app = TestApp::spawn().await;
    let members = [
        ("rel_type", "planet"),
        ("rel_id", "0193a000-0000-7000-8000-000000000000"),
        ("category", &"x".repeat(101)),
        ("visible_to_client", "perhaps"),
        ("colour", "red"),
        ("subject", "a"),
        ("subject", "b"),
    ];
    let refused = app.upload(&app.admin, &members, "a.png", &pdf(1000)).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/category", "/colour", "/file", "/subject", "/visible_to_client"]);

    let members =
        [("rel_type", "planet"), ("rel_id", "0193a000-0000-7000-8000-000000000000"), ("folder_id", app.workspace.as_str())];
    let refused = app.upload(&app.admin, &members, "a.pdf", &pdf(1000)).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/folder_id", "/rel_type"]);
    let members = [("rel_type", "client"), ("rel_id", app.workspace.as_str())];
    let refused = app.upload(&app.admin, &members, "a.pdf", &pdf(1000)).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.pointers(), ["/rel_id"]);
    let refused = app.upload(&app.admin, &[("rel_type", "client")], "a.pdf", &pdf(1000)).await.expect(422);
    assert_eq!(refused.pointers(), ["/rel_id"]);

    let form = reqwest::multipart::Form::new().text("subject", "alone");
    let without = app.send(app.request(reqwest::Method::POST, "/v1/files", &app.admin).multipart(form)).await;
    assert_eq!(without.expect_problem(422, "validation_failed").pointers(), ["/file"]);
    app.post("/v1/files", &app.admin, &json!({})).await.expect_problem(415, "unsupported_media_type");
    expect_nothing(&app).await;
}

#[tokio::test]
async fn a_file_that_is_too_large_is_refused_whether_it_says_so_or_not() {
    let app = TestApp::spawn_with(|config| config.files.most_bytes = 100_000).await;
    app.upload(&app.admin, &[], "a.pdf", &pdf(100_000)).await.expect(201);
    let id = app.db.scalar("SELECT storage_key FROM file").await.unwrap();
    app.upload(&app.admin, &[], "a.pdf", &pdf(100_001)).await.expect_problem(413, "too_large");
    app.upload(&app.admin, &[], "a.pdf", &pdf(10_000_000)).await.expect_problem(413, "too_large");
    assert_eq!(app.db.rows("SELECT storage_key FROM file").await, [id]);
    assert_eq!(lying_in(&app.folder.path().join("files")).len(), 1);
    assert!(lying_in(&app.folder.path().join("spool")).is_empty());
}

fn head(app: &TestApp, length: usize) -> String {
    format!(
        "POST /v1/files HTTP/1.1\r\nhost: pelatis\r\nauthorization: Bearer {}\r\ncontent-type: multipart/form-data; boundary=x\r\n\
         content-length: {length}\r\n\r\n--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n\r\n",
        app.admin.token.as_deref().unwrap()
    )
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..200 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what}");
}

#[tokio::test]
async fn a_connection_that_is_cut_leaves_nothing() {
    let app = TestApp::spawn().await;
    let spool = app.folder.path().join("spool");
    for sent in [0, 1000, 2_000_000] {
        let mut line = TcpStream::connect(app.base.trim_start_matches("http://")).await.unwrap();
        line.write_all(head(&app, 40_000_000).as_bytes()).await.unwrap();
        line.write_all(&pdf(2_000_000)[..sent]).await.unwrap();
        if sent > 0 {
            until("something comes in", || !lying_in(&spool).is_empty()).await;
        }
        drop(line);
        until("what came in goes", || lying_in(&spool).is_empty()).await;
    }
    expect_nothing(&app).await;
}

#[tokio::test]
async fn a_body_that_stands_still_is_given_up_and_a_slow_one_that_comes_is_not() {
    let short = |config: &mut ApiConfig| config.request_timeout = Duration::from_secs(2);
    let app = TestApp::spawn_with(|config| short(&mut config.api)).await;
    let mut still = TcpStream::connect(app.base.trim_start_matches("http://")).await.unwrap();
    still.write_all(head(&app, 1_000_000).as_bytes()).await.unwrap();
    let standing = async {
        let mut said = String::new();
        still.read_to_string(&mut said).await.unwrap();
        said
    };
    let content = pdf(400_000);
    let tail = b"\r\n--x--\r\n";
    let coming = async {
        let mut line = TcpStream::connect(app.base.trim_start_matches("http://")).await.unwrap();
        let before = head(&app, 0).split_once("\r\n\r\n").unwrap().1.len();
        line.write_all(head(&app, before + content.len() + tail.len()).as_bytes()).await.unwrap();
        // twice as long as any other request may take
        for piece in content.chunks(40_000) {
            line.write_all(piece).await.unwrap();
            tokio::time::sleep(Duration::from_millis(400)).await;
        }
        line.write_all(tail).await.unwrap();
        let mut said = vec![0; 12];
        line.read_exact(&mut said).await.unwrap();
        String::from_utf8(said).unwrap()
    };
    let (standing, coming) = tokio::join!(standing, coming);
    assert!(standing.starts_with("HTTP/1.1 503 "), "{standing}");
    assert_eq!(coming, "HTTP/1.1 201");
    assert_eq!(app.count("file").await, 1);
    until("what came in goes", || lying_in(&app.folder.path().join("spool")).is_empty()).await;
}

#[tokio::test]
async fn an_upload_that_is_sent_again_is_answered_again_and_done_once() {
    let app = TestApp::spawn().await;
    let content = pdf(50_000);
    let send = async |name: &str, content: &[u8], key: &str| {
        app.send(app.uploading(&app.admin, &[("subject", "once")], name, content).header("idempotency-key", key)).await
    };
    let first = send("a.pdf", &content, "one").await.expect(201);
    let second = send("a.pdf", &content, "one").await.expect(201);
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    assert_eq!((first.text, first.headers.get("etag")), (second.text, second.headers.get("etag")));
    send("b.pdf", &content, "one").await.expect_problem(422, "idempotency_key_reused");
    send("a.pdf", &pdf(50_001), "one").await.expect_problem(422, "idempotency_key_reused");
    assert_eq!(app.count("file").await, 1);
    assert_eq!(lying_in(&app.folder.path().join("files")).len(), 1, "what was sent again is not kept");

    let refused = send("a.png", &content, "two").await.expect_problem(422, "file_type_mismatch");
    let again = send("a.png", &content, "two").await.expect(422);
    assert_eq!((again.header("idempotency-replayed"), &again.text), (Some("true"), &refused.text));

    let all = (0..4).map(|_| send("c.pdf", &content, "three"));
    let ids: Vec<String> = futures::future::join_all(all).await.into_iter().map(|answer| answer.expect(201).id()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(app.count("file").await, 2);
    assert_eq!(lying_in(&app.folder.path().join("files")).len(), 2);
}

/// As browsers send a form. Seen to fail with empty parts taken for what they say.
#[tokio::test]
async fn what_nobody_filled_in_says_nothing() {
    let app = TestApp::spawn().await;
    let names = ["rel_type", "rel_id", "folder_id", "category", "subject", "description", "visible_to_client"];
    let made = app.upload(&app.admin, &names.map(|name| (name, "")), "a.pdf", &pdf(100)).await.expect(201);
    for name in &names[..6] {
        assert_eq!(made.body[*name], Value::Null, "{name}");
    }
    assert_eq!(made.body["visible_to_client"], false);
    assert_eq!(app.count("file WHERE category IS NULL AND subject IS NULL AND folder_id IS NULL").await, 1);
}

#[tokio::test]
async fn uploads_have_a_limit_of_their_own() {
    let app = TestApp::spawn_with(|config| config.api.uploads_per_minute = 10).await;
    app.clock.advance_to_a_minute();
    for left in (0..10).rev() {
        let made = app.upload(&app.admin, &[], "a.pdf", &pdf(100)).await.expect(201);
        assert_eq!(made.header("ratelimit-remaining"), Some(left.to_string().as_str()));
    }
    let refused = app.upload(&app.admin, &[], "a.pdf", &pdf(100)).await;
    assert!(refused.header("retry-after").is_some());
    refused.expect_problem(429, "rate_limited");
    app.get("/v1/files", &app.admin).await.expect(200);
}
