//! A server that speaks the protocol of S3, with signatures, on a folder; and a line to it that can be made bad.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// The key and the secret that it knows.
const KEY: (&str, &str) = ("pelatis", "s3+secret/of=tests");
/// The bucket.
pub(crate) const BUCKET: &str = "papers";

/// How the line to the server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Line {
    Good,
    /// Nobody answers.
    Away,
    /// It takes everything and says nothing.
    Stalls,
    /// It answers 500 to whatever is asked.
    Fails,
    /// It cuts each answer after some bytes.
    Cuts,
    /// It cuts each connection after some bytes of what is sent to it.
    CutsOnTheWayUp,
    /// It takes some bytes of what is sent on a connection, or gives some of what is asked for, and then nothing more.
    StallsWithin,
}

impl Line {
    fn of(number: u8) -> Self {
        [Self::Good, Self::Away, Self::Stalls, Self::Fails, Self::Cuts, Self::CutsOnTheWayUp, Self::StallsWithin]
            [usize::from(number)]
    }
}

/// The server, behind its line. It lives as long as the process of the test.
pub(crate) struct S3 {
    port: u16,
    line: Arc<AtomicU8>,
}

/// Bytes of a request, or of its answer, that come through a line that cuts or comes to stand still.
const UNTIL_CUT: usize = 200_000;

impl S3 {
    /// Starts it on a folder, with its bucket where `with_bucket` says so.
    pub(crate) fn start(folder: &Path) -> Self {
        let (root, line) = (folder.join("s3"), Arc::new(AtomicU8::new(Line::Good as u8)));
        std::fs::create_dir_all(root.join(BUCKET)).unwrap();
        let (tell, told) = std::sync::mpsc::channel();
        let seen = line.clone();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let front = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let behind = server.local_addr().unwrap().port();
                tell.send(front.local_addr().unwrap().port()).unwrap();
                tokio::spawn(serve(server, root));
                loop {
                    let (socket, _) = front.accept().await.unwrap();
                    tokio::spawn(pass(socket, behind, seen.clone()));
                }
            });
        });
        Self { port: told.recv().unwrap(), line }
    }

    /// Makes the line so.
    pub(crate) fn line(&self, line: Line) {
        self.line.store(line as u8, Ordering::SeqCst);
    }

    /// The address of the storage.
    pub(crate) fn url(&self) -> files::StorageUrl {
        files::StorageUrl::parse(&self.address()).unwrap()
    }

    /// The address as it is configured.
    pub(crate) fn address(&self) -> String {
        let secret = KEY.1.replace('/', "%2F").replace('+', "%2B");
        format!("s3+http://{}:{secret}@127.0.0.1:{}/{BUCKET}", KEY.0, self.port)
    }
}

async fn serve(listener: TcpListener, root: std::path::PathBuf) {
    let service = {
        let mut builder = S3ServiceBuilder::new(FileSystem::new(root).unwrap());
        builder.set_auth(SimpleAuth::from_single(KEY.0, KEY.1));
        builder.build()
    };
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        let service = service.clone();
        tokio::spawn(async move {
            let http = Builder::new(TokioExecutor::new());
            // a connection that is cut is what some of the tests are about
            let _ = http.serve_connection(TokioIo::new(socket), service).await;
        });
    }
}

/// One connection through the line. How the line is, is looked at with each piece, so that it changes for what runs already.
async fn pass(mut socket: TcpStream, behind: u16, line: Arc<AtomicU8>) {
    let now = || Line::of(line.load(Ordering::SeqCst));
    if now() == Line::Away {
        return;
    }
    let mut server = TcpStream::connect(("127.0.0.1", behind)).await.unwrap();
    let (mut up, mut down) = (vec![0; 65_536], vec![0; 65_536]);
    let (mut sent, mut answered) = (0, 0);
    let stand_still = || tokio::time::sleep(Duration::from_secs(3600));
    loop {
        tokio::select! {
            read = socket.read(&mut up) => {
                if answered > 0 {
                    // the next request on the same connection
                    (sent, answered) = (0, 0);
                }
                match read {
                    Ok(0) | Err(_) => return,
                    Ok(count) => match now() {
                        Line::Away => return,
                        Line::Stalls => stand_still().await,
                        Line::CutsOnTheWayUp if sent + count > UNTIL_CUT => return,
                        Line::StallsWithin if sent + count > UNTIL_CUT => stand_still().await,
                        Line::Fails => {
                            let said = "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                            let _ = socket.write_all(said.as_bytes()).await;
                            return;
                        }
                        Line::Good | Line::Cuts | Line::CutsOnTheWayUp | Line::StallsWithin => {
                            sent += count;
                            if server.write_all(&up[..count]).await.is_err() { return }
                        }
                    },
                }
            },
            read = server.read(&mut down) => match read {
                Ok(0) | Err(_) => return,
                Ok(count) => match now() {
                    Line::Away | Line::Fails => return,
                    Line::Stalls => stand_still().await,
                    Line::StallsWithin if answered + count > UNTIL_CUT => stand_still().await,
                    Line::Cuts if answered + count > UNTIL_CUT => return,
                    Line::Good | Line::Cuts | Line::CutsOnTheWayUp | Line::StallsWithin => {
                        answered += count;
                        if socket.write_all(&down[..count]).await.is_err() { return }
                    }
                },
            },
        }
    }
}
