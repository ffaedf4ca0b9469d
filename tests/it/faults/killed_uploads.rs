//! The server killed while it takes files in: each file is whole or absent, and what is left over is no file and goes after a day.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use files::cleanup::{Cleaned, clean_up};
use files::{Files, FilesConfig, StorageUrl};
use futures::future::join_all;
use harness::{Answer, Database, TestClock};
use kernel::Runtime;
use store::shared::Shared;
use store::{Secret, Store};
use tempfile::TempDir;

use super::program::{Program, send};
use super::{Dice, expect_sound, kill_after, kills};
use crate::files::samples::pdf;
use crate::files::upload::lying_in;

/// Uploads that run when the server is killed.
const AT_ONCE: usize = 4;

/// A file that is uploaded: its name is its idempotency key too.
struct Upload {
    name: String,
    length: usize,
}

/// The longest of them; the others are its beginnings.
const LONGEST: usize = 1_500_000;

async fn upload(program: &Program, upload: &Upload, longest: &[u8]) -> Option<Answer> {
    let request = program.uploading(&upload.name, longest[..upload.length].to_vec()).header("idempotency-key", &upload.name);
    send(request).await.ok()
}

async fn upload_all(program: &Program, uploads: &[Upload], longest: &[u8]) -> Vec<Option<Answer>> {
    join_all(uploads.iter().map(|one| upload(program, one, longest))).await
}

fn drawn(round: usize, dice: &mut Dice) -> Vec<Upload> {
    let one = |number| Upload {
        name: format!("killed-{round}-{number}.pdf"),
        // of one piece, and of several
        length: 1000 + usize::try_from(dice.below([20_000, 600_000, 1_499_000, 600_000][number])).unwrap(),
    };
    (0..AT_ONCE).map(one).collect()
}

/// The object of each row whose name begins so is there, whole.
async fn expect_whole(db: &Database, root: &Path, beginning: &str) -> Vec<PathBuf> {
    let columns = "storage_key || '|' || sha256 || '|' || CAST(filesize_bytes AS text)";
    let mut objects = Vec::new();
    for row in db.rows(&format!("SELECT {columns} FROM file WHERE filename LIKE '{beginning}%'")).await {
        let [key, sha256, length] = row.split('|').collect::<Vec<_>>().try_into().unwrap();
        let content = std::fs::read(root.join(key)).unwrap_or_else(|error| panic!("{key}: {error}"));
        assert_eq!((content.len().to_string().as_str(), store::digest(&content).as_str()), (length, sha256), "{key}");
        objects.push(root.join(key));
    }
    objects
}

/// The clean-up, as it goes so many hours from now.
async fn cleaned_after(hours: i64, db: &Database, program: &Program) -> Cleaned {
    let clock = TestClock::default();
    clock.advance(chrono::Duration::hours(hours));
    let runtime = Runtime::new(Arc::new(clock), Arc::new(kernel::runtime::SystemEntropy));
    let shared = Shared::in_process(runtime.clone());
    let store = Store::open(&db.config, Secret::new([7; 32]), shared, runtime).await.unwrap();
    let data = program.folder().join("data");
    let config = FilesConfig {
        storage: StorageUrl::parse(&format!("file:{}/files", data.display())).unwrap(),
        further: Vec::new(),
        spool: data.join("spool"),
        storage_timeout: Duration::from_secs(5),
        most_bytes: 1,
        scanner: None,
        public_url: String::new(),
    };
    let files = Files::open(store.clone(), config, api::ATTACHABLES).unwrap();
    let cleaned = clean_up(&files).await.unwrap();
    store.close().await;
    cleaned
}

/// A kill counts when it left an upload without an answer. Seen to fail while rows were written before their objects were there.
#[tokio::test]
async fn a_server_killed_while_it_takes_files_in_has_each_of_them_whole_or_not_at_all() {
    let folder = TempDir::new().unwrap();
    let db = Database::fresh(&folder).await;
    let settings = [("PELATIS_SECRET_KEY", "07".repeat(32)), ("PELATIS_UPLOADS_PER_MINUTE", "10000".to_owned())];
    let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
    let mut program = Program::on(&db, &settings).await;
    let (root, spool) = (program.folder().join("data/files"), program.folder().join("data/spool"));
    let mut dice = Dice(0xf11e);
    // how long such uploads take here, which only decides how far the points lie apart
    let longest = pdf(LONGEST);
    upload_all(&program, &drawn(0, &mut dice), &longest).await;
    let began = Instant::now();
    let warm = upload_all(&program, &drawn(1, &mut dice), &longest).await;
    let mut length = began.elapsed() * 2 / 3;
    assert!(warm.iter().all(|answer| answer.as_ref().is_some_and(|answer| answer.status == 201)));

    let wanted = kills();
    let (mut kills, mut round, mut answered, mut done_unanswered) = (0, 1, 0, 0);
    while kills < wanted {
        round += 1;
        assert!(round < 4 * wanted, "the server is too quick to be caught");
        program.get("/v1/me").await.expect(200);
        let uploads = drawn(round, &mut dice);
        let delay = length * u32::try_from(dice.below(1000)).unwrap() / 1000;
        let killer = kill_after(program.pid(), delay);
        let first = upload_all(&program, &uploads, &longest).await;
        killer.join().unwrap();
        program.kill();
        let is_met = first.iter().any(Option::is_none);
        kills += usize::from(is_met);
        // a machine that has less to do is quicker
        length = if is_met { length * 11 / 10 } else { length * 9 / 10 };
        program.start();

        expect_whole(&db, &root, &format!("killed-{round}-")).await;
        for (one, answer) in uploads.iter().zip(first) {
            let of_it = format!("file WHERE filename = '{}'", one.name);
            let kept = db.count(&of_it).await;
            let again = upload(&program, one, &longest).await.unwrap().expect(201);
            match answer {
                Some(answer) => {
                    answered += 1;
                    assert_eq!((kept, answer.status, &answer.text), (1, 201, &again.text), "{} was answered", one.name);
                }
                None => done_unanswered += kept,
            }
            assert_eq!(again.header("idempotency-replayed").is_some(), kept == 1, "{} was there: {kept}", one.name);
            assert_eq!((db.count(&of_it).await, &again.body["filesize_bytes"]), (1, &one.length.into()));
            assert_eq!(program.content(&again.id()).await, longest[..one.length]);
        }
    }
    expect_sound(&db).await;
    let objects = expect_whole(&db, &root, "").await;
    assert_eq!(objects.len(), (round + 1) * AT_ONCE);
    let (orphans, spooled) = (lying_in(&root).len() - objects.len(), lying_in(&spool).len());
    println!(
        "{round} rounds, {kills} kills: {answered} uploads answered before them, {done_unanswered} done and not answered; \
         left over: {orphans} objects without a row, {spooled} on their way"
    );
    assert!(spooled > 0, "no kill met a file on its way");
    assert_eq!(cleaned_after(23, &db, &program).await, Cleaned::default());
    let counted = |count: usize| u64::try_from(count).unwrap();
    assert_eq!(cleaned_after(25, &db, &program).await, Cleaned { spooled: counted(spooled), orphans: counted(orphans) });
    assert_eq!((lying_in(&root).len(), lying_in(&spool).len()), (objects.len(), 0));
    assert_eq!(expect_whole(&db, &root, "").await.len(), objects.len());
}
