//! What a storage says, in the words of the kernel, and how long it may take to say it.

use std::future::Future;
use std::io;
use std::time::Duration;

use kernel::error::codes;
use kernel::{Error, Result};

use crate::errors::STORAGE_UNAVAILABLE;

/// Seconds after which a storage that was away is worth another try.
const RETRY: u32 = 5;

/// The storage is away.
#[track_caller]
pub(super) fn unavailable(name: &str) -> Error {
    Error::new(&STORAGE_UNAVAILABLE).with_detail(format!("The storage {name} is away or slow.")).with_retry_after(RETRY)
}

/// What a failure of the disk means.
#[track_caller]
pub(crate) fn from_io(name: &str, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::new(&codes::STORAGE_FULL).with_source(error),
        _ => unavailable(name).with_source(error),
    }
}

/// What a failure of the library means. A full disk stands somewhere below it.
#[track_caller]
pub(super) fn from_objects(name: &str, error: object_store::Error) -> Error {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(found) = cause {
        if let Some(io) = found.downcast_ref::<io::Error>()
            && matches!(io.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
        {
            return Error::new(&codes::STORAGE_FULL).with_source(error);
        }
        cause = found.source();
    }
    unavailable(name).with_source(error)
}

/// Runs a step that may take so long.
pub(super) async fn within<T>(name: &str, time: Duration, step: impl Future<Output = object_store::Result<T>>) -> Result<T> {
    match tokio::time::timeout(time, step).await {
        Ok(done) => done.map_err(|error| from_objects(name, error)),
        Err(_) => Err(unavailable(name).with_source("it took too long")),
    }
}
