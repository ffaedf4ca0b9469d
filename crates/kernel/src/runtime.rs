//! Time and randomness as inputs: commands take them from their unit of work, tests put their own in.

use std::sync::Arc;

use chrono::{SubsecRound, Utc};
use uuid::Uuid;

use crate::{DateTime, TypedId};

/// Where the present moment comes from.
pub trait Clock: Send + Sync {
    /// The present moment, cut to microseconds.
    fn now(&self) -> DateTime;
}

/// Where randomness comes from. It must be fit for keys and tokens.
pub trait Entropy: Send + Sync {
    /// Fills `buffer` with random bytes.
    fn fill(&self, buffer: &mut [u8]);
}

/// The machine's clock.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
    fn now(&self) -> DateTime {
        Utc::now().trunc_subsecs(6)
    }
}

/// The operating system's generator, through a per-thread CSPRNG.
#[derive(Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's randomness")]
    fn fill(&self, buffer: &mut [u8]) {
        rand::fill(buffer);
    }
}

/// Time and randomness together, cheap to clone.
#[derive(Clone)]
pub struct Runtime {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Runtime")
    }
}

impl Runtime {
    /// The machine's clock and generator.
    pub fn system() -> Self {
        Self::new(Arc::new(SystemClock), Arc::new(SystemEntropy))
    }

    /// A runtime of one's own, for tests.
    pub fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { clock, entropy }
    }

    /// The present moment, cut to microseconds.
    pub fn now(&self) -> DateTime {
        self.clock.now()
    }

    /// `N` random bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes);
        bytes
    }

    /// A new UUID v7 of the present moment.
    pub fn uuid(&self) -> Uuid {
        uuid_v7(self.now(), self.random())
    }

    /// A new typed id of the present moment.
    pub fn id<T: TypedId>(&self) -> T {
        T::from_uuid(self.uuid())
    }
}

/// A UUID v7 (RFC 9562, 5.7): 48 bits of milliseconds, 12 bits of the microseconds within, 62 bits of randomness, so that
/// ids made in one millisecond by one process still sort by age.
pub fn uuid_v7(at: DateTime, mut random: [u8; 10]) -> Uuid {
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
    let within = u16::try_from(at.timestamp_subsec_micros() % 1000).unwrap_or(0);
    // 0..=999 microseconds spread over 12 bits, as RFC 9562 6.2 method 3 describes
    let fraction = (u32::from(within) * 4096 / 1000) as u16;
    let [high, low] = fraction.to_be_bytes();
    random[0] = high;
    random[1] = low;
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_later_moments_sort_later() {
        let early = DateTime::from_timestamp_micros(1_700_000_000_000_001).unwrap();
        let late = DateTime::from_timestamp_micros(1_700_000_000_000_400).unwrap();
        let (first, second) = (uuid_v7(early, [0xff; 10]), uuid_v7(late, [0; 10]));
        assert!(first < second, "{first} < {second}");
        assert_eq!(first.get_version_num(), 7);
        assert_eq!(first.get_variant(), uuid::Variant::RFC4122);
    }
}
