//! What recurs: once for each time, whoever runs, and once for all that was missed.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use harness::{MoreHandlers, TestApp};
use serde_json::json;
use store::jobs::schedule::When;
use store::jobs::{Handlers, Noop, Worker, WorkerOptions};

use super::until_so;

store::job_kind! {
    /// Recurs in every workspace.
    pub(crate) struct Morning as "test_morning" on Reports {}
}

fn recurs(handlers: &mut Handlers) {
    handlers.on(|_, Morning {}| std::future::ready(Ok(())));
    handlers.on(|_, Noop {}| std::future::ready(Ok(())));
    handlers.recurring("test-often", When::EveryMinutes(15), Noop {});
    handlers.recurring_in_workspaces("test-morning", When::Daily(8, 0), Morning {});
}

/// Two workers of two nodes, for as long as `work` takes.
async fn two_workers(app: &TestApp, work: impl AsyncFnOnce()) {
    let stores = [app.store().await, app.store().await];
    tokio::task::LocalSet::new()
        .run_until(async {
            let workers: Vec<_> = stores
                .iter()
                .map(|store| {
                    let mut handlers = Handlers::new();
                    recurs(&mut handlers);
                    Worker::start(store.clone(), handlers, WorkerOptions::default())
                })
                .collect();
            work().await;
            for worker in workers {
                worker.stop();
                worker.ended().await.unwrap();
            }
        })
        .await;
}

async fn moment(app: &TestApp, sql: &str) -> DateTime<Utc> {
    let text = app.db.scalar(sql).await.unwrap();
    let text = text.replacen(' ', "T", 1);
    // PostgreSQL writes the offset without minutes
    let text = if text.ends_with("+00") { format!("{text}:00") } else { text };
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Seen to fail when a row's old moment is not asked for when it is moved on: two nodes then enqueue two.
#[tokio::test]
async fn what_recurs_runs_once_on_two_nodes_and_once_for_all_that_was_missed() {
    let app = TestApp::spawn().await;
    two_workers(&app, async || {
        until_so("the times are written", async || app.count("job_schedule").await == 2).await;
        assert_eq!(app.count("job").await, 0, "nothing is due that was never missed");
        for round in 1..=3 {
            // a quarter of an hour, and then half a day, of which fifty times are missed
            app.clock.advance(if round < 3 { Duration::minutes(15) } else { Duration::hours(12) });
            until_so("it has run", async || app.count("job WHERE kind = 'noop' AND state = 'done'").await == round).await;
            let next = moment(&app, "SELECT CAST(next_due AS text) FROM job_schedule WHERE name = 'test-often'").await;
            let now = kernel::Clock::now(&app.clock);
            assert!(next > now && next <= now + Duration::minutes(15), "{next}");
        }
    })
    .await;
    assert_eq!(app.count("job WHERE kind = 'noop'").await, 3);
}

/// Each workspace has its own time zone, and a workspace that moves to another has its next time there.
#[tokio::test]
async fn what_recurs_in_workspaces_goes_by_the_clock_on_their_walls() {
    let app = TestApp::spawn_with(|config| {
        config.worker = true;
        config.handlers = MoreHandlers::new(recurs);
    })
    .await;
    let main = app.admin.in_workspace("main");
    let place = Arc::new(app.workspace.clone());
    let next = async || {
        let sql = format!("SELECT CAST(next_due AS text) FROM job_schedule WHERE name = 'test-morning' AND place = '{place}'");
        moment(&app, &sql).await
    };
    let written = async |zone: &str| {
        let known = format!("job_schedule WHERE name = 'test-morning' AND basis = 'daily 08:00 {zone}'");
        until_so("its time is written", async || app.count(&known).await == 1).await;
    };
    // the worker was there before the workspace, and looks once a minute: a new one looks at once
    two_workers(&app, async || written("Europe/Athens").await).await;
    let at = |zone: chrono_tz::Tz, moment: DateTime<Utc>| moment.with_timezone(&zone).format("%H:%M").to_string();
    assert_eq!(at(chrono_tz::Europe::Athens, next().await), "08:00");
    let path = format!("/v1/workspaces/{}", app.workspace);
    app.patch(&path, &main, &json!({ "timezone": "Asia/Tokyo" })).await.expect(200);
    two_workers(&app, async || written("Asia/Tokyo").await).await;
    assert_eq!(at(chrono_tz::Asia::Tokyo, next().await), "08:00");
    app.clock.advance(next().await - kernel::Clock::now(&app.clock) + Duration::seconds(1));
    let of_main = format!("job WHERE kind = 'test_morning' AND state = 'done' AND workspace_id = {}", app.db.uuid(&place));
    until_so("it has run in the workspace", async || app.count(&of_main).await == 1).await;
}
