//! Floods: how fast somebody else is answered while one caller sends what it can.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::{Result, http, say};

/// What 99 of 100 reads of somebody else must be answered in.
const MOST_MS: f64 = 250.0;
/// The same while people sign in, whose passwords are hashed apart from everything else.
const MOST_MS_BESIDE_SIGN_INS: f64 = 100.0;
/// MB that the server may ever hold.
const MOST_MEMORY: f64 = 200.0;
/// How long the reader waits between two reads: it must be no flood itself.
const PACE: Duration = Duration::from_millis(5);

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Where the server listens
    #[arg(long)]
    server: SocketAddr,
    /// The server's process
    #[arg(long)]
    pid: u32,
    /// The file with the administrator's access token
    #[arg(long)]
    token: PathBuf,
    /// Seconds of each flood
    #[arg(long, default_value = "8")]
    seconds: u64,
}

/// What the threads of a flood share.
struct Flood<'a> {
    server: SocketAddr,
    over: &'a AtomicBool,
    sent: &'a AtomicUsize,
}

/// What one thread of a flood does until it is over.
type Work = Box<dyn Fn(&Flood) + Sync>;

/// Runs each flood while somebody reads, prints how fast they were answered, and fails over a bound.
pub(crate) fn flood(options: &Options) -> Result<()> {
    let token = std::fs::read_to_string(&options.token)?.trim().to_owned();
    let made = json!({ "name": "flood", "scopes": ["clients.view_all"] });
    let made = http::send(options.server, "POST", "/v1/tokens", Some(&token), Some(&made))?.json()?;
    let scoped = made.get("secret").and_then(|secret| secret.as_str()).ok_or("the token came without its secret")?.to_owned();
    let client = json!({ "kind": "company", "name": "Flood" }).to_string();
    for _ in 0..50 {
        http::send(options.server, "POST", "/v1/clients", Some(&token), Some(&json!({ "kind": "company", "name": "Read" })))?
            .json()?;
    }
    let read = request("GET", "/v1/clients", &token, "");
    // somebody else's, with a token of their own
    let (connections, forbidden) = (request("GET", "/v1/clients", &scoped, ""), request("POST", "/v1/clients", &scoped, &client));
    let floods: [(&str, usize, f64, Work); 6] = [
        ("nothing", 0, MOST_MS, Box::new(|_| ())),
        ("200 connections that read", 200, MOST_MS, Box::new(move |flood| ask(flood, |_| connections.clone()))),
        ("200 heads byte by byte", 200, MOST_MS, Box::new(slow_head)),
        ("sign-ins on 200 connections", 200, MOST_MS_BESIDE_SIGN_INS, Box::new(|flood| ask(flood, sign_in))),
        ("endless headers on 20 connections", 20, MOST_MS, Box::new(endless_headers)),
        ("403 on 50 connections", 50, MOST_MS, Box::new(move |flood| ask(flood, |_| forbidden.clone()))),
    ];
    say(&format!("{:<36} {:>9} {:>8} {:>9} {:>9}", "while there comes", "sent", "reads", "p50 ms", "p99 ms"))?;
    let mut missed = Vec::new();
    for (name, threads, bound, work) in &floods {
        let (sent, times) = during(options, *threads, work, &read)?;
        let (half, most) = (at(&times, 50), at(&times, 99));
        say(&format!("{name:<36} {sent:>9} {:>8} {half:>9.1} {most:>9.1}", times.len()))?;
        if most > *bound {
            missed.push(format!("{name}: p99 {most:.1} ms is over {bound} ms"));
        }
    }
    let memory = most_memory(options.pid)?;
    say(&format!("the most memory that the server held: {memory:.1} MB"))?;
    if memory > MOST_MEMORY {
        missed.push(format!("{memory:.1} MB is over {MOST_MEMORY} MB"));
    }
    if missed.is_empty() { Ok(()) } else { Err(missed.join("; ").into()) }
}

/// Runs one flood and the reader beside it; returns how much was sent and how long each read took, in order of length.
fn during(options: &Options, threads: usize, work: &Work, read: &str) -> Result<(usize, Vec<f64>)> {
    let (over, sent) = (AtomicBool::new(false), AtomicUsize::new(0));
    let flood = Flood { server: options.server, over: &over, sent: &sent };
    let times = std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while !flood.over.load(Ordering::Relaxed) {
                    work(&flood);
                }
            });
        }
        let times = read_on(options, read);
        over.store(true, Ordering::Relaxed);
        times
    })?;
    Ok((sent.into_inner(), times))
}

fn read_on(options: &Options, read: &str) -> Result<Vec<f64>> {
    let (began, mut times) = (Instant::now(), Vec::new());
    let mut line = connect(options.server)?;
    while began.elapsed() < Duration::from_secs(options.seconds) {
        let sent = Instant::now();
        match one_answer(&mut line, read)? {
            Some(200) => times.push(sent.elapsed().as_secs_f64() * 1e3),
            other => return Err(format!("a read of somebody else was answered {other:?}").into()),
        }
        std::thread::sleep(PACE);
    }
    times.sort_by(f64::total_cmp);
    Ok(times)
}

fn at(times: &[f64], percent: usize) -> f64 {
    let place = (times.len() * percent).div_ceil(100).saturating_sub(1);
    times.get(place).copied().unwrap_or(f64::INFINITY)
}

fn request(method: &str, path: &str, token: &str, body: &str) -> String {
    let bearer = if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: pelatis\r\n{bearer}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

fn sign_in(number: usize) -> String {
    let body = json!({ "email": format!("nobody{}@example.com", number % 2000), "password": "wrong-wrong-wrong" });
    request("POST", "/v1/auth/login", "", &body.to_string())
}

fn connect(server: SocketAddr) -> Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(server)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    Ok(BufReader::new(stream))
}

/// Sends a request and reads the whole answer; none where the connection had ended.
fn one_answer(line: &mut BufReader<TcpStream>, request: &str) -> Result<Option<u16>> {
    line.get_mut().write_all(request.as_bytes())?;
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if line.read_line(&mut head)? == 0 {
            return Ok(None);
        }
    }
    let header = |name: &str| head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix(name).map(str::to_owned));
    let length = header("content-length: ").map_or(Ok(0), |length| length.parse())?;
    line.read_exact(&mut vec![0; length])?;
    Ok(head.split(' ').nth(1).and_then(|status| status.parse().ok()))
}

/// Asks on one connection, until it ends or the flood is over. What is answered does not matter, but that something is.
fn ask(flood: &Flood, request: impl Fn(usize) -> String) {
    let Ok(mut line) = connect(flood.server) else { return };
    while !flood.over.load(Ordering::Relaxed) {
        let number = flood.sent.fetch_add(1, Ordering::Relaxed);
        if !matches!(one_answer(&mut line, &request(number)), Ok(Some(_))) {
            return;
        }
    }
}

fn slow_head(flood: &Flood) {
    let Ok(line) = connect(flood.server) else { return };
    let mut line = line.into_inner();
    for byte in b"GET /v1/clients HTTP/1.1\r\nhost: pelatis\r\nx-slow: ".iter().chain(std::iter::repeat(&b'a')) {
        if flood.over.load(Ordering::Relaxed) || line.write_all(&[*byte]).is_err() {
            return;
        }
        flood.sent.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn endless_headers(flood: &Flood) {
    let Ok(line) = connect(flood.server) else { return };
    let mut line = line.into_inner();
    let piece = format!("x-endless: {}\r\n", "a".repeat(1000)).repeat(16);
    let mut text = "GET /v1/clients HTTP/1.1\r\nhost: pelatis\r\n".to_owned();
    while !flood.over.load(Ordering::Relaxed) && line.write_all(text.as_bytes()).is_ok() {
        flood.sent.fetch_add(text.len(), Ordering::Relaxed);
        text.clone_from(&piece);
    }
}

fn most_memory(pid: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("the server has ended")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0)
}
