//! The unit of work: transactions that get in each other's way run again, and nobody's change is lost.

use std::cell::Cell;
use std::sync::Arc;

use futures::channel::oneshot;
use futures::future::join_all;
use harness::TestApp;
use kernel::{Caller, Error, Result, TypedId as _};
use platform::tags::{self, CreateTag, TagId};
use store::query::{Expr, ExprTrait as _};
use store::{Change, Record as _, Store, UnitOfWork};

use super::at_work;

store::record! {
    /// A tag as a counter: its name is a number.
    struct Counter in "tag" of workspace {
        id: TagId;
        name: String,
        name_key: String => Derived,
        colour: Option<String>,
    }
}

async fn counter(store: &Store, caller: &Arc<Caller>, name: &str) -> TagId {
    store.write(caller, async |uow| tags::create(uow, CreateTag { name: name.to_owned(), colour: None }).await).await.unwrap().id
}

async fn find(uow: &mut UnitOfWork, id: TagId) -> Result<Counter> {
    let mut select = Counter::select();
    select.and_where(Expr::col(("tag", "id")).eq(id.uuid()));
    uow.one::<Counter>(&select).await?.ok_or_else(Error::not_found)
}

/// Reads without a lock, lets others in, and writes one more.
async fn count_up(uow: &mut UnitOfWork, id: TagId) -> Result<()> {
    let before = find(uow, id).await?;
    tokio::task::yield_now().await;
    let colour = before.colour.as_deref().unwrap_or("0").parse::<u32>().unwrap() + 1;
    let after = Counter { colour: Some(colour.to_string()), ..before.clone() };
    uow.update(&before, after, Change::plain()).await.map(|_| ())
}

#[tokio::test]
async fn no_update_is_lost_when_several_count_the_same_record_up_at_once() {
    let app = TestApp::spawn().await;
    let (store, caller) = (app.store().await, at_work(&app));
    let id = counter(&store, &caller, "counter").await;
    let attempts = Cell::new(0_u32);
    join_all((0..3).map(|_| async {
        for _ in 0..10 {
            store
                .write(&caller, async |uow| {
                    attempts.set(attempts.get() + 1);
                    count_up(uow, id).await
                })
                .await
                .unwrap();
        }
    }))
    .await;
    let row = app.db.rows("SELECT colour FROM tag").await;
    assert_eq!(row, ["30"]);
    // a run that failed leaves nothing in the journal
    assert_eq!(app.actions_of(&id.to_string()).await, [vec!["create"], vec!["update"; 30]].concat());
    assert!(attempts.get() >= 30);
}

#[tokio::test]
async fn transactions_that_would_wait_for_each_other_both_come_through() {
    let app = TestApp::spawn().await;
    let (store, caller) = (app.store().await, at_work(&app));
    let (one, other) = (counter(&store, &caller, "one").await, counter(&store, &caller, "other").await);
    let crossing = |first, second| {
        let (store, caller) = (&store, &caller);
        async move {
            store
                .write(caller, async |uow| {
                    count_up(uow, first).await?;
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    count_up(uow, second).await
                })
                .await
        }
    };
    let (there, back) = futures::join!(crossing(one, other), crossing(other, one));
    there.unwrap();
    back.unwrap();
    assert_eq!(app.db.rows("SELECT colour FROM tag").await, ["2", "2"]);
    assert_eq!(app.actions_of(&one.to_string()).await, ["create", "update", "update"]);
}

#[tokio::test]
async fn a_change_of_a_record_that_changed_meanwhile_is_busy_in_the_end_and_never_written() {
    let app = TestApp::spawn().await;
    let (store, caller) = (app.store().await, at_work(&app));
    let id = counter(&store, &caller, "counter").await;
    let stale = store.write(&caller, async |uow| find(uow, id).await).await.unwrap();
    store.write(&caller, async |uow| count_up(uow, id).await).await.unwrap();
    let attempts = Cell::new(0_u32);
    let refused = store
        .write(&caller, async |uow| {
            attempts.set(attempts.get() + 1);
            uow.update(&stale, Counter { colour: Some("99".to_owned()), ..stale.clone() }, Change::plain()).await
        })
        .await
        .unwrap_err();
    assert_eq!((refused.code().code, refused.kind(), attempts.get()), ("busy", kernel::Kind::Unavailable, 8));
    assert!(refused.retry_after().is_some());
    assert_eq!(app.db.rows("SELECT colour FROM tag").await, ["1"]);
}

#[tokio::test]
async fn a_unit_of_work_that_is_dropped_half_way_leaves_nothing_and_blocks_nobody() {
    let app = TestApp::spawn().await;
    let (store, caller) = (app.store().await, at_work(&app));
    let (reached, half_way) = oneshot::channel::<()>();
    let mut reached = Some(reached);
    {
        let work = store.write(&caller, async |uow| -> Result<()> {
            tags::create(uow, CreateTag { name: "dropped".to_owned(), colour: None }).await?;
            let _ = reached.take().unwrap().send(());
            std::future::pending().await
        });
        futures::pin_mut!(work);
        futures::future::select(work, half_way).await;
    }
    counter(&store, &caller, "next").await;
    assert_eq!(app.db.rows("SELECT name FROM tag").await, ["next"]);
}

#[tokio::test]
async fn an_open_reader_keeps_no_writer_waiting() {
    let app = TestApp::spawn().await;
    let (store, caller) = (app.store().await, at_work(&app));
    let id = counter(&store, &caller, "counter").await;
    let mut reader = store.reader(&caller).await.unwrap();
    assert_eq!(tags::get(&mut reader, &caller, id).await.unwrap().name, "counter");
    // a writer is not kept waiting by it
    store.write(&caller, async |uow| count_up(uow, id).await).await.unwrap();
    reader.close().await.unwrap();
}
