//! PostgreSQL that stands still: connections to it stay, and nothing is answered on them.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use harness::Engine;
use reqwest::Method;

use super::cluster::Cluster;
use super::company;
use super::program::{Program, send};

/// Far beyond what is configured below; a process that waits for its database waits for ever.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a process ended by itself, or none.
fn ended(mut runs: impl FnMut() -> Option<ExitStatus>) -> Option<ExitStatus> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if let Some(status) = runs() {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    None
}

fn ask_to_stop(pid: u32) {
    assert!(Command::new("kill").args(["-TERM", &pid.to_string()]).status().unwrap().success());
}

/// A worker that has said that it works.
fn worker(program: &Program) -> Child {
    let mut worker = program.command(&["worker"]);
    let said = BufReader::new(worker.stdout.take().unwrap()).lines().next().expect("a line").unwrap();
    assert!(said.contains("works jobs"), "{said}");
    worker
}

/// On PostgreSQL only. Seen to fail where a worker is not cut off that does not get through, and where closing waits for connections on
/// which nothing is answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_and_a_worker_end_when_they_are_asked_to_although_their_database_does_not_answer() {
    if Engine::chosen() != Engine::Postgres {
        return;
    }
    let cluster = Cluster::start();
    let db = cluster.database().await;
    let mut program = Program::on(&db, &[("PELATIS_SHUTDOWN_SECONDS", "1")]).await;
    let mut worker = worker(&program);
    program.post("/v1/clients", &company("Before")).await.expect(201);

    cluster.stall();
    let body = company("Meanwhile");
    let mut unanswered = tokio::spawn(send(program.request(Method::POST, "/v1/clients").json(&body)));
    // it has begun, and waits for the database
    let begun = tokio::time::timeout(Duration::from_millis(200), &mut unanswered).await;
    assert!(begun.is_err(), "answered: {begun:?}");
    [program.pid(), worker.id()].into_iter().for_each(ask_to_stop);
    let server = tokio::task::block_in_place(|| ended(|| program.ended()));
    let worker_ended = tokio::task::block_in_place(|| ended(|| worker.try_wait().unwrap()));
    let _ = worker.kill();
    assert!(!unanswered.await.unwrap().is_ok_and(|answer| answer.status < 500), "nothing is said to be done");
    assert!(server.is_some_and(|status| status.success()), "{server:?}\n{}", program.log());
    assert!(worker_ended.is_some_and(|status| status.success()), "{worker_ended:?}");
    assert!(program.log().contains("\"message\":\"stopped\""), "{}", program.log());

    cluster.go_on();
    program.start();
    let clients = program.get("/v1/clients").await.expect(200);
    assert_eq!(clients.body["data"].as_array().unwrap().iter().filter(|client| client["name"] == "Before").count(), 1);
}
