//! Readers that are slow, and readers that have stopped.

use std::time::Duration;

use harness::TestApp;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::samples::pdf;

/// Asks for a file on a line of one's own.
async fn ask(app: &TestApp, id: &str) -> TcpStream {
    let mut line = TcpStream::connect(app.base.trim_start_matches("http://")).await.unwrap();
    let token = app.admin.token.as_deref().unwrap();
    let request = format!("GET /v1/files/{id}/content HTTP/1.1\r\nhost: pelatis\r\nauthorization: Bearer {token}\r\n\r\n");
    line.write_all(request.as_bytes()).await.unwrap();
    line
}

/// What is more than the machine keeps on its way between two of its own programs.
const LENGTH: usize = 30_000_000;

#[tokio::test]
async fn a_slow_download_that_goes_on_is_not_cut_and_one_that_stands_still_is() {
    // a connection on which nothing happens is cut after six seconds
    let mut app = TestApp::spawn_with(|config| config.api.keep_alive = Duration::from_secs(1)).await;
    // a connection that was kept would be at its end when it is used again
    app.http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap();
    let id = app.upload(&app.admin, &[], "a.pdf", &pdf(LENGTH)).await.expect(201).id();
    let slow = async {
        let mut line = ask(&app, &id).await;
        let (mut piece, mut read) = (vec![0; 300_000], 0);
        while read < LENGTH {
            let count = line.read(&mut piece).await.unwrap();
            assert!(count > 0, "cut after {read} bytes");
            read += count;
            tokio::time::sleep(Duration::from_millis(120)).await;
        }
        read
    };
    let stopped = async {
        let mut line = ask(&app, &id).await;
        let mut first = [0; 1000];
        line.read_exact(&mut first).await.unwrap();
        tokio::time::sleep(Duration::from_secs(12)).await;
        let mut rest = Vec::new();
        let _ = line.read_to_end(&mut rest).await;
        rest.len()
    };
    let (slow, stopped) = tokio::join!(slow, stopped);
    assert!(slow >= LENGTH);
    assert!(stopped < LENGTH, "{stopped} bytes came to one that had stopped");
}
