//! Old names. What has another name by now is served under the old one too, until it goes: by the same routes behind the same gate, so that
//! there is nothing that could differ. Every answer says that the name goes, when, and what replaces it; who still uses it is counted, for
//! whoever has to tell them.
//!
//! To give something a new name: register it under the new one, and add the old one to [`OLD_NAMES`]. It must be there for a month at least
//! (`openapi/README.md`). Old names are no operations of the document, so that nobody makes a client for them anew; it only says which there
//! are.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, HttpDate};
use actix_web::web::Data;
use auth::Auth;
use kernel::{Caller, DateTime, Result, WorkspaceId};
use platform::deprecated_uses::{self, Use};
use store::Store;
use uuid::Uuid;

use crate::state::State;

/// How often what was counted is written down.
const ROUND: Duration = Duration::from_mins(1);
/// Callers that are counted between two rounds, so that nobody can fill the memory with them. Those beyond are in the metrics alone.
const MOST: usize = 10_000;

/// A name that goes, and what comes in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deprecation {
    /// The old path. What is below it goes with it.
    pub old: &'static str,
    /// The path that replaces it.
    pub successor: &'static str,
    /// Seconds since 1970 when it was said (RFC 9745).
    pub since: i64,
    /// Seconds since 1970 when it goes (RFC 8594).
    pub sunset: i64,
}

/// Old names of what is served.
pub static OLD_NAMES: &[Deprecation] = &[
    // on 2026-11-27, until 2027-06-01
    Deprecation { old: "/v1/customers", successor: "/v1/clients", since: 1_795_737_600, sunset: 1_811_808_000 },
];

/// What is below a path, as it continues it.
fn below<'p>(path: &'p str, above: &str) -> Option<&'p str> {
    path.strip_prefix(above).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Deprecation {
    /// The old path of what is served at this one.
    pub(crate) fn old_path(&self, path: &str) -> Option<String> {
        below(path, self.successor).map(|rest| format!("{}{rest}", self.old))
    }

    /// The path that replaces this one.
    fn new_path(&self, path: &str) -> String {
        below(path, self.old).map_or_else(|| self.successor.to_owned(), |rest| format!("{}{rest}", self.successor))
    }

    /// When it was said.
    pub fn since(&self) -> DateTime {
        DateTime::from_timestamp(self.since, 0).unwrap_or_default()
    }

    /// When it goes.
    pub fn sunset(&self) -> DateTime {
        DateTime::from_timestamp(self.sunset, 0).unwrap_or_default()
    }

    /// Says it in an answer to a request of this path.
    pub(crate) fn tell(&self, headers: &mut HeaderMap, path: &str) {
        let values = [
            ("deprecation", format!("@{}", self.since)),
            ("sunset", HttpDate::from(SystemTime::from(self.sunset())).to_string()),
            ("link", format!("<{}>; rel=\"successor-version\"", self.new_path(path))),
        ];
        for (name, value) in values {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

/// Who used an old name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    name: &'static str,
    workspace: WorkspaceId,
    kind: &'static str,
    id: Uuid,
}

/// Uses of old names that were counted and not written down yet: a request is not to wait for that.
#[derive(Debug, Default)]
pub struct Deprecations(Mutex<HashMap<Key, Use>>);

impl Deprecations {
    fn counted(&self) -> MutexGuard<'_, HashMap<Key, Use>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a use. `caller` is whom the gate let through, if anybody.
    pub(crate) fn note(&self, going: &Deprecation, caller: Option<&Caller>, now: DateTime) {
        let kind = caller.map_or("refused", |caller| caller.actor.kind());
        metrics::counter!("pelatis_deprecated_requests_total", "name" => going.old, "caller" => kind).increment(1);
        let Some(caller) = caller else { return };
        let Some((workspace, id)) = caller.workspace.zip(caller.actor.id()) else { return };
        let user_id = caller.actor.user();
        let of_it =
            Use { workspace, name: going.old, caller_kind: kind, caller_id: id, user_id, uses: 1, first_at: now, last_at: now };
        self.add(of_it);
    }

    fn add(&self, more: Use) {
        let key = Key { name: more.name, workspace: more.workspace, kind: more.caller_kind, id: more.caller_id };
        let mut counted = self.counted();
        let is_full = counted.len() >= MOST;
        match counted.entry(key) {
            Entry::Occupied(mut there) => there.get_mut().add(&more),
            Entry::Vacant(room) if !is_full => {
                room.insert(more);
            }
            Entry::Vacant(_) => {}
        }
    }

    /// Writes down what was counted. What cannot be written is counted on.
    ///
    /// # Errors
    /// What the database says.
    pub async fn flush(&self, store: &Store, auth: &Auth) -> Result<()> {
        let mut taken = Taken { of: self, uses: std::mem::take(&mut *self.counted()).into_values().collect() };
        if taken.uses.is_empty() {
            return Ok(());
        }
        store.write(&auth.installation(), async |uow| deprecated_uses::note(uow, &taken.uses).await).await?;
        taken.uses.clear();
        Ok(())
    }
}

/// What is being written down. What is left of it when nobody goes on is counted still.
struct Taken<'a> {
    of: &'a Deprecations,
    uses: Vec<Use>,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.uses.drain(..).for_each(|of_it| self.of.add(of_it));
    }
}

/// Writes down what was counted, now and then, for as long as the server runs.
pub(crate) async fn keep_writing(state: Data<State>) {
    loop {
        tokio::time::sleep(ROUND).await;
        write_down(&state).await;
    }
}

/// Writes down what was counted, of old names and of API tokens, or warns that it could not be.
pub(crate) async fn write_down(state: &State) {
    state.auth.write_uses().await;
    if let Err(error) = state.deprecations.flush(&state.store, &state.auth).await {
        tracing::warn!(?error, "the uses of old names are written down later");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_says_so_and_leads_to_what_replaces_it() {
        let going = Deprecation { old: "/v1/deals", successor: "/v1/opportunities", since: 1_790_000_000, sunset: 1_801_353_600 };
        let mut headers = HeaderMap::new();
        going.tell(&mut headers, "/v1/deals/7/notes");
        assert_eq!(headers.get("deprecation").unwrap(), "@1790000000");
        assert_eq!(headers.get("sunset").unwrap(), "Sun, 31 Jan 2027 00:00:00 GMT");
        assert_eq!(headers.get("link").unwrap(), "</v1/opportunities/7/notes>; rel=\"successor-version\"");
        assert_eq!(going.new_path("/v1/dealsome"), "/v1/opportunities");
        assert_eq!(going.old_path("/v1/opportunities/{id}").as_deref(), Some("/v1/deals/{id}"));
        assert_eq!(going.old_path("/v1/opportunitiesque"), None);
    }

    #[test]
    fn every_old_name_is_there_for_a_month_at_least() {
        for going in OLD_NAMES {
            assert!(going.sunset - going.since >= 30 * 86_400, "{}", going.old);
        }
    }
}
