//! Whether some serial order explains what was answered about one record, as Wing and Gong look for it: an order of all operations in
//! which each that ended before another began stands before it, and in which a plain model of the record gives every answer.
//!
//! Records have nothing to do with each other here, and an order for each of them makes one for all (Herlihy and Wing: it composes),
//! so they are looked at one by one.

use std::collections::HashSet;

/// A record, as far as the operations change it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub version: i64,
    pub name: String,
    pub sector: Option<String>,
    pub archived: bool,
}

/// What was asked for. Where a version is named, it is that of `If-Match`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    Create { name: String },
    Patch { name: Option<String>, sector: Option<Option<String>>, seen: Option<i64> },
    Archive { seen: Option<i64> },
    Restore { seen: Option<i64> },
    Read,
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// 200 or 201, with the record and its version.
    Shown(State),
    /// 204.
    Done,
    /// 412.
    Stale,
    /// 409, because it was archived.
    Archived,
    /// 503: it was not done.
    Refused,
    /// Nothing came: it was done at some time, or never.
    Lost,
}

/// One operation with its answer, and when it was sent and answered.
#[derive(Clone, Debug)]
pub struct Event {
    pub began: u128,
    pub ended: u128,
    pub operation: Operation,
    pub answered: Answered,
}

/// What the record does when it is asked: the state after it, and the answer. Nothing can be asked of what was never made.
fn model(state: Option<&State>, operation: &Operation) -> Option<(State, Answered)> {
    let Some(state) = state else {
        let Operation::Create { name } = operation else { return None };
        let made = State { version: 1, name: name.clone(), sector: None, archived: false };
        return Some((made.clone(), Answered::Shown(made)));
    };
    let seen = match operation {
        // it is made once
        Operation::Create { .. } => return None,
        Operation::Patch { seen, .. } | Operation::Archive { seen } | Operation::Restore { seen } => *seen,
        Operation::Read => None,
    };
    if seen.is_some_and(|seen| seen != state.version) {
        return Some((state.clone(), Answered::Stale));
    }
    let mut after = state.clone();
    match operation {
        Operation::Patch { .. } if state.archived => return Some((after, Answered::Archived)),
        Operation::Patch { name, sector, .. } => {
            after.name = name.clone().unwrap_or(after.name);
            after.sector = sector.clone().unwrap_or(after.sector);
        }
        Operation::Archive { .. } => after.archived = true,
        Operation::Restore { .. } => after.archived = false,
        Operation::Create { .. } | Operation::Read => {}
    }
    // what changes nothing writes nothing
    if after != *state {
        after.version += 1;
    }
    let answered = if matches!(operation, Operation::Archive { .. }) { Answered::Done } else { Answered::Shown(after.clone()) };
    Some((after, answered))
}

/// The state after an event, if the model answers so.
fn after(state: Option<&State>, event: &Event) -> Option<State> {
    match event.answered {
        Answered::Refused => state.cloned(),
        Answered::Lost => model(state, &event.operation).map(|(after, _)| after),
        _ => model(state, &event.operation).filter(|(_, answered)| *answered == event.answered).map(|(after, _)| after),
    }
}

/// Places of the events in an order that explains them, with the state after each. An event that was lost may be missing.
pub type Order = Vec<(usize, State)>;

/// Looks for an order that explains the events.
///
/// # Errors
/// Says how far the longest order came, and what could not follow.
pub fn explain(events: &[Event]) -> Result<Order, String> {
    let mut search = Search { events, tried: HashSet::new(), order: Vec::new(), longest: Vec::new() };
    let mut done = vec![false; events.len()];
    if search.go_on(&mut done, None) {
        return Ok(search.order);
    }
    let missing = (0..events.len()).filter(|place| !search.longest.iter().any(|(done, _)| done == place));
    let missing: Vec<String> = missing.map(|place| format!("{place}: {:?}", events[place])).collect();
    Err(format!("no order explains this. The longest:\n{:#?}\nWithout:\n{}", search.longest, missing.join("\n")))
}

struct Search<'a> {
    events: &'a [Event],
    /// What led nowhere: which events were done, and the state after them.
    tried: HashSet<(Vec<bool>, Option<State>)>,
    order: Order,
    longest: Order,
}

impl Search<'_> {
    fn go_on(&mut self, done: &mut Vec<bool>, state: Option<&State>) -> bool {
        let open = |place: &usize| !done[*place];
        let lost = |place: usize| self.events[place].answered == Answered::Lost;
        let all: Vec<usize> = (0..self.events.len()).filter(open).collect();
        if all.iter().all(|place| lost(*place)) {
            return true;
        }
        if !self.tried.insert((done.clone(), state.cloned())) {
            return false;
        }
        // nothing may come before what had ended when it began
        let first_end =
            all.iter().filter(|place| !lost(**place)).map(|place| self.events[*place].ended).min().unwrap_or(u128::MAX);
        for place in all.into_iter().filter(|place| self.events[*place].began <= first_end) {
            let Some(next) = after(state, &self.events[place]) else { continue };
            done[place] = true;
            self.order.push((place, next.clone()));
            if self.order.len() > self.longest.len() {
                self.longest.clone_from(&self.order);
            }
            if self.go_on(done, Some(&next)) {
                return true;
            }
            self.order.pop();
            done[place] = false;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(version: i64, name: &str, sector: Option<&str>) -> State {
        State { version, name: name.to_owned(), sector: sector.map(str::to_owned), archived: false }
    }

    fn name(name: &str, seen: Option<i64>) -> Operation {
        Operation::Patch { name: Some(name.to_owned()), sector: None, seen }
    }

    fn sector(sector: &str) -> Operation {
        Operation::Patch { name: None, sector: Some(Some(sector.to_owned())), seen: None }
    }

    fn shown(version: i64, name: &str, sector: Option<&str>) -> Answered {
        Answered::Shown(state(version, name, sector))
    }

    /// The record was made as "a" from 0 to 1; then come these.
    fn history(rest: &[(u128, u128, Operation, Answered)]) -> Vec<Event> {
        let made = (0, 1, Operation::Create { name: "a".to_owned() }, shown(1, "a", None));
        let all = std::iter::once(&made).chain(rest).cloned();
        all.map(|(began, ended, operation, answered)| Event { began, ended, operation, answered }).collect()
    }

    #[track_caller]
    fn places(rest: &[(u128, u128, Operation, Answered)]) -> Vec<usize> {
        explain(&history(rest)).unwrap().into_iter().map(|(place, _)| place).collect()
    }

    #[track_caller]
    fn refused(rest: &[(u128, u128, Operation, Answered)]) {
        assert!(explain(&history(rest)).is_err());
    }

    #[test]
    fn what_ran_one_after_the_other_is_explained_as_it_ran() {
        let archived = State { archived: true, ..state(3, "b", None) };
        let rest = [
            (2, 3, name("b", Some(1)), shown(2, "b", None)),
            (4, 5, name("c", Some(1)), Answered::Stale),
            (6, 7, Operation::Patch { name: None, sector: Some(None), seen: None }, shown(2, "b", None)),
            (8, 9, Operation::Archive { seen: Some(2) }, Answered::Done),
            (10, 11, name("c", None), Answered::Archived),
            (12, 13, Operation::Archive { seen: None }, Answered::Done),
            (14, 15, Operation::Read, Answered::Shown(archived)),
            (16, 17, Operation::Restore { seen: Some(3) }, shown(4, "b", None)),
        ];
        assert_eq!(places(&rest), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn what_ran_at_once_is_explained_in_the_one_order_that_there_is() {
        let rest = [
            (2, 9, sector("x"), shown(3, "b", Some("x"))),
            (2, 9, Operation::Read, shown(1, "a", None)),
            (2, 9, name("b", Some(1)), shown(2, "b", None)),
            (2, 9, name("c", Some(1)), Answered::Stale),
            (2, 9, Operation::Read, shown(2, "b", None)),
        ];
        assert_eq!(explain(&history(&rest)).unwrap().last().unwrap().1, state(3, "b", Some("x")));
    }

    #[test]
    fn an_update_that_was_lost_is_found() {
        // both were answered, and the second knows nothing of the first
        refused(&[(2, 5, name("b", None), shown(2, "b", None)), (3, 6, sector("x"), shown(3, "a", Some("x")))]);
        // both were answered, and one is not there afterwards
        refused(&[
            (2, 5, name("b", None), shown(2, "b", None)),
            (3, 6, sector("x"), shown(3, "b", Some("x"))),
            (7, 8, Operation::Read, shown(2, "b", None)),
        ]);
    }

    #[test]
    fn a_version_that_was_given_twice_is_found() {
        refused(&[(2, 5, name("b", None), shown(2, "b", None)), (3, 6, sector("x"), shown(2, "a", Some("x")))]);
        refused(&[(2, 5, name("b", Some(1)), shown(2, "b", None)), (3, 6, name("c", Some(1)), shown(2, "c", None))]);
    }

    #[test]
    fn a_read_of_what_was_no_longer_or_never_there_is_found() {
        refused(&[(2, 3, name("b", None), shown(2, "b", None)), (4, 5, Operation::Read, shown(1, "a", None))]);
        // the first read has shown it, so the second cannot be older
        refused(&[
            (2, 9, name("b", None), shown(2, "b", None)),
            (3, 4, Operation::Read, shown(2, "b", None)),
            (5, 6, Operation::Read, shown(1, "a", None)),
        ]);
        refused(&[(2, 9, name("b", None), shown(2, "b", None)), (3, 4, Operation::Read, shown(2, "c", None))]);
    }

    #[test]
    fn a_version_that_was_refused_though_it_was_right_or_taken_though_it_was_not_is_found() {
        refused(&[(2, 3, name("b", Some(1)), Answered::Stale)]);
        refused(&[(2, 3, name("b", None), shown(2, "b", None)), (4, 5, name("c", Some(1)), shown(3, "c", None))]);
        refused(&[(2, 3, Operation::Archive { seen: Some(7) }, Answered::Done)]);
        refused(&[(2, 3, Operation::Archive { seen: None }, Answered::Done), (4, 5, name("b", None), shown(3, "b", None))]);
    }

    #[test]
    fn what_was_not_answered_was_done_or_not_and_what_was_refused_was_not() {
        let later = |answered| (9, 10, Operation::Read, answered);
        for seen in [shown(1, "a", None), shown(2, "b", None)] {
            places(&[(2, u128::MAX, name("b", None), Answered::Lost), later(seen)]);
        }
        places(&[(2, 3, name("b", None), Answered::Refused), later(shown(1, "a", None))]);
        refused(&[(2, 3, name("b", None), Answered::Refused), later(shown(2, "b", None))]);
    }
}
