//! A backup laid aside: its database in a place of its own, to take single records from.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use kernel::{Error, Result};
use store::DatabaseConfig;
use tempfile::TempDir;

use crate::archive::{Identities, Manifest, from_io};
use crate::bring_back::{Destination, Walking, bring_database, check_empty, check_unused, fitting};

/// What folders begin with that a backup is laid into; the clean-up of backups removes those that a crash left.
pub(crate) const ASIDE: &str = "aside-";

/// A backup that is laid aside. What lies in the scratch folder goes when it is dropped; a database of PostgreSQL stays for whoever
/// made it.
#[derive(Debug)]
pub struct Aside {
    archive: PathBuf,
    identities: Identities,
    manifest: Manifest,
    database: DatabaseConfig,
    folder: TempDir,
}

/// Lays a backup aside, whatever the installation holds: on SQLite in the scratch folder, on PostgreSQL in the database of this name, which
/// must be empty.
///
/// # Errors
/// `backup_damaged`; `backup_not_for_here`; `place_not_empty`; `internal` with a text for the operator, where a name is needed or is not.
pub async fn lay_aside(archive: &Path, identities: &Identities, here: &Destination, named: Option<&str>) -> Result<Aside> {
    std::fs::create_dir_all(&here.scratch).map_err(from_io)?;
    let folder = tempfile::Builder::new().prefix(ASIDE).tempdir_in(&here.scratch).map_err(from_io)?;
    let database = match (here.database.dialect()?.name(), named) {
        ("sqlite", None) => {
            let url = format!("sqlite:{}", folder.path().join("aside.db").display());
            DatabaseConfig { url, owner_url: None, ..here.database.clone() }
        }
        (_, Some(name)) => here.database.on_same_server(name)?,
        (_, None) => {
            return Err(Error::internal("make an empty database for the backup beside this one, and name it with --through"));
        }
    };
    // before an archive of hours is read in vain
    check_unused(&database).await?;
    let manifest = fitting(archive, identities, here).await?;
    check_empty(&database, &manifest).await?;
    bring_database(archive, identities, &database, &manifest).await?;
    Ok(Aside { archive: archive.to_owned(), identities: identities.clone(), manifest, database, folder })
}

impl Aside {
    /// What the archive says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Where its database is.
    pub fn database(&self) -> &DatabaseConfig {
        &self.database
    }

    /// Puts these files on the disk, as far as the archive has them, by storage and key with a stroke between.
    ///
    /// # Errors
    /// `backup_damaged`; `storage_full`.
    pub async fn files(&self, wanted: HashSet<String>) -> Result<HashMap<String, PathBuf>> {
        let mut found = HashMap::new();
        if wanted.is_empty() {
            return Ok(found);
        }
        let mut contents = Walking::files(&self.archive, &self.identities, self.folder.path(), move |name| wanted.contains(name));
        while let Some(file) = contents.next().await? {
            found.insert(file.name, file.path);
        }
        Ok(found)
    }
}
