//! A disk that is full where files and mail lie: what does not fit is refused and leaves nothing, and what must not be lost waits.

use std::path::Path;
use std::time::{Duration, Instant};

use harness::{Answer, Database};
use serde_json::json;
use tempfile::TempDir;

use super::disk::Disk;
use super::program::Program;
use super::{company, expect_sound};
use crate::files::samples::pdf;
use crate::files::upload::lying_in;
use crate::mail::read;

/// The program with its folder on a small disk, and its database beside it; none where nobody may mount one.
async fn on_a_small_disk(folder: &TempDir) -> Option<(Disk, Database, Program)> {
    let small = folder.path().join("small");
    std::fs::create_dir(&small).unwrap();
    let disk = Disk::at(&small);
    if !disk.is_mounted() {
        println!("left out: files and mail on a full disk");
        return None;
    }
    let db = Database::fresh(folder).await;
    let around = disk.around();
    let data = small.display().to_string();
    let settings = [("PELATIS_DATA_DIR", data.as_str()), ("PELATIS_UPLOADS_PER_MINUTE", "10000")];
    let program = Program::within(&db, &settings, &around.iter().map(String::as_str).collect::<Vec<_>>()).await;
    Some((disk, db, program))
}

async fn expect_refused(program: &Program, db: &Database, name: &str, length: usize, on_disk: &Path, files: usize) {
    let refused: Answer = program.upload(name, pdf(length)).await;
    refused.expect_problem(507, "storage_full");
    assert_eq!(db.count("file").await, i64::try_from(files).unwrap());
    assert_eq!(db.count("journal_entry WHERE record_type = 'file'").await, i64::try_from(files).unwrap());
    assert_eq!(lying_in(&on_disk.join("files")).len(), files, "{name} left an object");
    assert_eq!(lying_in(&on_disk.join("spool")), [""; 0], "{name} left something on its way");
}

/// Seen to fail while what could not be written to its end was left where uploads are on their way.
#[tokio::test]
async fn a_full_disk_takes_no_file_and_keeps_nothing_of_it_and_reads_and_records_go_on() {
    let folder = TempDir::new().unwrap();
    let Some((disk, db, mut program)) = on_a_small_disk(&folder).await else { return };
    let (pid, kept) = (program.pid(), pdf(300_000));
    let on_disk = disk.seen_from(pid);
    let id = program.upload("kept.pdf", kept.clone()).await.expect(201).id();
    // one that is larger than what is left, whatever is written of it first
    expect_refused(&program, &db, "half.pdf", 52_000_000, &on_disk, 1).await;
    disk.fill(pid);
    for (name, length) in [("small.pdf", 1000), ("large.pdf", 5_000_000)] {
        expect_refused(&program, &db, name, length, &on_disk, 1).await;
    }
    assert_eq!(program.content(&id).await, kept);
    program.get("/v1/files").await.expect(200);
    program.post("/v1/clients", &company("Goes on")).await.expect(201);
    disk.make_room(pid);
    for (name, length) in [("small.pdf", 1000), ("large.pdf", 5_000_000)] {
        let made = program.upload(name, pdf(length)).await.expect(201).id();
        assert_eq!(program.content(&made).await, pdf(length));
    }
    assert!(program.runs());
    expect_sound(&db).await;
}

/// Seen to fail while a mail that could not be written to its end was left lying.
#[tokio::test]
async fn mail_for_a_folder_on_a_full_disk_waits_and_is_whole_once_there_is_room() {
    let folder = TempDir::new().unwrap();
    let Some((disk, db, mut program)) = on_a_small_disk(&folder).await else { return };
    let pid = program.pid();
    let mails = disk.seen_from(pid).join("mail");
    let invite = json!({ "email": "nikos@example.com", "role": "viewer", "given_name": "Νίκος", "family_name": "Γεωργίου" });
    disk.fill(pid);
    program.post("/v1/invitations", &invite).await.expect(201);
    let until = async |what: &str, condition: &str| {
        let began = Instant::now();
        while db.count(&format!("mail_message WHERE to_address = 'nikos@example.com' AND {condition}")).await == 0 {
            assert!(began.elapsed() < Duration::from_mins(1), "still not so: {what}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    until("it was tried", "state = 'waiting' AND attempts > 0 AND last_problem IS NOT NULL").await;
    let of_mail: Vec<String> = lying_in(&mails).into_iter().filter(|name| name.contains(".eml")).collect();
    assert_eq!(of_mail, [""; 0], "nothing of a mail lies there");
    let mail = async || {
        let ready = program.get("/health/ready").await.expect(200).body;
        let services = ready["services"].as_array().unwrap().clone();
        services.into_iter().find(|service| service["name"] == "mail").unwrap()["status"].clone()
    };
    assert_eq!(mail().await, "degraded");
    disk.make_room(pid);
    until("it is sent", "state = 'sent'").await;
    let of_mail: Vec<String> = lying_in(&mails).into_iter().filter(|name| name.contains(".eml")).collect();
    let [path] = of_mail.as_slice() else { panic!("{of_mail:?}") };
    let mail = read(&std::fs::read(path).unwrap());
    assert_eq!(db.scalar("SELECT message_id FROM mail_message").await.unwrap(), mail.message_id);
    assert!(mail.html.contains("token=pli_") && mail.html.trim_end().ends_with("</html>"), "{}", mail.html);
    assert!(program.runs());
}
