//! A bucket of S3, or of what speaks like it.

use std::path::Path as FsPath;
use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt as _;
use kernel::{Error, Result};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, BackoffConfig, ClientOptions, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, RetryConfig,
};
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;

use super::failure::from_io;
use super::presign::{Place, presigned};
use super::{Linked, Storage};
use crate::config::S3Url;

/// The smallest that S3 takes as a part of a larger object. One is in memory at a time.
const PART: usize = 5 * 1024 * 1024;
/// How long it may take until somebody is there.
const CONNECT: Duration = Duration::from_secs(3);
/// A prefix under which there is never anything.
const NOTHING: &str = "health";

/// A bucket.
#[derive(Debug)]
pub(super) struct Bucket {
    objects: Arc<AmazonS3>,
    url: S3Url,
}

impl std::fmt::Debug for S3Url {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}/{}", self.endpoint, self.bucket)
    }
}

impl Bucket {
    pub fn new(url: &S3Url, timeout: Duration) -> Result<Self> {
        let client = ClientOptions::new()
            .with_allow_http(url.endpoint.starts_with("http:"))
            .with_connect_timeout(CONNECT)
            .with_read_timeout(timeout)
            // a download may take as long as its reader needs; each step of it has a time of its own
            .with_timeout_disabled();
        let retry = RetryConfig {
            backoff: BackoffConfig { init_backoff: Duration::from_millis(100), max_backoff: Duration::from_secs(1), base: 2.0 },
            max_retries: 2,
            retry_timeout: timeout,
        };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&url.bucket)
            .with_region(&url.region)
            .with_endpoint(url.host())
            .with_virtual_hosted_style_request(url.virtual_hosted)
            .with_client_options(client)
            .with_retry(retry);
        if let Some((key, secret)) = &url.credentials {
            builder = builder.with_access_key_id(key).with_secret_access_key(secret);
        }
        let objects = builder.build().map_err(Error::internal)?;
        Ok(Self { objects: Arc::new(objects), url: url.clone() })
    }

    pub fn objects(&self) -> Arc<dyn ObjectStore> {
        self.objects.clone()
    }

    /// Sends a file; S3 shows it when all of it is there.
    pub async fn send(&self, storage: &Storage, file: &FsPath, key: &str, mime_type: &str) -> Result<()> {
        let failed = |error| from_io(&storage.name, error);
        let mut file = File::open(file).await.map_err(failed)?;
        let (path, attributes) = (Path::from(key), Attributes::from_iter([(Attribute::ContentType, mime_type.to_owned())]));
        let first = part(&mut file).await.map_err(failed)?;
        if first.len() < PART {
            let options = PutOptions { attributes, ..PutOptions::default() };
            return storage.step(self.objects.put_opts(&path, PutPayload::from(first), options)).await.map(|_| ());
        }
        let options = PutMultipartOptions { attributes, ..PutMultipartOptions::default() };
        let mut upload = storage.step(self.objects.put_multipart_opts(&path, options)).await?;
        let sent = async {
            let mut next = first;
            while !next.is_empty() {
                let is_last = next.len() < PART;
                storage.step(upload.put_part(PutPayload::from(next))).await?;
                next = if is_last { Vec::new() } else { part(&mut file).await.map_err(failed)? };
            }
            storage.step(upload.complete()).await.map(|_| ())
        }
        .await;
        if sent.is_err()
            && let Err(error) = storage.step(upload.abort()).await
        {
            tracing::warn!(?error, "parts of an object stay in the bucket, until its rule for incomplete uploads removes them");
        }
        sent
    }

    /// Asks for a list of nothing: that needs the bucket and a right to it.
    pub async fn ping(&self) -> object_store::Result<()> {
        self.objects.list(Some(&Path::from(NOTHING))).try_next().await.map(|_| ())
    }

    pub async fn link(&self, storage: &Storage, linked: &Linked<'_>) -> Result<String> {
        let credential = storage.step(self.objects.credentials().get_credential()).await?;
        let place = Place { endpoint: &self.url.host(), bucket: self.url.in_path(), region: &self.url.region };
        presigned(&place, &credential, linked)
    }
}

impl S3Url {
    /// The endpoint, the bucket in it where it is to be there.
    fn host(&self) -> String {
        match self.endpoint.split_once("://") {
            Some((scheme, host)) if self.virtual_hosted => format!("{scheme}://{}.{host}", self.bucket),
            _ => self.endpoint.clone(),
        }
    }

    /// The bucket where it is part of the path.
    fn in_path(&self) -> Option<&str> {
        (!self.virtual_hosted).then_some(self.bucket.as_str())
    }
}

async fn part(file: &mut File) -> std::io::Result<Vec<u8>> {
    let mut part = Vec::with_capacity(PART);
    file.take(PART as u64).read_to_end(&mut part).await?;
    Ok(part)
}
