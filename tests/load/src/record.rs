//! The file that the steps write their figures to, one a line.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::Result;

/// What is asked of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Operation {
    Get,
    List,
    Create,
}

impl Operation {
    pub const ALL: [Self; 3] = [Self::Get, Self::List, Self::Create];

    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Create => "create",
        }
    }

    /// The least that ours may reach of the bare handler's requests a second.
    pub fn bound(self) -> f64 {
        match self {
            Self::Get | Self::List => 0.70,
            Self::Create => 0.50,
        }
    }
}

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Side {
    Ours,
    Bare,
}

impl Side {
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Bare => "bare",
        }
    }
}

/// What wrk counted.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Counted {
    pub requests: u64,
    pub microseconds: u64,
    pub p50: u64,
    pub p99: u64,
    pub max: u64,
    /// Answers of 400 and above.
    pub refused: u64,
    /// Connections that failed or took too long.
    pub broken: u64,
    /// Microseconds that the server itself worked, without PostgreSQL.
    #[serde(default)]
    pub processor: u64,
}

impl Counted {
    pub fn per_second(&self) -> f64 {
        self.requests as f64 * 1e6 / self.microseconds.max(1) as f64
    }

    pub fn processor_per_request(&self) -> f64 {
        self.processor as f64 / self.requests.max(1) as f64
    }

    /// Only a run in which every request was answered with a success says anything.
    pub fn is_valid(&self) -> bool {
        self.requests > 0 && self.refused == 0 && self.broken == 0
    }
}

/// A line of the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum Line {
    Run { engine: String, operation: Operation, side: Side, round: u32, counted: Counted },
    Figure(Figure),
}

/// One figure of an engine.
#[derive(Clone, Debug, Serialize, Deserialize, clap::Args)]
pub(crate) struct Figure {
    /// The engine
    #[arg(long)]
    pub engine: String,
    /// What was measured
    #[arg(long)]
    pub what: String,
    /// How much it was
    #[arg(long)]
    pub value: f64,
    /// Of what
    #[arg(long)]
    pub unit: String,
    /// What it must stay below, if there is such a bound
    #[arg(long)]
    pub below: Option<f64>,
}

impl Figure {
    pub fn is_ok(&self) -> bool {
        self.below.is_none_or(|bound| self.value < bound)
    }
}

#[derive(clap::Args)]
pub(crate) struct Note {
    /// The file
    #[arg(long)]
    file: PathBuf,
    #[command(flatten)]
    figure: Figure,
}

/// Whether something was reached, in the words of the table.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Ok,
    Missed,
    Invalid,
    None,
}

impl Verdict {
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Missed => "MISSED",
            Self::Invalid => "INVALID",
            Self::None => "",
        }
    }
}

pub(crate) fn note(note: Note) -> Result<()> {
    append(&note.file, &Line::Figure(note.figure))
}

pub(crate) fn append(file: &Path, line: &Line) -> Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(file)?;
    Ok(writeln!(file, "{}", serde_json::to_string(line)?)?)
}

pub(crate) fn read(file: &Path) -> Result<Vec<Line>> {
    std::fs::read_to_string(file)?.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}
