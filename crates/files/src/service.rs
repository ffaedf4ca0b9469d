//! Files as a service: the storages, and how they are used.

use std::sync::Arc;

use aws_lc_rs::hmac;
use kernel::{Error, Result};
use store::Store;

use crate::attach::{Attachable, Attachables};
use crate::config::FilesConfig;
use crate::content::{self, Declared, FileType};
use crate::rows::FileId;
use crate::scanner;
use crate::spool::{Received, Spool};
use crate::storage::Storages;

/// Files as a service. Cheap to clone.
#[derive(Clone)]
pub struct Files(Arc<Inner>);

struct Inner {
    store: Store,
    config: FilesConfig,
    storages: Storages,
    attachables: Attachables,
    link_key: hmac::Key,
}

impl std::fmt::Debug for Files {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Files({:?})", self.0.storages)
    }
}

/// What was received and examined: it may be stored.
#[derive(Debug)]
pub struct Examined {
    received: Received,
    pub(crate) file_type: FileType,
}

/// An object that is in its storage, and has no row yet.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The id that the file is to have.
    pub(crate) id: FileId,
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) file_type: FileType,
    pub(crate) length: i64,
    pub(crate) sha256: String,
}

impl Files {
    /// Takes the storages into use. None of them needs to be there.
    ///
    /// # Errors
    /// `internal` where a storage cannot be what it is configured as.
    pub fn open(store: Store, config: FilesConfig, attachables: &'static [&'static [Attachable]]) -> Result<Self> {
        let (storages, link_key) = (Storages::new(&config)?, store.secret().signer("file-link")?);
        Ok(Self(Arc::new(Inner { store, config, storages, attachables: Attachables(attachables), link_key })))
    }

    /// The storages.
    pub fn storages(&self) -> &Storages {
        &self.0.storages
    }

    /// How files are kept.
    pub fn config(&self) -> &FilesConfig {
        &self.0.config
    }

    pub(crate) fn attachables(&self) -> Attachables {
        self.0.attachables
    }

    pub(crate) fn link_key(&self) -> &hmac::Key {
        &self.0.link_key
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    /// Begins to take in a file.
    ///
    /// # Errors
    /// `storage_full`; `storage_unavailable` where the disk fails.
    pub async fn receive(&self) -> Result<Spool> {
        Spool::begin(&self.0.config.spool, self.0.store.runtime(), self.0.config.most_bytes).await
    }

    /// What is taken of what a workspace takes, on a record of this type or on none.
    pub fn taken_on(&self, rel_type: Option<&str>, allowed: auth::workspaces::FileKinds) -> auth::workspaces::FileKinds {
        match rel_type.and_then(|rel_type| self.0.attachables.find(rel_type)) {
            Some(attachable) if attachable.only_pictures => allowed.pictures(),
            _ => allowed,
        }
    }

    /// Tells what a file is and that it may be taken.
    ///
    /// # Errors
    /// `file_type_not_allowed`; `file_type_mismatch`; `file_malformed`; `file_too_dense`; `file_infected`; `scanner_unavailable`.
    pub async fn examine(
        &self,
        received: Received,
        declared: &Declared,
        allowed: auth::workspaces::FileKinds,
    ) -> Result<Examined> {
        let file_type = content::examine(&received, declared, allowed).await?;
        if let Some(scanner) = &self.0.config.scanner {
            scanner::scan(scanner, received.path()).await?;
        }
        Ok(Examined { received, file_type })
    }

    /// Puts a file into the storage for new ones.
    ///
    /// # Errors
    /// `storage_unavailable`; `storage_full`.
    pub async fn store_content(
        &self,
        workspace: kernel::WorkspaceId,
        on: Option<(&str, uuid::Uuid)>,
        examined: Examined,
    ) -> Result<Stored> {
        let runtime = self.0.store.runtime();
        let id: FileId = runtime.id();
        let Examined { received, file_type } = examined;
        let (records, record) = match on {
            Some((rel_type, rel_id)) => {
                let attachable = self.0.attachables.find(rel_type).ok_or_else(Error::not_found)?;
                (attachable.plural, rel_id)
            }
            None => ("files", kernel::TypedId::uuid(id)),
        };
        let key = format!("{workspace}/{records}/{record}/{}.{}", runtime.uuid(), file_type.ending());
        let storage = self.0.storages.for_new()?;
        storage.keep(received.path(), &key, file_type.mime()).await?;
        Ok(Stored {
            id,
            bucket: storage.name.clone(),
            key,
            file_type,
            length: i64::try_from(received.length).map_err(Error::internal)?,
            sha256: received.sha256.clone(),
        })
    }

    /// Takes back an object that got no row. One that cannot be removed now is found by the clean-up.
    pub async fn take_back(&self, stored: &Stored) {
        self.remove_object(&stored.bucket, &stored.key).await;
    }

    pub(crate) async fn remove_object(&self, bucket: &str, key: &str) {
        let removed = match self.0.storages.of(bucket) {
            Ok(storage) => storage.remove(key).await,
            Err(error) => Err(error),
        };
        if let Err(error) = removed {
            tracing::warn!(?error, "an object without a file is left to the clean-up");
        }
    }
}
