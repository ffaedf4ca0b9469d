//! PostgreSQL killed and started again under load: nothing that was answered is lost, nothing is done twice, and the server finds back
//! by itself.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures::future::join_all;
use harness::{Answer, Engine};
use serde_json::json;

use super::cluster::Cluster;
use super::program::Program;
use super::{company, expect_each_once};

const WRITERS: usize = 8;

/// What happens while the writers write.
#[derive(Default)]
struct Meanwhile {
    /// The database was taken away and is not back.
    away: AtomicBool,
    over: AtomicBool,
    answered: AtomicUsize,
    refused_while_away: AtomicUsize,
    reads: AtomicUsize,
}

impl Meanwhile {
    async fn reach(&self, counter: &AtomicUsize, more: usize) {
        let goal = counter.load(Ordering::SeqCst) + more;
        while counter.load(Ordering::SeqCst) < goal {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
}

#[track_caller]
fn expect_come_back_later(answer: Answer) {
    let answer = answer.expect(503);
    assert!(matches!(answer.code(), "unavailable" | "busy"), "{}", answer.text);
    assert!(answer.header("retry-after").is_some_and(|seconds| seconds.parse::<u32>().is_ok()), "{:?}", answer.headers);
}

/// Writes one record after the other, each until it is answered, and returns what was answered by name.
async fn write(program: &Program, meanwhile: &Meanwhile, writer: usize) -> BTreeMap<String, String> {
    let mut written = BTreeMap::new();
    for number in 0.. {
        if meanwhile.over.load(Ordering::SeqCst) {
            break;
        }
        let name = format!("Written-{writer}-{number}");
        loop {
            let away = meanwhile.away.load(Ordering::SeqCst);
            let answer = program.post_once("/v1/clients", &name, &company(&name)).await.expect("an answer");
            if answer.status == 201 {
                meanwhile.answered.fetch_add(1, Ordering::SeqCst);
                written.insert(name, answer.text);
                break;
            }
            expect_come_back_later(answer);
            meanwhile.refused_while_away.fetch_add(usize::from(away), Ordering::SeqCst);
        }
    }
    written
}

async fn read(program: &Program, meanwhile: &Meanwhile) {
    while !meanwhile.over.load(Ordering::SeqCst) {
        let answer = program.get("/v1/clients?limit=1").await;
        if answer.status == 200 {
            meanwhile.reads.fetch_add(1, Ordering::SeqCst);
        } else {
            expect_come_back_later(answer);
        }
    }
}

/// What is said of a server that cannot serve. The last processes of a PostgreSQL that was killed may answer for a moment.
async fn unready(program: &Program) -> Answer {
    loop {
        let ready = program.get("/health/ready").await;
        if ready.status != 200 {
            return ready;
        }
    }
}

/// Takes the database away three times, once for so long that requests are refused meanwhile.
async fn take_away(cluster: &Cluster, program: &Program, meanwhile: &Meanwhile) {
    for (signal, refused) in [("KILL", 0), ("QUIT", 0), ("KILL", 1)] {
        meanwhile.reach(&meanwhile.answered, 40).await;
        meanwhile.away.store(true, Ordering::SeqCst);
        cluster.signal(signal);
        if refused > 0 {
            let refusal = meanwhile.reach(&meanwhile.refused_while_away, refused);
            let (ready, ()) = tokio::join!(unready(program), refusal);
            let ready = ready.expect(503);
            assert_eq!((ready.header("retry-after"), &ready.body["status"]), (Some("1"), &json!("down")), "{}", ready.text);
            assert_eq!(ready.body["services"][0]["status"], "down");
            program.get("/health/live").await.expect(200);
        }
        tokio::task::block_in_place(|| cluster.revive());
        meanwhile.away.store(false, Ordering::SeqCst);
        meanwhile.reach(&meanwhile.answered, 40).await;
        meanwhile.reach(&meanwhile.reads, 5).await;
    }
    meanwhile.over.store(true, Ordering::SeqCst);
}

/// On PostgreSQL only. Seen to fail when a connection that broke is answered as 500, and with `synchronous_commit` off, which loses what
/// was answered last.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_killed_three_times_under_load_loses_and_doubles_nothing_and_the_server_finds_back_by_itself() {
    if Engine::chosen() != Engine::Postgres {
        return;
    }
    let cluster = Cluster::start();
    let db = cluster.database().await;
    let mut program = Program::on(&db, &[]).await;
    let (pid, meanwhile) = (program.pid(), Meanwhile::default());
    let writers = join_all((0..WRITERS).map(|writer| write(&program, &meanwhile, writer)));
    let (written, (), ()) = tokio::join!(writers, read(&program, &meanwhile), take_away(&cluster, &program, &meanwhile));

    let written: BTreeMap<String, String> = written.into_iter().flatten().collect();
    expect_each_once(&db, written.keys().cloned().collect()).await;
    // each is told the same once more, by the one process that was there all along
    for (name, text) in written.iter().step_by(7) {
        let again = program.post_once("/v1/clients", name, &company(name)).await.unwrap().expect(201);
        assert_eq!((again.header("idempotency-replayed"), &again.text), (Some("true"), text));
    }
    assert!(program.runs() && program.pid() == pid);
    assert!(!program.log().contains("\"level\":\"ERROR\""), "{}", program.log());
}
