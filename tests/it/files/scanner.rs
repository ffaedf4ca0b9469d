//! The virus scanner: what it finds is refused, and without it nothing is taken.
//!
//! A server that speaks clamd's protocol stands in for it: the pieces with their lengths, the end, the answer with its zero byte.
//! clamd itself is asked, too, with a signature file of our own, where `PELATIS_TEST_CLAMD` says where it is (`tests/run` sees to it).

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use files::Scanner;
use harness::TestApp;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::samples::pdf;
use super::upload::{expect_nothing, lying_in};

/// What the scanner calls a virus: nothing that is one anywhere else.
const MARK: &[u8] = b"pelatis-test-signature-5f1c2b";

/// A PDF document with the mark in it, across the border of two pieces.
fn infected() -> Vec<u8> {
    let mut content = pdf(200_000);
    content[65_530..65_530 + MARK.len()].copy_from_slice(MARK);
    content
}

/// One conversation as clamd has it.
async fn converse(mut line: TcpStream, broken: bool) -> std::io::Result<()> {
    let mut command = [0; 10];
    line.read_exact(&mut command).await?;
    assert_eq!(&command, b"zINSTREAM\0");
    let mut content = Vec::new();
    loop {
        let mut piece = vec![0; usize::try_from(line.read_u32().await?).unwrap()];
        if piece.is_empty() {
            break;
        }
        line.read_exact(&mut piece).await?;
        content.extend_from_slice(&piece);
        if broken {
            return line.write_all(b"INSTREAM size limit exceeded. ERROR\0").await;
        }
    }
    let found = content.windows(MARK.len()).any(|part| part == MARK);
    line.write_all(if found { b"stream: Pelatis.Test FOUND\0" } else { b"stream: OK\0" }).await
}

async fn stand_in(broken: Arc<AtomicBool>) -> Scanner {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        loop {
            let (line, _) = listener.accept().await.unwrap();
            tokio::spawn(converse(line, broken.load(Ordering::SeqCst)));
        }
    });
    Scanner::Tcp(address)
}

async fn refuses_what_is_infected(app: &TestApp) {
    let refused = app.upload(&app.admin, &[], "a.pdf", &infected()).await.expect_problem(422, "file_infected");
    assert_eq!(refused.pointers(), ["/file"]);
    expect_nothing(app).await;
    app.upload(&app.admin, &[], "a.pdf", &pdf(200_000)).await.expect(201);
}

#[tokio::test]
async fn what_the_scanner_finds_is_refused_and_nothing_is_taken_without_a_clear_answer() {
    let broken = Arc::new(AtomicBool::new(false));
    let scanner = stand_in(broken.clone()).await;
    let app = TestApp::spawn_with(|config| config.files.scanner = Some(scanner)).await;
    refuses_what_is_infected(&app).await;
    broken.store(true, Ordering::SeqCst);
    let refused = app.upload(&app.admin, &[], "b.pdf", &pdf(1000)).await;
    assert!(refused.header("retry-after").is_some());
    refused.expect_problem(503, "scanner_unavailable");
    assert_eq!(app.count("file").await, 1);
}

#[tokio::test]
async fn nothing_is_taken_while_the_scanner_is_away() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let app = TestApp::spawn_with(|config| config.files.scanner = Some(Scanner::Tcp(nobody.to_string()))).await;
    app.upload(&app.admin, &[], "a.pdf", &pdf(1000)).await.expect_problem(503, "scanner_unavailable");
    expect_nothing(&app).await;
}

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// clamd with nothing but our own signature.
fn start(clamd: &OsStr, folder: &Path) -> Running {
    let hex: String = MARK.iter().map(|byte| format!("{byte:02x}")).collect();
    std::fs::create_dir(folder.join("db")).unwrap();
    std::fs::write(folder.join("db/own.ndb"), format!("Pelatis.Test:0:*:{hex}\n")).unwrap();
    let at = folder.display();
    let settings = format!(
        "DatabaseDirectory {at}/db\nLocalSocket {at}/socket\nTemporaryDirectory {at}\nForeground yes\nLogFile {at}/log\n\
         MaxFileSize 1M\nAlertExceedsMax yes\n"
    );
    std::fs::write(folder.join("clamd.conf"), settings).unwrap();
    let mut command = Command::new(clamd);
    command.arg(format!("--config-file={at}/clamd.conf")).stdout(Stdio::null()).stderr(Stdio::null());
    Running(command.spawn().unwrap())
}

#[tokio::test]
async fn clamd_itself_finds_our_signature() {
    let Some(clamd) = std::env::var_os("PELATIS_TEST_CLAMD") else {
        println!("left out: clamd, as PELATIS_TEST_CLAMD says of none");
        return;
    };
    let folder = TempDir::new().unwrap();
    let _clamd = start(&clamd, folder.path());
    let socket = folder.path().join("socket");
    for _ in 0..600 {
        if socket.exists() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let app = TestApp::spawn_with(|config| config.files.scanner = Some(Scanner::Unix(socket))).await;
    refuses_what_is_infected(&app).await;
    // it has not read what passes its limits, and says so where it is set up as the runbook tells
    app.upload(&app.admin, &[], "large.pdf", &pdf(1_100_000)).await.expect_problem(422, "file_infected");
    assert_eq!(app.count("file").await, 1);
    assert_eq!(lying_in(&app.folder.path().join("spool")).len(), 0);
}
