//! A job is there when what needs it is there, and is done once.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use chrono::Duration as Span;
use harness::{Engine, TestApp};
use kernel::{Error, TypedId as _};
use store::jobs::{Handlers, Job, JobContext, Noop};

use super::{column, enqueue, in_main, state, until, until_so, working};

store::job_kind! {
    /// Makes a tag whose name is a number.
    pub(crate) struct MakeTag as "test_make_tag" on Bulk { number: i64 }
}
store::job_kind! {
    /// Counts.
    pub(crate) struct Count as "test_count" on Notifications { number: i64 }
}
store::job_kind! {
    /// A kind that no handler is for.
    pub(crate) struct Strange as "test_strange" on Notifications {}
}

/// Makes the tag in the transaction that ends the job.
fn make_tags(handlers: &mut Handlers) {
    handlers.on(async |context: JobContext, job: MakeTag| {
        let make = async |uow: &mut store::UnitOfWork| {
            let tag = serde_json::json!({ "name": format!("tag {}", job.number) });
            platform::tags::create(uow, serde_json::from_value(tag).unwrap()).await
        };
        context.complete(make).await.map(|_| ())
    });
}

/// Counts and sums what it is given.
fn counter() -> (Arc<(AtomicI64, AtomicI64)>, impl Fn(&mut Handlers) + Send + Sync + 'static) {
    let seen: Arc<(AtomicI64, AtomicI64)> = Arc::default();
    let kept = seen.clone();
    (kept, move |handlers: &mut Handlers| {
        let seen = seen.clone();
        handlers.on(move |_, job: Count| {
            seen.0.fetch_add(1, Ordering::SeqCst);
            seen.1.fetch_add(job.number, Ordering::SeqCst);
            std::future::ready(Ok(()))
        });
    })
}

#[tokio::test]
async fn a_job_of_a_transaction_that_fails_was_never_there() {
    let app = working(make_tags).await;
    let store = app.store().await;
    let failed: Result<(), Error> = store
        .write(&in_main(&app), async |uow| {
            uow.enqueue(Job::of(&MakeTag { number: 1 })).await?;
            Err(Error::not_found())
        })
        .await;
    assert!(failed.is_err());
    assert_eq!(app.count("job WHERE kind = 'test_make_tag'").await, 0);
}

/// Seen to fail with another cause than the job.
#[tokio::test]
async fn what_a_job_does_is_in_the_journal_with_the_job_as_its_cause() {
    let app = working(make_tags).await;
    let id = enqueue(&app, &[MakeTag { number: 7 }], |job| job).await[0];
    until(&app, id, "done").await;
    let tag = app.get("/v1/tags?name=tag%207", &app.admin).await.expect(200);
    let actions = app.actions_of(tag.body["data"][0]["id"].as_str().unwrap()).await;
    assert_eq!(actions, ["create"]);
    let cause = app.db.uuid(&id.to_string());
    assert_eq!(
        app.count(&format!("journal_entry WHERE record_type = 'tag' AND cause_kind = 'job' AND cause_id = {cause}")).await,
        1
    );
    assert_eq!(column(&app, id, "attempt").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn thousands_of_jobs_are_each_done_once() {
    let (seen, register) = counter();
    let app = working(register).await;
    let jobs: Vec<Count> = (1..=2000).map(|number| Count { number }).collect();
    enqueue(&app, &jobs, |job| job).await;
    until_so("all are done", async || app.count("job WHERE kind = 'test_count' AND state = 'done'").await == 2000).await;
    assert_eq!((seen.0.load(Ordering::SeqCst), seen.1.load(Ordering::SeqCst)), (2000, 2000 * 2001 / 2));
    // one that waited too long for its turn was given back unbegun, which is no fault
    assert_eq!(app.count("job WHERE kind = 'test_count' AND (failures <> 0 OR lost <> 0)").await, 0);
}

/// A worker in another process is told by PostgreSQL, and looks by itself on SQLite. Measured from the commit to the handler.
#[tokio::test]
async fn an_idle_worker_elsewhere_begins_within_the_time_that_is_promised() {
    let began: Arc<std::sync::Mutex<Option<Instant>>> = Arc::default();
    let told = began.clone();
    let app = working(move |handlers| {
        let told = told.clone();
        handlers.on(move |_, Count { .. }| {
            told.lock().unwrap().get_or_insert_with(Instant::now);
            std::future::ready(Ok(()))
        });
    })
    .await;
    let store = app.store().await;
    let mut times = Vec::new();
    for number in 0..9 {
        tokio::time::sleep(Duration::from_millis(60)).await;
        *began.lock().unwrap() = None;
        store.write(&in_main(&app), async |uow| uow.enqueue(Job::of(&Count { number })).await).await.unwrap();
        let committed = Instant::now();
        until_so("the job has begun", async || began.lock().unwrap().is_some()).await;
        times.push(began.lock().unwrap().unwrap().saturating_duration_since(committed));
    }
    times.sort();
    let bound = if app.db.engine == Engine::Postgres { 50 } else { 100 };
    // other tests have the machine too, so the middle one counts
    assert!(times[times.len() / 2] < Duration::from_millis(bound), "{times:?}");
}

#[tokio::test]
async fn a_job_that_is_put_off_runs_when_it_is_due_and_not_before() {
    let (seen, register) = counter();
    let app = working(register).await;
    let id = enqueue(&app, &[Count { number: 1 }], |job| job.after(Span::hours(1))).await[0];
    let now = enqueue(&app, &[Count { number: 10 }], |job| job).await[0];
    until(&app, now, "done").await;
    assert_eq!((state(&app, id).await.as_str(), seen.1.load(Ordering::SeqCst)), ("waiting", 10));
    app.clock.advance(Span::minutes(61));
    until(&app, id, "done").await;
    assert_eq!(seen.1.load(Ordering::SeqCst), 11);
}

/// A clock that is set back makes nothing wait that was to be done at once.
#[tokio::test]
async fn a_job_that_is_due_runs_although_the_clock_was_set_back() {
    let (seen, register) = counter();
    let app = TestApp::spawn().await;
    app.clock.advance(Span::hours(1));
    enqueue(&app, &[Count { number: 1 }], |job| job).await;
    app.clock.advance(-Span::hours(1));
    let id = enqueue(&app, &[Count { number: 2 }], |job| job).await[0];
    // by a worker that never saw the other time
    let local = tokio::task::LocalSet::new();
    let store = app.store().await;
    local
        .run_until(async {
            let mut handlers = Handlers::new();
            register(&mut handlers);
            let worker = store::jobs::Worker::start(store.clone(), handlers, store::jobs::WorkerOptions::default());
            until(&app, id, "done").await;
            until_so("both are done", async || app.count("job WHERE state = 'done'").await == 2).await;
            worker.stop();
            worker.ended().await.unwrap();
        })
        .await;
    assert_eq!(seen.1.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn of_one_key_one_job_waits_at_a_time() {
    let app = TestApp::spawn().await;
    let jobs = [Count { number: 1 }, Count { number: 2 }];
    assert_eq!(enqueue(&app, &jobs, |job| job.unique("x")).await.len(), 1);
    assert_eq!(enqueue(&app, &jobs, |job| job.unique("y")).await.len(), 1);
    assert_eq!(enqueue(&app, &jobs, |job| job.unique("x")).await.len(), 0);
    // one that runs does not count
    app.db.execute("UPDATE job SET state = 'running'").await.unwrap();
    assert_eq!(enqueue(&app, &jobs, |job| job.unique("x")).await.len(), 1);
}

#[tokio::test]
async fn a_kind_that_nobody_knows_waits_and_is_told_of() {
    let app = working(|_| {}).await;
    let id = enqueue(&app, &[Strange {}], |job| job).await[0];
    let noop = enqueue(&app, &[Noop {}], |job| job).await[0];
    until(&app, noop, "done").await;
    assert_eq!(state(&app, id).await, "waiting");
    assert_eq!(column(&app, id, "attempt").await.as_deref(), Some("0"));
    let _ = id.uuid();
}
