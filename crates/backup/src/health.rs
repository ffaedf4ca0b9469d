//! Whether there is a backup that is worth something.

use kernel::{Caller, Cause, DateTime, Result};
use store::Store;
use store::query::Query;

use crate::runs::{self, Backup};
use crate::service::Backups;

/// How backups are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Whether all is well.
    pub is_well: bool,
    /// What there is to say.
    pub detail: String,
}

/// Looks at the newest backup. An installation that is younger than a backup may be old needs none yet, and neither does one that was told
/// to make none.
///
/// # Errors
/// What the database says.
pub async fn health(backups: &Backups) -> Result<Health> {
    let (store, config) = (backups.store(), backups.config());
    let caller = Caller::job(store.runtime().uuid(), None, Cause::Command);
    let mut reader = store.reader(&caller).await?;
    let newest = runs::newest(&mut reader).await?;
    reader.close().await?;
    let now = store.runtime().now();
    let overdue = i64::try_from(config.overdue.as_secs()).unwrap_or(i64::MAX);
    let is_late = |since: DateTime| (now - since).num_seconds() > overdue;
    let Some(newest) = newest else {
        let since = set_up_at(store, &caller).await?;
        let is_well = !config.is_nightly || since.is_none_or(|since| !is_late(since));
        return Ok(Health { is_well, detail: "there is no backup yet".to_owned() });
    };
    let age = |at: DateTime| format!("{} h", (now - at).num_hours().max(0));
    let (is_well, detail) = judge(&newest, config.is_nightly, config.second.is_some(), is_late, age);
    Ok(Health { is_well, detail })
}

fn judge(
    newest: &Backup,
    is_nightly: bool,
    has_second: bool,
    is_late: impl Fn(DateTime) -> bool,
    age: impl Fn(DateTime) -> String,
) -> (bool, String) {
    let made = newest.finished_at.unwrap_or(newest.created_at);
    let mut faults = Vec::new();
    if is_nightly && is_late(newest.created_at) {
        faults.push("which is too old".to_owned());
    }
    if has_second && newest.copied_at.is_none() && is_late(made) {
        faults.push("and is not in the second target".to_owned());
    }
    if newest.damaged_count.unwrap_or(0) > 0 {
        faults.push(format!("without {} files that are damaged", newest.damaged_count.unwrap_or(0)));
    }
    let told = format!("the newest is {} old", age(made));
    if faults.is_empty() { (true, told) } else { (false, format!("{told}, {}", faults.join(", "))) }
}

/// When the installation was set up; none where it is not yet.
async fn set_up_at(store: &Store, caller: &Caller) -> Result<Option<DateTime>> {
    let mut select = Query::select();
    select.column("set_up_at").from("installation");
    let mut reader = store.reader(caller).await?;
    let row = reader.row(&select).await?;
    reader.close().await?;
    match row {
        Some(row) => row.get(0),
        None => Ok(None),
    }
}
