//! Content on its way: from a storage to the disk, with its length and digest.

use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};
use files::storage::Storage;
use futures::TryStreamExt as _;
use kernel::Result;
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;

use crate::archive::{from_io, hex};

/// Writes the content under a key to a file, and says what came.
///
/// # Errors
/// `storage_unavailable`; `storage_full`.
pub(crate) async fn fetch(storage: &Storage, key: &str, to: &Path) -> Result<(u64, String)> {
    let mut file = File::create(to).await.map_err(from_io)?;
    let fetched = async {
        let (mut length, mut digest) = (0, Context::new(&SHA256));
        let mut content = storage.open(key, None).await?;
        while let Some(piece) = content.try_next().await? {
            length += u64::try_from(piece.len()).map_err(kernel::Error::internal)?;
            digest.update(&piece);
            file.write_all(&piece).await.map_err(from_io)?;
        }
        file.flush().await.map_err(from_io)?;
        Ok((length, hex(digest.finish().as_ref())))
    }
    .await;
    if fetched.is_err() {
        // half of it is of no use
        let _ = tokio::fs::remove_file(to).await;
    }
    fetched
}
