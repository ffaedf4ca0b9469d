//! Limits and word of changes through Redis: shared where it is there, each node's own where it is not.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use harness::{Session, TestApp};
use kernel::Runtime;
use store::shared::Shared;

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_redis_that_is_away_degrades_the_server_and_stops_nothing() {
    // nothing listens on the discard port
    let app = TestApp::spawn_with(|config| {
        config.redis = Some("redis://127.0.0.1:9".to_owned());
        config.api.rate_limit_per_minute = 20;
    })
    .await;
    let ready = app.get("/health/ready", &Session::nobody()).await.expect(200);
    assert_eq!(ready.body["status"], "degraded");
    assert_eq!(ready.body["services"][1]["name"], "redis");
    app.get("/v1/clients", &app.admin).await.expect(200);
    // the limit holds all the same
    app.clock.advance_to_a_minute();
    let mut refused = None;
    for _ in 0..25 {
        let answer = app.get("/v1/clients", &app.admin).await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
    }
    refused.expect("a refusal").expect_problem(429, "rate_limited");
}

/// Needs a Redis: `PELATIS_TEST_REDIS` names it, as `tests/run` does on PostgreSQL.
#[tokio::test]
async fn two_nodes_count_one_limit_together_and_hear_of_each_others_changes() {
    let Ok(url) = std::env::var("PELATIS_TEST_REDIS") else { return };
    let runtime = Runtime::system();
    let prefix = runtime.uuid().to_string();
    let node = || Shared::through_redis(&url, &prefix, runtime.clone()).unwrap();
    let (one, other) = (node(), node());
    let hits = |shared: Shared| async move { shared.hit("key", 1, 3, MINUTE).await };
    // the window may turn in between; the share that is carried over keeps the sum
    let mut allowed = 0;
    for shared in [&one, &other, &one, &other, &one] {
        allowed += u32::from(hits(shared.clone()).await.allowed);
    }
    assert_eq!(allowed, 3);
    other.forget("key", MINUTE).await;
    assert!(hits(one.clone()).await.allowed, "what one node forgets is forgotten");

    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let listening = heard.clone();
    other.on_topic(Arc::new(move |topic| listening.lock().unwrap().push(topic.to_owned())));
    // the subscription stands once a message comes through; publishing again until then costs nothing
    for _ in 0..200 {
        one.publish("identities");
        tokio::time::sleep(Duration::from_millis(20)).await;
        if heard.lock().unwrap().iter().any(|topic| topic == "identities") {
            return;
        }
    }
    panic!("the other node heard nothing");
}
