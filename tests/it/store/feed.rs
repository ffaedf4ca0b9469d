//! The journal in the order of commits: nobody who reads it skips an entry that commits late.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::join_all;
use harness::{Engine, TestApp};
use kernel::{Result, TypedId as _};
use store::journal::{Fed, Position, feed};
use store::query::{Expr, ExprTrait as _, Query};
use store::{Action, Change, Store};

use super::{at_work, installation};

async fn fed(store: &Store, after: Position, limit: u64) -> Vec<Fed> {
    let mut reader = store.reader(&installation()).await.unwrap();
    let fed = feed(&mut reader, 0, after, limit).await.unwrap();
    reader.close().await.unwrap();
    fed
}

/// Reads until so many entries with this event prefix are there: other databases of the same server may hold readers back.
async fn all_of(store: &Store, prefix: &str, many: usize) -> Vec<Fed> {
    for _ in 0..200 {
        let found: Vec<Fed> =
            fed(store, Position::default(), 1_000).await.into_iter().filter(|fed| fed.entry.event.starts_with(prefix)).collect();
        if found.len() >= many {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{many} entries of {prefix} did not come");
}

fn events(fed: &[Fed]) -> Vec<&str> {
    fed.iter().map(|fed| fed.entry.event.as_str()).collect()
}

async fn say(store: &Store, app: &TestApp, event: &'static str) {
    store
        .write(&at_work(app), async |uow| {
            uow.record(Action::Export, "client", None, Change::plain().event(event));
            Ok(())
        })
        .await
        .unwrap();
}

/// Holds a transaction open that has written its entry already, or only its row, while `meanwhile` runs.
async fn while_one_is_open(store: &Store, app: &TestApp, flushed: bool, meanwhile: impl AsyncFnOnce()) {
    let (opened, open) = oneshot::channel::<()>();
    let (close, closed) = oneshot::channel::<()>();
    let (mut opened, mut closed) = (Some(opened), Some(closed));
    let caller = at_work(app);
    let holder = store.write(&caller, async |uow| -> Result<()> {
        if flushed {
            uow.record(Action::Export, "client", None, Change::plain().event("test.late"));
            let workspace = uow.workspace()?;
            uow.enter(Some(workspace)).await?; // writes what waits
        } else {
            let mut touch = Query::update();
            touch.table("workspace").value("timezone", "UTC").and_where(Expr::col("id").eq(uow.workspace()?.uuid()));
            uow.execute(&touch).await?;
            uow.record(Action::Export, "client", None, Change::plain().event("test.late"));
        }
        let _ = opened.take().unwrap().send(());
        closed.take().unwrap().await.unwrap();
        Ok(())
    });
    let other = async {
        open.await.unwrap();
        meanwhile().await;
        close.send(()).unwrap();
    };
    let (held, ()) = futures::join!(holder, other);
    held.unwrap();
}

/// PostgreSQL alone: SQLite has one writer, so that no transaction can commit while another is open.
#[tokio::test]
async fn a_reader_of_the_journal_stops_below_an_open_transaction_and_then_reads_everything_in_order() {
    let app = TestApp::spawn().await;
    if app.db.engine == Engine::Sqlite {
        return;
    }
    let store = app.store().await;
    let settled = all_of(&store, "workspace.created", 1).await;
    assert_eq!(settled.len(), 1);
    for flushed in [true, false] {
        say(&store, &app, "test.before").await;
        let many = if flushed { 1 } else { 2 };
        let last = all_of(&store, "test.before", many).await.last().unwrap().position;
        while_one_is_open(&store, &app, flushed, async || {
            for event in ["test.quick_1", "test.quick_2", "test.quick_3"] {
                say(&store, &app, event).await;
            }
            // they are in the table, and nobody may read them yet
            let there = app.db.scalar("SELECT CAST(COUNT(*) AS text) FROM journal_entry WHERE event LIKE 'test.quick%'").await;
            assert_eq!(there.unwrap(), if flushed { "3" } else { "6" });
            for _ in 0..5 {
                assert!(fed(&store, last, 100).await.is_empty(), "an entry beyond the open transaction was read");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
        let all = all_of(&store, "test.", if flushed { 5 } else { 10 }).await;
        let new: Vec<Fed> = all.into_iter().filter(|fed| fed.position > last).collect();
        assert_eq!(events(&new), ["test.late", "test.quick_1", "test.quick_2", "test.quick_3"]);
        assert!(new.is_sorted_by(|one, other| one.position < other.position));
    }
}

#[tokio::test]
async fn positions_rise_and_reading_in_small_steps_reads_what_one_big_step_reads() {
    let app = TestApp::spawn().await;
    let store = app.store().await;
    for number in 0..5 {
        let id = app.client(&app.admin, &format!("client {number}")).await;
        app.patch(&format!("/v1/clients/{id}"), &app.admin, &serde_json::json!({ "sector": "it" })).await.expect(200);
    }
    all_of(&store, "client.updated", 5).await;
    let big = fed(&store, Position::default(), 1_000).await;
    assert!(big.is_sorted_by(|one, other| one.position < other.position));
    let mut small: Vec<Fed> = Vec::new();
    loop {
        let step = fed(&store, small.last().map(|fed| fed.position).unwrap_or_default(), 3).await;
        if step.is_empty() {
            break;
        }
        small.extend(step);
    }
    let ids = |list: &[Fed]| list.iter().map(|fed| fed.entry.id).collect::<Vec<_>>();
    assert_eq!(ids(&small), ids(&big));
    assert_eq!(i64::try_from(big.len()).unwrap(), app.count("journal_entry").await);
}

#[tokio::test]
async fn twenty_writers_at_once_leave_every_entry_once_and_on_sqlite_in_the_order_of_their_commits() {
    let app = TestApp::spawn().await;
    let store = app.store().await;
    let committed = Arc::new(Mutex::new(Vec::new()));
    let heard = committed.clone();
    store.on_commit(Arc::new(move |touched| heard.lock().unwrap().extend(touched.iter().filter_map(|one| one.record_id))));
    let caller = at_work(&app);
    let wrote = join_all((0..20).map(|_| async {
        let id = kernel::Runtime::system().uuid();
        store
            .write(&caller, async |uow| {
                uow.record(Action::Export, "client", Some(id), Change::plain().event("test.many"));
                tokio::task::yield_now().await;
                uow.record(Action::Export, "client", Some(id), Change::plain().event("test.many"));
                Ok(())
            })
            .await
            .unwrap();
    }))
    .await;
    assert_eq!(wrote.len(), 20);
    let read: Vec<uuid::Uuid> = all_of(&store, "test.many", 40).await.iter().filter_map(|fed| fed.entry.record_id).collect();
    let mut committed = committed.lock().unwrap().clone();
    if app.db.engine == Engine::Sqlite {
        assert_eq!(read, committed);
    }
    // those of one transaction stand together
    assert!(read.chunks(2).all(|pair| pair[0] == pair[1]), "{read:?}");
    let mut read = read;
    read.sort();
    committed.sort();
    assert_eq!(read, committed);
}

#[tokio::test]
async fn after_a_restore_into_another_cluster_positions_go_on_rising() {
    let app = TestApp::spawn().await;
    let store = app.store().await;
    say(&store, &app, "test.before").await;
    let before = all_of(&store, "test.", 1).await;
    // as whoever restores is told to: transaction numbers begin anew there
    app.db.execute("UPDATE installation SET journal_epoch = journal_epoch + 1").await.unwrap();
    let restored = app.store().await;
    say(&restored, &app, "test.after").await;
    for _ in 0..200 {
        let mut reader = restored.reader(&installation()).await.unwrap();
        let fed = feed(&mut reader, 1, before[0].position, 1_000).await.unwrap();
        reader.close().await.unwrap();
        if let Some(last) = fed.last().filter(|last| last.entry.event == "test.after") {
            assert_eq!((before[0].position.epoch, last.position.epoch), (0, 1));
            assert!(last.position > before[0].position);
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the entry after the restore was not read");
}
