//! Time that moves when a test says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Duration, SubsecRound as _, Utc};
use kernel::{Clock, Entropy};

/// The machine's time, moved by what the test has asked for.
#[derive(Clone, Debug, Default)]
pub struct TestClock {
    moved_micros: Arc<AtomicI64>,
}

impl TestClock {
    /// Moves time; back where it is negative.
    pub fn advance(&self, by: Duration) {
        self.moved_micros.fetch_add(by.num_microseconds().unwrap(), Ordering::SeqCst);
    }

    /// Moves time on to where a minute begins, and so far that nothing was counted in the one before: a limit by the minute begins anew,
    /// and no test runs across its end.
    pub fn advance_to_a_minute(&self) {
        self.advance(Duration::microseconds(180_000_000 - self.now().timestamp_micros().rem_euclid(60_000_000)));
    }
}

impl Clock for TestClock {
    #[expect(clippy::disallowed_methods, reason = "test time starts from the machine's")]
    fn now(&self) -> DateTime<Utc> {
        (Utc::now() + Duration::microseconds(self.moved_micros.load(Ordering::SeqCst))).trunc_subsecs(6)
    }
}

/// Real randomness: tests run at once and must not meet.
pub(crate) struct TestEntropy;

impl Entropy for TestEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        kernel::runtime::SystemEntropy.fill(buffer);
    }
}
