//! The JSON of a payload into readings, without a tree in between and without copying keys.

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::time;
use super::{Reason, Refusal};
use crate::checks::is_metric_key;

/// Most metrics in one reading.
pub const MAX_METRICS: usize = 256;
/// Most readings in one payload.
pub const MAX_READINGS: usize = 1_000;
/// Longest text of a metric, bytes.
pub const MAX_TEXT_BYTES: usize = 1_024;

/// A value as it was sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// A finite number.
    Number(f64),
    /// True or false.
    Boolean(bool),
    /// Text of at most [`MAX_TEXT_BYTES`].
    Text(Cow<'a, str>),
}

/// One reading as it was sent: at least one metric, keys well-formed; a `null` value counts as not sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed<'a> {
    /// When it was measured, where it says so.
    pub measured_at: Option<DateTime<Utc>>,
    /// Its metrics, in the order they were sent.
    pub metrics: Vec<(Cow<'a, str>, Value<'a>)>,
}

/// Reads a payload: an object with `metrics` and, where the device has a clock, `ts`; or an array of such objects.
/// Other members are ignored.
pub fn parse(payload: &[u8]) -> Result<Vec<Parsed<'_>>, Refusal> {
    let mut found = Found { readings: Vec::with_capacity(1), refusal: None };
    let mut json = serde_json::Deserializer::from_slice(payload);
    let read = (&mut json).deserialize_any(PayloadVisitor(&mut found)).and_then(|()| json.end());
    match (read, found.refusal) {
        (Ok(()), _) => Ok(found.readings),
        (Err(_), Some(refusal)) => Err(refusal),
        (Err(error), None) => Err(classify(payload, &error)),
    }
}

fn classify(payload: &[u8], error: &serde_json::Error) -> Refusal {
    let detail = error.to_string();
    let reason = if error.is_data() {
        Reason::WrongShape
    } else if detail.starts_with("number out of range") || has_bare_not_finite(payload) {
        Reason::NotFinite
    } else {
        Reason::MalformedJson
    };
    Refusal { reason, detail }
}

/// Tells whether `NaN` or `Infinity` stands outside of strings, as JavaScript and Python write them.
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

/// What was read so far. serde's errors carry only text, so a refusal with its reason is put beside them.
struct Found<'a> {
    readings: Vec<Parsed<'a>>,
    refusal: Option<Refusal>,
}

impl Found<'_> {
    fn refuse<E: serde::de::Error>(&mut self, reason: Reason, detail: impl Into<String>) -> E {
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
        while let Some(member) = map.next_key_seed(TextSeed)? {
            match &*member {
                "ts" => reading.measured_at = map.next_value_seed(TimeSeed(self.0))?,
                "metrics" => map.next_value_seed(MetricsSeed(self.0, &mut reading.metrics))?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if reading.metrics.is_empty() {
            return Err(self.0.refuse(Reason::NoMetrics, "no metric with a value"));
        }
        self.0.readings.push(reading);
        Ok(())
    }
}

struct TimeSeed<'f, 'a>(&'f mut Found<'a>);

impl TimeSeed<'_, '_> {
    fn or_refuse<E: serde::de::Error>(self, time: Option<DateTime<Utc>>) -> Result<Option<DateTime<Utc>>, E> {
        match time {
            Some(_) => Ok(time),
            None => Err(self.0.refuse(Reason::BadTime, "ts is no time")),
        }
    }
}

impl<'a> DeserializeSeed<'a> for TimeSeed<'_, 'a> {
    type Value = Option<DateTime<Utc>>;
    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for TimeSeed<'_, 'a> {
    type Value = Option<DateTime<Utc>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ts as seconds or milliseconds since 1970, or as text of RFC 3339")
    }
    fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Self::Value, E> {
        self.or_refuse(time::of_integer(number))
    }
    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Self::Value, E> {
        self.or_refuse(i64::try_from(number).ok().and_then(time::of_integer))
    }
    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Self::Value, E> {
        self.or_refuse(time::of_number(number))
    }
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
        self.or_refuse(time::of_text(text))
    }
}

struct MetricsSeed<'f, 'm, 'a>(&'f mut Found<'a>, &'m mut Vec<(Cow<'a, str>, Value<'a>)>);

impl<'a> DeserializeSeed<'a> for MetricsSeed<'_, '_, 'a> {
    type Value = ();
    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for MetricsSeed<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("metrics as an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let Self(found, metrics) = self;
        if !metrics.is_empty() {
            return Err(found.refuse(Reason::DuplicateKey, "metrics stands twice"));
        }
        metrics.reserve(12);
        while let Some(key) = map.next_key_seed(TextSeed)? {
            if !is_metric_key(&key) {
                let shown: String = key.chars().take(80).collect();
                return Err(found.refuse(Reason::BadKey, format!("{shown:?} is no metric key")));
            }
            match map.next_value_seed(ValueSeed(found, &key))? {
                Some(value) if metrics.len() < MAX_METRICS => metrics.push((key, value)),
                Some(_) => return Err(found.refuse(Reason::TooManyMetrics, format!("more than {MAX_METRICS} metrics"))),
                None => {}
            }
        }
        Ok(())
    }
}

/// A value, or nothing where it is `null`.
struct ValueSeed<'f, 'k, 'a>(&'f mut Found<'a>, &'k str);

impl<'a> ValueSeed<'_, '_, 'a> {
    fn text<E: serde::de::Error>(self, text: Cow<'a, str>) -> Result<Option<Value<'a>>, E> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(self.0.refuse(Reason::TextTooLong, format!("{} has {} bytes", self.1, text.len())));
        }
        Ok(Some(Value::Text(text)))
    }
    fn nested<E: serde::de::Error>(self) -> E {
        self.0.refuse(Reason::NestedValue, format!("{} is an object or an array", self.1))
    }
}

impl<'a> DeserializeSeed<'a> for ValueSeed<'_, '_, 'a> {
    type Value = Option<Value<'a>>;
    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for ValueSeed<'_, '_, 'a> {
    type Value = Option<Value<'a>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, true, false or text")
    }
    fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Some(Value::Boolean(value)))
    }
    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Some(Value::Number(number as f64)))
    }
    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Some(Value::Number(number as f64)))
    }
    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Self::Value, E> {
        if number.is_finite() { Ok(Some(Value::Number(number))) } else { Err(E::custom("number out of range")) }
    }
    fn visit_borrowed_str<E: serde::de::Error>(self, text: &'a str) -> Result<Self::Value, E> {
        self.text(Cow::Borrowed(text))
    }
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
        self.text(Cow::Owned(text.to_owned()))
    }
    fn visit_map<A: MapAccess<'a>>(self, _: A) -> Result<Self::Value, A::Error> {
        Err(self.nested())
    }
    fn visit_seq<A: SeqAccess<'a>>(self, _: A) -> Result<Self::Value, A::Error> {
        Err(self.nested())
    }
}

/// A text, borrowed where the JSON has no escapes in it.
struct TextSeed;

impl<'a> DeserializeSeed<'a> for TextSeed {
    type Value = Cow<'a, str>;
    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'a> Visitor<'a> for TextSeed {
    type Value = Cow<'a, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }
    fn visit_borrowed_str<E: serde::de::Error>(self, text: &'a str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}
