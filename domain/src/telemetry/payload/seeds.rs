//! serde seeds that parse the parts of a payload: times, metrics, values and names. Whole readings are parsed in
//! `parse`.

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::parse::{Found, MAX_METRICS, MAX_TEXT_BYTES, Value};
use super::{Reason, time};
use crate::telemetry::exact;
use crate::validation::is_metric_key;

/// The metrics of a reading that is being parsed.
type Metrics<'a> = Vec<(Cow<'a, str>, Value<'a>)>;

/// Parses a time; `None` for `null`.
pub(super) struct TimeSeed<'f, 'a>(pub(super) &'f mut Found<'a>);

impl TimeSeed<'_, '_> {
    fn or_refuse<E: serde::de::Error>(self, time: Option<DateTime<Utc>>) -> Result<Option<DateTime<Utc>>, E> {
        match time {
            Some(_) => Ok(time),
            None => Err(self.0.refuse(Reason::BadTime, "ts is not a valid time")),
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
        f.write_str("ts as seconds or milliseconds since 1970, or as RFC 3339 text")
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

/// Parses the metrics of each port, prefixing their keys with the port number and a dot.
pub(super) struct PortsSeed<'f, 'm, 'a>(pub(super) &'f mut Found<'a>, pub(super) &'m mut Metrics<'a>);

impl<'a> DeserializeSeed<'a> for PortsSeed<'_, '_, 'a> {
    type Value = ();
    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for PortsSeed<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ports as an object of metrics by port number")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let Self(found, metrics) = self;
        while let Some(port) = map.next_key_seed(TextSeed)? {
            let Ok(port) = port.parse::<u16>() else {
                // The key comes from the device and may be arbitrarily long.
                let shown: String = port.chars().take(80).collect();
                return Err(found.refuse(Reason::BadKey, format!("{shown:?} is not a port number")));
            };
            map.next_value_seed(MetricsSeed { found, metrics, port: Some(port) })?;
        }
        Ok(())
    }
}

/// Parses the metrics of a reading or of one of its ports.
pub(super) struct MetricsSeed<'f, 'm, 'a> {
    found: &'f mut Found<'a>,
    metrics: &'m mut Metrics<'a>,
    port: Option<u16>,
}

impl<'f, 'm, 'a> MetricsSeed<'f, 'm, 'a> {
    /// Parses metrics without a port.
    pub(super) fn new(found: &'f mut Found<'a>, metrics: &'m mut Metrics<'a>) -> Self {
        Self { found, metrics, port: None }
    }
}

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
        let Self { found, metrics, port } = self;
        metrics.reserve(12);
        while let Some(mut key) = map.next_key_seed(TextSeed)? {
            if let Some(port) = port {
                key = format!("{port}.{key}").into();
            }
            if !is_metric_key(&key) {
                let shown: String = key.chars().take(80).collect();
                return Err(found.refuse(Reason::BadKey, format!("{shown:?} is not a metric key")));
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

/// Parses a value; `None` for `null`.
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
        if !self.0.keeps_literals {
            return deserializer.deserialize_any(self);
        }
        let literal = <&RawValue>::deserialize(deserializer)?.get();
        let value = serde_json::Deserializer::from_str(literal).deserialize_any(self).map_err(D::Error::custom)?;
        Ok(value.map(|value| match value {
            Value::Number(number) if !exact::is_as_written(literal, number) => Value::Rounded(number),
            other => other,
        }))
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
        Ok(Some(whole(number.into())))
    }
    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Some(whole(number.into())))
    }
    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Self::Value, E> {
        self.0.has_huge |= number.abs() >= exact::BEYOND_INTEGERS;
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

fn whole<'a>(number: i128) -> Value<'a> {
    if exact::is_exact(number) { Value::Number(number as f64) } else { Value::Rounded(number as f64) }
}

/// Parses a name, borrowing it from the payload unless it contains escapes.
pub(super) struct TextSeed;

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
