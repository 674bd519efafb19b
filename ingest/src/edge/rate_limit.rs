//! The message rate limit of a device: a token bucket stored as one instant (the generic cell rate algorithm of ITU-T
//! I.371). A device over its rate is not read for a while; nothing is dropped.

use std::time::{Duration, Instant};

/// A rate and the allowed burst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    interval: Duration,
    tolerance: Duration,
}

impl Rate {
    /// Allows `per_second` messages a second on average and `burst` at once.
    pub fn new(per_second: u32, burst: u32) -> Self {
        let interval = Duration::from_secs(1) / per_second.max(1);
        Self { interval, tolerance: interval * burst.max(1) }
    }
}

/// The state of one device's rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttle {
    /// When the bucket is full again.
    full_at: Instant,
}

impl Throttle {
    /// Starts with a full bucket.
    pub fn new(now: Instant) -> Self {
        Self { full_at: now }
    }

    /// Counts one message. Returns when reading may resume if the device is over its rate.
    pub fn count(&mut self, rate: Rate, now: Instant) -> Option<Instant> {
        self.full_at = self.full_at.max(now) + rate.interval;
        let resume_at = self.full_at.checked_sub(rate.tolerance)?;
        (resume_at > now).then_some(resume_at)
    }

    /// Tells whether the bucket is full, so that the state equals a new one.
    pub fn is_full(&self, now: Instant) -> bool {
        self.full_at <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_later_messages_are_paced() {
        let (start, rate) = (Instant::now(), Rate::new(10, 5));
        let mut throttle = Throttle::new(start);
        for _ in 0..5 {
            assert_eq!(throttle.count(rate, start), None);
        }
        assert_eq!(throttle.count(rate, start), Some(start + Duration::from_millis(100)));
        assert!(!throttle.is_full(start));
        let later = start + Duration::from_millis(100);
        assert_eq!(throttle.count(rate, later), Some(later + Duration::from_millis(100)));
    }

    #[test]
    fn a_device_at_its_rate_is_never_paused() {
        let (start, rate) = (Instant::now(), Rate::new(100, 1));
        let mut throttle = Throttle::new(start);
        for message in 0..1_000 {
            assert_eq!(throttle.count(rate, start + Duration::from_millis(10) * message), None);
        }
        assert!(throttle.is_full(start + Duration::from_secs(10)));
    }
}
