//! What a worker holds of one queue: jobs that run, and some that it took with them so that short ones do not cost a transaction each.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::claim::{Claimed, Doable};

/// The work that a worker takes at a time: longer than a transaction, shorter than anybody notices.
const WORTH: Duration = Duration::from_millis(40);
/// Jobs that are taken at most beyond those that run.
const MOST: usize = 250;
/// How long a job may wait here while the ones before it take longer than they used to.
const PATIENCE: Duration = Duration::from_millis(250);

/// A queue as its worker sees it.
#[derive(Debug)]
pub(crate) struct Hold {
    pub doable: Doable,
    /// Jobs that run.
    pub running: usize,
    /// Jobs that were taken and have not begun.
    pub next: VecDeque<Rc<Claimed>>,
    taken: Instant,
    /// How long jobs of it take, of late; none before the first.
    usual: Option<Duration>,
    /// Whether something may be due.
    pub is_hungry: bool,
}

impl Hold {
    pub(crate) fn new(doable: Doable) -> Self {
        Self { doable, running: 0, next: VecDeque::new(), taken: Instant::now(), usual: None, is_hungry: true }
    }

    /// How many to take now.
    pub(crate) fn room(&self) -> usize {
        let at_once = self.doable.0.at_once();
        if !self.is_hungry || !self.next.is_empty() || self.running >= at_once {
            return 0;
        }
        let ahead = self.usual.map_or(0, |usual| {
            let each = usual.max(Duration::from_micros(1)).as_micros();
            usize::try_from(WORTH.as_micros() / each).unwrap_or(MOST).saturating_mul(at_once).min(MOST)
        });
        at_once - self.running + ahead
    }

    /// Takes in what was claimed.
    pub(crate) fn take(&mut self, asked: usize, claimed: Vec<Claimed>) {
        self.is_hungry = claimed.len() == asked;
        self.taken = Instant::now();
        self.next.extend(claimed.into_iter().map(Rc::new));
    }

    /// The next job to begin, if one may.
    pub(crate) fn begin(&mut self) -> Option<Rc<Claimed>> {
        if self.running >= self.doable.0.at_once() {
            return None;
        }
        let job = self.next.pop_front()?;
        self.running += 1;
        Some(job)
    }

    /// A job has ended after so long.
    pub(crate) fn ended(&mut self, took: Duration) {
        self.running = self.running.saturating_sub(1);
        // the last few count most, so that a long one makes it careful at once
        self.usual = Some(self.usual.map_or(took, |usual| (usual * 3 + took) / 4).max(took / 2));
    }

    /// What waits here for too long, to be given back: another worker may be free.
    pub(crate) fn impatient(&mut self) -> Vec<Rc<Claimed>> {
        if self.next.is_empty() || self.taken.elapsed() < PATIENCE || self.running < self.doable.0.at_once() {
            return Vec::new();
        }
        self.usual = Some(self.usual.unwrap_or_default().max(PATIENCE));
        // there is more where these go
        self.is_hungry = true;
        self.next.drain(..).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::queue::Queue;
    use super::*;

    #[test]
    fn short_jobs_are_taken_by_the_hundred_and_long_ones_one_for_each_place() {
        let mut hold = Hold::new((Queue::Email, Rc::from(["x"])));
        assert_eq!(hold.room(), 5, "nothing is known yet");
        for _ in 0..10 {
            hold.ended(Duration::from_micros(20));
        }
        assert_eq!(hold.room(), 5 + MOST);
        hold.ended(Duration::from_secs(2));
        assert_eq!(hold.room(), 5);
        hold.running = 5;
        assert_eq!(hold.room(), 0);
    }
}
