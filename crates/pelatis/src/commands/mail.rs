//! `pelatis mail`.

use std::io::Read as _;

use clap::{Args, Subcommand};
use kernel::{Error, Result};

use super::{Fault, configured, say};
use crate::config::{Config, Flags};
use crate::wiring;

/// Bytes of a report at most: it holds a mail of ours, and ours are small.
const MOST: u64 = 4 * 1024 * 1024;

/// Show the mail that waits to be sent and what lies in the folder, or take in what came back.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct MailCommand {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Take in a delivery report (RFC 3464) from standard input, as a mail server pipes it.
    Bounce(#[command(flatten)] Flags),
}

impl MailCommand {
    pub(super) async fn run(self) -> Result<(), Fault> {
        match self.what {
            None => show(&configured(self.flags)?).await?,
            Some(What::Bounce(flags)) => bounce(&configured(flags)?).await?,
        }
        Ok(())
    }
}

async fn show(config: &Config) -> Result<()> {
    let (store, auth) = wiring::open(config).await?;
    let caller = auth.installation();
    let mut reader = store.reader(&caller).await?;
    let waiting = mail::messages::waiting(&mut reader, &caller).await?;
    reader.close().await?;
    if waiting.is_empty() {
        say("No mail waits to be sent.");
    }
    let kept = auth.mail().in_folder(&caller).await?;
    for mail in waiting.into_iter().chain(kept) {
        let kind = mail.kind.as_str();
        say(&format!("{}  {kind}  to {}\nSubject: {}\n\n{}", mail.created_at, mail.to, mail.subject, mail.body));
        if let Some(problem) = mail.last_problem {
            say(&format!("It could not be sent so far: {problem}\n"));
        }
    }
    Ok(())
}

async fn bounce(config: &Config) -> Result<()> {
    let mut message = Vec::new();
    std::io::stdin().lock().take(MOST).read_to_end(&mut message).map_err(Error::internal)?;
    let bounce = mail::bounces::Bounce::read(&message)?;
    let (store, auth) = wiring::open(config).await?;
    let noted = store.write(&auth.installation(), async |uow| mail::bounces::note(uow, &bounce).await).await?;
    let id = noted.mail_id.map(|id| format!(" ({id})")).unwrap_or_default();
    say(&format!("{}{id}", noted.outcome.as_str()));
    Ok(())
}
