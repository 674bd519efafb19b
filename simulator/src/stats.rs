//! Counters and latency histograms of a run.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Buckets per doubling of the latency, which limits the error to 6 %.
const STEPS: usize = 16;

/// A histogram of latencies in microseconds with logarithmic buckets; many tasks can record at once.
#[derive(Debug)]
pub struct Latencies(Vec<AtomicU64>);

impl Default for Latencies {
    fn default() -> Self {
        Self((0..64 * STEPS).map(|_| AtomicU64::new(0)).collect())
    }
}

impl Latencies {
    /// Records one latency.
    pub fn record(&self, latency: Duration) {
        let micros = (latency.as_micros() as u64).max(STEPS as u64);
        let power = micros.ilog2() as usize;
        // The four bits below the highest one select the bucket.
        let step = (micros >> (power - 4)) as usize & (STEPS - 1);
        self.0[power * STEPS + step].fetch_add(1, Relaxed);
    }

    /// Returns the number of recorded latencies.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|bucket| bucket.load(Relaxed)).sum()
    }

    /// Returns the quantile `share` in milliseconds; 0 if nothing was recorded.
    pub fn quantile_millis(&self, share: f64) -> f64 {
        let wanted = (share * self.count() as f64).ceil() as u64;
        let mut seen = 0;
        for (index, bucket) in self.0.iter().enumerate() {
            seen += bucket.load(Relaxed);
            if seen >= wanted && seen > 0 {
                let (power, step) = (index / STEPS, index % STEPS);
                return (1_u64 << power) as f64 * (1.0 + (step + 1) as f64 / STEPS as f64) / 1000.0;
            }
        }
        0.0
    }
}

/// The counters of a run.
#[derive(Debug, Default)]
pub struct Stats {
    /// Sessions that the server accepted.
    pub connected: AtomicU64,
    /// Failed connection attempts.
    pub refused: AtomicU64,
    /// Sessions that broke.
    pub lost: AtomicU64,
    /// Messages sent, including retransmissions.
    pub sent: AtomicU64,
    /// Messages acknowledged.
    pub acknowledged: AtomicU64,
    /// Latency from writing a message to its PUBACK.
    pub puback: Latencies,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_accurate_within_their_bucket() {
        let latencies = Latencies::default();
        for millis in 1..=1000 {
            latencies.record(Duration::from_millis(millis));
        }
        let p95 = latencies.quantile_millis(0.95);
        assert!((940.0..1020.0).contains(&p95), "{p95}");
        assert_eq!(Latencies::default().quantile_millis(0.5), 0.0);
    }
}
