//! Publishes readings as the normalizer would.

use std::sync::Mutex;

use chrono::{DateTime, Utc};
use domain::ids::{DeviceId, DeviceTypeId, OrganizationId};
use domain::telemetry::{IngestionSource, MetricSets, NormalizedPack, Origin, Quality, Reading, encode_pack};
use eventlog::{Headers, Publisher, PublisherSettings, Stream, partition_of};

use super::platform::platform;

/// A device of an organisation.
pub struct Source<'a> {
    pub organization: &'a str,
    pub device: &'a str,
}

/// Returns a reading with these values; `flaw` names a metric of bad quality.
pub fn reading(measured_at: DateTime<Utc>, values: &[(&str, f64)], flaw: Option<&str>) -> NewReading {
    let (keys, numbers) = values.iter().map(|(key, value)| ((*key).to_owned(), *value)).unzip();
    NewReading { measured_at, keys, numbers, flaw: flaw.map(str::to_owned) }
}

pub struct NewReading {
    measured_at: DateTime<Utc>,
    keys: Vec<String>,
    numbers: Vec<f64>,
    flaw: Option<String>,
}

impl Source<'_> {
    /// Publishes the readings in one pack to the partition of the device.
    pub fn publish(&self, readings: Vec<NewReading>) {
        // All tests share one sequence, because positions must only increase. It is locked until they are stored.
        static SEQUENCE: Mutex<u64> = Mutex::new(1);
        let device: DeviceId = self.device.parse().unwrap();
        let mut sets = MetricSets::default();
        let mut next = SEQUENCE.lock().unwrap();
        let sequence = *next;
        *next += 1;
        let stored = |(ordinal, reading): (usize, NewReading)| Reading {
            origin: Origin { sequence, ordinal: u32::try_from(ordinal).unwrap() },
            organization: self.organization.parse::<OrganizationId>().unwrap(),
            device,
            device_type: DeviceTypeId::default(),
            measured_at: reading.measured_at,
            received_at: reading.measured_at,
            source: IngestionSource::Mqtt,
            set: sets.intern(&reading.keys),
            numbers: reading.numbers,
            others: vec![],
            flaws: reading.flaw.map(|key| (key, Quality::Bad)).into_iter().collect(),
        };
        let readings: Vec<Reading> = readings.into_iter().enumerate().map(stored).collect();
        let pack = NormalizedPack { es_position: 0, read_up_to: sequence, sets, readings, tick: None };
        let payload = encode_pack(&pack).unwrap().into();
        let tail = format!("{}.0", partition_of(device.0));
        let platform = platform();
        let publisher = Publisher::new(&platform.log, PublisherSettings::default());
        let published = publisher.publish(Stream::TelemetryNormalized, &tail, Headers::default(), payload);
        platform.runtime.block_on(published).unwrap();
    }
}
