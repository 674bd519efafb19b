//! What is remembered of each asset that has a health model: the newest value of each metric that counts, and the last
//! score.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::asset_type::HealthModel;
use domain::ids::AssetId;
use domain::telemetry::health::score;
use domain::telemetry::{AssetHealthChanged, AssetReading, MetricSets, Origin};
use serde::{Deserialize, Serialize};

/// The assets of one partition.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct State(BTreeMap<AssetId, Scored>);

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Scored {
    score: Option<u8>,
    /// Metric, value, microseconds since 1970.
    newest: Vec<(String, f64, i64)>,
}

impl State {
    /// Takes values of an asset; answers the change where the score moved by a whole point, or is the first.
    pub fn observe(
        &mut self,
        model: &HealthModel,
        reading: &AssetReading,
        sets: &MetricSets,
        origin: Origin,
    ) -> Option<AssetHealthChanged> {
        let scored = self.0.entry(reading.asset).or_default();
        if !scored.learn(model, reading, sets) {
            return None;
        }
        let health = score(model, scored.time()?, |metric| scored.value(metric))?;
        if scored.score == Some(health.score) {
            return None;
        }
        let previous = scored.score.replace(health.score);
        Some(AssetHealthChanged {
            origin,
            organization: reading.organization,
            asset: reading.asset,
            score: health.score,
            previous,
            cause: health.cause.map(str::to_owned),
            measured_at: reading.measured_at,
        })
    }
}

impl Scored {
    /// Takes the values that count and are newer than those held; tells whether there is one.
    fn learn(&mut self, model: &HealthModel, reading: &AssetReading, sets: &MetricSets) -> bool {
        let at = reading.measured_at.timestamp_micros();
        let mut learnt = false;
        for (key, value) in sets.keys(reading.set).iter().zip(&reading.numbers) {
            if !model.bands.iter().any(|band| band.metric_key == *key) {
                continue;
            }
            match self.newest.iter_mut().find(|(known, ..)| known == key) {
                Some((_, _, held_at)) if *held_at >= at => continue,
                Some((_, held, held_at)) => (*held, *held_at) = (*value, at),
                None => self.newest.push((key.clone(), *value, at)),
            }
            learnt = true;
        }
        learnt
    }

    fn value(&self, metric: &str) -> Option<(f64, DateTime<Utc>)> {
        let (_, value, at) = self.newest.iter().find(|(known, ..)| known == metric)?;
        Some((*value, DateTime::from_timestamp_micros(*at)?))
    }

    /// The newest time of any value: what "now" is to the asset.
    fn time(&self) -> Option<DateTime<Utc>> {
        self.newest.iter().map(|(.., at)| *at).max().and_then(DateTime::from_timestamp_micros)
    }
}
