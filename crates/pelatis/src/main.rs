//! The one binary: reads the configuration, wires the crates, serves, works, and is the command line.
//!
//! `tikv-jemallocator` is the allocator: a request allocates some hundred times, and the system's took a tenth of its time. `mimalloc` is
//! as fast, but puts giving memory back off for as long as much is allocated, so an import kept 40 MB that nothing needed any more.

mod commands;
mod config;
mod logging;
mod wiring;

use std::process::ExitCode;

use clap::Parser as _;

use commands::CommandLine;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let line = CommandLine::parse();
    let runtime = actix_web::rt::System::new();
    match runtime.block_on(line.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            commands::complain(&fault.to_string());
            ExitCode::FAILURE
        }
    }
}
