//! Jobs that fail, that are called off, and whose workers die.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use chrono::Duration as Span;
use harness::TestApp;
use image::ImageFormat;
use kernel::Error;
use serde_json::json;
use store::jobs::{Handlers, JobContext, Worker, WorkerOptions};

use crate::files::samples::picture;

use super::{column, enqueue, state, until, until_so, working};

store::job_kind! {
    /// Fails.
    pub(crate) struct Fail as "test_fail" on Reports { panics: bool, is_final: bool }
}
store::job_kind! {
    /// Waits until it is told to stop, or for ever.
    pub(crate) struct Wait as "test_wait" on Export { listens: bool }
}

fn fails(handlers: &mut Handlers) {
    handlers.on(async |context: JobContext, job: Fail| {
        assert!(!job.panics, "on purpose");
        if job.is_final {
            return Err(context.give_up("It is no use."));
        }
        Err(Error::internal("a secret that only the log may hold").with_detail("x".repeat(2000)))
    });
}

fn waits(handlers: &mut Handlers) {
    handlers.on(async |context: JobContext, job: Wait| {
        if !job.listens {
            return std::future::pending().await;
        }
        context.progress(3, Some(10)).await?;
        context.stopped().await;
        context.go_on()
    });
}

/// Runs a worker beside the test until `work` is done.
async fn beside(app: &TestApp, register: impl Fn(&mut Handlers), options: WorkerOptions, work: impl AsyncFnOnce()) {
    let store = app.store().await;
    tokio::task::LocalSet::new()
        .run_until(async {
            let mut handlers = Handlers::new();
            register(&mut handlers);
            let worker = Worker::start(store.clone(), handlers, options);
            work().await;
            worker.stop();
            worker.ended().await.unwrap();
        })
        .await;
    store.close().await;
}

fn quick() -> WorkerOptions {
    WorkerOptions { lease: Duration::from_millis(400), shutdown: Duration::from_millis(200) }
}

#[tokio::test]
async fn a_job_that_fails_is_tried_again_later_and_is_dead_after_the_last_attempt() {
    let app = working(fails).await;
    let id = enqueue(&app, &[Fail { panics: false, is_final: false }], |job| job).await[0];
    for failures in ["1", "2"] {
        until_so("it failed", async || column(&app, id, "failures").await.as_deref() == Some(failures)).await;
        assert_eq!(state(&app, id).await, "waiting");
        let again = column(&app, id, "run_at").await;
        assert!(again > column(&app, id, "updated_at").await, "it waits a while");
        app.clock.advance(Span::seconds(4));
    }
    until(&app, id, "dead").await;
    let error = column(&app, id, "last_error").await.unwrap();
    assert!(error.starts_with("internal: xxx") && error.len() <= 500, "{error}");
    let told = "journal_entry WHERE record_type = 'job' AND event = 'system.job_failed' AND workspace_id IS NOT NULL";
    assert_eq!(app.count(told).await, 1);
}

#[tokio::test]
async fn a_handler_that_panics_is_a_failed_attempt_and_the_worker_goes_on() {
    let app = working(fails).await;
    let panics = enqueue(&app, &[Fail { panics: true, is_final: false }], |job| job).await[0];
    let gives_up = enqueue(&app, &[Fail { panics: false, is_final: true }], |job| job).await[0];
    until(&app, gives_up, "dead").await;
    assert_eq!(column(&app, gives_up, "last_error").await.as_deref(), Some("job_given_up: It is no use."));
    until_so("it failed", async || column(&app, panics, "failures").await.as_deref() == Some("1")).await;
    assert_eq!(column(&app, panics, "last_error").await.as_deref(), Some("internal"));
}

#[tokio::test]
async fn a_worker_that_stops_gives_back_what_it_does_not_finish_and_the_attempt_does_not_count() {
    let app = TestApp::spawn().await;
    let ids = enqueue(&app, &[Wait { listens: true }, Wait { listens: false }, Wait { listens: true }], |job| job).await;
    beside(&app, waits, quick(), async || {
        until(&app, ids[0], "running").await;
        until(&app, ids[1], "running").await;
        until_so("it told of its progress", async || column(&app, ids[0], "progress").await.as_deref() == Some("3")).await;
    })
    .await;
    for id in ids {
        assert_eq!(state(&app, id).await, "waiting");
        assert_eq!(column(&app, id, "failures").await.as_deref(), Some("0"));
    }
    assert_eq!(app.count("job_worker").await, 0);
}

/// Seen to fail when a worker's end is not asked whether the job is still its own.
#[tokio::test]
async fn what_a_dead_worker_held_is_run_by_another_and_the_dead_one_changes_nothing_any_more() {
    let app = TestApp::spawn().await;
    let id = enqueue(&app, &[Wait { listens: true }], |job| job).await[0];
    let store = app.store().await;
    // held by a worker that shows no sign of life, with a row that stands still
    let worker = app.db.uuid("01900000-0000-7000-8000-000000000001");
    app.db
        .execute(&format!("INSERT INTO job_worker (id, beat, started_at) SELECT {worker}, 5, created_at FROM workspace LIMIT 1"))
        .await
        .unwrap();
    app.db.execute(&format!("UPDATE job SET state = 'running', attempt = 1, worker_id = {worker}")).await.unwrap();
    let runs = Arc::new(AtomicI64::new(0));
    let counted = runs.clone();
    let register = move |handlers: &mut Handlers| {
        let counted = counted.clone();
        handlers.on(move |_, Wait { .. }| {
            counted.fetch_add(1, Ordering::SeqCst);
            std::future::ready(Ok(()))
        });
    };
    beside(&app, register, quick(), async || until(&app, id, "done").await).await;
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    assert_eq!(column(&app, id, "lost").await.as_deref(), Some("1"));
    assert_eq!(column(&app, id, "attempt").await.as_deref(), Some("2"));
    store.close().await;
}

/// A worker whose thread was held up for longer than its lease finds that its jobs are another's.
#[tokio::test]
async fn a_worker_that_was_taken_for_dead_commits_nothing_of_what_it_was_doing() {
    let app = TestApp::spawn().await;
    let id = enqueue(&app, &[Wait { listens: true }], |job| job).await[0];
    let (goes_on, committed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicI64::new(0)));
    let (waits_for, counts) = (goes_on.clone(), committed.clone());
    let register = move |handlers: &mut Handlers| {
        let (waits_for, counts) = (waits_for.clone(), counts.clone());
        handlers.on(move |context: JobContext, Wait { .. }| {
            let (waits_for, counts) = (waits_for.clone(), counts.clone());
            async move {
                while !waits_for.load(Ordering::SeqCst) {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                let done = context.complete(async |_| Ok(())).await;
                counts.fetch_add(if done.is_ok() { 1 } else { 100 }, Ordering::SeqCst);
                done
            }
        });
    };
    let slow = WorkerOptions { lease: Duration::from_secs(600), ..quick() };
    beside(&app, register, slow, async || {
        until(&app, id, "running").await;
        // another has taken it over and begun it
        app.db.execute("UPDATE job SET attempt = 2, worker_id = NULL").await.unwrap();
        goes_on.store(true, Ordering::SeqCst);
        until_so("it tried to commit", async || committed.load(Ordering::SeqCst) != 0).await;
    })
    .await;
    assert_eq!(committed.load(Ordering::SeqCst), 100);
    assert_eq!(state(&app, id).await, "running");
    assert_eq!(column(&app, id, "attempt").await.as_deref(), Some("2"));
}

/// Seen to fail where nobody is told: the backup was being made, and the thumbnail awaited, for ever.
#[tokio::test]
async fn whoever_follows_a_job_hears_where_its_worker_died_over_it_for_good() {
    let panics = |handlers: &mut Handlers| {
        handlers.followed_by(::api::FOLLOWERS);
        handlers.on(async |_, ::backup::BackUp { .. }| panic!("it cannot be made"));
    };
    for (is_so, is_held, state, problem) in [
        ("is_cancelled = true", true, "cancelled", "It was called off."),
        ("lost = 19", true, "dead", "It was tried in vain."),
        ("max_attempts = 1", false, "dead", "It was tried in vain."),
    ] {
        let app = TestApp::spawn().await;
        let asked = app.post("/v1/admin/backups", &app.admin, &json!({})).await.expect(201).id();
        let image = picture(ImageFormat::Png, 30, 20);
        let image = app.upload(&app.admin, &[], "a.png", &image).await.expect(201).id();
        let worker = app.db.uuid("01900000-0000-7000-8000-000000000001");
        let held = if is_held { format!(", state = 'running', worker_id = {worker}") } else { String::new() };
        app.db.execute(&format!("UPDATE job SET {is_so}{held} WHERE kind IN ('back_up', 'make_thumbnail')")).await.unwrap();
        app.db.execute("UPDATE backup_run SET state = 'running'").await.unwrap();
        let of = async |path: String| app.get(&path, &app.admin).await.expect(200).body;
        beside(&app, panics, quick(), async || {
            until_so("the backup has failed", async || of(format!("/v1/admin/backups/{asked}")).await["state"] == "failed").await;
            if is_held {
                until_so("there is no thumbnail", async || of(format!("/v1/files/{image}")).await["thumbnail"] == "none").await;
            }
        })
        .await;
        assert_eq!(of(format!("/v1/admin/backups/{asked}")).await["problem"], problem);
        let jobs = of("/v1/admin/jobs?kind=back_up".to_owned()).await;
        assert_eq!(jobs["data"][0]["state"], state, "{is_so}");
    }
}

/// Seen to fail where what a follower cannot do held up the worker, and where all that was ever called off was told of again.
#[tokio::test]
async fn a_follower_that_fails_holds_up_nobody_and_hears_of_each_end_once() {
    let app = TestApp::spawn().await;
    let image = app.upload(&app.admin, &[], "a.png", &picture(ImageFormat::Png, 30, 20)).await.expect(201).id();
    let made = app.get("/v1/admin/jobs?kind=make_thumbnail", &app.admin).await.expect(200).body;
    let made = made["data"][0]["id"].as_str().unwrap().to_owned();
    app.act(&format!("/v1/admin/jobs/{made}/cancel"), &app.admin).await.expect(200);
    // it is cancelled as one that a worker had, and its follower would change this
    app.db.execute("UPDATE job SET is_cancelled = true").await.unwrap();
    assert_eq!(app.db.execute("UPDATE file SET thumbnail = 'pending'").await, Ok(1));

    app.post("/v1/admin/backups", &app.admin, &json!({})).await.expect(201);
    let worker = app.db.uuid("01900000-0000-7000-8000-000000000001");
    let unread = format!("payload = '{{}}', state = 'running', worker_id = {worker}, is_cancelled = true");
    assert_eq!(app.db.execute(&format!("UPDATE job SET {unread} WHERE kind = 'back_up'")).await, Ok(1));
    let register = |handlers: &mut Handlers| {
        handlers.followed_by(::api::FOLLOWERS);
        handlers.on(async |_, Wait { .. }| Ok(()));
    };
    let id = enqueue(&app, &[Wait { listens: true }], |job| job).await[0];
    beside(&app, register, quick(), async || {
        until(&app, id, "done").await;
        until_so("the job has ended", async || app.count("job WHERE kind = 'back_up' AND state = 'cancelled'").await == 1).await;
    })
    .await;
    let file = app.get(&format!("/v1/files/{image}"), &app.admin).await.expect(200).body;
    assert_eq!(file["thumbnail"], "pending");
}
