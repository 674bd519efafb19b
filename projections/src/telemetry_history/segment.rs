//! Packs the readings of one entity and hour into segments, and unpacks them. Repeated and late values are merged on
//! the way: a segment has one value for each time and metric. Pure; segments are stored by `upkeep::segment_store`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::hour_aggregates::hour_of;
use super::merged_reading::{Candidate, JsonObject, MergedValues, MetricSetKeys, Metrics, StoredReading};

/// At most this many numbers in a segment: reading any of them decompresses all (512 KiB).
const MAX_NUMBERS: usize = 65_536;
/// At most about this many bytes of other values and qualities in a segment: PostgreSQL refuses a `jsonb` of 256 MiB.
const MAX_OTHER_BYTES: usize = 8 << 20;

/// Readings of one entity, hour, metric set and sources.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    pub entity: i32,
    pub metrics: Metrics,
    pub sources: Vec<i32>,
    /// Microseconds since the Unix epoch.
    pub starts_at: i64,
    /// The unit of the offsets, in microseconds.
    pub unit: i64,
    /// Times relative to `starts_at`, in units, ascending.
    pub offsets: Vec<i32>,
    /// Column by column: all numbers of the first metric, then of the second.
    pub numbers: Vec<f64>,
    /// By the index of the reading.
    pub others: Option<JsonObject>,
    /// By the index of the reading.
    pub flaws: Option<JsonObject>,
}

impl Segment {
    /// Returns the start of its hour, microseconds.
    pub fn hour(&self) -> i64 {
        hour_of(self.starts_at)
    }

    /// Returns the time of the last reading, microseconds.
    pub fn ends_at(&self) -> i64 {
        self.offsets.last().map_or(self.starts_at, |offset| self.time(*offset))
    }

    /// Returns the time of an offset. What is stored is not trusted to fit.
    fn time(&self, offset: i32) -> i64 {
        self.starts_at.saturating_add(i64::from(offset).saturating_mul(self.unit))
    }

    /// Returns the readings.
    pub fn readings(mut self) -> Vec<StoredReading> {
        let count = self.offsets.len();
        let mut at = |place: usize, objects: fn(&mut Self) -> &mut Option<JsonObject>| {
            let object = objects(&mut self).as_mut()?.get_mut(&place.to_string())?.take();
            if let Value::Object(object) = object { Some(object) } else { None }
        };
        let extras: Vec<_> =
            (0..count).map(|place| (at(place, |s| &mut s.others), at(place, |s| &mut s.flaws))).collect();
        let reading = |(place, (others, flaws)): (usize, (Option<JsonObject>, Option<JsonObject>))| StoredReading {
            entity: self.entity,
            measured_at: self.time(self.offsets[place]),
            metrics: self.metrics.clone(),
            numbers: self.numbers.iter().skip(place).step_by(count.max(1)).copied().collect(),
            others,
            flaws,
            sources: self.sources.clone(),
            position: 0,
        };
        extras.into_iter().enumerate().map(reading).collect()
    }
}

/// Packs readings of one entity and hour, given in time order, into segments.
pub fn segments(readings: Vec<StoredReading>, sets: &MetricSetKeys) -> Vec<Segment> {
    let mut groups: Vec<Vec<StoredReading>> = Vec::new();
    let mut places: BTreeMap<(Metrics, Vec<i32>, usize), usize> = BTreeMap::new();
    let mut last = usize::MAX;
    for reading in settled(readings, sets) {
        // A reading nearly always belongs to the same group as the one before it.
        if !groups.get(last).is_some_and(|group| alike(&group[0], &reading)) {
            let key = (reading.metrics.clone(), reading.sources.clone(), reading.numbers.len());
            last = *places.entry(key).or_insert(groups.len());
        }
        match groups.get_mut(last) {
            Some(group) => group.push(reading),
            None => groups.push(vec![reading]),
        }
    }
    let mut made = Vec::new();
    for group in groups {
        let mut rest = &group[..];
        while !rest.is_empty() {
            let (readings, after) = rest.split_at(fitting(rest));
            pack(readings, &mut made);
            rest = after;
        }
    }
    made
}

/// Returns how many of these readings make one segment, at least one.
fn fitting(readings: &[StoredReading]) -> usize {
    let most = MAX_NUMBERS / readings[0].numbers.len().max(1);
    let mut bytes = 0;
    let fits = |reading: &&StoredReading| {
        bytes += other_bytes(reading);
        bytes <= MAX_OTHER_BYTES
    };
    readings.iter().take(most).take_while(fits).count().max(1)
}

fn other_bytes(reading: &StoredReading) -> usize {
    let others = reading.others.iter().chain(&reading.flaws).flatten();
    others.map(|(key, value)| key.len() + value.as_str().map_or(0, str::len) + 8).sum()
}

fn alike(one: &StoredReading, other: &StoredReading) -> bool {
    one.metrics == other.metrics && one.sources == other.sources && one.numbers.len() == other.numbers.len()
}

/// Merges readings of the same time, so that each time and metric has one value.
fn settled(readings: Vec<StoredReading>, sets: &MetricSetKeys) -> Vec<StoredReading> {
    let mut settled = Vec::with_capacity(readings.len());
    let mut rest = readings.into_iter().peekable();
    while let Some(reading) = rest.next() {
        let at = reading.measured_at;
        if rest.peek().is_none_or(|next| next.measured_at != at) {
            settled.push(reading);
            continue;
        }
        let mut same = vec![reading];
        while let Some(next) = rest.next_if(|next| next.measured_at == at) {
            same.push(next);
        }
        settled.extend(merged(same, sets));
    }
    settled
}

/// Merges several readings of one time into one for each list of sources.
fn merged(same: Vec<StoredReading>, sets: &MetricSetKeys) -> Vec<StoredReading> {
    let (entity, measured_at) = (same[0].entity, same[0].measured_at);
    let mut found = MergedValues::new();
    let mut flaws = JsonObject::new();
    for reading in same {
        flaws.extend(reading.flaws.iter().flatten().map(|(key, quality)| (key.clone(), quality.clone())));
        reading.merge_into(sets, None, &mut found);
    }
    let mut groups: BTreeMap<Vec<i32>, StoredReading> = BTreeMap::new();
    for ((_, key), Candidate { value, quality, sources, .. }) in found {
        flaws.remove(&key);
        let reading = groups.entry(sources).or_insert_with_key(|sources| nothing(entity, measured_at, sources.clone()));
        reading.put(key, value, quality);
    }
    // Keeps the qualities of metrics that have no value.
    if !flaws.is_empty() {
        let reading = match groups.first_entry() {
            Some(first) => first.into_mut(),
            None => groups.entry(Vec::new()).or_insert(nothing(entity, measured_at, Vec::new())),
        };
        reading.flaws.get_or_insert_default().extend(flaws);
    }
    groups.into_values().collect()
}

fn nothing(entity: i32, measured_at: i64, sources: Vec<i32>) -> StoredReading {
    let (metrics, numbers) = (Metrics::Keys(Vec::new()), Vec::new());
    StoredReading { entity, measured_at, metrics, numbers, others: None, flaws: None, sources, position: 0 }
}

impl StoredReading {
    fn put(&mut self, key: String, value: Value, quality: Option<Value>) {
        if let Some(quality) = quality {
            self.flaws.get_or_insert_default().insert(key.clone(), quality);
        }
        match (value.as_f64(), &mut self.metrics) {
            (Some(number), Metrics::Keys(keys)) => {
                keys.push(key);
                self.numbers.push(number);
            }
            _ => {
                self.others.get_or_insert_default().insert(key, value);
            }
        }
    }
}

/// Packs readings into one segment, or several if the offsets would not fit into 32 bits.
fn pack(readings: &[StoredReading], made: &mut Vec<Segment>) {
    let first = &readings[0];
    let offsets = || readings.iter().map(|reading| reading.measured_at - first.measured_at);
    let unit = offsets().fold(0, gcd).max(1);
    let small: Option<Vec<i32>> = offsets().map(|offset| i32::try_from(offset / unit).ok()).collect();
    let Some(offsets) = small else {
        let (early, late) = readings.split_at(readings.len() / 2);
        pack(early, made);
        return pack(late, made);
    };
    let width = first.numbers.len();
    let mut numbers = Vec::with_capacity(width * readings.len());
    for slot in 0..width {
        numbers.extend(readings.iter().map(|reading| reading.numbers[slot]));
    }
    made.push(Segment {
        entity: first.entity,
        metrics: first.metrics.clone(),
        sources: first.sources.clone(),
        starts_at: first.measured_at,
        unit,
        offsets,
        numbers,
        others: by_place(readings, |reading| reading.others.as_ref()),
        flaws: by_place(readings, |reading| reading.flaws.as_ref()),
    });
}

fn by_place(readings: &[StoredReading], object: impl Fn(&StoredReading) -> Option<&JsonObject>) -> Option<JsonObject> {
    let there = readings.iter().enumerate().filter_map(|(place, reading)| Some((place, object(reading)?)));
    let objects: JsonObject = there.map(|(place, object)| (place.to_string(), Value::Object(object.clone()))).collect();
    (!objects.is_empty()).then_some(objects)
}

/// Euclid's greatest common divisor.
fn gcd(one: i64, other: i64) -> i64 {
    if other == 0 { one } else { gcd(other, one % other) }
}
