//! The state of one asset: its newest values, the values computed from them, and its score.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::asset_type::Part;
use domain::formula::FormulaError;
use domain::ids::{AssetId, DeviceId, OrganizationId};
use domain::telemetry::health::score;
use domain::telemetry::{AssetHealthChanged, AssetReading, ChildValues, MetricSets, Origin};
use serde::{Deserialize, Serialize};

use super::{MessageContext, Requirements};
use crate::asset_combiner::output::ComputedReading;

/// The most devices that are named as sources of a computed value.
const MAX_SOURCES: usize = 16;

/// The state of one asset.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AssetState {
    /// The newest value of each required metric, including computed ones.
    newest: BTreeMap<String, LatestValue>,
    /// The reports of direct children.
    children: BTreeMap<AssetId, ChildState>,
    /// Metrics that currently cannot be computed, with the reason.
    failing: BTreeMap<String, String>,
    /// The last score.
    score: Option<u8>,
    /// Where there is a backup device: when each metric last came from another device.
    primary: Option<PrimaryActivity>,
    /// The parent that it last reported to.
    reported_to: Option<AssetId>,
    /// The time of the last computed values and score, in microseconds since 1970.
    computed_at: i64,
    /// The number of children's reports so far.
    #[serde(default)]
    reports: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct LatestValue {
    value: f64,
    /// Microseconds since 1970, like all times in this file.
    measured_at: i64,
    sources: Vec<DeviceId>,
}

impl LatestValue {
    /// Whether a value that arrives now replaces this one.
    fn yields_to(&self, value: f64, measured_at: i64) -> bool {
        self.measured_at < measured_at || self.measured_at == measured_at && self.value != value
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct ChildState {
    values: BTreeMap<String, Part>,
    sources: Vec<DeviceId>,
    health: Option<u8>,
    measured_at: i64,
    received_at: i64,
    /// The number of the report that each value came with: its order of arrival among the children's.
    #[serde(default)]
    arrivals: BTreeMap<String, u64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct PrimaryActivity {
    since: i64,
    last_received: BTreeMap<String, i64>,
}

impl AssetState {
    /// Records when metrics came from a device that is not a backup, if the asset has a backup.
    pub fn note_primary(&mut self, reading: &AssetReading, sets: &MetricSets) {
        let Some(primary) = &mut self.primary else { return };
        let received_at = reading.received_at.timestamp_micros();
        for key in sets.keys(reading.set).iter().chain(reading.others.iter().map(|(key, _)| key)) {
            let heard = primary.last_received.entry(key.clone()).or_insert(received_at);
            *heard = received_at.max(*heard);
        }
    }

    /// Returns the accepted part of a backup's values: metrics that no other device has sent for the takeover time of
    /// the asset type.
    pub fn accept_backup(
        &mut self,
        requirements: &Requirements<'_>,
        offer: &AssetReading,
        sets: &MetricSets,
    ) -> Option<(AssetReading, MetricSets)> {
        let now = offer.received_at.timestamp_micros();
        let primary =
            self.primary.get_or_insert_with(|| PrimaryActivity { since: now, last_received: BTreeMap::new() });
        let bound = requirements.computation.combination().takeover_after_micros();
        let counts = |key: &String| now - primary.last_received.get(key).copied().unwrap_or(primary.since) >= bound;
        let numbers = sets.keys(offer.set).iter().zip(&offer.numbers).filter(|(key, _)| counts(key));
        let (keys, numbers): (Vec<String>, Vec<f64>) = numbers.map(|(key, value)| (key.clone(), *value)).unzip();
        let others: Vec<_> = offer.others.iter().filter(|(key, _)| counts(key)).cloned().collect();
        if keys.is_empty() && others.is_empty() {
            return None;
        }
        let doubts = offer.doubts.iter().filter(|(key, _)| counts(key)).cloned().collect();
        let accepted = AssetReading { set: 0, numbers, others, doubts, ..offer.clone() };
        Some((accepted, MetricSets(vec![keys])))
    }

    /// Stores required values that are newer than the stored ones, or correct them: of two values with the same time the
    /// last to arrive counts. Returns whether a value is new; one that only arrived again is not.
    pub fn update_latest(
        &mut self,
        requirements: &Requirements<'_>,
        reading: &AssetReading,
        sets: &MetricSets,
    ) -> bool {
        let measured_at = reading.measured_at.timestamp_micros();
        let mut is_updated = false;
        for (key, value) in sets.keys(reading.set).iter().zip(&reading.numbers) {
            if requirements.wants(key) && self.newest.get(key).is_none_or(|held| held.yields_to(*value, measured_at)) {
                let held = LatestValue { value: *value, measured_at, sources: reading.source_devices.clone() };
                self.newest.insert(key.clone(), held);
                is_updated = true;
            }
        }
        is_updated
    }

    /// Stores the report of a child. Of two values with the same time the later report wins.
    pub fn update_child(&mut self, report: &ChildValues) {
        self.reports += 1;
        let child = self.children.entry(report.child).or_default();
        for (key, value, measured_at) in &report.values {
            let held = child.values.get(key);
            if held.is_none_or(|(held, at)| at < measured_at || at == measured_at && held != value) {
                child.values.insert(key.clone(), (*value, *measured_at));
                child.arrivals.insert(key.clone(), self.reports);
            }
        }
        child.health = report.health.or(child.health);
        child.sources.clone_from(&report.source_devices);
        child.measured_at = report.measured_at.timestamp_micros().max(child.measured_at);
        child.received_at = report.received_at.timestamp_micros().max(child.received_at);
    }

    /// Drops assets that are no longer children.
    pub fn retain_children(&mut self, is_child: impl Fn(AssetId) -> bool) {
        self.children.retain(|child, _| is_child(*child));
    }

    /// Returns the reading that triggers a computation from the children's reports: without values, at their newest
    /// time.
    pub fn trigger_from_children(&self, asset: AssetId, organization: OrganizationId) -> Option<AssetReading> {
        let time = |micros: fn(&ChildState) -> i64| {
            self.children.values().map(micros).max().and_then(DateTime::from_timestamp_micros)
        };
        Some(AssetReading {
            origin: Origin::default(),
            organization,
            asset,
            source_devices: vec![],
            measured_at: time(|child| child.measured_at)?,
            received_at: time(|child| child.received_at)?,
            set: 0,
            numbers: vec![],
            others: vec![],
            flaws: vec![],
            doubts: vec![],
        })
    }

    /// Recomputes everything after a new value and writes the results.
    pub fn compute(
        &mut self,
        message: &mut MessageContext<'_>,
        requirements: &Requirements<'_>,
        asset: AssetId,
        organization: OrganizationId,
        trigger: &AssetReading,
    ) {
        // A recomputed value gets a later time, if only by a microsecond, so that readers
        // treat it as a new value.
        let now = self.latest_time().max(trigger.measured_at.timestamp_micros()).max(self.computed_at + 1);
        self.computed_at = now;
        let oldest = now - requirements.computation.combination().stale_after_micros();
        let mut numbers: BTreeMap<String, LatestValue> = BTreeMap::new();
        let mut flaws = self.compute_composites(requirements, oldest, now, &mut numbers);
        flaws.extend(self.compute_formulas(requirements, oldest, now, &mut numbers));
        for (key, held) in &numbers {
            self.newest.insert(key.clone(), held.clone());
        }
        let measured_at = DateTime::from_timestamp_micros(now).unwrap_or(trigger.measured_at);
        if !numbers.is_empty() || !flaws.is_empty() {
            let mut sources: Vec<DeviceId> = numbers.values().flat_map(|held| held.sources.clone()).collect();
            dedup_and_cap(&mut sources);
            let reading = AssetReading {
                organization,
                asset,
                source_devices: sources,
                measured_at,
                numbers: vec![],
                others: vec![],
                flaws,
                doubts: vec![],
                ..trigger.clone()
            };
            let numbers = numbers.into_iter().map(|(key, held)| (key, held.value)).collect();
            message.writer.write_computed(ComputedReading { reading, numbers });
        }
        let health = self.score(requirements, organization, asset, measured_at);
        let score = health.as_ref().map(|change| change.score);
        health.into_iter().for_each(|change| message.writer.write_health(change));
        self.report_to_parent(message, requirements, asset, organization, trigger, score);
    }

    /// Computes the composites into `numbers`. Returns metrics that newly fail.
    fn compute_composites(
        &mut self,
        requirements: &Requirements<'_>,
        oldest: i64,
        now: i64,
        numbers: &mut BTreeMap<String, LatestValue>,
    ) -> Vec<(String, String)> {
        let composites = requirements.computation.composites(|metric| self.child_values(metric, oldest));
        let mut flaws = Vec::new();
        for (key, value) in composites {
            match value {
                Ok(value) => {
                    let sources = self.child_sources();
                    numbers.insert(key.to_owned(), LatestValue { value, measured_at: now, sources });
                    self.failing.remove(key);
                }
                Err(error) => flaws.extend(self.fail(key, error.to_string())),
            }
        }
        flaws
    }

    /// Withdraws a computed metric; returns it with the reason unless it already fails for that reason.
    fn fail(&mut self, key: &str, reason: String) -> Option<(String, String)> {
        self.newest.remove(key);
        let is_new = self.failing.insert(key.to_owned(), reason.clone()).as_ref() != Some(&reason);
        is_new.then(|| (key.to_owned(), reason))
    }

    /// Computes the formula metrics into `numbers`. Returns metrics that newly fail, or fail for another reason than
    /// before.
    fn compute_formulas(
        &mut self,
        requirements: &Requirements<'_>,
        oldest: i64,
        now: i64,
        numbers: &mut BTreeMap<String, LatestValue>,
    ) -> Vec<(String, String)> {
        let mut flaws = Vec::new();
        for (key, formula) in requirements.computation.derived() {
            let found = |name: &str| numbers.get(name).or_else(|| self.newest.get(name));
            let fresh = |name: &str| found(name).filter(|held| held.measured_at >= oldest);
            let value = formula.evaluate(|name| fresh(name).map(|held| held.value));
            match value {
                Ok(value) => {
                    let mut sources: Vec<DeviceId> =
                        formula.names().filter_map(fresh).flat_map(|held| held.sources.clone()).collect();
                    dedup_and_cap(&mut sources);
                    numbers.insert(key.to_owned(), LatestValue { value, measured_at: now, sources });
                    self.failing.remove(key);
                }
                // A metric that never had a value is not a failure: its result was never published either.
                Err(FormulaError::NoValue(name)) if found(&name).is_none() && !self.failing.contains_key(&name) => {}
                Err(error) => {
                    let reason = match &error {
                        FormulaError::NoValue(name) if found(name).is_some() => format!("{name} is too old"),
                        other => other.to_string(),
                    };
                    flaws.extend(self.fail(key, reason));
                }
            }
        }
        flaws
    }

    /// Returns the children's values of a metric that are not older than `oldest`, in order of arrival.
    fn child_values(&self, metric: &str, oldest: i64) -> Vec<Part> {
        let values = self.children.values().filter_map(|child| {
            let (value, measured_at) = child.values.get(metric).filter(|(_, at)| *at >= oldest)?;
            Some((child.arrivals.get(metric), (*value, *measured_at)))
        });
        let mut values: Vec<_> = values.collect();
        values.sort_by_key(|(arrival, _)| *arrival);
        values.into_iter().map(|(_, part)| part).collect()
    }

    fn child_sources(&self) -> Vec<DeviceId> {
        let mut sources = self.children.values().flat_map(|child| child.sources.clone()).collect();
        dedup_and_cap(&mut sources);
        sources
    }

    fn score(
        &mut self,
        requirements: &Requirements<'_>,
        organization: OrganizationId,
        asset: AssetId,
        measured_at: DateTime<Utc>,
    ) -> Option<AssetHealthChanged> {
        let children: Vec<u8> = self.children.values().filter_map(|child| child.health).collect();
        let newest = |metric: &str| {
            let held = self.newest.get(metric)?;
            Some((held.value, DateTime::from_timestamp_micros(held.measured_at)?))
        };
        let health = score(requirements.health?, measured_at, newest, &children)?;
        if self.score == Some(health.score) {
            return None;
        }
        let previous = self.score.replace(health.score);
        Some(AssetHealthChanged {
            origin: Origin::default(),
            organization,
            asset,
            score: health.score,
            previous,
            cause: health.cause.map(str::to_owned),
            measured_at,
            scored_by: Some(requirements.scored_by),
        })
    }

    /// Reports to the parent the values and the score that it needs.
    fn report_to_parent(
        &mut self,
        message: &mut MessageContext<'_>,
        requirements: &Requirements<'_>,
        child: AssetId,
        organization: OrganizationId,
        trigger: &AssetReading,
        score: Option<u8>,
    ) {
        let Some(parent) = requirements.parent else { return };
        // A new parent gets the score even though it did not change.
        let is_new = self.reported_to.replace(parent.parent) != Some(parent.parent);
        let asked_for = self.newest.iter().filter(|(key, _)| parent.computation.needs_from_children(key));
        let values: Vec<_> = asked_for.map(|(key, held)| (key.clone(), held.value, held.measured_at)).collect();
        let former = message.reports_to_parents.get(&child).and_then(|report| report.health);
        let health = score.or(former).or(self.score.filter(|_| is_new)).filter(|_| parent.health);
        if values.is_empty() && health.is_none() {
            return;
        }
        let mut sources: Vec<DeviceId> = self.newest.values().flat_map(|held| held.sources.clone()).collect();
        dedup_and_cap(&mut sources);
        let report = ChildValues {
            origin: Origin::default(),
            organization,
            parent: parent.parent,
            child,
            source_devices: sources,
            measured_at: DateTime::from_timestamp_micros(self.latest_time()).unwrap_or(trigger.measured_at),
            received_at: trigger.received_at,
            values,
            health,
        };
        message.reports_to_parents.insert(child, report);
    }

    /// Returns the newest time of any value, which is the asset's "now".
    fn latest_time(&self) -> i64 {
        let own = self.newest.values().map(|held| held.measured_at);
        own.chain(self.children.values().map(|child| child.measured_at)).max().unwrap_or(i64::MIN)
    }
}

fn dedup_and_cap(sources: &mut Vec<DeviceId>) {
    sources.sort_unstable();
    sources.dedup();
    sources.truncate(MAX_SOURCES);
}
