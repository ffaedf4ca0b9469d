//! Where the content of files is: a folder, or a bucket of S3. One is for new files; further ones are read, so that what was put
//! somewhere else before stays there.
//!
//! A storage may be away at the start or later. Every step has a time, and what fails is answered `storage_unavailable`; the next step tries
//! anew, so nothing needs to be started again when it is back.

pub(crate) mod failure;
mod folder;
mod presign;
mod s3;

use std::future::Future;
use std::ops::Range;
use std::path::Path as FsPath;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use kernel::{DateTime, Error, Result};
use object_store::path::Path;
use object_store::{GetOptions, GetRange, GetResultPayload, ObjectStore, ObjectStoreExt as _};

use crate::config::{FilesConfig, PlaceUrl, StorageUrl};
use failure::{unavailable, within};
use folder::Folder;
use s3::Bucket;

/// The content of a file as it comes, piece by piece.
pub type Content = BoxStream<'static, Result<Bytes>>;

/// How long a storage may take to say that it is well.
const PING: Duration = Duration::from_secs(2);

/// An object that is in a storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its key.
    pub key: String,
    /// When it was last written.
    pub modified: DateTime,
}

/// One storage.
#[derive(Debug)]
pub struct Storage {
    /// What files remember it by.
    pub name: String,
    place: Place,
    timeout: Duration,
}

#[derive(Debug)]
enum Place {
    Folder(Folder),
    Bucket(Box<Bucket>),
}

/// What a link shall lead to.
#[derive(Clone, Debug)]
pub(crate) struct Linked<'a> {
    pub key: &'a str,
    pub disposition: &'a str,
    pub mime_type: &'a str,
    pub now: DateTime,
    pub seconds: u32,
}

impl Storage {
    /// A storage, which need not be there.
    ///
    /// # Errors
    /// `internal` where it cannot be what it is configured as.
    pub fn new(url: &StorageUrl, timeout: Duration) -> Result<Self> {
        let place = match &url.place {
            PlaceUrl::Folder(path) => Place::Folder(Folder::new(path)),
            PlaceUrl::S3(s3) => Place::Bucket(Box::new(Bucket::new(s3, timeout)?)),
        };
        Ok(Self { name: url.name.clone(), place, timeout })
    }

    async fn objects(&self) -> Result<Arc<dyn ObjectStore>> {
        match &self.place {
            Place::Folder(folder) => Ok(folder.objects().await?),
            Place::Bucket(bucket) => Ok(bucket.objects()),
        }
    }

    /// Runs one step with the time that it may take.
    async fn step<T>(&self, work: impl Future<Output = object_store::Result<T>>) -> Result<T> {
        within(&self.name, self.timeout, work).await
    }

    /// Puts a file that lies on the disk under a key, whole or not at all.
    ///
    /// # Errors
    /// `storage_unavailable`; `storage_full`.
    pub async fn keep(&self, file: &FsPath, key: &str, mime_type: &str) -> Result<()> {
        match &self.place {
            Place::Folder(folder) => folder.adopt(&self.name, file, key).await,
            Place::Bucket(bucket) => bucket.send(self, file, key, mime_type).await,
        }
    }

    /// The content under a key, or a part of it.
    ///
    /// # Errors
    /// `storage_unavailable`, also where the object is gone: its row says that it is there.
    pub async fn open(&self, key: &str, range: Option<Range<u64>>) -> Result<Content> {
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        let (objects, path) = (self.objects().await?, Path::from(key));
        let found = self.step(objects.get_opts(&path, options)).await?;
        let range = found.range.clone();
        Ok(match found.payload {
            GetResultPayload::File(file, _) => folder::pieces(file, range),
            GetResultPayload::Stream(pieces) => self.watched(pieces),
        })
    }

    /// A stream that fails where the next piece takes too long.
    fn watched(&self, pieces: BoxStream<'static, object_store::Result<Bytes>>) -> Content {
        let (name, timeout) = (self.name.clone(), self.timeout);
        futures::stream::try_unfold(pieces, move |mut pieces| {
            let name = name.clone();
            async move {
                let next = within(&name, timeout, pieces.try_next()).await?;
                Ok(next.map(|piece| (piece, pieces)))
            }
        })
        .boxed()
    }

    /// Whether there is such an object.
    ///
    /// # Errors
    /// `storage_unavailable`.
    pub async fn has(&self, key: &str) -> Result<bool> {
        let (objects, path) = (self.objects().await?, Path::from(key));
        let found = async {
            match objects.head(&path).await {
                Ok(_) => Ok(true),
                Err(object_store::Error::NotFound { .. }) => Ok(false),
                Err(error) => Err(error),
            }
        };
        self.step(found).await
    }

    /// Removes an object; one that is gone already is as good as removed.
    ///
    /// # Errors
    /// `storage_unavailable`.
    pub async fn remove(&self, key: &str) -> Result<()> {
        let (objects, path) = (self.objects().await?, Path::from(key));
        let removed = async {
            match objects.delete(&path).await {
                Err(object_store::Error::NotFound { .. }) => Ok(()),
                other => other,
            }
        };
        self.step(removed).await
    }

    /// Every object there is, in no order.
    ///
    /// # Errors
    /// `storage_unavailable`.
    pub async fn all(&self) -> Result<BoxStream<'static, Result<Kept>>> {
        let objects = self.objects().await?;
        let (name, timeout) = (self.name.clone(), self.timeout);
        let found = objects.list(None);
        let listed = futures::stream::try_unfold(found, move |mut found| {
            let name = name.clone();
            async move {
                let next = within(&name, timeout, found.try_next()).await?;
                Ok(next.map(|meta| (Kept { key: meta.location.to_string(), modified: meta.last_modified }, found)))
            }
        });
        Ok(listed.boxed())
    }

    /// A link to the storage itself, where it has such.
    pub(crate) async fn link(&self, linked: &Linked<'_>) -> Result<Option<String>> {
        match &self.place {
            Place::Folder(_) => Ok(None),
            Place::Bucket(bucket) => bucket.link(self, linked).await.map(Some),
        }
    }

    /// Whether it can be written to.
    ///
    /// # Errors
    /// `storage_unavailable`.
    pub async fn ping(&self) -> Result<()> {
        match &self.place {
            Place::Folder(folder) => {
                tokio::time::timeout(PING, folder.objects()).await.map_err(|_| unavailable(&self.name))?.map(|_| ())
            }
            Place::Bucket(bucket) => within(&self.name, PING, bucket.ping()).await,
        }
    }

    /// What sort of storage it is.
    pub fn kind(&self) -> &'static str {
        match &self.place {
            Place::Folder(_) => "folder",
            Place::Bucket(_) => "s3",
        }
    }
}

/// All storages that are configured. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Storages(Arc<Vec<Storage>>);

impl Storages {
    /// The storages of a configuration.
    ///
    /// # Errors
    /// As [`Storage::new`].
    pub fn new(config: &FilesConfig) -> Result<Self> {
        let urls = std::iter::once(&config.storage).chain(&config.further);
        let all = urls.map(|url| Storage::new(url, config.storage_timeout)).collect::<Result<Vec<_>>>()?;
        Ok(Self(Arc::new(all)))
    }

    /// Where new files go.
    ///
    /// # Errors
    /// `internal` where none is configured, which there always is.
    pub fn for_new(&self) -> Result<&Storage> {
        self.0.first().ok_or_else(|| Error::internal("no storage is configured"))
    }

    /// The storage that a file was put in.
    ///
    /// # Errors
    /// `storage_unavailable` where it is not configured any more.
    pub fn of(&self, bucket: &str) -> Result<&Storage> {
        self.0.iter().find(|storage| storage.name == bucket).ok_or_else(|| {
            unavailable(bucket).with_source(format!("files are in a storage called {bucket}, which is not configured"))
        })
    }

    /// All of them, the one for new files first.
    pub fn iter(&self) -> impl Iterator<Item = &Storage> {
        self.0.iter()
    }
}
