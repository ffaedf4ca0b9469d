//! The command line.

mod backup;
mod doctor;
mod import;
mod mail;
mod openapi;
mod restore;
mod restore_only;
mod serve;
mod signals;
mod worker;

use clap::{Parser, Subcommand};

use crate::config::{self, Config, ConfigFaults, Flags, Sources};
use crate::{logging, wiring};

/// A headless CRM.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Migrate the database and serve the API.
    Serve(#[command(flatten)] Flags),
    /// Work jobs, and nothing else.
    Worker(#[command(flatten)] Flags),
    /// Bring the database to the newest schema, and nothing else.
    Migrate(#[command(flatten)] Flags),
    /// Bring data in.
    Import(import::Import),
    /// Back up everything.
    Backup(backup::Back),
    /// Bring a backup back into an empty place.
    Restore(restore::Restore),
    /// Look at everything that the server needs.
    Doctor(doctor::Doctor),
    /// Show the mail that waits to be sent and what lies in the folder, or take in what came back.
    Mail(mail::MailCommand),
    /// Print the OpenAPI document.
    Openapi,
    /// Make a new key that signs access tokens; the one before goes on verifying for a day.
    RotateKeys(#[command(flatten)] Flags),
    /// Print a configuration file with every key, its default and what it means.
    ConfigTemplate,
    /// Check the configuration and say everything that is wrong with it.
    CheckConfig(#[command(flatten)] Flags),
}

/// Why a command failed, for the one who typed it.
#[derive(Debug)]
pub enum Fault {
    /// The configuration is wrong.
    Config(ConfigFaults),
    /// Something else failed.
    Other(kernel::Error),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Config(faults) => write!(out, "The configuration is wrong; nothing was started.\n{faults}"),
            // the operator of the machine may read what the log would say
            Self::Other(error) => write!(out, "{error:?}"),
        }
    }
}

impl From<kernel::Error> for Fault {
    fn from(error: kernel::Error) -> Self {
        Self::Other(error)
    }
}

impl From<ConfigFaults> for Fault {
    fn from(faults: ConfigFaults) -> Self {
        Self::Config(faults)
    }
}

/// Writes a line for the one who typed the command.
pub fn say(line: &str) {
    use std::io::Write as _;
    // a server goes on when whoever started it has stopped listening
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Writes what went wrong.
pub fn complain(line: &str) {
    use std::io::Write as _;
    // where standard error is closed there is nobody to tell
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn configured(flags: Flags) -> Result<Config, Fault> {
    let sources = Sources::of_process(flags)?;
    let (config, warnings) = Config::load(&sources)?;
    logging::begin(&config);
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    Ok(config)
}

impl CommandLine {
    /// Does what was typed.
    ///
    /// # Errors
    /// Why it could not be done.
    pub async fn run(self) -> Result<(), Fault> {
        match self.command {
            Command::Serve(flags) => serve::serve(&configured(flags)?).await?,
            Command::Worker(flags) => worker::work(&configured(flags)?).await?,
            Command::Migrate(flags) => {
                wiring::migrate(&configured(flags)?).await?;
                say("The database has the newest schema.");
            }
            Command::Import(import) => import.run().await?,
            Command::Backup(back) => back.run().await?,
            Command::Restore(restore) => Box::pin(restore.run()).await?,
            Command::Doctor(doctor) => doctor.run().await?,
            Command::Mail(mail) => mail.run().await?,
            Command::Openapi => openapi::print()?,
            Command::RotateKeys(flags) => {
                let (_, auth) = wiring::open(&configured(flags)?).await?;
                auth.keys().rotate().await?;
                say("A new key signs from now on.");
            }
            Command::ConfigTemplate => say(config::commented_file().trim_end()),
            Command::CheckConfig(flags) => {
                configured(flags)?;
                say("The configuration is right.");
            }
        }
        Ok(())
    }
}
