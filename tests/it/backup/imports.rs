//! Imports after a backup was brought back: they go on where they were.

use std::time::{Duration, Instant};

use harness::Database;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::faults::program::{Program, send};

async fn start(program: &Program, file: &str) -> String {
    let part = reqwest::multipart::Part::bytes(file.as_bytes().to_vec()).file_name("clients.csv");
    let form = reqwest::multipart::Form::new().part("file", part);
    send(program.request(Method::POST, "/v1/clients/imports").multipart(form)).await.unwrap().expect(202).id()
}

async fn until(program: &Program, id: &str, state: &str) -> Value {
    let began = Instant::now();
    loop {
        let run = program.get(&format!("/v1/imports/{id}")).await.expect(200).body;
        if run["state"] == state {
            return run;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "still not {state}: {run}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Seen to fail while the files of imports were not in backups.
#[tokio::test]
async fn imports_go_on_after_a_restore_from_the_files_that_they_had() {
    let folder = TempDir::new().unwrap();
    let db = Database::fresh(&folder).await;
    let settings = [("PELATIS_UPLOADS_PER_MINUTE", "1000"), ("PELATIS_BACKUP_NIGHTLY", "false")];
    let mut program = Program::on(&db, &settings).await;
    let written = start(&program, "name,email\nAlpha,a@alpha.gr\nBeta,b@beta.gr\n,nobody\n").await;
    until(&program, &written, "staged").await;
    program.post(&format!("/v1/imports/{written}/approve"), &json!({})).await.expect(202);
    until(&program, &written, "finished").await;
    let waiting = start(&program, "name,note\nAs it was,Gamma\nAs it was too,Delta\n").await;
    until(&program, &waiting, "staged").await;
    let of_import =
        async |program: &Program, what: &str| program.get(&format!("/v1/imports/{written}/{what}")).await.expect(200).text;
    let before = (of_import(&program, "rows").await, of_import(&program, "report").await, of_import(&program, "issues").await);

    let archive = folder.path().join("archive.tar.zst");
    let (well, said) = program.run(&["backup", "--to", archive.to_str().unwrap()]);
    assert!(well, "{said}");
    program.kill();
    std::fs::remove_dir_all(program.folder().join("data/files")).unwrap();
    let elsewhere = TempDir::new().unwrap();
    let empty = Database::bare(&elsewhere).await;
    program.moved_to(&empty);
    let (well, said) = program.run(&["restore", archive.to_str().unwrap()]);
    assert!(well, "{said}");
    program.start();
    program.token = program.sign_in("admin@example.com").await;

    let after = (of_import(&program, "rows").await, of_import(&program, "report").await, of_import(&program, "issues").await);
    assert_eq!(after, before);
    // read in another way it is staged anew, which needs its file
    let mapping = json!({ "mapping": { "note": "name", "name": "legal_name" } });
    let patched = send(program.request(Method::PATCH, &format!("/v1/imports/{waiting}")).json(&mapping)).await.unwrap();
    assert_eq!(patched.expect(200).body["state"], "staging");
    until(&program, &waiting, "staged").await;
    program.post(&format!("/v1/imports/{waiting}/approve"), &json!({})).await.expect(202);
    assert_eq!(until(&program, &waiting, "finished").await["created"], 2);
    assert_eq!(empty.count("client WHERE name IN ('Gamma', 'Delta')").await, 2);
    program.post(&format!("/v1/imports/{written}/undo"), &json!({})).await.expect(202);
    assert_eq!(until(&program, &written, "undone").await["undone"], 2);
}
