//! Times in requests and responses: RFC 3339, written in UTC with `Z` (which needs no escaping in a URL) and with no
//! more fractional digits than needed. Every time of every request is parsed here.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use domain::validation::{is_time, nearest_time};
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::{ParseError, ParseFromJSON, ParseFromParameter, ParseResult, ToJSON, Type};
use serde_json::Value;

/// A point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub DateTime<Utc>);

impl From<DateTime<Utc>> for Time {
    fn from(at: DateTime<Utc>) -> Self {
        Self(at)
    }
}

impl Type for Time {
    const IS_REQUIRED: bool = true;

    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "string_date-time".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema::new_with_format("string", "date-time")))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

impl ToJSON for Time {
    fn to_json(&self) -> Option<Value> {
        Some(Value::String(nearest_time(self.0).to_rfc3339_opts(SecondsFormat::AutoSi, true)))
    }
}

impl ParseFromJSON for Time {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        match value.unwrap_or_default() {
            Value::String(text) => parse(&text).map(Time).map_err(ParseError::custom),
            other => Err(ParseError::expected_type(other)),
        }
    }
}

impl ParseFromParameter for Time {
    fn parse_from_parameter(value: &str) -> ParseResult<Self> {
        // An unescaped plus in a query string arrives as a space.
        let (at, rest) = split(&value.replace(' ', "+")).map_err(ParseError::custom)?;
        // Bounds of ranges keep the digits after the microseconds, so that they can be rounded up.
        Ok(Time(at + rest))
    }
}

/// Parses a time of a request, or says what it must be. Digits after the microseconds are cut off, as databases would
/// round them; a leap second counts as the second after it.
pub fn parse(text: &str) -> Result<DateTime<Utc>, &'static str> {
    split(text).map(|(at, _)| at)
}

/// Parses a time into whole microseconds and the rest.
fn split(text: &str) -> Result<(DateTime<Utc>, TimeDelta), &'static str> {
    let parsed = DateTime::parse_from_rfc3339(text).map_err(|_| "must be an RFC 3339 time")?;
    let whole = DateTime::from_timestamp_micros(parsed.timestamp_micros()).filter(|at| is_time(*at));
    let rest = TimeDelta::nanoseconds(i64::from(parsed.timestamp_subsec_nanos() % 1_000));
    Ok((whole.ok_or("must be in the years 0001 to 9999 in UTC")?, rest))
}

/// Parses a time of a cursor: microseconds since 1970.
pub fn of_micros(text: &str) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_micros(text.parse().ok()?).filter(|at| is_time(*at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_with_a_z_and_no_more_digits_than_needed() {
        for text in ["2026-01-28T10:00:00Z", "2026-01-28T10:00:00.250Z", "2026-01-28T10:00:00.000001Z"] {
            let time = Time::parse_from_json(Some(text.into())).unwrap_or_else(|_| panic!("{text}"));
            assert_eq!(time.to_json(), Some(text.into()));
        }
    }

    #[test]
    fn other_time_zones_are_parsed_even_with_an_unescaped_plus() {
        let noon = Time::parse_from_json(Some("2026-01-28T12:00:00Z".into())).ok();
        for text in ["2026-01-28T13:00:00+01:00", "2026-01-28T13:00:00 01:00", "2026-01-28T12:00:00z"] {
            assert_eq!(Time::parse_from_parameter(text).ok(), noon, "{text}");
        }
        assert!(Time::parse_from_parameter("yesterday").is_err());
        assert!(Time::parse_from_json(Some(7.into())).is_err());
    }

    #[test]
    fn a_time_is_in_the_years_1_to_9999_in_utc() {
        let good = [
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
            ("0000-12-31T12:00:00-14:00", "0001-01-01T02:00:00Z"),
            ("9999-12-31T23:59:59.999999+14:00", "9999-12-31T09:59:59.999999Z"),
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
            ("2026-01-28T10:00:00.123456789Z", "2026-01-28T10:00:00.123456Z"),
        ];
        for (text, answered) in good {
            let time = Time::parse_from_json(Some(text.into())).unwrap_or_else(|_| panic!("{text}"));
            assert_eq!(time.to_json(), Some(answered.into()));
        }
        for text in ["9999-12-31T23:59:59-08:00", "9999-12-31T23:59:60Z", "0001-01-01T00:00:00+00:01"] {
            assert_eq!(parse(text), Err("must be in the years 0001 to 9999 in UTC"), "{text}");
        }
        for text in ["+10000-01-01T00:00:00Z", "2026-01-28", "2026-02-30T00:00:00Z", "2026-01-28T24:00:00Z", ""] {
            assert_eq!(parse(text), Err("must be an RFC 3339 time"), "{text}");
        }
    }

    #[test]
    fn a_stored_time_after_the_year_9999_is_answered_as_rfc_3339() {
        let stored = Time("+10000-01-01T07:59:59Z".parse().unwrap());
        assert_eq!(stored.to_json(), Some("9999-12-31T23:59:59.999999Z".into()));
    }
}
