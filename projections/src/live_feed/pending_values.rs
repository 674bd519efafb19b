//! Telemetry values buffered between two ticks: for an organisation's room the newest value of each metric, at most
//! once a second for each device; for a device's or asset's room all readings, sent as one message. Every message names
//! the time at which its values were measured, so that a subscriber can tell late values, which change nothing, from
//! newer ones and from corrections.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use super::hub::{BUFFERED_STREAMS, Hub};
use super::room::Room;
use super::translate::rfc3339_micros;

/// How often an organisation's room gets the values of one device. Slightly less than a second, so that a device that
/// sends every second is not delayed to the next tick now and then.
const MIN_INTERVAL: Duration = Duration::from_millis(950);
/// How long a device that sends nothing is remembered.
const SILENT_DEVICE_TTL: Duration = Duration::from_secs(60);

/// A reading for the feed.
pub(super) struct FeedReading {
    pub measured_at: DateTime<Utc>,
    pub received_at: DateTime<Utc>,
    pub values: Map<String, Value>,
    /// The qualities that are not good.
    pub qualities: Map<String, Value>,
    /// Empty for devices.
    pub source_devices: Vec<Uuid>,
}

/// The values that wait for the next tick.
#[derive(Default)]
pub(super) struct PendingValues(Mutex<Buffered>);

#[derive(Default)]
struct Buffered {
    /// By organisation and device.
    newest: HashMap<(Uuid, Uuid), Newest>,
    all: HashMap<Room, AllReadings>,
}

/// The newest values of a device.
#[derive(Default)]
struct Newest {
    values: HashMap<String, NewestValue>,
    /// When the last pending reading arrived; absent while nothing is pending.
    received_at: Option<DateTime<Utc>>,
    /// Where its oldest pending reading comes from.
    first_place: (usize, u64),
    /// Where its newest pending reading comes from.
    place: (usize, u64),
    sent_at: Option<Instant>,
}

struct NewestValue {
    measured_at: DateTime<Utc>,
    value: Value,
    /// Absent if it is good.
    quality: Option<Value>,
}

/// All readings of a device or asset.
#[derive(Default)]
struct AllReadings {
    readings: Vec<Value>,
    place: (usize, u64),
}

impl PendingValues {
    fn buffered(&self) -> MutexGuard<'_, Buffered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a reading for an organisation's room.
    pub(super) fn add_newest(&self, organization: Uuid, device: Uuid, place: (usize, u64), reading: &FeedReading) {
        let mut buffered = self.buffered();
        let newest = buffered.newest.entry((organization, device)).or_default();
        if newest.received_at.is_none() {
            newest.first_place = place;
        }
        newest.place = newest.place.max(place);
        newest.received_at = newest.received_at.max(Some(reading.received_at));
        for (key, value) in &reading.values {
            let held = newest.values.get(key);
            if held.is_none_or(|held| held.measured_at <= reading.measured_at) {
                let quality = reading.qualities.get(key).cloned();
                let value = NewestValue { measured_at: reading.measured_at, value: value.clone(), quality };
                newest.values.insert(key.clone(), value);
            }
        }
    }

    /// Adds a reading for a device's or asset's room.
    pub(super) fn add_all(&self, room: Room, place: (usize, u64), reading: FeedReading) {
        let mut buffered = self.buffered();
        let all = buffered.all.entry(room).or_default();
        all.place = all.place.max(place);
        let (id, name) = match room {
            Room::Asset(id) => (id, "assetId"),
            Room::Device(id) | Room::Organization(id) | Room::User(id) => (id, "deviceId"),
        };
        let mut told = content(name, id, (reading.values, reading.qualities), reading.measured_at, reading.received_at);
        if name == "assetId" {
            told["sourceDevices"] = json!(reading.source_devices);
        }
        all.readings.push(told);
    }

    /// Publishes what is due.
    pub(super) fn flush(&self, hub: &Hub) {
        let mut buffered = self.buffered();
        for (room, all) in buffered.all.drain() {
            hub.publish(&[room], all.place, "telemetry:batch", &Value::Array(all.readings));
        }
        let now = Instant::now();
        buffered.newest.retain(|(organization, device), newest| newest.flush(hub, now, *organization, *device));
        let mut unpublished = [None; BUFFERED_STREAMS];
        for newest in buffered.newest.values().filter(|newest| newest.received_at.is_some()) {
            let (index, sequence) = newest.first_place;
            let first = unpublished[index].get_or_insert(sequence);
            *first = sequence.min(*first);
        }
        hub.set_published(unpublished);
    }
}

impl Newest {
    /// Publishes the values if the interval has passed; returns whether the device is still to be remembered.
    fn flush(&mut self, hub: &Hub, now: Instant, organization: Uuid, device: Uuid) -> bool {
        let since = self.sent_at.map(|sent_at| now.duration_since(sent_at));
        let Some(received_at) = self.received_at else { return since.is_some_and(|since| since < SILENT_DEVICE_TTL) };
        if since.is_some_and(|since| since < MIN_INTERVAL) {
            return true;
        }
        let mut by_time = BTreeMap::<DateTime<Utc>, ValuesAndQualities>::new();
        for (key, NewestValue { measured_at, value, quality }) in self.values.drain() {
            let (values, qualities) = by_time.entry(measured_at).or_default();
            qualities.extend(quality.map(|quality| (key.clone(), quality)));
            values.insert(key, value);
        }
        for (measured_at, metrics) in by_time {
            let data = content("deviceId", device, metrics, measured_at, received_at);
            hub.publish(&[Room::Organization(organization)], self.place, "telemetry:new", &data);
        }
        (self.received_at, self.sent_at) = (None, Some(now));
        true
    }
}

/// Values by metric, and the qualities that are not good.
type ValuesAndQualities = (Map<String, Value>, Map<String, Value>);

fn content(
    name: &str,
    id: Uuid,
    (metrics, qualities): ValuesAndQualities,
    measured_at: DateTime<Utc>,
    received_at: DateTime<Utc>,
) -> Value {
    let (timestamp, received_at) = (rfc3339_micros(measured_at), rfc3339_micros(received_at));
    let mut told = json!({ name: id, "metrics": metrics, "timestamp": timestamp, "receivedAt": received_at });
    if !qualities.is_empty() {
        told["quality"] = Value::Object(qualities);
    }
    told
}
