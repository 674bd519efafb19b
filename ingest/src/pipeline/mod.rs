//! The pipeline behind all doors: checks a message, packs it, publishes the pack and settles the message's receipt once
//! it is on disk. It knows no protocol.

mod admission;
mod arrivals;
mod dead_letter;
pub mod mailbox;
mod pack;
pub mod pending_acks;
pub mod refusal;
pub mod topic;

use std::sync::Arc;
use std::time::Duration;

use domain::ids::{DeviceId, OrganizationId};
use domain::telemetry::RawReading;
use eventlog::writer::WriterSettings;
use eventlog::{Lane, LaneSettings, Log, Stream, partition_of};
use futures_util::future::join_all;

use crate::directory::Directory;
use crate::meters::Meters;
use arrivals::Arrivals;
pub use dead_letter::RefusedMessage;
use mailbox::Receipt;
use pack::LaneItem;
use refusal::Refusal;

/// How long writing a pack is retried: as long as an outage may reasonably last, because devices keep unacknowledged
/// messages until then.
const WRITE_DEADLINE: Duration = Duration::from_secs(3_600);
/// Bytes that may wait for the log in the dead letters' lane.
const DEAD_LETTER_LANE_BYTES: usize = 2 << 20;
/// Bytes that a reading needs in a pack besides its payload: ids, time, lengths.
const READING_OVERHEAD_BYTES: usize = 64;

/// The lanes are closed and accept nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the pipeline is closed")]
pub struct Closed;

/// Settings of the pipeline.
#[derive(Clone, Debug)]
pub struct PipelineSettings {
    /// The raw shards to write, one lane each.
    pub shards: Vec<u16>,
    /// Bytes that may wait in each lane.
    pub lane_bytes: usize,
}

/// Writes messages of all doors of this process into the log.
pub struct Pipeline {
    directory: Arc<Directory>,
    arrivals: Arrivals,
    raw: Vec<Lane<LaneItem<RawReading>>>,
    dead_letters: Lane<LaneItem<String>>,
    meters: Arc<Meters>,
}

impl Pipeline {
    /// Starts the lanes.
    pub fn start(log: &Log, directory: Arc<Directory>, meters: Arc<Meters>, settings: &PipelineSettings) -> Self {
        let raw = |shard: &u16| {
            let lane = lane_settings(settings.lane_bytes);
            Lane::start(log, Stream::TelemetryRaw, &shard.to_string(), lane, pack::encode_readings(), pack::settle)
        };
        let lane = lane_settings(DEAD_LETTER_LANE_BYTES);
        let dead_letters =
            Lane::start(log, Stream::TelemetryDlq, dead_letter::STAGE, lane, pack::encode_dead_letters(), pack::settle);
        let raw = settings.shards.iter().map(raw).collect();
        Self { directory, arrivals: Arrivals::default(), raw, dead_letters, meters }
    }

    /// Decides by the latest state of the directory whether a message may enter the raw stream. Returns the number of
    /// its readings.
    pub fn check(&self, organization: OrganizationId, device: DeviceId, payload: &[u8]) -> Result<usize, Refusal> {
        admission::admit(self.directory.device(device), organization, payload)
    }

    /// Accepts an admitted message with so many readings, waiting while its lane is full. Its time of arrival becomes
    /// later than those of the device's messages before it. The receipt is settled once it is on disk.
    pub async fn accept(
        &self,
        mut reading: RawReading,
        readings: usize,
        receipt: Option<Receipt>,
    ) -> Result<(), Closed> {
        reading.received_at = self.arrivals.next(reading.device, reading.received_at, readings);
        self.meters.accepted.increment(1);
        self.meters.payload_bytes.increment(reading.payload.len() as u64);
        let bytes = reading.payload.len() + READING_OVERHEAD_BYTES;
        // All readings of a device use one lane, which keeps their order. A lane serves whole partitions, so that a
        // pack touches few of the partitions downstream.
        let lane = &self.raw[usize::from(partition_of(reading.device.0)) % self.raw.len()];
        lane.push(LaneItem { content: reading, receipt }, bytes).await.map_err(|_| Closed)
    }

    /// Writes a refused message to the dead letters, waiting while their lane is full. The receipt is settled once the
    /// dead letter is on disk.
    pub async fn refuse(
        &self,
        refused: &RefusedMessage<'_>,
        why: &Refusal,
        receipt: Option<Receipt>,
    ) -> Result<(), Closed> {
        self.meters.refused(why.code());
        let letter = dead_letter::dead_letter(refused, why);
        // A dead letter consists of strings and numbers, which always serialise.
        let content = serde_json::to_string(&letter).unwrap_or_default();
        let bytes = content.len() + 1;
        self.dead_letters.push(LaneItem { content, receipt }, bytes).await.map_err(|_| Closed)
    }

    /// Accepts nothing more and returns once everything accepted is written or has failed.
    pub async fn close(&self) {
        let raw = join_all(self.raw.iter().map(Lane::close));
        tokio::join!(raw, self.dead_letters.close());
    }
}

fn lane_settings(waiting_bytes: usize) -> LaneSettings {
    let writer = WriterSettings { deadline: WRITE_DEADLINE, ..WriterSettings::default() };
    LaneSettings { waiting_bytes, writer, ..LaneSettings::default() }
}
