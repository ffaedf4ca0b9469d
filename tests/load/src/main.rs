//! What `tests/load/run` is made of: the file to import, the bare handlers to compare with, the measuring and the table; and the floods of
//! `tests/load/flood`.

mod bare;
mod csv_file;
mod database;
mod flood;
mod http;
mod measure;
mod record;
mod report;
mod setup;
mod start;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Any failure; the commands tell a person what happened.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[derive(Parser)]
#[command(about = "The parts of tests/load/run")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Writes a CSV file of clients with contacts
    Csv(csv_file::Options),
    /// Starts a server and prints its process id and the milliseconds until it answered
    Start(start::Options),
    /// Sets an installation up over HTTP and prints an access token
    Setup(setup::Options),
    /// Brings a database to rest after an import
    Settle(database::Settle),
    /// Prints ids of clients, drawn at random
    Ids(database::Ids),
    /// Serves the bare handlers
    Bare(bare::Options),
    /// Measures our server and the bare handlers in turns
    Measure(measure::Options),
    /// Sends floods and measures how fast somebody else is answered
    Flood(flood::Options),
    /// Notes a figure
    Note(record::Note),
    /// Prints the table and fails if a bound is missed
    Report(report::Options),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Csv(options) => csv_file::write(&options),
        Command::Start(options) => start::start(&options),
        Command::Setup(options) => setup::set_up(&options),
        Command::Settle(options) => database::settle(&options),
        Command::Ids(options) => database::ids(&options),
        Command::Bare(options) => bare::serve(options),
        Command::Measure(options) => measure::measure(&options),
        Command::Flood(options) => flood::flood(&options),
        Command::Note(note) => record::note(note),
        Command::Report(options) => report::report(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "load: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints a line.
fn say(line: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
