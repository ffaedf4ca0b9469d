//! Clients that keep a connection without using it, or send what never ends.

use std::time::Duration;

use futures::future::join_all;
use harness::{Database, TestApp};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::floods::{expect_well, while_others_read};
use super::line::{self, Line};
use super::program::Program;

/// How long a slow client waits between two bytes.
const BETWEEN_BYTES: Duration = Duration::from_millis(100);

async fn connect(program: &Program) -> TcpStream {
    TcpStream::connect(program.base.trim_start_matches("http://")).await.unwrap()
}

/// Sends bytes one by one, the last for ever, until the server ends the connection, and returns what it said.
async fn dribble(mut line: TcpStream, bytes: &[u8]) -> String {
    let mut said = Vec::new();
    let last = bytes[bytes.len() - 1];
    for byte in bytes.iter().copied().chain(std::iter::repeat(last)) {
        let mut buffer = [0; 4096];
        tokio::select! {
            read = line.read(&mut buffer) => match read {
                Ok(0) | Err(_) => break,
                Ok(count) => said.extend_from_slice(&buffer[..count]),
            },
            () = tokio::time::sleep(BETWEEN_BYTES) => if line.write_all(&[byte]).await.is_err() {
                // what was said before the connection was ended may still lie unread
                let _ = line.read_to_end(&mut said).await;
                break;
            },
        }
    }
    String::from_utf8_lossy(&said).into_owned()
}

const SLOW_HEAD: &[u8] = b"GET /v1/clients HTTP/1.1\r\nhost: pelatis\r\nx-slow: aaaaaaaaaaaa";

/// That the connections end at all is what is seen here: with a time-out that never comes the test does not end.
#[tokio::test]
async fn heads_that_are_sent_byte_by_byte_are_cut_off_and_keep_nobody_waiting() {
    let folder = TempDir::new().unwrap();
    let db = Database::fresh(&folder).await;
    let mut program = Program::on(&db, &[]).await;
    let slow = async {
        let lines = join_all((0..200).map(|_| connect(&program))).await;
        join_all(lines.into_iter().map(|line| dribble(line, SLOW_HEAD))).await
    };
    for said in while_others_read(&program, slow).await {
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 408 "), "{said}");
    }
    expect_well(&mut program);
}

/// A connection that was well used once is no better than a new one. actix alone would keep it for ever: what ends it is
/// `api/src/connections.rs`, without which this test does not end.
#[tokio::test]
async fn a_second_head_that_is_sent_byte_by_byte_is_cut_off_and_who_waits_between_two_requests_is_not() {
    let app = TestApp::spawn_with(|config| config.api.keep_alive = Duration::from_secs(3)).await;
    let token = app.admin.token.clone().unwrap();
    let read = line::request("GET", "/v1/clients", &token, &Value::Null);
    let slow = join_all((0..50).map(|_| async {
        let mut line = Line::open(&app.base).await;
        assert_eq!(line.ask(&read).await.status, 200);
        dribble(line.stream.into_inner(), SLOW_HEAD).await
    }));
    let patient = async {
        let mut line = Line::open(&app.base).await;
        // used now and then, for longer in all than a slow one may stay
        for _ in 0..8 {
            assert_eq!(line.ask(&read).await.status, 200);
            tokio::time::sleep(Duration::from_millis(1200)).await;
        }
    };
    let (slow, ()) = tokio::join!(slow, patient);
    assert_eq!(slow, vec![String::new(); 50], "nothing was asked, so nothing is answered");
    app.get("/v1/clients", &app.admin).await.expect(200);
}

#[tokio::test]
async fn bodies_that_are_sent_byte_by_byte_are_given_up_and_keep_nobody_waiting() {
    let folder = TempDir::new().unwrap();
    let db = Database::fresh(&folder).await;
    let mut program = Program::on(&db, &[("PELATIS_REQUEST_TIMEOUT_SECONDS", "2")]).await;
    let head = format!(
        "POST /v1/clients HTTP/1.1\r\nhost: pelatis\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         content-length: 1000000\r\n\r\n",
        program.token
    );
    let slow = async {
        let mut lines = join_all((0..200).map(|_| connect(&program))).await;
        for line in &mut lines {
            line.write_all(head.as_bytes()).await.unwrap();
        }
        join_all(lines.into_iter().map(|line| dribble(line, b"{ "))).await
    };
    for said in while_others_read(&program, slow).await {
        assert!(said.starts_with("HTTP/1.1 503 ") && said.to_lowercase().contains("\r\nretry-after: 5\r\n"), "{said}");
    }
    assert_eq!(db.count("client").await, 0);
    expect_well(&mut program);
}

/// Sends a piece over and over until the server ends the connection or 50 MB are sent; returns what was sent and what was said.
async fn pour(program: &Program, head: &str, piece: &str) -> (usize, String) {
    const ALL: usize = 50 * 1024 * 1024;
    let (mut reader, mut writer) = connect(program).await.into_split();
    let said = tokio::spawn(async move {
        let mut said = Vec::new();
        let _ = reader.read_to_end(&mut said).await;
        String::from_utf8_lossy(&said).into_owned()
    });
    let mut sent = 0;
    if writer.write_all(head.as_bytes()).await.is_ok() {
        while sent < ALL && writer.write_all(piece.as_bytes()).await.is_ok() {
            sent += piece.len();
        }
    }
    (sent, said.await.unwrap())
}

#[tokio::test]
async fn fifty_megabytes_of_headers_are_never_read() {
    let folder = TempDir::new().unwrap();
    let db = Database::fresh(&folder).await;
    let mut program = Program::on(&db, &[]).await;
    let head = "GET /v1/clients HTTP/1.1\r\nhost: pelatis\r\n";
    let many = format!("x-many: {}\r\n", "a".repeat(1000)).repeat(16);
    let one = "a".repeat(16 * 1024);
    let floods = async {
        let endless = (0..10).map(|_| pour(&program, head, &many));
        let long = (0..10).map(|_| async { pour(&program, &format!("{head}x-long: "), &one).await });
        (join_all(endless).await, join_all(long).await)
    };
    let (endless, long) = while_others_read(&program, floods).await;
    for (sent, said) in endless.into_iter().chain(long) {
        // some of it is on its way when the server has seen enough
        assert!(sent < 16 * 1024 * 1024, "{sent} bytes were taken");
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 4"), "{said}");
    }
    expect_well(&mut program);
}
