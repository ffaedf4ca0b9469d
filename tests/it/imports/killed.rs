//! Workers killed in every step of an import: it goes on exactly behind what was committed.
//!
//! The workers that are killed are processes of this test, started again with a variable that says so.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use auth::{Auth, AuthConfig};
use files::{Files, FilesConfig, StorageUrl};
use harness::TestApp;
use kernel::Runtime;
use serde_json::json;
use store::jobs::{Worker, WorkerOptions};
use store::shared::Shared;
use store::{DatabaseConfig, Secret, Store};

use super::*;

const DATABASE: &str = "PELATIS_TEST_IMPORTER_DATABASE";
const FOLDER: &str = "PELATIS_TEST_IMPORTER_FOLDER";
/// Rows of the file: several batches.
const ROWS: i64 = 1100;

/// A worker process of this test: nothing, unless it is started as one.
#[tokio::test]
async fn a_process_of_its_own() {
    let (Ok(url), Ok(folder)) = (std::env::var(DATABASE), std::env::var(FOLDER)) else { return };
    let config = DatabaseConfig { url, owner_url: None, connections: 4 };
    let runtime = Runtime::system();
    let store = Store::open(&config, Secret::new([7; 32]), Shared::in_process(runtime.clone()), runtime).await.unwrap();
    let auth = AuthConfig {
        access_token_minutes: 15,
        refresh_token_days: 30,
        browser_session_hours: 24,
        invitation_days: 7,
        login_attempts: 5,
        hashing_at_once: 1,
        hashing_cost: harness::CHEAP,
        resets_per_hour: 5,
    };
    let mail = ::mail::Mail::open(store.clone(), harness::mail_config(Path::new(&folder))).unwrap();
    let auth = Auth::open(store.clone(), mail, auth).await.unwrap();
    let files = FilesConfig {
        storage: StorageUrl::parse(&format!("file:{folder}/files")).unwrap(),
        further: Vec::new(),
        spool: Path::new(&folder).join("spool"),
        storage_timeout: Duration::from_secs(5),
        most_bytes: 1,
        scanner: None,
        public_url: String::new(),
    };
    let files = Files::open(store.clone(), files, ::api::ATTACHABLES).unwrap();
    let options = WorkerOptions { lease: Duration::from_secs(1), shutdown: Duration::from_secs(1) };
    tokio::task::LocalSet::new()
        .run_until(async {
            let config = crate::backup::backup_config(Path::new(&folder));
            let backups = ::backup::Backups::open(store.clone(), files.clone(), config).unwrap();
            let handlers = harness::handlers(&auth, &files, &backups);
            let _worker = Worker::start(store, handlers, options);
            std::future::pending::<()>().await;
        })
        .await;
}

/// A worker process, which ends with the test.
struct Killable(Child);

impl Killable {
    fn start(app: &TestApp) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "imports::killed::a_process_of_its_own", "--nocapture"]);
        command.env(DATABASE, &app.db.config.url).env(FOLDER, app.folder.path());
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Killable {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Kills workers in the middle of a step, and waits until another one has brought it to its end.
async fn through(app: &TestApp, id: &str, step: &str, end: &str) -> Value {
    for kill in 0..2 {
        let worker = Killable::start(app);
        let before = run(app, id).await["progress"]["done"].as_i64().unwrap();
        let began = Instant::now();
        loop {
            let now = run(app, id).await;
            // it has done something that is committed, and is not at its end
            if now["state"] != step || (now["progress"]["done"] != before && now["progress"]["done"] != 0) {
                break;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{step} does not begin: {now}");
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        tokio::time::sleep(Duration::from_millis(7 * kill)).await;
        drop(worker);
    }
    let _worker = Killable::start(app);
    let began = Instant::now();
    loop {
        let now = run(app, id).await;
        if now["state"] == end {
            return now;
        }
        assert!(began.elapsed() < Duration::from_secs(120), "still not {end}: {now}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Seen to fail with the place of a batch written in a transaction of its own.
#[tokio::test]
async fn an_import_whose_workers_are_killed_in_every_step_makes_no_record_twice_and_leaves_none_out() {
    let app = TestApp::spawn().await;
    let mut file = "external_id,name,contact first name,contact email\n".to_owned();
    for number in 0..ROWS {
        file.push_str(&format!("{number},Client {number},Eleni,e{number}@example.com\n"));
    }
    let id = start(&app, &file).await;
    let staged = through(&app, &id, "staging", "staged").await;
    assert_eq!((&staged["staged"]["new"], app.count("import_row").await), (&json!(ROWS), ROWS));
    app.act(&format!("/v1/imports/{id}/approve"), &app.admin).await.expect(202);
    let done = through(&app, &id, "running", "finished").await;
    assert_eq!((&done["created"], &done["changed_meanwhile"], &done["wrong"]), (&json!(ROWS), &json!(0), &json!(0)));
    assert_eq!(&done["progress"], &json!({ "done": ROWS, "total": ROWS }));
    let made = |table: &str| format!("journal_entry WHERE action = 'create' AND record_type = '{table}'");
    for table in ["client", "contact", "client_contact"] {
        assert_eq!((app.count(table).await, app.count(&made(table)).await), (ROWS, ROWS), "{table}");
    }
    app.act(&format!("/v1/imports/{id}/undo"), &app.admin).await.expect(202);
    let undone = through(&app, &id, "undoing", "undone").await;
    assert_eq!((&undone["undone"], &undone["kept"]), (&json!(ROWS), &json!(0)));
    for table in ["client", "contact", "client_contact"] {
        assert_eq!(app.count(table).await, 0, "{table}");
    }
    let lost: i64 = app.db.scalar("SELECT CAST(sum(lost) AS text) FROM job").await.unwrap().parse().unwrap();
    assert!(lost >= 3, "the kills met {lost} jobs only");
}
