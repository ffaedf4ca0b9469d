//! The measurement: both servers in turns, so that what else happens on the machine befalls both.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::record::{Counted, Figure, Line, Operation, Side, append};
use crate::wrk::Run;
use crate::{Result, http, say};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The engine's name in the record
    #[arg(long)]
    engine: String,
    /// Where our server listens
    #[arg(long)]
    ours: SocketAddr,
    /// Where the bare handlers listen
    #[arg(long)]
    bare: SocketAddr,
    /// Its process, whose processor time is counted
    #[arg(long)]
    ours_pid: u32,
    /// The process of the bare handlers
    #[arg(long)]
    bare_pid: u32,
    /// The file with the access token
    #[arg(long)]
    token: PathBuf,
    /// The file with the ids
    #[arg(long)]
    ids: PathBuf,
    /// The script for wrk
    #[arg(long)]
    script: PathBuf,
    /// Seconds of each run
    #[arg(long)]
    seconds: u32,
    /// Runs of each operation on each side
    #[arg(long)]
    rounds: u32,
    /// Where the figures go
    #[arg(long)]
    record: PathBuf,
}

/// Runs that are thrown away: connections, prepared statements and pages are to be there already.
const WARM_UP_SECONDS: u32 = 1;

pub(crate) fn measure(options: &Options) -> Result<()> {
    let token = std::fs::read_to_string(&options.token)?.trim().to_owned();
    let others = Figure {
        engine: options.engine.clone(),
        what: "processor taken by others, before comparing".to_owned(),
        value: busy_percent()?,
        unit: "%".to_owned(),
        below: None,
    };
    append(&options.record, &Line::Figure(others))?;
    same_answers(options, &token)?;
    for operation in Operation::ALL {
        for side in [Side::Ours, Side::Bare] {
            wrk(options, &token, operation, side, WARM_UP_SECONDS)?;
        }
    }
    for round in 1..=options.rounds {
        // whoever comes second finds the machine warmer, so they take turns at that too
        let sides = if round % 2 == 1 { [Side::Ours, Side::Bare] } else { [Side::Bare, Side::Ours] };
        for operation in Operation::ALL {
            for side in sides {
                let counted = wrk(options, &token, operation, side, options.seconds)?;
                say(&format!(
                    "{:8} round {round}  {:6}  {}  {:8.0} requests/s  p50 {:6.2} ms  p99 {:6.2} ms  {:5.0} µs of processor{}",
                    options.engine,
                    operation.name(),
                    side.name(),
                    counted.per_second(),
                    counted.p50 as f64 / 1e3,
                    counted.p99 as f64 / 1e3,
                    counted.processor_per_request(),
                    invalid(&counted),
                ))?;
                append(&options.record, &Line::Run { engine: options.engine.clone(), operation, side, round, counted })?;
            }
        }
    }
    Ok(())
}

fn invalid(counted: &Counted) -> String {
    if counted.is_valid() {
        return String::new();
    }
    format!(
        "  INVALID: {} of {} answers were no success, {} connections failed",
        counted.refused, counted.requests, counted.broken
    )
}

/// How much of the processors is in use while nothing is asked of anybody.
fn busy_percent() -> Result<f64> {
    let (busy, all) = processors()?;
    std::thread::sleep(Duration::from_secs(2));
    let (busy_later, all_later) = processors()?;
    Ok(100.0 * busy_later.saturating_sub(busy) as f64 / all_later.saturating_sub(all).max(1) as f64)
}

/// Ticks in use, and all ticks, since the machine was started.
fn processors() -> Result<(u64, u64)> {
    let stat = std::fs::read_to_string("/proc/stat")?;
    let ticks: Vec<u64> = stat
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(1)
        .map(str::parse)
        .collect::<std::result::Result<_, _>>()?;
    let all = ticks.iter().take(8).sum();
    // the fourth and fifth: idle, and idle until a disk answers
    let idle: u64 = ticks.iter().skip(3).take(2).sum();
    Ok((all - idle, all))
}

/// Both must answer the same, or they are not worth comparing.
fn same_answers(options: &Options, token: &str) -> Result<()> {
    let ids = std::fs::read_to_string(&options.ids)?;
    let id = ids.lines().next().ok_or("there are no ids")?;
    let ask = |path: &str, bare: &str| -> Result<(Value, Value)> {
        let ours = http::send(options.ours, "GET", path, Some(token), None)?;
        let bare = http::send(options.bare, "GET", bare, None, None)?;
        Ok((ours.json().map_err(|error| format!("GET {path} {error}"))?, bare.json()?))
    };
    let (ours, bare) = ask(&format!("/v1/clients/{id}"), &format!("/client/{id}"))?;
    same("one client", &ours, &bare)?;
    let (ours, bare) = ask("/v1/clients", "/clients")?;
    same("the list", ours.get("data").unwrap_or(&Value::Null), bare.get("data").unwrap_or(&Value::Null))?;
    let listed = bare.get("data").and_then(Value::as_array).map_or(0, Vec::len);
    if listed != 25 {
        return Err(format!("the list has {listed} clients, not 25").into());
    }
    // nobody is let in without a token, or the measurement of ours leaves out what it is about
    let stranger = http::send(options.ours, "GET", &format!("/v1/clients/{id}"), None, None)?;
    if stranger.status != 401 {
        return Err(format!("a stranger was answered {}, not 401", stranger.status).into());
    }
    let body = json!({"kind": "company", "name": "Δοκιμή"});
    let made = http::send(options.ours, "POST", "/v1/clients", Some(token), Some(&body))?;
    if made.status != 201 {
        return Err(format!("POST /v1/clients answered {}", made.said()).into());
    }
    Ok(())
}

fn same(what: &str, ours: &Value, bare: &Value) -> Result<()> {
    if ours == bare { Ok(()) } else { Err(format!("{what} differs:\nours {ours}\nbare {bare}").into()) }
}

fn wrk(options: &Options, token: &str, operation: Operation, side: Side, seconds: u32) -> Result<Counted> {
    let (address, process) = match side {
        Side::Ours => (options.ours, options.ours_pid),
        Side::Bare => (options.bare, options.bare_pid),
    };
    let run = Run {
        address,
        process: Some(process),
        script: &options.script,
        operation: operation.name(),
        side: side.name(),
        token,
        lines: &options.ids,
        connections: 16,
        seconds,
    };
    run.count()
}
