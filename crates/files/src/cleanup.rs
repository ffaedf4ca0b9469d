//! What a crash leaves over: uploads on their way, and objects that got no row. Both are found when they are older than a day, which no
//! upload is that still runs.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::Path;

use chrono::Duration;
use futures::TryStreamExt as _;
use kernel::{Caller, Cause, DateTime, Error, Result, TypedId as _, WorkspaceId};
use store::query::{Expr, ExprTrait, Query};

use crate::imports;
use crate::service::Files;
use crate::storage::{Kept, Storage};

/// What is younger may still become a file.
const LEFT_OVER: Duration = Duration::days(1);
/// Objects that are looked for in one go.
const AT_ONCE: usize = 200;

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// Uploads on their way.
    pub spooled: u64,
    /// Objects without a row.
    pub orphans: u64,
}

/// Removes what was left over. A storage that is away is left for the next time.
///
/// # Errors
/// What the database says.
pub async fn clean_up(files: &Files) -> Result<Cleaned> {
    let before = files.store().runtime().now() - LEFT_OVER;
    let spool = files.config().spool.clone();
    let spooled = tokio::task::spawn_blocking(move || clear(&spool, before)).await.map_err(Error::internal)?;
    let mut cleaned = Cleaned { spooled: spooled.map_err(Error::internal)?, orphans: 0 };
    for storage in files.storages().iter() {
        match orphans(files, storage, before).await {
            Ok(removed) => cleaned.orphans += removed,
            Err(error) if error.kind() == kernel::Kind::Unavailable => {
                tracing::warn!(?error, storage = storage.name, "objects without a file are looked for later");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(cleaned)
}

fn clear(spool: &Path, before: DateTime) -> io::Result<u64> {
    let entries = match std::fs::read_dir(spool) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut removed = 0;
    for entry in entries {
        let entry = entry?;
        let found = entry.metadata()?;
        // nothing else is ours to remove, whatever folder the spool was set to
        let is_ours = found.is_file() && entry.path().extension().is_some_and(|ending| ending == "part");
        if is_ours && DateTime::from(found.modified()?) < before {
            std::fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

async fn orphans(files: &Files, storage: &Storage, before: DateTime) -> Result<u64> {
    let (mut removed, mut old) = (0, Vec::new());
    let mut all = storage.all().await?;
    while let Some(kept) = all.try_next().await? {
        if kept.modified < before {
            old.push(kept);
        }
        if old.len() == AT_ONCE {
            removed += remove(files, storage, std::mem::take(&mut old)).await?;
        }
    }
    Ok(removed + remove(files, storage, old).await?)
}

/// Removes those of these objects that no row speaks of. What lies under no workspace of this installation belongs to somebody else, who
/// keeps files in the same place.
async fn remove(files: &Files, storage: &Storage, old: Vec<Kept>) -> Result<u64> {
    let mut by_workspace: BTreeMap<uuid::Uuid, Vec<String>> = BTreeMap::new();
    for kept in old {
        let workspace = kept.key.split('/').next().and_then(|first| first.parse().ok());
        if let Some(workspace) = workspace {
            by_workspace.entry(workspace).or_default().push(kept.key);
        }
    }
    let mut removed = 0;
    for (workspace, keys) in by_workspace {
        let Some(known) = known(files, storage, WorkspaceId::from_uuid(workspace), &keys).await? else { continue };
        for key in keys.iter().filter(|key| !known.contains(*key)) {
            storage.remove(key).await?;
            removed += 1;
            tracing::info!(storage = storage.name, key, "an object without a file was removed");
        }
    }
    Ok(removed)
}

/// Which of these objects have a row; none where there is no such workspace. Asked as one of the workspace, because nobody else sees
/// its rows.
async fn known(files: &Files, storage: &Storage, workspace: WorkspaceId, keys: &[String]) -> Result<Option<HashSet<String>>> {
    let caller = Caller::job(files.store().runtime().uuid(), Some(workspace), Cause::Command);
    let mut reader = files.store().reader(&caller).await?;
    let mut of_workspace = Query::select();
    of_workspace.column("id").from("workspace").and_where(Expr::col("id").eq(workspace.uuid()));
    if reader.row(&of_workspace).await?.is_none() {
        reader.close().await?;
        return Ok(None);
    }
    let among = |column: &'static str| Expr::col(column).is_in(keys.iter().map(String::as_str));
    let mut select = Query::select();
    select
        .columns(["storage_key", "thumbnail_key"])
        .from("file")
        .and_where(among("storage_key").or(among("thumbnail_key")))
        .and_where(Expr::col("storage_bucket").eq(storage.name.as_str()));
    let rows = reader.rows(&select).await?;
    reader.close().await?;
    let mut known = HashSet::new();
    for row in &rows {
        known.insert(row.get::<String>(0)?);
        known.extend(row.get::<Option<String>>(1)?);
    }
    known.extend(imports::known(files, &caller, workspace, &storage.name, keys).await?);
    Ok(Some(known))
}
