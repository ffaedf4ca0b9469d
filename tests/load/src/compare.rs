//! What costs how much of what: two sets of paths, on one server or on two, asked for in turns.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::record::{Counted, Figure, Line, append};
use crate::wrk::Run;
use crate::{Result, say};

/// How it is asked.
#[derive(clap::Args)]
pub(crate) struct Asking {
    /// The engine's name in the record
    #[arg(long)]
    engine: String,
    /// What the figure is called
    #[arg(long)]
    what: String,
    /// The script for wrk
    #[arg(long)]
    script: PathBuf,
    /// Seconds of each run
    #[arg(long)]
    seconds: u32,
    /// Runs of each
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// What the figure must stay below
    #[arg(long)]
    below: Option<f64>,
    /// Where the figures go
    #[arg(long)]
    record: PathBuf,
}

#[derive(clap::Args)]
pub(crate) struct Compare {
    #[command(flatten)]
    asking: Asking,
    /// The server that answers what is the measure
    #[arg(long)]
    base: SocketAddr,
    /// Its access token
    #[arg(long)]
    base_token: PathBuf,
    /// What is asked of it
    #[arg(long)]
    base_paths: PathBuf,
    /// The server that answers what is judged
    #[arg(long)]
    other: SocketAddr,
    /// Its access token
    #[arg(long)]
    other_token: PathBuf,
    /// What is asked of it
    #[arg(long)]
    other_paths: PathBuf,
}

#[derive(clap::Args)]
pub(crate) struct Slowest {
    #[command(flatten)]
    asking: Asking,
    /// The server
    #[arg(long)]
    server: SocketAddr,
    /// Its access token
    #[arg(long)]
    token: PathBuf,
    /// What is asked of it
    #[arg(long)]
    paths: PathBuf,
    /// Requests at once
    #[arg(long)]
    connections: u32,
}

#[derive(clap::Args)]
pub(crate) struct Nodes {
    #[command(flatten)]
    asking: Asking,
    /// One node
    #[arg(long)]
    one: SocketAddr,
    /// Another node on the same database
    #[arg(long)]
    two: SocketAddr,
    /// An access token that is good on both
    #[arg(long)]
    token: PathBuf,
    /// What is asked of them
    #[arg(long)]
    paths: PathBuf,
}

/// Requests at once where two are compared.
const CONNECTIONS: u32 = 16;
/// A run of each that is not counted.
const WARM_UP_SECONDS: u32 = 1;

/// How many times as much a request of the other costs as one of the base.
pub(crate) fn compare(options: &Compare) -> Result<()> {
    let asking = &options.asking;
    let base = Target::new(options.base, &options.base_token, &options.base_paths)?;
    let other = Target::new(options.other, &options.other_token, &options.other_paths)?;
    let (mut bases, mut others) = (Vec::new(), Vec::new());
    for target in [&base, &other] {
        target.ask(asking, CONNECTIONS, WARM_UP_SECONDS)?;
    }
    for round in 1..=asking.rounds {
        // whoever comes second finds the machine warmer, so they take turns at that too
        if round % 2 == 1 {
            bases.push(base.ask(asking, CONNECTIONS, asking.seconds)?);
            others.push(other.ask(asking, CONNECTIONS, asking.seconds)?);
        } else {
            others.push(other.ask(asking, CONNECTIONS, asking.seconds)?);
            bases.push(base.ask(asking, CONNECTIONS, asking.seconds)?);
        }
    }
    let (base, other) = (per_second(&bases), per_second(&others));
    asking.note(base / other.max(f64::MIN_POSITIVE), "x", &format!("{base:.0} and {other:.0} requests/s"))
}

/// The time that 99 of 100 requests stay below.
pub(crate) fn slowest(options: &Slowest) -> Result<()> {
    let asking = &options.asking;
    let target = Target::new(options.server, &options.token, &options.paths)?;
    target.ask(asking, options.connections, WARM_UP_SECONDS)?;
    let runs = (0..asking.rounds).map(|_| target.ask(asking, options.connections, asking.seconds)).collect::<Result<Vec<_>>>()?;
    let p99 = median(runs.iter().map(|run| run.p99 as f64 / 1e3).collect());
    asking.note(p99, "ms", &format!("{:.0} requests/s at {} at once", per_second(&runs), options.connections))
}

/// How many times as much one node answers as two do together.
pub(crate) fn nodes(options: &Nodes) -> Result<()> {
    let asking = &options.asking;
    let one = Target::new(options.one, &options.token, &options.paths)?;
    let two = Target::new(options.two, &options.token, &options.paths)?;
    let (mut alone, mut together) = (Vec::new(), Vec::new());
    for target in [&one, &two] {
        target.ask(asking, CONNECTIONS, WARM_UP_SECONDS)?;
    }
    for _ in 0..asking.rounds {
        alone.push(one.ask(asking, CONNECTIONS, asking.seconds)?.per_second());
        let (first, second) =
            (one.run(asking, CONNECTIONS / 2, asking.seconds), two.run(asking, CONNECTIONS / 2, asking.seconds));
        let (first, second) = (first.begin()?, second.begin()?);
        together.push(valid(first.end()?)?.per_second() + valid(second.end()?)?.per_second());
    }
    let (alone, together) = (median(alone), median(together));
    asking.note(alone / together.max(f64::MIN_POSITIVE), "x", &format!("{alone:.0} and {together:.0} requests/s"))
}

/// What is asked of which server by whom.
struct Target<'a> {
    address: SocketAddr,
    token: String,
    paths: &'a Path,
}

impl<'a> Target<'a> {
    fn new(address: SocketAddr, token: &Path, paths: &'a Path) -> Result<Self> {
        Ok(Self { address, token: std::fs::read_to_string(token)?.trim().to_owned(), paths })
    }

    fn run<'r>(&'r self, asking: &'r Asking, connections: u32, seconds: u32) -> Run<'r> {
        Run {
            address: self.address,
            process: None,
            script: &asking.script,
            operation: "paths",
            side: "ours",
            token: &self.token,
            lines: self.paths,
            connections,
            seconds,
        }
    }

    fn ask(&self, asking: &Asking, connections: u32, seconds: u32) -> Result<Counted> {
        valid(self.run(asking, connections, seconds).count()?)
    }
}

fn valid(counted: Counted) -> Result<Counted> {
    if counted.is_valid() {
        return Ok(counted);
    }
    Err(format!("{} of {} answers were no success, {} connections failed", counted.refused, counted.requests, counted.broken)
        .into())
}

impl Asking {
    fn note(&self, value: f64, unit: &str, how: &str) -> Result<()> {
        say(&format!("{:8} {:58} {value:7.2} {unit:2}  ({how})", self.engine, self.what))?;
        let figure =
            Figure { engine: self.engine.clone(), what: self.what.clone(), value, unit: unit.to_owned(), below: self.below };
        append(&self.record, &Line::Figure(figure))
    }
}

fn per_second(runs: &[Counted]) -> f64 {
    median(runs.iter().map(Counted::per_second).collect())
}

/// The middle one; of an even number, what lies between the two in the middle.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    let at = |place: usize| figures.get(place).copied().unwrap_or_default();
    if figures.len() % 2 == 1 { at(middle) } else { f64::midpoint(at(middle.saturating_sub(1)), at(middle)) }
}
