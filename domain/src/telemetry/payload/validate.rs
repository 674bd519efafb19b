//! Validates a reading against its device's type and the platform's clock.

use std::borrow::Cow;
use std::cmp::Ordering;

use chrono::{DateTime, Days, TimeDelta, Utc};

use super::{Parsed, Reason, Refusal, Value};
use crate::device_type::{MetricDefinition, UnknownMetrics, ValueKind};
use crate::directory::DeviceTypeEntry;
use crate::organization::DEFAULT_RETENTION_DAYS;
use crate::telemetry::{MetricValue, Quality};

/// The accepted range of the time of measurement, relative to the time of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockBounds {
    /// Retention of the telemetry: days (UTC) before the day of arrival. Older readings would not be kept.
    pub kept_days: u32,
    /// Maximum time ahead of the platform's clock.
    pub ahead: TimeDelta,
}

impl Default for ClockBounds {
    fn default() -> Self {
        Self { kept_days: DEFAULT_RETENTION_DAYS, ahead: TimeDelta::minutes(5) }
    }
}

/// A validated reading: keys sorted and unique, numbers finite, kinds as declared.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked<'a> {
    /// When it was measured, in whole microseconds; the time of arrival if the device sent no time.
    pub measured_at: DateTime<Utc>,
    /// Keys of the numbers, sorted.
    pub keys: Vec<Cow<'a, str>>,
    /// The numbers, in the order of their keys.
    pub numbers: Vec<f64>,
    /// Values of other kinds by key, sorted.
    pub others: Vec<(String, MetricValue)>,
    /// Metrics whose quality is not good, sorted.
    pub flaws: Vec<(String, Quality)>,
}

/// Validates a reading against the clock and, if known, its device's type, whose metrics must be sorted by key.
/// `received_at` is the reading's own time of arrival, see [`arrival_of`](super::arrival_of).
pub fn validate<'a>(
    reading: Parsed<'a>,
    received_at: DateTime<Utc>,
    device_type: Option<&DeviceTypeEntry>,
    bounds: &ClockBounds,
) -> Result<Checked<'a>, Refusal> {
    let measured_at = within(bounds, reading.measured_at.unwrap_or(received_at), received_at)?;
    let mut metrics = reading.metrics;
    // Devices usually send their metrics in a fixed order; sorting is needed to detect duplicates and to match
    // definitions.
    if !metrics.is_sorted_by(|(a, _), (b, _)| a < b) {
        metrics.sort_by(|(a, _), (b, _)| a.cmp(b));
    }
    let size = metrics.len();
    let mut checked = Checked {
        measured_at,
        keys: Vec::with_capacity(size),
        numbers: Vec::with_capacity(size),
        others: vec![],
        flaws: vec![],
    };
    let mut definitions = Definitions::of(device_type);
    let mut previous: Option<Cow<'a, str>> = None;
    for (key, value) in metrics {
        if previous.as_ref() == Some(&key) {
            return Err(Refusal::new(Reason::DuplicateKey, format!("metric {key} occurs twice")));
        }
        let quality = definitions.check(&key, &value)?;
        if quality != Quality::Good || matches!(value, Value::Rounded(_)) {
            checked.flaws.push((key.clone().into_owned(), Quality::Uncertain));
        }
        previous = Some(key.clone());
        checked.add(key, value);
    }
    definitions.finish()?;
    Ok(checked)
}

impl<'a> Checked<'a> {
    fn add(&mut self, key: Cow<'a, str>, value: Value<'a>) {
        match value {
            Value::Number(number) | Value::Rounded(number) => {
                self.keys.push(key);
                self.numbers.push(number);
            }
            Value::Boolean(value) => self.others.push((key.into_owned(), MetricValue::Boolean(value))),
            Value::Text(text) => self.others.push((key.into_owned(), MetricValue::Text(text.into_owned()))),
        }
    }
}

fn within(
    bounds: &ClockBounds,
    measured_at: DateTime<Utc>,
    received_at: DateTime<Utc>,
) -> Result<DateTime<Utc>, Refusal> {
    let (arrived, kept_days) = (received_at.date_naive(), bounds.kept_days);
    if arrived.checked_sub_days(Days::new(kept_days.into())).is_some_and(|first| measured_at.date_naive() < first) {
        let detail = format!("measured at {measured_at}; telemetry is kept for {kept_days} days");
        return Err(Refusal::new(Reason::ClockTooEarly, detail));
    }
    if measured_at - received_at > bounds.ahead {
        let detail = format!("measured at {measured_at}, more than {} s after it arrived", bounds.ahead.num_seconds());
        return Err(Refusal::new(Reason::ClockTooLate, detail));
    }
    Ok(measured_at)
}

/// The declared metrics, consumed in step with the sorted metrics of a reading.
struct Definitions<'t> {
    rest: &'t [MetricDefinition],
    refuses_others: bool,
}

impl<'t> Definitions<'t> {
    fn of(device_type: Option<&'t DeviceTypeEntry>) -> Self {
        let refuses_others = device_type.is_some_and(|known| known.unknown_metrics == UnknownMetrics::Refuse);
        Self { rest: device_type.map_or(&[], |known| &known.metrics), refuses_others }
    }

    fn check(&mut self, key: &str, value: &Value<'_>) -> Result<Quality, Refusal> {
        while let Some((definition, rest)) = self.rest.split_first() {
            match definition.key.as_str().cmp(key) {
                Ordering::Greater => break,
                Ordering::Less => missing(definition)?,
                Ordering::Equal => {
                    self.rest = rest;
                    return kind(definition, value);
                }
            }
            self.rest = rest;
        }
        if self.refuses_others {
            return Err(Refusal::new(Reason::UnknownMetric, format!("metric {key} is not declared")));
        }
        Ok(Quality::Good)
    }

    fn finish(self) -> Result<(), Refusal> {
        self.rest.iter().try_for_each(missing)
    }
}

fn missing(definition: &MetricDefinition) -> Result<(), Refusal> {
    if definition.required {
        return Err(Refusal::new(Reason::MissingMetric, format!("metric {} is required", definition.key)));
    }
    Ok(())
}

fn kind(definition: &MetricDefinition, value: &Value<'_>) -> Result<Quality, Refusal> {
    let reason = match (definition.kind, value) {
        (ValueKind::Number, Value::Number(number) | Value::Rounded(number)) => {
            let low = definition.minimum.is_some_and(|minimum| *number < minimum);
            let high = definition.maximum.is_some_and(|maximum| *number > maximum);
            return Ok(if low || high { Quality::Uncertain } else { Quality::Good });
        }
        (ValueKind::Boolean, Value::Boolean(_)) | (ValueKind::Text, Value::Text(_)) => return Ok(Quality::Good),
        (ValueKind::Number, _) => Reason::NotANumber,
        (ValueKind::Boolean, _) => Reason::NotABoolean,
        (ValueKind::Text, _) => Reason::NotAText,
    };
    Err(Refusal::new(reason, format!("{} is {}", definition.key, shown(value))))
}

fn shown(value: &Value<'_>) -> String {
    match value {
        Value::Number(number) | Value::Rounded(number) => format!("the number {number}"),
        Value::Boolean(value) => value.to_string(),
        Value::Text(text) => format!("the text {:?}", text.chars().take(40).collect::<String>()),
    }
}
