//! Where backups lie: bringing them there, copying them to the second target, and removing old ones.

use std::collections::BTreeSet;

use chrono::Duration;
use files::storage::Storage;
use futures::TryStreamExt as _;
use kernel::{DateTime, Result};

use crate::make::Made;
use crate::service::{Backups, fetch, taken_at};

/// What storages are told that an archive is.
const MIME: &str = "application/zstd";
/// The newest archives stay, however old they are: where no new ones are made any more, the old ones are all there is.
const ALWAYS: usize = 3;

/// Puts an archive into the first target.
///
/// # Errors
/// `storage_unavailable`; `storage_full`.
pub async fn deliver(backups: &Backups, made: &Made) -> Result<()> {
    match backups.targets().first() {
        Some(target) => target.keep(&made.path, &made.name, MIME).await,
        None => Ok(()),
    }
}

/// The archives of a target, oldest first.
///
/// # Errors
/// `storage_unavailable`.
pub async fn names(target: &Storage) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    let mut all = target.all().await?;
    while let Some(kept) = all.try_next().await? {
        if taken_at(&kept.key).is_some() {
            names.insert(kept.key);
        }
    }
    Ok(names)
}

/// Copies to the second target what the first has and would not be removed, and says how many. So a second target that was away for
/// some nights has everything again when it is back.
///
/// # Errors
/// `storage_unavailable`; `storage_full`.
pub async fn copy_missing(backups: &Backups, now: DateTime) -> Result<u64> {
    let [first, second] = backups.targets() else { return Ok(0) };
    let (here, there) = (names(first).await?, names(second).await?);
    let going: BTreeSet<String> = outdated(&here, backups.config().keep_days, now).into_iter().collect();
    let mut copied = 0;
    for name in here.iter().filter(|name| !there.contains(*name) && !going.contains(*name)) {
        let path = fetch(first, name, &backups.config().scratch).await?;
        let kept = second.keep(&path, name, MIME).await;
        // a folder has taken the file away, a bucket has left it
        let _ = tokio::fs::remove_file(&path).await;
        kept?;
        copied += 1;
    }
    Ok(copied)
}

/// Removes from every target what is older than the days that were set, but never the newest three; says how many.
///
/// # Errors
/// `storage_unavailable`.
pub async fn clean_up(backups: &Backups, now: DateTime) -> Result<u64> {
    let mut removed = 0;
    for target in backups.targets() {
        for name in outdated(&names(target).await?, backups.config().keep_days, now) {
            target.remove(&name).await?;
            tracing::info!(target = target.name, name, "an old backup was removed");
            removed += 1;
        }
    }
    Ok(removed)
}

/// Which of these go, oldest first.
fn outdated(names: &BTreeSet<String>, keep_days: u32, now: DateTime) -> Vec<String> {
    let before = now - Duration::days(keep_days.into());
    let older = names.iter().take(names.len().saturating_sub(ALWAYS));
    older.filter(|name| taken_at(name).is_some_and(|at| at < before)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone as _;

    use super::*;
    use crate::service::archive_name;

    #[test]
    fn what_is_older_than_the_days_goes_and_the_newest_three_stay() {
        let now = chrono::Utc.with_ymd_and_hms(2026, 11, 25, 3, 0, 0).unwrap();
        let of = |ages: &[i64]| -> BTreeSet<String> {
            ages.iter().map(|age| archive_name(now - Duration::minutes(*age), uuid::Uuid::nil(), false)).collect()
        };
        let day = 24 * 60;
        let cases: &[(&[i64], &[i64])] = &[
            (&[], &[]),
            // just inside, at the edge, and just outside
            (&[0, 1, 2, 14 * day - 1, 14 * day, 14 * day + 1], &[14 * day + 1]),
            // there is nothing but old ones
            (&[90 * day, 80 * day, 70 * day], &[]),
            (&[90 * day, 80 * day, 70 * day, 60 * day], &[90 * day]),
        ];
        for (ages, going) in cases {
            let gone: BTreeSet<String> = outdated(&of(ages), 14, now).into_iter().collect();
            assert_eq!(gone, of(going), "{ages:?}");
        }
    }
}
