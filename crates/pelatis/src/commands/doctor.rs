//! `pelatis doctor`.

use std::path::{Path, PathBuf};

use backup::archive::{Identities, verify};
use clap::Args;
use kernel::{Error, Result};

use super::{Fault, configured, say};
use crate::config::{Config, Flags};
use crate::wiring;

/// Look at everything that the server needs, and at the newest backup, from its first byte to its last.
#[derive(Debug, Args)]
pub struct Doctor {
    /// The file of private keys of age that opens backups.
    #[arg(long)]
    identity: Option<PathBuf>,
    #[command(flatten)]
    flags: Flags,
}

impl Doctor {
    pub(super) async fn run(self) -> Result<(), Fault> {
        let config = configured(self.flags)?;
        let mut faults = 0_usize;
        let mut tell = |what: &str, found: Result<String>| match found {
            Ok(detail) => say(&format!("ok      {what}: {detail}")),
            Err(error) => {
                faults += 1;
                say(&format!("fault   {what}: {error:?}"));
            }
        };
        tell("configuration", Ok("it is right".to_owned()));
        tell("secret", secret(&config));
        let opened = wiring::open(&config).await;
        match &opened {
            Ok((store, _)) => {
                tell("database", store.ping().await.map(|()| store.dialect().name().to_owned()));
                if let Some(well) = store.shared().ping().await {
                    let found = if well { Ok("it answers".to_owned()) } else { Err(Error::internal("it does not answer")) };
                    tell("redis", found);
                }
                let files = wiring::open_files(&config, store)?;
                for storage in files.storages().iter() {
                    tell(&format!("storage {}", storage.name), storage.ping().await.map(|()| storage.kind().to_owned()));
                }
                let backups = wiring::open_backups(&config, store, &files)?;
                for (number, target) in backups.targets().iter().enumerate() {
                    let names = backup::keep::names(target).await;
                    tell(&format!("backups, place {}", number + 1), names.map(|names| format!("{} archives", names.len())));
                }
                let health = backup::health(&backups).await;
                tell(
                    "backups",
                    health
                        .and_then(|health| if health.is_well { Ok(health.detail) } else { Err(Error::internal(health.detail)) }),
                );
            }
            Err(error) => tell("database", Err(Error::internal(format!("{error:?}")))),
        }
        if opened.is_ok() {
            tell("newest backup", newest(&config, self.identity.as_deref()).await);
        }
        if let Ok((store, _)) = opened {
            store.close().await;
        }
        if faults == 0 { Ok(()) } else { Err(Error::internal(format!("{faults} faults were found")).into()) }
    }
}

/// Reads the newest archive from its first byte to its last; an encrypted one only where the key is there.
async fn newest(config: &Config, identity: Option<&Path>) -> Result<String> {
    let identities = match identity {
        Some(path) => Identities::parse(&std::fs::read_to_string(path).map_err(Error::internal)?)?,
        None => Identities::default(),
    };
    let path = match super::restore::find(config, None, false).await {
        Ok(path) => path,
        Err(error) if *error.code() == backup::errors::NO_BACKUP => return Ok("there is none yet".to_owned()),
        Err(error) => return Err(error),
    };
    let is_sealed = path.extension().is_some_and(|ending| ending == "age");
    let read = path.clone();
    let verified = match (is_sealed, identity.is_some()) {
        (true, false) => Ok("it is encrypted; give --identity to have it read".to_owned()),
        _ => tokio::task::spawn_blocking(move || verify(&read, &identities))
            .await
            .map_err(Error::internal)?
            .map(|manifest| format!("whole, of {}, {} rows, {} files", manifest.taken_at, manifest.rows(), manifest.files)),
    };
    // it was fetched to be read
    let _ = tokio::fs::remove_file(&path).await;
    verified
}

fn secret(config: &Config) -> Result<String> {
    match wiring::given_secret(config)? {
        Some(_) => Ok("it is there; keep a copy apart from backups".to_owned()),
        None => Err(Error::internal(format!("{} is not there", config.secret_key_file.display()))),
    }
}
