//! A mail server that takes what it is given, or behaves as badly as it is told to. It speaks in clear text: what a real one does with
//! encryption and names is asked of a real one.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use mail::{MailWay, SmtpUrl};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// How it behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// It takes everything.
    Takes,
    /// It takes everything, and the connection is lost before it says so.
    TakesAndDrops,
    /// It takes everything, and never says so.
    TakesAndStalls,
    /// The connection is lost in the middle of the content.
    Cuts,
    /// Nobody speaks.
    Stalls,
    /// Every connection is lost at once.
    Away,
    /// It answers this command so; `.` is the end of the content.
    Says(&'static str, &'static str),
}

/// What it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    pub from: String,
    pub to: String,
    pub message: String,
}

/// The server. It lives as long as the process of the test.
pub(crate) struct Sink {
    port: u16,
    way: Arc<Mutex<Way>>,
    taken: Arc<Mutex<Vec<Taken>>>,
    connections: Arc<AtomicUsize>,
}

impl Sink {
    pub(crate) fn start() -> Self {
        let (tell, told) = std::sync::mpsc::channel();
        let (way, taken) = (Arc::new(Mutex::new(Way::Takes)), Arc::new(Mutex::new(Vec::new())));
        let connections = Arc::new(AtomicUsize::new(0));
        let (now, kept, count) = (way.clone(), taken.clone(), connections.clone());
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(listener.local_addr().unwrap().port()).unwrap();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    count.fetch_add(1, Ordering::SeqCst);
                    let (way, kept) = (*now.lock().unwrap(), kept.clone());
                    // whatever goes wrong is between the two of them
                    tokio::spawn(async move { talk(stream, way, &kept).await });
                }
            });
        });
        Self { port: told.recv().unwrap(), way, taken, connections }
    }

    /// The way to it.
    pub(crate) fn url(&self) -> MailWay {
        MailWay::Smtp(SmtpUrl::parse(&format!("smtp://127.0.0.1:{}?tls=none", self.port)).unwrap())
    }

    /// The way to it for one who wants to be encrypted.
    pub(crate) fn url_with_starttls(&self) -> MailWay {
        MailWay::Smtp(SmtpUrl::parse(&format!("smtp://127.0.0.1:{}", self.port)).unwrap())
    }

    pub(crate) fn behave(&self, way: Way) {
        *self.way.lock().unwrap() = way;
    }

    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.taken.lock().unwrap().clone()
    }

    /// How often somebody came.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Says nothing until the other side has had enough.
async fn until_left(mut stream: BufReader<TcpStream>) -> Option<()> {
    let mut line = String::new();
    while stream.read_line(&mut line).await.ok()? > 0 {}
    None
}

async fn talk(stream: TcpStream, way: Way, kept: &Mutex<Vec<Taken>>) -> Option<()> {
    match way {
        Way::Away => return None,
        Way::Stalls => {
            return until_left(BufReader::new(stream)).await;
        }
        _ => {}
    }
    let mut stream = BufReader::new(stream);
    let answer = |command: &str, usual: &'static str| match way {
        Way::Says(step, said) if command.to_ascii_uppercase().starts_with(step) => said,
        _ => usual,
    };
    stream.write_all(b"220 sink.example ESMTP\r\n").await.ok()?;
    let mut taken = Taken { from: String::new(), to: String::new(), message: String::new() };
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_owned();
        let address =
            || line.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or("", |(address, _)| address).to_owned();
        let said = match line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase().as_str() {
            "EHLO" => "250-sink.example\r\n250 8BITMIME",
            "MAIL" => {
                taken.from = address();
                answer(&line, "250 2.1.0 fine")
            }
            "RCPT" => {
                taken.to = address();
                answer(&line, "250 2.1.5 fine")
            }
            "DATA" => answer(&line, "354 go on"),
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await.ok()?;
                return Some(());
            }
            _ => "502 what?",
        };
        stream.write_all(format!("{said}\r\n").as_bytes()).await.ok()?;
        if !said.starts_with("354") {
            continue;
        }
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.ok()? == 0 || way == Way::Cuts {
                return None;
            }
            if line == ".\r\n" {
                break;
            }
            taken.message.push_str(line.strip_prefix('.').unwrap_or(&line));
        }
        let end = answer(".", "250 2.0.0 taken");
        if end.starts_with('2') {
            kept.lock().unwrap().push(taken.clone());
        }
        match way {
            Way::TakesAndDrops => return None,
            Way::TakesAndStalls => return until_left(stream).await,
            _ => {}
        }
        stream.write_all(format!("{end}\r\n").as_bytes()).await.ok()?;
    }
}
