//! Values that gather between two ticks: in an organisation's room the newest of each metric, at most once a second for
//! each device; in a device's or asset's room all of them, as one message.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use super::Room;
use super::hub::{GATHERED, Hub};

/// How often an organisation's room hears of one device; a little less than a second, so that a device that sends each
/// second is not put off by a tick every now and then.
const AT_MOST_EVERY: Duration = Duration::from_millis(950);
/// How long a device that sends nothing is remembered.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);

/// A reading for the feed.
pub(super) struct Shown {
    pub measured_at: DateTime<Utc>,
    pub values: Map<String, Value>,
    /// Assets only.
    pub source_devices: Vec<Uuid>,
}

/// What has gathered.
#[derive(Default)]
pub(super) struct Pending(Mutex<Gathered>);

#[derive(Default)]
struct Gathered {
    newest: HashMap<(Uuid, Uuid), Newest>,
    all: HashMap<Room, All>,
}

/// The newest values of a device.
#[derive(Default)]
struct Newest {
    values: HashMap<String, (DateTime<Utc>, Value)>,
    measured_at: Option<DateTime<Utc>>,
    /// Where its oldest and its newest reading come from.
    first_place: (usize, u64),
    place: (usize, u64),
    sent_at: Option<Instant>,
}

/// All readings of a device or asset.
#[derive(Default)]
struct All {
    readings: Vec<Value>,
    place: (usize, u64),
}

impl Pending {
    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a reading for an organisation's room.
    pub(super) fn add_newest(&self, organization: Uuid, device: Uuid, place: (usize, u64), shown: &Shown) {
        let mut gathered = self.gathered();
        let newest = gathered.newest.entry((organization, device)).or_default();
        if newest.measured_at.is_none() {
            newest.first_place = place;
        }
        newest.place = newest.place.max(place);
        newest.measured_at = newest.measured_at.max(Some(shown.measured_at));
        for (key, value) in &shown.values {
            let held = newest.values.get(key);
            if held.is_none_or(|(measured_at, _)| *measured_at <= shown.measured_at) {
                newest.values.insert(key.clone(), (shown.measured_at, value.clone()));
            }
        }
    }

    /// Adds a reading for a device's or asset's room.
    pub(super) fn add_all(&self, room: Room, place: (usize, u64), shown: Shown) {
        let mut gathered = self.gathered();
        let all = gathered.all.entry(room).or_default();
        all.place = all.place.max(place);
        let timestamp = text(shown.measured_at);
        all.readings.push(match room {
            Room::Asset(asset) => json!({
                "assetId": asset,
                "metrics": shown.values,
                "timestamp": timestamp,
                "sourceDevices": shown.source_devices,
            }),
            Room::Device(id) | Room::Organization(id) | Room::User(id) => {
                json!({ "deviceId": id, "metrics": shown.values, "timestamp": timestamp })
            }
        });
    }

    /// Tells the rooms what is due.
    pub(super) fn flush(&self, hub: &Hub) {
        let mut gathered = self.gathered();
        for (room, all) in gathered.all.drain() {
            hub.tell(&[room], all.place, "telemetry:batch", &Value::Array(all.readings));
        }
        let now = Instant::now();
        gathered.newest.retain(|(organization, device), newest| newest.flush(hub, now, *organization, *device));
        let mut gathering = [None; GATHERED];
        for newest in gathered.newest.values().filter(|newest| newest.measured_at.is_some()) {
            let (index, sequence) = newest.first_place;
            let first = gathering[index].get_or_insert(sequence);
            *first = sequence.min(*first);
        }
        hub.settle(gathering);
    }
}

impl Newest {
    /// Tells the room if it is time; answers whether the device is to be remembered.
    fn flush(&mut self, hub: &Hub, now: Instant, organization: Uuid, device: Uuid) -> bool {
        let since = self.sent_at.map(|sent_at| now.duration_since(sent_at));
        let Some(measured_at) = self.measured_at else { return since.is_some_and(|since| since < FORGOTTEN_AFTER) };
        if since.is_some_and(|since| since < AT_MOST_EVERY) {
            return true;
        }
        let metrics: Map<String, Value> = self.values.drain().map(|(key, (_, value))| (key, value)).collect();
        let data = json!({ "deviceId": device, "metrics": metrics, "timestamp": text(measured_at) });
        hub.tell(&[Room::Organization(organization)], self.place, "telemetry:new", &data);
        (self.measured_at, self.sent_at) = (None, Some(now));
        true
    }
}

/// Returns a time as the feed writes it: RFC 3339, milliseconds, UTC.
pub(super) fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
