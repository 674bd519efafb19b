//! The feed as a reader of the log: decodes what somebody is watching, and tells the rooms.

use std::collections::HashMap;
use std::sync::Arc;

use domain::telemetry::{AssetPack, MetricValue, NormalizedPack, PresenceFact, PresenceKind, decode_pack};
use eventlog::position::Positions;
use eventlog::{Batch, Cause, Consumer, Message, Outcome, Source, Stream};
use serde_json::{Map, Value};
use tracing::debug;
use uuid::Uuid;

use super::cursor::{Cursor, STREAMS};
use super::hub::Hub;
use super::telemetry::{Pending, Shown};
use super::{NAME, Room, translate};
use crate::device_directory::{ConnectivityRow, presence, presence_facts};
use crate::fact::{facts, json_of};
use crate::marks::Marks;
use crate::system_events::{of_presence, threshold_events};

pub(super) struct Broadcaster {
    hub: Arc<Hub>,
    pending: Arc<Pending>,
    /// Where the streams ended when the feed began: what is before is known, and not told.
    heads: Positions,
    marks: Marks,
    /// Who is there: sessions that end are compared with the one that is known.
    devices: HashMap<Uuid, ConnectivityRow>,
}

impl Broadcaster {
    pub(super) fn new(hub: Arc<Hub>, pending: Arc<Pending>, heads: Positions) -> Self {
        Self { hub, pending, heads, marks: Marks::default(), devices: HashMap::new() }
    }

    fn tell(&mut self, message: &Message) {
        let Some(index) = Cursor::index(message.stream) else { return };
        let place = (index, message.sequence);
        match message.stream {
            Stream::TelemetryNormalized => self.normalized(message, place),
            Stream::TelemetryAsset => self.asset(message, place),
            Stream::Presence => self.presence(message, place),
            Stream::EventsThreshold => {
                let events = threshold_events(message).unwrap_or_default();
                events.iter().map(translate::threshold).for_each(|told| self.hub_tell(place, &told));
            }
            _ => {
                let facts = facts(message).unwrap_or_default();
                facts.iter().filter_map(translate::domain_event).for_each(|told| self.hub_tell(place, &told));
            }
        }
        self.hub.advance(place.0, place.1);
    }

    fn hub_tell(&self, place: (usize, u64), told: &translate::Told) {
        self.hub.tell(&told.rooms, place, told.event, &told.data);
    }

    fn normalized(&mut self, message: &Message, place: (usize, u64)) {
        if !self.hub.has_rooms() {
            return;
        }
        let Ok(pack) = decode_pack::<NormalizedPack>(&message.payload) else { return };
        let last = self.marks.last(message);
        for reading in &pack.readings {
            if !Marks::is_new(last, reading.origin) {
                continue;
            }
            self.marks.raise(message, reading.origin);
            let (organization, device) = (reading.organization.0, reading.device.0);
            let open = self.hub.open([Room::Organization(organization), Room::Device(device)]);
            if open == [false, false] {
                continue;
            }
            let shown = Shown {
                measured_at: reading.measured_at,
                values: values(pack.sets.keys(reading.set), &reading.numbers, &reading.others),
                source_devices: Vec::new(),
            };
            if open[0] {
                self.pending.add_newest(organization, device, place, &shown);
            }
            if open[1] {
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
        for change in pack.health.iter().filter(|change| Marks::is_new(last, change.origin)) {
            self.marks.raise(message, change.origin);
            self.hub_tell(place, &translate::health(change));
        }
        for reading in pack.readings.iter().filter(|reading| Marks::is_new(last, reading.origin)) {
            self.marks.raise(message, reading.origin);
            let room = Room::Asset(reading.asset.0);
            if self.hub.open([room]) == [true] {
                let shown = Shown {
                    measured_at: reading.measured_at,
                    values: values(pack.sets.keys(reading.set), &reading.numbers, &reading.others),
                    source_devices: reading.source_devices.iter().map(|device| device.0).collect(),
                };
                self.pending.add_all(room, place, shown);
            }
        }
    }

    fn presence(&mut self, message: &Message, place: (usize, u64)) {
        let is_news = message.sequence > self.heads.sequence(Stream::Presence);
        for fact in &presence_facts(std::iter::once(message)).0 {
            let changed = self.fold_presence(fact);
            if !is_news {
                continue;
            }
            for row in &changed {
                translate::presence(fact, row).iter().for_each(|told| self.hub_tell(place, told));
            }
            if let Some(told) = of_presence(fact).as_ref().and_then(translate::noticed) {
                self.hub_tell(place, &told);
            }
        }
    }

    /// Folds a fact into who is there; returns whose connectivity it changed.
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
        // Presence is read from its beginning: who is there must be known to tell who has gone.
        let mut from = self.heads.clone();
        from.0.remove(&Stream::Presence);
        Ok(from)
    }

    async fn handle(&mut self, batch: &Batch) -> Outcome {
        batch.messages.iter().for_each(|message| self.tell(message));
        debug!(messages = batch.messages.len(), "told the rooms");
        Outcome::Done
    }
}

fn values(keys: &[String], numbers: &[f64], others: &[(String, MetricValue)]) -> Map<String, Value> {
    let numbers = keys.iter().zip(numbers).map(|(key, number)| (key.clone(), Value::from(*number)));
    numbers.chain(others.iter().map(|(key, value)| (key.clone(), json_of(value)))).collect()
}
