//! Times in requests and responses: RFC 3339, written in UTC with `Z` (which needs no escaping in a URL) and with no
//! more fractional digits than needed.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};
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
        Some(Value::String(self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true)))
    }
}

impl ParseFromJSON for Time {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        match value.unwrap_or_default() {
            Value::String(text) => parse(&text),
            other => Err(ParseError::expected_type(other)),
        }
    }
}

impl ParseFromParameter for Time {
    fn parse_from_parameter(value: &str) -> ParseResult<Self> {
        // An unescaped plus in a query string arrives as a space.
        parse(&value.replace(' ', "+"))
    }
}

fn parse(text: &str) -> ParseResult<Time> {
    let parsed = DateTime::parse_from_rfc3339(text).map_err(|_| ParseError::custom("must be an RFC 3339 time"))?;
    Ok(Time(parsed.to_utc()))
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
}
