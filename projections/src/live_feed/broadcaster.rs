//! The feed as a consumer of the log: decodes what has subscribers, and publishes it to the rooms.

use std::collections::HashMap;
use std::sync::Arc;

use domain::telemetry::{AssetPack, NormalizedPack, PresenceFact, PresenceKind, decode_pack};
use eventlog::position::Positions;
use eventlog::{Batch, Cause, Consumer, Message, Outcome, Source, Stream};
use tracing::debug;
use uuid::Uuid;

use super::cursor::{Cursor, STREAMS};
use super::hub::Hub;
use super::pending_values::{FeedReading, PendingValues};
use super::room::Room;
use super::{NAME, translate};
use crate::decoded_event::decode_message;
use crate::device_directory::{ConnectivityRow, presence, presence_facts};
use crate::origin_marks::OriginMarks;
use crate::reading_values::{asset_values, device_values, qualities};
use crate::system_events::{of_presence, threshold_events};

pub(super) struct Broadcaster {
    hub: Arc<Hub>,
    pending: Arc<PendingValues>,
    /// The heads of the streams when the feed started; what is before them is folded but not published.
    heads: Positions,
    marks: OriginMarks,
    /// Connectivity by device: the end of a session is compared with the session that is known.
    devices: HashMap<Uuid, ConnectivityRow>,
}

impl Broadcaster {
    pub(super) fn new(hub: Arc<Hub>, pending: Arc<PendingValues>, heads: Positions) -> Self {
        Self { hub, pending, heads, marks: OriginMarks::default(), devices: HashMap::new() }
    }

    /// Publishes what a message holds. One that cannot be decoded is skipped: the feed is best-effort, and the read
    /// models report it as a dead letter.
    fn broadcast(&mut self, message: &Message) {
        let Some(index) = Cursor::index(message.stream) else { return };
        let place = (index, message.sequence);
        match message.stream {
            Stream::TelemetryNormalized => self.normalized(message, place),
            Stream::TelemetryAsset => self.asset(message, place),
            Stream::Presence => self.presence(message, place),
            Stream::EventsThreshold => {
                let events = threshold_events(message).unwrap_or_default();
                events.iter().map(translate::threshold).for_each(|event| self.publish(place, &event));
            }
            _ => {
                let events = decode_message(message).unwrap_or_default();
                events.iter().filter_map(translate::domain_event).for_each(|event| self.publish(place, &event));
            }
        }
        self.hub.advance(place.0, place.1);
    }

    fn publish(&self, place: (usize, u64), event: &translate::RoomEvent) {
        self.hub.publish(&event.rooms, place, event.name, &event.data);
    }

    fn normalized(&mut self, message: &Message, place: (usize, u64)) {
        if !self.hub.has_rooms() {
            return;
        }
        let Ok(pack) = decode_pack::<NormalizedPack>(&message.payload) else { return };
        let last = self.marks.last(message);
        for reading in &pack.readings {
            if !OriginMarks::is_new(last, reading.origin) {
                continue;
            }
            self.marks.raise(message, reading.origin);
            let (organization, device) = (reading.organization.0, reading.device.0);
            let existing = self.hub.existing([Room::Organization(organization), Room::Device(device)]);
            if existing == [false, false] {
                continue;
            }
            let shown = FeedReading {
                measured_at: reading.measured_at,
                received_at: reading.received_at,
                values: device_values(reading, &pack.sets),
                qualities: qualities(&reading.flaws),
                source_devices: Vec::new(),
            };
            if existing[0] {
                self.pending.add_newest(organization, device, place, &shown);
            }
            if existing[1] {
                self.pending.add_all(Room::Device(device), place, shown);
            }
        }
    }

    fn asset(&mut self, message: &Message, place: (usize, u64)) {
        if !self.hub.has_rooms() {
            return;
        }
        let Ok(pack) = decode_pack::<AssetPack>(&message.payload) else { return };
        let last = self.marks.last(message);
        for change in pack.health.iter().filter(|change| OriginMarks::is_new(last, change.origin)) {
            self.marks.raise(message, change.origin);
            self.publish(place, &translate::health(change));
        }
        for reading in pack.readings.iter().filter(|reading| OriginMarks::is_new(last, reading.origin)) {
            self.marks.raise(message, reading.origin);
            let room = Room::Asset(reading.asset.0);
            if self.hub.existing([room]) == [true] {
                let shown = FeedReading {
                    measured_at: reading.measured_at,
                    received_at: reading.received_at,
                    values: asset_values(reading, &pack.sets),
                    qualities: qualities(&reading.qualities()),
                    source_devices: reading.source_devices.iter().map(|device| device.0).collect(),
                };
                self.pending.add_all(room, place, shown);
            }
        }
    }

    fn presence(&mut self, message: &Message, place: (usize, u64)) {
        let is_new = message.sequence > self.heads.sequence(Stream::Presence);
        for fact in &presence_facts(std::iter::once(message)).0 {
            let changed = self.fold_presence(fact);
            if !is_new {
                continue;
            }
            for row in &changed {
                translate::presence(fact, row).iter().for_each(|event| self.publish(place, event));
            }
            if let Some(event) = of_presence(fact).as_ref().and_then(translate::system_event) {
                self.publish(place, &event);
            }
        }
    }

    /// Folds a presence fact into the connectivity of the devices; returns the rows that it changed.
    fn fold_presence(&mut self, fact: &PresenceFact) -> Vec<ConnectivityRow> {
        let changed: Vec<ConnectivityRow> = if fact.kind == PresenceKind::EdgeLost {
            self.devices.values().filter_map(|row| presence::next(Some(row), fact)).collect()
        } else {
            let known = fact.device.and_then(|device| self.devices.get(&device.0));
            presence::next(known, fact).into_iter().collect()
        };
        self.devices.extend(changed.iter().map(|row| (row.device_id, row.clone())));
        changed
    }
}

impl Consumer for Broadcaster {
    fn name(&self) -> &str {
        NAME
    }

    fn sources(&self) -> Vec<Source> {
        STREAMS.into_iter().map(Source::all).collect()
    }

    async fn resume(&mut self) -> Result<Positions, Cause> {
        // Presence is read from the beginning: whether a disconnect matters depends on the sessions before it.
        let mut from = self.heads.clone();
        from.0.remove(&Stream::Presence);
        Ok(from)
    }

    async fn handle(&mut self, batch: &Batch) -> Outcome {
        batch.messages.iter().for_each(|message| self.broadcast(message));
        debug!(messages = batch.messages.len(), "published to the rooms");
        Outcome::Done
    }
}
