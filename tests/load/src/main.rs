//! What `tests/load/run` is made of: the file to import, the bare handlers to compare with, the measuring and the table; the floods of
//! `tests/load/flood`, and the jobs of `tests/load/jobs`, and the
//! handler that `tests/load/files` compares with.

mod bare;
mod budgets;
mod compare;
mod csv_file;
mod database;
mod flood;
mod http;
mod jobs;
mod measure;
mod paths;
mod record;
mod related;
mod report;
mod setup;
mod start;
mod wrk;

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
    /// Makes the custom fields that a file of clients has values of
    Fields(setup::Fields),
    /// Hangs records on clients, and prints ids of these
    Related(related::Options),
    /// Makes a database on a PostgreSQL
    Database(database::Make),
    /// Brings a database to rest after an import
    Settle(database::Settle),
    /// Prints ids of clients, drawn at random
    Ids(database::Ids),
    /// Serves the bare handlers
    Bare(bare::Options),
    /// Takes in and gives out a file with nothing around it
    BareFile(bare::files::Options),
    /// Measures our server and the bare handlers in turns
    Measure(measure::Options),
    /// Checks the time budget of every operation of the document
    Budgets(budgets::Options),
    /// Says how many times as much one request costs as another
    Compare(compare::Compare),
    /// Measures the time that 99 of 100 requests stay below
    Slowest(compare::Slowest),
    /// Says how many times as much one node answers as two
    Nodes(compare::Nodes),
    /// Prints the path of a page of a list
    Page(paths::Pages),
    /// Prints the paths of searches
    Searches(paths::Searches),
    /// Sends floods and measures how fast somebody else is answered
    Flood(flood::Options),
    /// Lets workers do jobs and says how many they did in a second
    Work(jobs::Work),
    /// Says what enqueueing a job adds to a write
    Enqueue(jobs::Enqueue),
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
        Command::Fields(options) => setup::make_fields(&options),
        Command::Related(options) => related::add(&options),
        Command::Database(options) => database::make(&options),
        Command::Settle(options) => database::settle(&options),
        Command::Ids(options) => database::ids(&options),
        Command::Bare(options) => bare::serve(options),
        Command::BareFile(options) => bare::files::serve(options),
        Command::Measure(options) => measure::measure(&options),
        Command::Budgets(options) => budgets::check(&options),
        Command::Compare(options) => compare::compare(&options),
        Command::Slowest(options) => compare::slowest(&options),
        Command::Nodes(options) => compare::nodes(&options),
        Command::Page(options) => paths::page(&options),
        Command::Searches(options) => paths::searches(&options),
        Command::Flood(options) => flood::flood(&options),
        Command::Work(options) => jobs::work(&options),
        Command::Enqueue(options) => jobs::enqueue(&options),
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
