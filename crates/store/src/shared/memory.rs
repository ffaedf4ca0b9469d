//! Sliding windows in process: the count of the running window plus the share of the last one that is still in sight.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Mutex;
use std::time::Duration;

/// What a limit says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether it fits.
    pub allowed: bool,
    /// How many fit in a window.
    pub limit: u32,
    /// How many more fit now.
    pub remaining: u32,
    /// Seconds until the running window ends; at least 1.
    pub reset: u32,
}

/// Where a moment stands among windows of one length.
pub(super) struct Place {
    pub bucket: i64,
    /// Which share of the last window is still in sight.
    pub carried: f64,
    pub reset: u32,
}

impl Place {
    pub fn of(now_millis: i64, window: Duration) -> Self {
        let length = i64::try_from(window.as_millis()).unwrap_or(i64::MAX).max(1);
        let within = now_millis.rem_euclid(length);
        #[expect(clippy::cast_precision_loss, reason = "a share of a window needs no more than 52 bits")]
        let carried = 1.0 - within as f64 / length as f64;
        let reset = u32::try_from((length - within).div_euclid(1000) + 1).unwrap_or(u32::MAX);
        Self { bucket: now_millis.div_euclid(length), carried, reset }
    }
}

/// Judges a cost against the two windows in sight.
pub(super) fn judge(place: &Place, last: u32, running: u32, cost: u32, limit: u32) -> Decision {
    let carried = (f64::from(last) * place.carried).floor();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count that fits stays one")]
    let used = (carried as u32).saturating_add(running);
    let allowed = used.saturating_add(cost) <= limit;
    let after = if allowed { used + cost } else { used };
    Decision { allowed, limit, remaining: limit.saturating_sub(after), reset: place.reset }
}

#[derive(Clone, Copy, Default)]
struct Counts {
    bucket: i64,
    last: u32,
    running: u32,
    window_millis: i64,
}

const SHARDS: usize = 16;
/// Keys in one shard before those that no longer matter are thrown out.
const CROWDED: usize = 4096;

/// Counts by key. Memory is bounded: keys of windows that are out of sight are thrown out when a shard is crowded.
pub(super) struct Windows {
    shards: [Mutex<HashMap<String, Counts>>; SHARDS],
    hasher: RandomState,
}

impl Default for Windows {
    fn default() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::default()), hasher: RandomState::new() }
    }
}

impl Windows {
    fn shard(&self, key: &str) -> Option<std::sync::MutexGuard<'_, HashMap<String, Counts>>> {
        #[expect(clippy::cast_possible_truncation, reason = "any bits of the hash will do")]
        let place = self.hasher.hash_one(key) as usize % SHARDS;
        self.shards.get(place).map(|shard| shard.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    pub fn hit(&self, key: &str, cost: u32, limit: u32, window: Duration, now_millis: i64) -> Decision {
        let place = Place::of(now_millis, window);
        let Some(mut shard) = self.shard(key) else { return judge(&place, 0, 0, cost, limit) };
        if shard.len() >= CROWDED && !shard.contains_key(key) {
            shard.retain(|_, counts| (counts.bucket + 2) * counts.window_millis > now_millis);
        }
        let counts = match shard.get_mut(key) {
            Some(counts) => counts,
            None => shard.entry(key.to_owned()).or_default(),
        };
        if counts.bucket != place.bucket {
            // a clock that was set back starts anew instead of locking everybody out
            let last = if counts.bucket + 1 == place.bucket { counts.running } else { 0 };
            let window_millis = i64::try_from(window.as_millis()).unwrap_or(i64::MAX);
            *counts = Counts { bucket: place.bucket, last, running: 0, window_millis };
        }
        let decision = judge(&place, counts.last, counts.running, cost, limit);
        if decision.allowed {
            counts.running = counts.running.saturating_add(cost);
        }
        decision
    }

    pub fn forget(&self, key: &str) {
        if let Some(mut shard) = self.shard(key) {
            shard.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_window_lets_its_limit_through_and_no_more() {
        let windows = Windows::default();
        let hits = |at| windows.hit("a", 1, 3, MINUTE, at);
        assert_eq!([hits(0), hits(1), hits(2)].map(|decision| decision.remaining), [2, 1, 0]);
        let refused = hits(3);
        assert!(!refused.allowed);
        assert_eq!(refused.reset, 60);
        assert!(windows.hit("b", 1, 3, MINUTE, 3).allowed);
    }

    #[test]
    fn the_last_window_slides_out_of_sight() {
        let windows = Windows::default();
        for _ in 0..10 {
            assert!(windows.hit("a", 1, 10, MINUTE, 59_000).allowed);
        }
        assert!(!windows.hit("a", 1, 10, MINUTE, 60_000).allowed, "all ten are still in sight");
        assert!(windows.hit("a", 1, 10, MINUTE, 90_000).allowed, "half of them are");
        assert_eq!(windows.hit("a", 1, 10, MINUTE, 240_000).remaining, 9);
    }

    #[test]
    fn a_clock_set_back_locks_nobody_out() {
        let windows = Windows::default();
        windows.hit("a", 1, 1, MINUTE, 7_200_000);
        assert!(windows.hit("a", 1, 1, MINUTE, 3_600_000).allowed);
    }

    #[test]
    fn keys_that_no_longer_matter_are_thrown_out() {
        let windows = Windows::default();
        for number in 0..200_000_i64 {
            windows.hit(&number.to_string(), 1, 1, MINUTE, number * 60);
        }
        let kept: usize = windows.shards.iter().map(|shard| shard.lock().unwrap().len()).sum();
        assert!(kept <= SHARDS * CROWDED, "{kept}");
    }
}
