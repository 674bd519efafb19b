//! The payload of a simulated device: `{"ts": <ms>, "metrics": {…}}`. Signal shapes are in `signal`.

use std::io::Write as _;

use rand::rngs::SmallRng;

use crate::signal::{Signal, Source};

/// The metric that numbers a device's messages from 0, which reveals missing and duplicate ones.
pub const SEQUENCE: &str = "sequence";

/// The metrics of one device.
#[derive(Debug)]
pub struct Instrument {
    metrics: Vec<(String, Source)>,
}

impl Instrument {
    /// Creates an instrument from named signals.
    pub fn new(metrics: impl IntoIterator<Item = (String, Signal)>, phase: f64) -> Self {
        Self { metrics: metrics.into_iter().map(|(key, signal)| (key, Source::new(signal, phase))).collect() }
    }

    /// Writes one message: time in milliseconds since 1970, sequence number, every metric.
    pub fn write(&mut self, out: &mut Vec<u8>, at_millis: i64, elapsed: f64, sequence: u64, random: &mut SmallRng) {
        out.clear();
        // Writing to a vector cannot fail.
        let _ = write!(out, "{{\"ts\":{at_millis},\"metrics\":{{\"{SEQUENCE}\":{sequence}");
        for (key, source) in &mut self.metrics {
            let value = source.measure(elapsed, random);
            let _ = write!(out, ",\"{key}\":{value:.3}");
        }
        out.extend_from_slice(b"}}");
    }
}

/// Returns the metrics of device number `index`: temperature, pressure, vibration, power and running first, then as
/// many channels as requested.
pub fn usual_metrics(index: u32, count: usize) -> Vec<(String, Signal)> {
    let breaching = index.is_multiple_of(5);
    let temperature = if breaching {
        Signal::Breach { usual: 62.0, peak: 96.0, every: 40.0, length: 12.0 }
    } else {
        Signal::Sine { min: 45.0, max: 70.0, period: 60.0 }
    };
    let first = [
        ("temperature", temperature),
        ("pressure", Signal::RandomWalk { start: 101.3, step: 0.4, min: 95.0, max: 108.0 }),
        ("vibration", Signal::RandomWalk { start: 2.0, step: 0.2, min: 0.0, max: 8.0 }),
        ("power", Signal::Sine { min: 4.0, max: 9.0, period: 45.0 }),
        ("running", Signal::Stepped { low: 0.0, high: 1.0, hold: 30.0 }),
    ];
    let named = first.into_iter().map(|(key, signal)| (key.to_owned(), signal));
    let further = (1..).map(|number| {
        (format!("channel_{number}"), Signal::RandomWalk { start: 50.0, step: 1.0, min: 0.0, max: 100.0 })
    });
    // One of the metrics is the sequence number.
    named.chain(further).take(count.saturating_sub(1)).collect()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn a_message_is_json_with_time_sequence_and_every_metric() {
        let mut instrument = Instrument::new(usual_metrics(1, 10), 0.0);
        let mut out = Vec::new();
        instrument.write(&mut out, 1_706_370_000_123, 3.0, 42, &mut SmallRng::seed_from_u64(1));
        let message: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(message["ts"], 1_706_370_000_123_i64);
        assert_eq!(message["metrics"][SEQUENCE], 42);
        assert_eq!(message["metrics"].as_object().unwrap().len(), 10);
    }
}
