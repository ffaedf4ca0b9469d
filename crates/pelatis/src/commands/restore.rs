//! `pelatis restore`.

use std::path::{Path, PathBuf};

use backup::archive::Identities;
use backup::{Destination, Milestone};
use clap::Args;
use kernel::{Error, Result};

use super::backup::contents;
use super::restore_only::{self, Asked, Lost};
use super::signals::StopSignals;
use super::{Fault, configured, say};
use crate::config::{Config, Flags};
use crate::wiring;

/// Bring a backup back into an empty place. The server must not run. Nothing is touched before everything was looked at.
#[derive(Debug, Args)]
pub struct Restore {
    /// The archive: a file, or the name of one where backups go. Left out, the newest one there.
    archive: Option<String>,
    /// Look in the second place.
    #[arg(long)]
    second: bool,
    /// The file of private keys of age that opens it.
    #[arg(long)]
    identity: Option<PathBuf>,
    /// Look at the archive and at the place, and do nothing.
    #[arg(long)]
    check: bool,
    /// Bring back this record alone, such as clients/ID, into the installation as it is. The server may run.
    #[arg(long, conflicts_with = "check")]
    only: Vec<Lost>,
    /// PostgreSQL, with --only: an empty database on the same server, which the backup is laid into meanwhile.
    #[arg(long, requires = "only")]
    through: Option<String>,
    /// With --only: the slug of the workspace; needed where there are several.
    #[arg(long, requires = "only")]
    workspace: Option<String>,
    #[command(flatten)]
    flags: Flags,
}

impl Restore {
    pub(super) async fn run(self) -> Result<(), Fault> {
        let config = configured(self.flags.clone())?;
        let identities = match &self.identity {
            Some(path) => Identities::parse(&std::fs::read_to_string(path).map_err(Error::internal)?)?,
            None => Identities::default(),
        };
        let to = destination(&config)?;
        let archive = find(&config, self.archive.as_deref(), self.second).await?;
        let done = if self.only.is_empty() {
            self.bring(&archive, &identities, &to).await
        } else {
            let asked = Asked { only: &self.only, through: self.through.as_deref(), workspace: self.workspace.as_deref() };
            let mut signals = StopSignals::hear()?;
            tokio::select! {
                done = restore_only::bring_back(&config, &archive, &identities, &to, &asked) => done,
                // what was laid aside goes with it
                () = signals.next() => Err(Error::internal("it was broken off").into()),
            }
        };
        if self.archive.as_deref().is_none_or(|named| archive != Path::new(named)) {
            // it was fetched for this
            let _ = std::fs::remove_file(&archive);
        }
        done
    }

    async fn bring(&self, archive: &Path, identities: &Identities, to: &Destination) -> Result<(), Fault> {
        if self.check {
            let manifest = backup::check(archive, identities, to).await?;
            say(&format!("{} is whole and fits here: {}", archive.display(), contents(&manifest)));
            return Ok(());
        }
        let told = |milestone: Milestone<'_>| match milestone {
            Milestone::Verified(manifest) => say(&format!("{} is whole: {}", archive.display(), contents(manifest))),
            Milestone::Files(count) if count.is_multiple_of(1000) => say(&format!("{count} files are back")),
            Milestone::Files(_) => {}
            Milestone::Database => say("The database is back."),
        };
        let began = std::time::Instant::now();
        let manifest = backup::restore(archive, identities, to, told).await?;
        say(&format!(
            "Everything is back as of {}, in {:.1} minutes. Start the server.",
            manifest.taken_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            began.elapsed().as_secs_f64() / 60.0
        ));
        Ok(())
    }
}

/// Where a backup is brought back to.
fn destination(config: &Config) -> Result<Destination> {
    let missing = || {
        let path = config.secret_key_file.display();
        Error::internal(format!("{path} is not there. Put the secret of the installation there that was backed up"))
    };
    Ok(Destination {
        database: wiring::database(config),
        secret: wiring::given_secret(config)?.ok_or_else(missing)?,
        files: wiring::files_config(config)?,
        scratch: config.data_dir.join("backing-up"),
    })
}

/// The archive on the disk, brought there where it is somewhere else.
pub(super) async fn find(config: &Config, named: Option<&str>, second: bool) -> Result<PathBuf> {
    if let Some(path) = named.map(Path::new).filter(|path| path.is_file()) {
        return Ok(path.to_owned());
    }
    let targets = backup::targets(&wiring::backup_config(config)?)?;
    let target = if second { targets.get(1) } else { targets.first() };
    let target = target.ok_or_else(|| Error::internal("there is no second place for backups in the configuration"))?;
    let name = match named {
        Some(name) => name.to_owned(),
        None => backup::keep::names(target).await?.pop_last().ok_or_else(|| Error::new(&backup::errors::NO_BACKUP))?,
    };
    backup::fetch(target, &name, &config.data_dir.join("backing-up")).await
}
