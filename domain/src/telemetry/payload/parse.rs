//! Parses the JSON of a payload into readings, without an intermediate tree and without copying keys.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::seeds::{MetricsSeed, PortsSeed, TextSeed, TimeSeed};
use super::{Reason, Refusal};

/// Maximum number of metrics in one reading.
pub const MAX_METRICS: usize = 256;
/// Maximum number of readings in one payload.
pub const MAX_READINGS: usize = 1_000;
/// Maximum length of a text value, bytes.
pub const MAX_TEXT_BYTES: usize = 1_024;

/// A value as sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// A finite number.
    Number(f64),
    /// A whole number that a 64-bit float cannot hold: the nearest float.
    Rounded(f64),
    /// True or false.
    Boolean(bool),
    /// Text of at most [`MAX_TEXT_BYTES`].
    Text(Cow<'a, str>),
}

/// A reading as sent: at least one metric, valid keys; `null` values are dropped.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed<'a> {
    /// When it was measured, if the payload has a time.
    pub measured_at: Option<DateTime<Utc>>,
    /// The metrics in the order in which they were sent.
    pub metrics: Vec<(Cow<'a, str>, Value<'a>)>,
}

impl Parsed<'_> {
    /// Marks numbers that were rounded before the payload was written.
    pub fn mark_rounded(&mut self, keys: &BTreeSet<String>) {
        for (_, value) in self.metrics.iter_mut().filter(|(key, _)| keys.contains(&**key)) {
            if let Value::Number(number) = *value {
                *value = Value::Rounded(number);
            }
        }
    }
}

/// Parses a payload: an object with `metrics` and, if the device has a clock, `ts`; or an array of such objects. A
/// device with several ports may send `ports` (`{"1": {…}, "2": {…}}`) in addition to or instead of `metrics`; the keys
/// of the metrics of port 1 are then prefixed with `1.`. Other members are ignored.
pub fn parse(payload: &[u8]) -> Result<Vec<Parsed<'_>>, Refusal> {
    let found = read(payload, Found::default())?;
    if !found.has_huge {
        return Ok(found.readings);
    }
    // serde_json reads a whole number beyond 64 bits as a float and does not say so. Such numbers are rare, so that the
    // digits of all numbers are looked at only in payloads that have one.
    Ok(read(payload, Found { keeps_literals: true, ..Found::default() })?.readings)
}

fn read<'a>(payload: &'a [u8], mut found: Found<'a>) -> Result<Found<'a>, Refusal> {
    let mut json = serde_json::Deserializer::from_slice(payload);
    let read = (&mut json).deserialize_any(PayloadVisitor(&mut found)).and_then(|()| json.end());
    match (read, found.refusal.take()) {
        (Ok(()), _) => Ok(found),
        // The error of serde is only the signal to stop; the cause is in the refusal.
        (Err(_), Some(refusal)) => Err(refusal),
        (Err(error), None) => Err(classify(payload, &error)),
    }
}

fn classify(payload: &[u8], error: &serde_json::Error) -> Refusal {
    let detail = error.to_string();
    // JSON has no NaN, so serde_json reports a syntax error; a reason of its own shows the sender what to correct.
    let reason = if error.is_data() {
        Reason::WrongShape
    } else if detail.starts_with("number out of range") || has_bare_not_finite(payload) {
        Reason::NotFinite
    } else {
        Reason::MalformedJson
    };
    Refusal { reason, detail }
}

/// Returns whether the payload contains `NaN` or `Infinity` outside of strings, as JavaScript and Python write them.
fn has_bare_not_finite(payload: &[u8]) -> bool {
    let (mut in_text, mut escaped) = (false, false);
    payload.iter().enumerate().any(|(at, byte)| {
        if in_text {
            in_text = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
            return false;
        }
        in_text = *byte == b'"';
        let rest = &payload[at..];
        [&b"nan"[..], &b"inf"[..]].iter().any(|word| rest.len() >= 3 && rest[..3].eq_ignore_ascii_case(word))
    })
}

/// The readings parsed so far. serde's errors carry only text, so the refusal with its reason code is kept here.
#[derive(Default)]
pub(super) struct Found<'a> {
    readings: Vec<Parsed<'a>>,
    refusal: Option<Refusal>,
    /// Whether to compare numbers with their literals.
    pub(super) keeps_literals: bool,
    /// Whether a number was read that is beyond 64-bit integers.
    pub(super) has_huge: bool,
}

impl Found<'_> {
    pub(super) fn refuse<E: serde::de::Error>(&mut self, reason: Reason, detail: impl Into<String>) -> E {
        self.refusal = Some(Refusal::new(reason, detail));
        E::custom("refused")
    }
}

struct PayloadVisitor<'f, 'a>(&'f mut Found<'a>);

impl<'a> Visitor<'a> for PayloadVisitor<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with metrics, or an array of them")
    }

    fn visit_map<A: MapAccess<'a>>(self, map: A) -> Result<(), A::Error> {
        ReadingSeed(self.0).visit_map(map)
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(ReadingSeed(self.0))?.is_some() {
            // Checked while parsing, so that a huge array is not read to its end.
            if self.0.readings.len() > MAX_READINGS {
                return Err(self.0.refuse(Reason::TooManyReadings, format!("more than {MAX_READINGS} readings")));
            }
        }
        if self.0.readings.is_empty() {
            return Err(self.0.refuse(Reason::NoMetrics, "the array is empty"));
        }
        Ok(())
    }
}

struct ReadingSeed<'f, 'a>(&'f mut Found<'a>);

impl<'a> DeserializeSeed<'a> for ReadingSeed<'_, 'a> {
    type Value = ();
    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for ReadingSeed<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with metrics")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let mut reading = Parsed { measured_at: None, metrics: Vec::new() };
        let mut seen = false;
        while let Some(member) = map.next_key_seed(TextSeed)? {
            match &*member {
                "ts" => reading.measured_at = map.next_value_seed(TimeSeed(self.0))?,
                // JSON parsers differ in which duplicate they keep; reject instead of guessing.
                "metrics" if std::mem::replace(&mut seen, true) => {
                    return Err(self.0.refuse(Reason::DuplicateKey, "metrics occurs twice"));
                }
                "metrics" => map.next_value_seed(MetricsSeed::new(self.0, &mut reading.metrics))?,
                "ports" => map.next_value_seed(PortsSeed(self.0, &mut reading.metrics))?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if reading.metrics.is_empty() {
            return Err(self.0.refuse(Reason::NoMetrics, "there is no metric with a value"));
        }
        self.0.readings.push(reading);
        Ok(())
    }
}
