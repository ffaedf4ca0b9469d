//! A server that is asked to stop.

use std::net::SocketAddr;
use std::time::Duration;

use futures::future::join_all;
use harness::TestApp;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::held::Held;

/// A connection of one's own, on which one request was answered.
async fn connection(address: SocketAddr) -> TcpStream {
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(b"GET /health/live HTTP/1.1\r\nHost: here\r\n\r\n").await.unwrap();
    let mut answer = [0; 12];
    connection.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    connection
}

/// Seen to fail on PostgreSQL where the threads of the server end as soon as they have nothing to do themselves: requests on the others
/// lose the connections to the database that those had opened.
#[tokio::test]
async fn a_server_that_stops_answers_what_runs_and_lets_nobody_new_in() {
    let mut app = TestApp::spawn().await;
    let address: SocketAddr = app.base.strip_prefix("http://").unwrap().parse().unwrap();
    let mut clients = Vec::new();
    for number in 0..6 {
        clients.push(app.client(&app.admin, &format!("Client {number}")).await);
    }
    // as many connections to the database as may be, opened by whichever thread came first
    for _ in 0..3 {
        join_all((0..16).map(|_| app.get("/v1/clients", &app.admin))).await;
    }
    let mut idle = connection(address).await;
    let held = Held::up(&app).await;
    let changes = join_all(clients.iter().map(async |client| {
        let answer = app.patch(&format!("/v1/clients/{client}"), &app.admin, &json!({ "name": "Changed" })).await.expect(200);
        assert_eq!(answer.header("connection"), Some("close"));
    }));
    let stopped = async {
        held.until_so_many_wait(&app, 6).await;
        app.ask_to_stop();
        let mut rest = Vec::new();
        idle.read_to_end(&mut rest).await.unwrap();
        // one who comes now is refused, and is not kept waiting
        while TcpStream::connect(address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        held.down().await;
    };
    tokio::join!(changes, stopped);
    app.stop().await;
    assert_eq!(app.count("client WHERE name = 'Changed'").await, 6);
}

/// Seen to fail where only a server that waits for an answer refuses: what still has the socket keeps whoever knocks waiting.
#[tokio::test]
async fn a_server_that_has_nothing_to_answer_refuses_whoever_knocks_while_it_ends() {
    let mut app = TestApp::spawn().await;
    let address: SocketAddr = app.base.strip_prefix("http://").unwrap().parse().unwrap();
    // younger than what is ended at once, so that it is ended with the server
    let mut young = connection(address).await;
    app.ask_to_stop();
    let mut rest = Vec::new();
    young.read_to_end(&mut rest).await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
    app.stop().await;
}
