//! Conversions of values to what PostgreSQL can store.

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use serde_json::Value;

/// Converts a sequence to `bigint`; sequences stay far below 2^63.
pub fn to_bigint(sequence: u64) -> i64 {
    i64::try_from(sequence).unwrap_or(i64::MAX)
}

/// Removes U+0000, which PostgreSQL stores neither in `text` nor in `jsonb`.
pub fn strip_nul(text: &str) -> String {
    text.replace('\0', "")
}

/// Removes U+0000 from every string and key of a JSON value.
pub fn strip_nul_json(value: Value) -> Value {
    match value {
        Value::String(text) if text.contains('\0') => Value::String(strip_nul(&text)),
        Value::Array(items) => Value::Array(items.into_iter().map(strip_nul_json).collect()),
        Value::Object(map) => map.into_iter().map(|(key, value)| (strip_nul(&key), strip_nul_json(value))).collect(),
        other => other,
    }
}

/// Serialises a time as PostgreSQL can store it. Older logs have links and due times after the year 9999, which its
/// RFC 3339 cannot express: a row that is refused would stop the read model for everybody.
pub fn nearest_time<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    domain::validation::nearest_time(*at).serialize(serializer)
}

/// Serialises an optional time as PostgreSQL can store it.
pub fn nearest_time_or_null<S: Serializer>(at: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
    at.map(domain::validation::nearest_time).serialize(serializer)
}

/// Returns the serialised name of a unit variant of an enumeration.
pub fn enum_text<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(text)) => text,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

/// Returns a value as JSON; null if it cannot be serialised, which does not happen for the types stored here.
pub fn to_json<T: serde::Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nul_characters_are_removed_from_every_string_and_key() {
        let value = json!({"a\u{0}": ["x\u{0}y", 1, null], "b": {"c": "d"}});
        assert_eq!(strip_nul_json(value), json!({"a": ["xy", 1, null], "b": {"c": "d"}}));
    }
}
