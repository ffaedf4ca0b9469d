//! `pelatis backup` and `pelatis restore`.

use std::path::{Path, PathBuf};

use backup::archive::{Identities, Manifest};
use backup::{Destination, Milestone};
use clap::Args;
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use kernel::{Error, Result};

use super::{Fault, configured, say};
use crate::config::{Config, Flags};
use crate::wiring;

/// Back up everything to where backups go, or to a file. The server may run meanwhile.
#[derive(Debug, Args)]
pub struct Back {
    /// A new file, instead of the places that are configured.
    #[arg(long)]
    to: Option<PathBuf>,
    #[command(flatten)]
    flags: Flags,
}

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
    #[command(flatten)]
    flags: Flags,
}

impl Back {
    pub(super) async fn run(self) -> Result<(), Fault> {
        let config = configured(self.flags)?;
        let (store, auth) = wiring::open(&config).await?;
        let files = wiring::open_files(&config, &store)?;
        let backups = wiring::open_backups(&config, &store, &files)?;
        let bar = ProgressBar::no_length();
        let style = ProgressStyle::with_template("{spinner} {bytes} read, {elapsed}").map_err(Error::internal)?;
        bar.set_style(style);
        let on_way = async |bytes: u64| {
            bar.set_position(bytes);
            Ok(())
        };
        let mut copied = Ok(());
        let (manifest, written, place) = match &self.to {
            Some(path) => {
                let made = backup::make(&backups, on_way).await?;
                move_to(&made.path, path)?;
                (made.manifest.clone(), made.written.clone(), path.display().to_string())
            }
            None => {
                let (made, copy) = backups.back_up(&auth.installation(), on_way).await?;
                copied = copy;
                (made.manifest.clone(), made.written.clone(), made.name.clone())
            }
        };
        bar.finish_and_clear();
        say(&format!("{place}: {}, SHA-256 {}", HumanBytes(written.bytes), written.sha256));
        say(&contents(&manifest));
        for damaged in &manifest.damaged {
            say(&format!("Not backed up: {} in {}: {}", damaged.key, damaged.storage, damaged.problem));
        }
        store.close().await;
        // it is made and kept; whoever waits for its copy hears that there is none
        copied.map_err(Fault::from)
    }
}

fn contents(manifest: &Manifest) -> String {
    let files = if manifest.has_files { manifest.files.to_string() } else { "no".to_owned() };
    format!(
        "{} rows of {} tables, {files} files ({})",
        manifest.rows(),
        manifest.database.tables.len(),
        HumanBytes(manifest.file_bytes)
    )
}

/// Moves a finished archive to a name that is free, whatever disk it is on.
fn move_to(from: &Path, to: &Path) -> Result<()> {
    let taken = |error: std::io::Error| Error::internal(format!("{}: {error}", to.display()));
    let mut target = std::fs::File::options().write(true).create_new(true).open(to).map_err(taken)?;
    let mut source = std::fs::File::open(from).map_err(Error::internal)?;
    std::io::copy(&mut source, &mut target).map_err(taken)?;
    target.sync_all().map_err(taken)
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
        let done = self.bring(&archive, &identities, &to).await;
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
