//! `pelatis backup`.

use std::path::{Path, PathBuf};

use backup::archive::Manifest;
use clap::Args;
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use kernel::{Error, Result};

use super::{Fault, configured, say};
use crate::config::Flags;
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

pub(super) fn contents(manifest: &Manifest) -> String {
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
