//! Readings of one entity and hour in segments and back. What was sent again, or late, is settled on the way: a segment
//! has every value once. What does not live here: reading and writing them. Pure.

use std::collections::BTreeMap;

use serde_json::Value;

use super::hours::hour_of;
use super::line::{Candidate, Found, Line, Metrics, Object, Sets};

/// Numbers in one segment, at most: what must be decompressed for one of them (512 KiB).
const MAX_NUMBERS: usize = 65_536;

/// Readings of one entity, hour, metric set and sources.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    pub entity: i32,
    pub metrics: Metrics,
    pub sources: Vec<i32>,
    /// Microseconds since the Unix epoch.
    pub starts_at: i64,
    /// Microseconds of one step of the offsets.
    pub unit: i64,
    /// From `starts_at`, ascending, in units.
    pub offsets: Vec<i32>,
    /// Metric after metric.
    pub numbers: Vec<f64>,
    /// By the reading's place.
    pub others: Option<Object>,
    /// By the reading's place.
    pub flaws: Option<Object>,
}

impl Segment {
    /// Returns the hour all of it is in, microseconds.
    pub fn hour(&self) -> i64 {
        hour_of(self.starts_at)
    }

    /// Returns the time of the last reading, microseconds.
    pub fn ends_at(&self) -> i64 {
        self.starts_at + self.offsets.last().map_or(0, |offset| i64::from(*offset) * self.unit)
    }

    /// Returns the readings.
    pub fn lines(mut self) -> Vec<Line> {
        let count = self.offsets.len();
        let mut at = |place: usize, objects: fn(&mut Self) -> &mut Option<Object>| {
            let object = objects(&mut self).as_mut()?.get_mut(&place.to_string())?.take();
            if let Value::Object(object) = object { Some(object) } else { None }
        };
        let extras: Vec<_> =
            (0..count).map(|place| (at(place, |s| &mut s.others), at(place, |s| &mut s.flaws))).collect();
        let line = |(place, (others, flaws)): (usize, (Option<Object>, Option<Object>))| Line {
            entity: self.entity,
            measured_at: self.starts_at + i64::from(self.offsets[place]) * self.unit,
            metrics: self.metrics.clone(),
            numbers: self.numbers.iter().skip(place).step_by(count.max(1)).copied().collect(),
            others,
            flaws,
            sources: self.sources.clone(),
            position: 0,
        };
        extras.into_iter().enumerate().map(line).collect()
    }
}

/// Makes segments of readings of one entity and hour, which come in the order of time.
pub fn segments(lines: Vec<Line>, sets: &Sets) -> Vec<Segment> {
    let mut groups: Vec<Vec<Line>> = Vec::new();
    let mut places: BTreeMap<(Metrics, Vec<i32>, usize), usize> = BTreeMap::new();
    let mut last = usize::MAX;
    for line in settled(lines, sets) {
        // Nearly always of the group of the one before.
        if !groups.get(last).is_some_and(|group| alike(&group[0], &line)) {
            let key = (line.metrics.clone(), line.sources.clone(), line.numbers.len());
            last = *places.entry(key).or_insert(groups.len());
        }
        match groups.get_mut(last) {
            Some(group) => group.push(line),
            None => groups.push(vec![line]),
        }
    }
    let mut made = Vec::new();
    for group in groups {
        let readings = MAX_NUMBERS / group[0].numbers.len().max(1);
        group.chunks(readings.max(1)).for_each(|lines| pack(lines, &mut made));
    }
    made
}

fn alike(one: &Line, other: &Line) -> bool {
    one.metrics == other.metrics && one.sources == other.sources && one.numbers.len() == other.numbers.len()
}

/// Leaves of each time and metric the value that counts.
fn settled(lines: Vec<Line>, sets: &Sets) -> Vec<Line> {
    let mut settled = Vec::with_capacity(lines.len());
    let mut rest = lines.into_iter().peekable();
    while let Some(line) = rest.next() {
        let at = line.measured_at;
        if rest.peek().is_none_or(|next| next.measured_at != at) {
            settled.push(line);
            continue;
        }
        let mut same = vec![line];
        while let Some(next) = rest.next_if(|next| next.measured_at == at) {
            same.push(next);
        }
        settled.extend(merged(same, sets));
    }
    settled
}

/// Makes readings, one for each list of sources, of several of one time.
fn merged(same: Vec<Line>, sets: &Sets) -> Vec<Line> {
    let (entity, measured_at) = (same[0].entity, same[0].measured_at);
    let mut found = Found::new();
    let mut flaws = Object::new();
    for line in same {
        flaws.extend(line.flaws.iter().flatten().map(|(key, quality)| (key.clone(), quality.clone())));
        line.unfold(sets, None, &mut found);
    }
    let mut groups: BTreeMap<Vec<i32>, Line> = BTreeMap::new();
    for ((_, key), Candidate { value, quality, sources, .. }) in found {
        flaws.remove(&key);
        let line = groups.entry(sources).or_insert_with_key(|sources| nothing(entity, measured_at, sources.clone()));
        line.put(key, value, quality);
    }
    // Qualities of metrics that had no value.
    if !flaws.is_empty() {
        let line = match groups.first_entry() {
            Some(first) => first.into_mut(),
            None => groups.entry(Vec::new()).or_insert(nothing(entity, measured_at, Vec::new())),
        };
        line.flaws.get_or_insert_default().extend(flaws);
    }
    groups.into_values().collect()
}

fn nothing(entity: i32, measured_at: i64, sources: Vec<i32>) -> Line {
    let (metrics, numbers) = (Metrics::Keys(Vec::new()), Vec::new());
    Line { entity, measured_at, metrics, numbers, others: None, flaws: None, sources, position: 0 }
}

impl Line {
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

/// Makes one segment, or several where the times are too fine for offsets of 32 bits.
fn pack(lines: &[Line], made: &mut Vec<Segment>) {
    let first = &lines[0];
    let offsets = || lines.iter().map(|line| line.measured_at - first.measured_at);
    let unit = offsets().fold(0, gcd).max(1);
    let small: Option<Vec<i32>> = offsets().map(|offset| i32::try_from(offset / unit).ok()).collect();
    let Some(offsets) = small else {
        let (early, late) = lines.split_at(lines.len() / 2);
        pack(early, made);
        return pack(late, made);
    };
    let width = first.numbers.len();
    let mut numbers = Vec::with_capacity(width * lines.len());
    for slot in 0..width {
        numbers.extend(lines.iter().map(|line| line.numbers[slot]));
    }
    made.push(Segment {
        entity: first.entity,
        metrics: first.metrics.clone(),
        sources: first.sources.clone(),
        starts_at: first.measured_at,
        unit,
        offsets,
        numbers,
        others: by_place(lines, |line| line.others.as_ref()),
        flaws: by_place(lines, |line| line.flaws.as_ref()),
    });
}

fn by_place(lines: &[Line], object: impl Fn(&Line) -> Option<&Object>) -> Option<Object> {
    let there = lines.iter().enumerate().filter_map(|(place, line)| Some((place, object(line)?)));
    let objects: Object = there.map(|(place, object)| (place.to_string(), Value::Object(object.clone()))).collect();
    (!objects.is_empty()).then_some(objects)
}

/// Euclid's greatest common divisor.
fn gcd(one: i64, other: i64) -> i64 {
    if other == 0 { one } else { gcd(other, one % other) }
}
