//! The values that simulated sensors measure over time.

use std::f64::consts::TAU;

use rand::Rng;
use rand::rngs::SmallRng;

/// The shape of one metric over time.
#[derive(Clone, Debug, PartialEq)]
pub enum Signal {
    /// A sine wave between two values.
    Sine {
        /// Lowest value.
        min: f64,
        /// Highest value.
        max: f64,
        /// Seconds per wave.
        period: f64,
    },
    /// A random walk with steps of at most `step`, within its bounds.
    RandomWalk {
        /// First value.
        start: f64,
        /// Largest step.
        step: f64,
        /// Lowest value.
        min: f64,
        /// Highest value.
        max: f64,
    },
    /// Alternates between `low` and `high`, `hold` seconds each.
    Stepped {
        /// First value.
        low: f64,
        /// Second value.
        high: f64,
        /// Seconds per value.
        hold: f64,
    },
    /// A normal value with a breach of `length` seconds every `every` seconds.
    Breach {
        /// The normal value.
        usual: f64,
        /// The value during a breach.
        peak: f64,
        /// Seconds between the starts of two breaches.
        every: f64,
        /// Duration of a breach in seconds.
        length: f64,
    },
}

/// A signal with its state.
#[derive(Clone, Debug)]
pub struct Source {
    signal: Signal,
    phase: f64,
    last: f64,
}

impl Source {
    /// Starts a signal; the `phase` in seconds keeps devices out of lockstep.
    pub fn new(signal: Signal, phase: f64) -> Self {
        let last = match &signal {
            Signal::RandomWalk { start, .. } => *start,
            _ => 0.0,
        };
        Self { signal, phase, last }
    }

    /// Returns the value at a time, given in seconds since the start.
    pub fn measure(&mut self, at: f64, random: &mut SmallRng) -> f64 {
        let at = at + self.phase;
        match &self.signal {
            Signal::Sine { min, max, period } => min + (max - min) * (0.5 + 0.5 * (TAU * at / period).sin()),
            Signal::RandomWalk { step, min, max, .. } => {
                self.last = (self.last + random.random_range(-step..=*step)).clamp(*min, *max);
                self.last
            }
            Signal::Stepped { low, high, hold } => {
                let even = ((at / hold) as u64).is_multiple_of(2);
                if even { *low } else { *high }
            }
            Signal::Breach { usual, peak, every, length } => {
                let value = if at % every >= every - length { *peak } else { *usual };
                value + random.random_range(-0.5..=0.5)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn course(signal: Signal, seconds: u32) -> Vec<f64> {
        let mut random = SmallRng::seed_from_u64(1);
        let mut source = Source::new(signal, 0.0);
        (0..seconds).map(|at| source.measure(f64::from(at), &mut random)).collect()
    }

    #[test]
    fn a_sine_reaches_its_bounds_and_stays_within_them() {
        let values = course(Signal::Sine { min: 20.0, max: 30.0, period: 60.0 }, 120);
        assert!(values.iter().all(|value| (20.0..=30.0).contains(value)));
        assert!(values.iter().any(|value| *value > 29.9) && values.iter().any(|value| *value < 20.1));
    }

    #[test]
    fn a_random_walk_never_exceeds_its_step() {
        let values = course(Signal::RandomWalk { start: 50.0, step: 2.0, min: 0.0, max: 100.0 }, 500);
        assert!(values.windows(2).all(|pair| (pair[1] - pair[0]).abs() <= 2.0));
    }

    #[test]
    fn a_breach_occurs_on_schedule_and_ends() {
        let values = course(Signal::Breach { usual: 60.0, peak: 95.0, every: 40.0, length: 10.0 }, 80);
        let high = values.iter().filter(|value| **value > 80.0).count();
        assert_eq!(high, 20);
    }

    #[test]
    fn a_stepped_signal_holds_each_value_for_its_time() {
        let values = course(Signal::Stepped { low: 0.0, high: 1.0, hold: 5.0 }, 10);
        assert_eq!(values, [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
    }
}
