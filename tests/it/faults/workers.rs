//! Workers killed while they work: every job is done, and what it does to the database is done once. And the program's own worker, started
//! and stopped as an operator does it.
//!
//! The workers that are killed are processes of this test, started again with a variable that says so, because a handler with an effect of
//! its own is needed.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use harness::{Database, TestApp};
use kernel::{Caller, Cause, Runtime, TypedId as _, WorkspaceId};
use store::jobs::{Handlers, Job, JobContext, Noop, Worker, WorkerOptions};
use store::shared::Shared;
use store::{DatabaseConfig, Secret, Store};
use tempfile::TempDir;

use super::program::{Program, built};
use super::{Dice, expect_sound, kills};

const DATABASE: &str = "PELATIS_TEST_WORKER_DATABASE";
/// Jobs that are enqueued before each kill.
const EACH: i64 = 120;
/// Jobs that have not ended.
const OPEN: &str = "job WHERE state IN ('waiting', 'running')";

store::job_kind! {
    /// Makes a tag whose name is a number, in the transaction that ends the job.
    pub(crate) struct TagOnce as "test_tag_once" on Bulk { number: i64 }
}

async fn store_at(url: &str) -> Store {
    let config = DatabaseConfig { url: url.to_owned(), owner_url: None, connections: 4 };
    let runtime = Runtime::system();
    Store::open(&config, Secret::new([7; 32]), Shared::in_process(runtime.clone()), runtime).await.unwrap()
}

fn caller(workspace: Option<&str>) -> Arc<Caller> {
    let workspace = workspace.map(|id| WorkspaceId::from_uuid(id.parse().unwrap()));
    Arc::new(Caller::job(Runtime::system().uuid(), workspace, Cause::Command))
}

fn handlers() -> Handlers {
    let mut handlers = Handlers::new();
    handlers.on(|_, Noop {}| std::future::ready(Ok(())));
    handlers.on(async |context: JobContext, job: TagOnce| {
        let make = async |uow: &mut store::UnitOfWork| {
            let tag = serde_json::json!({ "name": format!("once {}", job.number) });
            platform::tags::create(uow, serde_json::from_value(tag).unwrap()).await
        };
        context.complete(make).await.map(|_| ())
    });
    handlers
}

/// A worker process of this test: nothing, unless it is started as one.
#[tokio::test]
async fn a_process_of_its_own() {
    let Ok(url) = std::env::var(DATABASE) else { return };
    let store = store_at(&url).await;
    let options = WorkerOptions { lease: Duration::from_secs(1), shutdown: Duration::from_secs(1) };
    tokio::task::LocalSet::new()
        .run_until(async {
            let _worker = Worker::start(store, handlers(), options);
            std::future::pending::<()>().await;
        })
        .await;
}

/// A worker process, which ends with the test.
struct Killable(Child);

impl Killable {
    fn start(db: &Database) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "faults::workers::a_process_of_its_own", "--nocapture"]).env(DATABASE, &db.config.url);
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Killable {
    fn drop(&mut self) {
        self.kill();
    }
}

async fn within_a_minute(what: &str, is_so: impl AsyncFn() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < Duration::from_mins(1), "still not so: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A kill counts when the worker held jobs. Seen to fail with the end of a job in a transaction of its own after the effect, and with
/// the jobs of a worker that is gone left alone.
#[tokio::test]
async fn workers_killed_at_random_points_lose_no_job_and_do_none_twice() {
    let kills = kills();
    let app = TestApp::spawn().await;
    let store = store_at(&app.db.config.url).await;
    let main = caller(Some(&app.workspace));
    let mut dice = Dice(0xdead);
    let (mut number, mut killed, mut round) = (0, 0, 0);
    // two at a time, one of which goes on while the other is killed
    let mut workers = [Killable::start(&app.db), Killable::start(&app.db)];
    while killed < kills {
        round += 1;
        assert!(round < 4 * kills, "the workers are too quick to be caught");
        store
            .write(&main, async |uow| {
                for place in 0..EACH {
                    uow.enqueue(Job::of(&TagOnce { number: number + place })).await?;
                    uow.enqueue(Job::of(&Noop {})).await?;
                }
                Ok(())
            })
            .await
            .unwrap();
        number += EACH;
        within_a_minute("jobs run", async || app.count("job WHERE state = 'done'").await > (number - EACH) / 4).await;
        tokio::time::sleep(Duration::from_millis(dice.below(120))).await;
        let running = app.count("job WHERE state = 'running'").await;
        let which = usize::from(dice.one_in(2));
        workers[which].kill();
        killed += usize::from(running > 0);
        workers[which] = Killable::start(&app.db);
    }
    // after many kills much is left to do, so it is looked at whether it goes on
    let mut left = app.count(OPEN).await;
    while left > 0 {
        within_a_minute("fewer jobs are open", async || app.count(OPEN).await < left).await;
        left = app.count(OPEN).await;
    }
    let total = number;
    assert_eq!(app.count("job WHERE state = 'done'").await, 2 * total);
    assert_eq!(app.count("job WHERE failures > 0").await, 0, "an effect was tried a second time");
    assert_eq!((app.count("tag").await, app.count("journal_entry WHERE record_type = 'tag'").await), (total, total));
    let taken_over = app.count("job WHERE lost > 0").await;
    println!("{round} rounds, {killed} kills, {total} jobs with an effect, {taken_over} jobs taken over");
    assert!(taken_over > 0, "no kill met a job");
    drop(workers);
    expect_sound(&app.db).await;
}

/// `pelatis worker` on the database of a program.
fn worker_of(db: &Database, folder: &TempDir) -> Child {
    let mut command = Command::new(built());
    command.arg("worker").current_dir(folder.path()).env_clear().env("PATH", std::env::var("PATH").unwrap());
    command.env("DATABASE_URL", &db.config.url).env("PELATIS_SECRET_KEY", "07".repeat(32));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

async fn enqueue_noop(db: &Database) {
    let store = store_at(&db.config.url).await;
    store.write(&caller(None), async |uow| uow.enqueue(Job::of(&Noop {})).await).await.unwrap();
    store.close().await;
}

async fn done(db: &Database) -> i64 {
    db.count("job WHERE kind = 'noop' AND state = 'done'").await
}

fn term(pid: u32) {
    assert!(Command::new("kill").args(["-TERM", &pid.to_string()]).status().unwrap().success());
}

#[tokio::test]
async fn the_server_works_jobs_inside_and_stops_with_its_worker_when_it_is_asked_to() {
    let folder = TempDir::new().unwrap();
    let db = Database::fresh(&folder).await;
    let mut program = Program::on(&db, &[("PELATIS_SECRET_KEY", &"07".repeat(32))]).await;
    enqueue_noop(&db).await;
    within_a_minute("the job is done", async || done(&db).await == 1).await;
    term(program.pid());
    let began = Instant::now();
    while program.runs() {
        assert!(began.elapsed() < Duration::from_secs(20), "it does not stop");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(db.count("job_worker").await, 0, "its worker has signed off");
}

#[tokio::test]
async fn a_server_that_is_told_not_to_leaves_jobs_to_a_worker_by_itself() {
    let folder = TempDir::new().unwrap();
    let db = Database::fresh(&folder).await;
    let key = "07".repeat(32);
    let program = Program::on(&db, &[("PELATIS_SECRET_KEY", &key), ("PELATIS_WORKER", "false")]).await;
    enqueue_noop(&db).await;
    // asked over HTTP, so that the server had time to do it
    for _ in 0..20 {
        program.get("/v1/admin/queues").await.expect(200);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(done(&db).await, 0);
    let own = TempDir::new().unwrap();
    let mut worker = worker_of(&db, &own);
    within_a_minute("the job is done", async || done(&db).await == 1).await;
    term(worker.id());
    let began = Instant::now();
    let status = loop {
        if let Some(status) = worker.try_wait().unwrap() {
            break status;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "it does not stop");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(status.success(), "{status}");
    assert_eq!(db.count("job_worker").await, 0, "it has signed off");
}
