//! The storage for new files changed, on the program as an operator runs it: what is there stays where it is and is read from there.

use harness::Database;
use reqwest::Method;
use serde_json::json;
use tempfile::TempDir;

use super::program::{Program, send};
use crate::files::s3::{BUCKET, S3};
use crate::files::samples::pdf;

/// Where an operator says that storages are.
fn configure(program: &mut Program, storage: &str, further: &str) {
    program.kill();
    program.set("STORAGE_URL", storage);
    program.set("PELATIS_FURTHER_STORAGE_URLS", further);
    program.start();
}

async fn put_in(program: &Program, name: &str, length: usize, bucket: &str) -> String {
    let made = program.upload(name, pdf(length)).await.expect(201);
    assert_eq!(made.body["storage_bucket"], bucket, "{name}");
    made.id()
}

/// Whether the link to a file leads to the program, and that it leads to its content.
async fn is_own_link(program: &Program, id: &str, content: &[u8]) -> bool {
    let link = program.post(&format!("/v1/files/{id}/links"), &json!({})).await.expect(201);
    let url = link.body["url"].as_str().unwrap();
    // nobody has told the program where it is reached, and it was given any port
    let own = url.find("/public/").and_then(|at| url.get(at..)).map(|path| format!("{}{path}", program.base));
    let got = program.http.get(own.as_deref().unwrap_or(url)).send().await.unwrap();
    assert_eq!((got.status().as_u16(), got.bytes().await.unwrap().as_ref()), (200, content), "{url}");
    own.is_some()
}

/// Seen to fail with downloads that were read from the storage for new files.
#[tokio::test]
async fn files_stay_readable_where_they_were_put_when_new_ones_go_somewhere_else_and_back() {
    let folder = TempDir::new().unwrap();
    let db = Database::fresh(&folder).await;
    let s3 = S3::start(folder.path());
    let (remote, local) = (s3.address(), "file:data/files");
    let mut program = Program::on(&db, &[("STORAGE_URL", local), ("PELATIS_UPLOADS_PER_MINUTE", "10000")]).await;
    let first = put_in(&program, "first.pdf", 1000, "local").await;

    configure(&mut program, &remote, local);
    let second = put_in(&program, "second.pdf", 7_000_000, BUCKET).await;
    // of the same key, and not the same
    let keys = db.rows("SELECT storage_key FROM file WHERE storage_bucket = 'local'").await;
    let decoy = folder.path().join("s3").join(BUCKET).join(&keys[0]);
    std::fs::create_dir_all(decoy.parent().unwrap()).unwrap();
    std::fs::write(&decoy, b"%PDF-1.7 not this one").unwrap();
    for (id, length) in [(&first, 1000), (&second, 7_000_000)] {
        assert_eq!(program.content(id).await, pdf(length));
    }
    assert!(is_own_link(&program, &first, &pdf(1000)).await);
    assert!(!is_own_link(&program, &second, &pdf(7_000_000)).await);

    configure(&mut program, local, &remote);
    let third = put_in(&program, "third.pdf", 3000, "local").await;
    for (id, length) in [(&first, 1000), (&second, 7_000_000), (&third, 3000)] {
        assert_eq!(program.content(id).await, pdf(length));
    }

    // nobody says any more where the second one is
    configure(&mut program, local, "");
    for (method, path) in [(Method::GET, "content"), (Method::POST, "links")] {
        let request = program.request(method, &format!("/v1/files/{second}/{path}"));
        let request = if path == "links" { request.json(&json!({})) } else { request };
        let refused = send(request).await.unwrap();
        assert!(refused.header("retry-after").is_some(), "{}", refused.text);
        assert!(refused.text.contains(BUCKET), "it names the storage: {}", refused.text);
        refused.expect_problem(503, "storage_unavailable");
    }
    program.get(&format!("/v1/files/{second}")).await.expect(200);
    for (id, length) in [(&first, 1000), (&third, 3000)] {
        assert_eq!(program.content(id).await, pdf(length));
    }
    configure(&mut program, local, &remote);
    assert_eq!(program.content(&second).await, pdf(7_000_000));
}
