//! Background work: enqueued with what needs it, run once, tried again, called off, recurring.

mod admin;
mod enqueued;
mod failing;
mod payloads;
mod recurring;
mod tidy;

use std::sync::Arc;
use std::time::{Duration, Instant};

use harness::{MoreHandlers, TestApp};
use kernel::{Caller, Cause, TypedId as _, WorkspaceId};
use store::jobs::{Handlers, Job, JobId, JobKind};

/// A server that works jobs, with these handlers beside its own.
async fn working(register: impl Fn(&mut Handlers) + Send + Sync + 'static) -> TestApp {
    TestApp::spawn_with(|config| {
        config.worker = true;
        config.handlers = MoreHandlers::new(register);
    })
    .await
}

/// The installation at work in the workspace `main`.
fn in_main(app: &TestApp) -> Arc<Caller> {
    let workspace = WorkspaceId::from_uuid(app.workspace.parse().unwrap());
    Arc::new(Caller::job(kernel::Runtime::system().uuid(), Some(workspace), Cause::Command))
}

/// Enqueues jobs of the workspace `main`, all in one unit of work, from a store that no worker of this process listens to.
async fn enqueue<K: JobKind>(app: &TestApp, jobs: &[K], how: impl Fn(Job) -> Job) -> Vec<JobId> {
    let store = app.store().await;
    let ids = store
        .write(&in_main(app), async |uow| {
            let mut ids = Vec::new();
            for job in jobs {
                ids.extend(uow.enqueue(how(Job::of(job))).await?);
            }
            Ok(ids)
        })
        .await
        .unwrap();
    store.close().await;
    ids
}

/// Works the jobs of a server that has no worker, while something is waited for.
pub(crate) async fn worked(app: &TestApp, wait: impl Future<Output = ()>) {
    let store = app.store().await;
    let auth = app.auth(store.clone()).await;
    let files = app.files(store.clone());
    let backups = crate::backup::backups_of(app, &store, |_| {});
    let handlers = harness::handlers(&auth, &files, &backups);
    let options = store::jobs::WorkerOptions { lease: Duration::from_secs(2), shutdown: Duration::from_secs(1) };
    tokio::task::LocalSet::new()
        .run_until(async {
            let worker = store::jobs::Worker::start(store.clone(), handlers, options);
            wait.await;
            worker.stop();
            worker.ended().await.unwrap();
        })
        .await;
}

/// A column of a job, as text.
async fn column(app: &TestApp, id: JobId, name: &str) -> Option<String> {
    let id = app.db.uuid(&id.to_string());
    app.db.rows(&format!("SELECT CAST({name} AS text) FROM job WHERE id = {id} AND {name} IS NOT NULL")).await.into_iter().next()
}

async fn state(app: &TestApp, id: JobId) -> String {
    column(app, id, "state").await.unwrap_or_else(|| "gone".to_owned())
}

/// Waits until a job is in a state.
async fn until(app: &TestApp, id: JobId, wanted: &str) {
    until_so(&format!("job {id} is {wanted}"), async || state(app, id).await == wanted).await;
}

/// Waits until something is so.
async fn until_so(what: &str, is_so: impl AsyncFn() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < Duration::from_secs(20), "still not so: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
