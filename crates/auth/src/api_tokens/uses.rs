//! How often tokens are used: counted in the memory of each node, and written together once a minute at most. Nodes add up in the
//! database. What was counted since is lost with a process that is killed.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use kernel::{DateTime, Result, TypedId as _, WorkspaceId};
use store::query::{CaseStatement, Expr, ExprTrait, OnConflict, Query};
use store::{Field as _, UnitOfWork};

use super::usage::day_of;
use crate::Auth;
use crate::rows::ApiTokenId;

/// How often it is written.
const WRITTEN_ONCE_IN: chrono::Duration = chrono::Duration::minutes(1);
/// Tokens that are counted between two times; of more of them nothing is noted. There is an entry only for tokens that are good.
const MOST: usize = 10_000;
/// Tokens that are written in one transaction.
const AT_A_TIME: usize = 100;

/// What was counted and not written yet.
#[derive(Debug, Default)]
pub(crate) struct Uses(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    by_token: HashMap<ApiTokenId, Used>,
    written_at: Option<DateTime>,
}

/// The uses of one token.
#[derive(Clone, Debug)]
struct Used {
    workspace: WorkspaceId,
    last_at: DateTime,
    last_from: Option<IpAddr>,
    by_day: BTreeMap<DateTime, i64>,
}

impl Used {
    fn add(&mut self, more: Self) {
        if more.last_at >= self.last_at {
            (self.last_at, self.last_from) = (more.last_at, more.last_from);
        }
        for (day, uses) in more.by_day {
            *self.by_day.entry(day).or_default() += uses;
        }
    }
}

impl Uses {
    fn lock(&self) -> MutexGuard<'_, Counted> {
        // what is counted holds together after each step
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts; says whether it is time to write.
    fn count(&self, token: ApiTokenId, used: Used) -> bool {
        let mut counted = self.lock();
        let now = used.last_at;
        counted.put(token, used);
        counted.written_at.is_none_or(|at| now - at >= WRITTEN_ONCE_IN)
    }

    /// Takes what there is to write.
    fn take(&self, now: DateTime) -> Taken<'_> {
        let mut counted = self.lock();
        counted.written_at = Some(now);
        let mut rest: Vec<(ApiTokenId, Used)> = std::mem::take(&mut counted.by_token).into_iter().collect();
        // nodes that write at the same time lock the tokens in the same order
        rest.sort_by_key(|(token, _)| token.uuid());
        Taken { of: self, rest }
    }
}

impl Counted {
    fn put(&mut self, token: ApiTokenId, used: Used) {
        let has_room = self.by_token.len() < MOST;
        match self.by_token.entry(token) {
            Entry::Occupied(mut known) => known.get_mut().add(used),
            Entry::Vacant(place) if has_room => {
                place.insert(used);
            }
            Entry::Vacant(_) => metrics::counter!("pelatis_token_uses_lost_total").increment(1),
        }
    }
}

/// What is being written. What is left of it when nobody goes on is counted still.
struct Taken<'a> {
    of: &'a Uses,
    rest: Vec<(ApiTokenId, Used)>,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let mut counted = self.of.lock();
        for (token, used) in self.rest.drain(..) {
            counted.put(token, used);
        }
    }
}

impl Auth {
    /// Notes that a token was used.
    pub(crate) async fn note_use(&self, token: ApiTokenId, workspace: WorkspaceId, now: DateTime, from: Option<IpAddr>) {
        let used = Used { workspace, last_at: now, last_from: from, by_day: BTreeMap::from([(day_of(now), 1)]) };
        if self.uses.count(token, used) {
            // what seldom happens is kept apart: every request would be moved about with room for it
            Box::pin(self.write_uses()).await;
        }
    }

    /// Writes down how often tokens were used. What cannot be written is written the next time.
    pub async fn write_uses(&self) {
        let mut taken = self.uses.take(self.store.runtime().now());
        while !taken.rest.is_empty() {
            let some: Vec<_> = taken.rest.iter().take(AT_A_TIME).cloned().collect();
            let written = self
                .store
                .write(&self.installation(), async |uow| {
                    for (token, used) in &some {
                        write(uow, *token, used).await?;
                    }
                    Ok(())
                })
                .await;
            if let Err(error) = written {
                tracing::warn!(?error, "the uses of tokens were not written");
                return;
            }
            taken.rest.drain(..some.len());
        }
    }
}

async fn write(uow: &mut UnitOfWork, token: ApiTokenId, used: &Used) -> Result<()> {
    // another node may have written of a later use
    let is_later = || Expr::col("last_used_at").is_null().or(Expr::col("last_used_at").lte(used.last_at.value()));
    let later =
        |value, column: &'static str| CaseStatement::new().case(is_later(), Expr::value(value)).finally(Expr::col(column));
    let mut last = Query::update();
    last.table("api_token")
        .value("last_used_from", later(used.last_from.map(|ip| ip.to_string()).value(), "last_used_from"))
        .value("last_used_at", later(used.last_at.value(), "last_used_at"))
        .and_where(Expr::col("id").eq(token.uuid()));
    if uow.execute(&last).await? == 0 {
        // it was deleted meanwhile
        return Ok(());
    }
    for (day, uses) in &used.by_day {
        let there = Expr::col(("api_token_usage", "uses")).add(Expr::col(("excluded", "uses")));
        let mut insert = Query::insert();
        insert
            .into_table("api_token_usage")
            .columns(["workspace_id", "token_id", "day", "uses"])
            .values_panic([used.workspace.value(), token.value(), day.value(), uses.value()].map(Expr::value))
            .on_conflict(OnConflict::columns(["token_id", "day"]).value("uses", there).to_owned());
        uow.execute(&insert).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(at: i64) -> Used {
        let at = DateTime::from_timestamp(at, 0).unwrap();
        Used {
            workspace: WorkspaceId::from_uuid(uuid::Uuid::nil()),
            last_at: at,
            last_from: None,
            by_day: BTreeMap::from([(day_of(at), 1)]),
        }
    }

    #[test]
    fn what_was_taken_and_not_written_is_counted_still() {
        let (uses, token) = (Uses::default(), ApiTokenId::from_uuid(uuid::Uuid::nil()));
        assert!(uses.count(token, used(100)), "the first is written at once");
        let taken = uses.take(DateTime::from_timestamp(100, 0).unwrap());
        assert_eq!(taken.rest.len(), 1);
        // one who waits for the database no longer, while another is counted
        assert!(!uses.count(token, used(159)), "a minute is not over");
        drop(taken);
        assert!(uses.count(token, used(160)));
        let taken = uses.take(DateTime::from_timestamp(160, 0).unwrap());
        let [(_, one)] = taken.rest.as_slice() else { panic!("{:?}", taken.rest) };
        assert_eq!((one.by_day.values().sum::<i64>(), one.last_at.timestamp()), (3, 160));
    }

    #[test]
    fn no_more_tokens_are_counted_than_there_is_room_for() {
        let uses = Uses::default();
        for number in 0..=MOST {
            uses.count(ApiTokenId::from_uuid(uuid::Uuid::from_u128(number.try_into().unwrap())), used(1));
        }
        assert_eq!(uses.lock().by_token.len(), MOST);
    }
}
