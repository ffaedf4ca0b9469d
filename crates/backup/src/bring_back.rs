//! Bringing a backup back into an empty place. Everything that can be known is looked at before anything is touched; then the files come,
//! and the database last, so that no row is there without its file.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use files::FilesConfig;
use files::storage::Storages;
use kernel::{Error, Result};
use store::snapshot::{self, PartSource, Place};
use store::{DatabaseConfig, Secret};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::archive::{DATABASE, FILES, Identities, Manifest, from_io, verify, walk};
use crate::errors::{BACKUP_NOT_FOR_HERE, PLACE_NOT_EMPTY};
use crate::service::secret_check;

/// What waits between the archive's thread and whoever takes it.
const AHEAD: usize = 4;

/// Where a backup is to go.
#[derive(Clone, Debug)]
pub struct Destination {
    /// The database, as its owner.
    pub database: DatabaseConfig,
    /// The installation's secret, which no backup holds.
    pub secret: Secret,
    /// The storages of files.
    pub files: FilesConfig,
    /// A folder with room for the largest file; where a backup is laid aside, for SQLite's database and the files that are taken from it.
    pub scratch: PathBuf,
}

/// How far it is, for whoever waits.
#[derive(Clone, Debug)]
pub enum Milestone<'a> {
    /// The archive is whole.
    Verified(&'a Manifest),
    /// So many files are in their storages.
    Files(u64),
    /// The database is there.
    Database,
}

/// Looks at an archive and at the place, and touches nothing.
///
/// # Errors
/// `backup_damaged`; `backup_not_for_here`; `place_not_empty`; `storage_unavailable` where a storage of its files is not configured.
pub async fn check(archive: &Path, identities: &Identities, to: &Destination) -> Result<Manifest> {
    let manifest = fitting(archive, identities, to).await?;
    check_empty(&to.database, &manifest).await?;
    let storages = Storages::new(&to.files)?;
    for name in &manifest.storages {
        storages.of(name)?.ping().await?;
    }
    Ok(manifest)
}

fn misfit(why: impl Into<String>) -> Error {
    Error::new(&BACKUP_NOT_FOR_HERE).with_detail(why.into())
}

/// Reads an archive whole, and tells whether it belongs to this program and this installation.
pub(crate) async fn fitting(archive: &Path, identities: &Identities, to: &Destination) -> Result<Manifest> {
    let (path, keys) = (archive.to_owned(), identities.clone());
    let manifest = tokio::task::spawn_blocking(move || verify(&path, &keys)).await.map_err(Error::internal)??;
    let engine = to.database.dialect()?.name();
    if manifest.engine != engine {
        return Err(misfit(format!("It is of {}, and the database here is {engine}.", manifest.engine)));
    }
    if manifest.secret_check != secret_check(&to.secret)? {
        return Err(misfit("Its installation has another secret. Put that installation's secret.key here first."));
    }
    let known = migration::steps();
    if !known.starts_with(&manifest.database.steps) {
        return Err(misfit(format!("It was made by {}, whose schema this program does not know.", manifest.pelatis)));
    }
    Ok(manifest)
}

/// Whether a database holds nothing; returns the steps of its schema, where it has one.
pub(crate) async fn check_unused(database: &DatabaseConfig) -> Result<Option<Vec<String>>> {
    match snapshot::place(database).await? {
        Place::Bare => Ok(None),
        Place::Empty(steps) => Ok(Some(steps)),
        Place::Used => Err(Error::new(&PLACE_NOT_EMPTY).with_detail("The database holds an installation.")),
        Place::Foreign => Err(Error::new(&PLACE_NOT_EMPTY).with_detail("The database holds tables of something else.")),
        Place::Served => Err(Error::new(&PLACE_NOT_EMPTY).with_detail("A server is connected to the database. Stop it.")),
    }
}

/// Whether a database can take in what the archive holds.
pub(crate) async fn check_empty(database: &DatabaseConfig, manifest: &Manifest) -> Result<()> {
    match check_unused(database).await? {
        Some(steps) if !snapshot::brings_schema(database)? && steps != manifest.database.steps => {
            Err(misfit("The database has another schema than the backup. Give it one that has none."))
        }
        _ => Ok(()),
    }
}

/// Brings the database of an archive in, and up to this program's schema.
pub(crate) async fn bring_database(
    archive: &Path,
    identities: &Identities,
    database: &DatabaseConfig,
    manifest: &Manifest,
) -> Result<()> {
    migration::migrate_to(database, &manifest.database.steps).await?;
    snapshot::load(database, &manifest.database, &mut Walking::database(archive, identities)).await?;
    migration::migrate(database).await
}

/// Brings it back. What fails in the middle can be begun again: files that are there already are written once more.
///
/// # Errors
/// As [`check`]; what the database and the storages say.
pub async fn restore(
    archive: &Path,
    identities: &Identities,
    to: &Destination,
    mut tell: impl FnMut(Milestone<'_>),
) -> Result<Manifest> {
    let manifest = check(archive, identities, to).await?;
    tell(Milestone::Verified(&manifest));
    std::fs::create_dir_all(&to.scratch).map_err(from_io)?;

    let storages = Storages::new(&to.files)?;
    let mut contents = Walking::files(archive, identities, &to.scratch, |_| true);
    let mut brought = 0;
    while let Some(Found { name, path }) = contents.next().await? {
        let (storage, key) = name.split_once('/').ok_or_else(|| Error::internal("a file of no storage"))?;
        let kept = storages.of(storage)?.keep(&path, key, files::content::mime_of_key(key)).await;
        // a folder has taken the file away, a bucket has left it
        let _ = tokio::fs::remove_file(&path).await;
        kept?;
        brought += 1;
        tell(Milestone::Files(brought));
    }

    bring_database(archive, identities, &to.database, &manifest).await?;
    tell(Milestone::Database);
    Ok(manifest)
}

/// What a thread of its own finds in the archive.
pub(crate) struct Walking<T> {
    found: mpsc::Receiver<T>,
    thread: Option<JoinHandle<Result<()>>>,
}

/// A file that lies on the disk.
pub(crate) struct Found {
    /// Its storage and its key there, with a stroke between.
    pub name: String,
    pub path: PathBuf,
}

impl<T: Send + 'static> Walking<T> {
    fn begin(work: impl FnOnce(mpsc::Sender<T>) -> Result<()> + Send + 'static) -> Self {
        let (send, found) = mpsc::channel(AHEAD);
        Self { found, thread: Some(tokio::task::spawn_blocking(move || work(send))) }
    }

    pub(crate) async fn next(&mut self) -> Result<Option<T>> {
        if let Some(found) = self.found.recv().await {
            return Ok(Some(found));
        }
        match self.thread.take() {
            Some(thread) => thread.await.map_err(Error::internal)?.map(|()| None),
            None => Ok(None),
        }
    }
}

/// Whoever waits for what is found has gone.
fn nobody_waits<T>(_: mpsc::error::SendError<T>) -> Error {
    Error::internal("reading the archive was given up")
}

impl Walking<Found> {
    /// The files of an archive whose names are wanted.
    pub(crate) fn files(
        archive: &Path,
        identities: &Identities,
        scratch: &Path,
        wanted: impl Fn(&str) -> bool + Send + 'static,
    ) -> Self {
        let (archive, identities, scratch) = (archive.to_owned(), identities.clone(), scratch.to_owned());
        Self::begin(move |send| {
            let mut number = 0_u64;
            walk(&archive, &identities, |entry| {
                let Some(name) = entry.name.strip_prefix(FILES).filter(|name| wanted(name)) else { return Ok(()) };
                number += 1;
                let path = scratch.join(format!("restore-{number}.part"));
                let mut file = File::create(&path).map_err(from_io)?;
                io::copy(entry.content, &mut file).and_then(|_| file.sync_all()).map_err(from_io)?;
                send.blocking_send(Found { name: name.to_owned(), path }).map_err(nobody_waits)
            })
        })
    }
}

impl Walking<(String, Vec<u8>)> {
    fn database(archive: &Path, identities: &Identities) -> Self {
        let (archive, identities) = (archive.to_owned(), identities.clone());
        Self::begin(move |send| {
            walk(&archive, &identities, |entry| {
                let Some(name) = entry.name.strip_prefix(DATABASE) else { return Ok(()) };
                let mut bytes = Vec::new();
                entry.content.take(entry.length).read_to_end(&mut bytes).map_err(from_io)?;
                send.blocking_send((name.to_owned(), bytes)).map_err(nobody_waits)
            })
        })
    }
}

impl PartSource for Walking<(String, Vec<u8>)> {
    async fn next(&mut self) -> Result<Option<(String, Vec<u8>)>> {
        Walking::next(self).await
    }
}
