//! Compares what was sent with what is answered.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::extremes::Extreme;
use super::operations::Operation;
use super::request::find;
use crate::support::Answer;

/// What was sent.
pub struct Expected<'a> {
    /// The field or parameter.
    pub field: &'a str,
    pub schema: &'a Value,
    pub extreme: &'a Extreme,
    /// Whether the answer should show it.
    pub shown: bool,
}

/// Returns what is wrong with an answer, if anything is.
pub fn flaw_of(operation: &Operation, answer: &Answer, expected: &Expected<'_>) -> Option<String> {
    let wrong = match answer.status {
        500.. => Some("a server error".to_owned()),
        202 => Some("stored, but not visible in time".to_owned()),
        200..300 if expected.shown => changed(answer, expected),
        200..300 => None,
        400..500 => unclear(answer),
        _ => Some("neither accepted nor refused".to_owned()),
    };
    let sent: String = match expected.extreme {
        Extreme::Json(value) => value.to_string().chars().take(60).collect(),
        Extreme::Raw(text) => (*text).to_owned(),
    };
    let answered: String = answer.text.chars().take(300).collect();
    wrong.map(|wrong| format!("{} {} = {sent}: {wrong}: {} {answered}", operation.id, expected.field, answer.status))
}

/// Returns what is wrong with a refusal: it is no problem document, or an invalid request names no field. Whether it
/// names this very field is not compared: some fields are refused by the name of the object that holds them.
fn unclear(answer: &Answer) -> Option<String> {
    if answer.header("content-type") != Some("application/problem+json") {
        return Some("not a problem document".into());
    }
    let kind = answer.json["type"].as_str().unwrap().rsplit(':').next().unwrap();
    let names_fields = matches!(kind, "invalid-fields" | "invalid-parameters");
    (names_fields && answer.fields().is_empty()).then(|| "no field is named".into())
}

/// Compares what was sent with the field of this name in the answer, if it has one.
fn changed(answer: &Answer, expected: &Expected<'_>) -> Option<String> {
    let place = expected.field.trim_start_matches("overrides.");
    let inside = answer.json.as_object().into_iter().flat_map(|fields| fields.values());
    let shown = std::iter::once(&answer.json).chain(inside).find_map(|root| find(root, place))?;
    let sent = match expected.extreme {
        Extreme::Json(value) => value.clone(),
        Extreme::Raw(text) => serde_json::from_str(text).unwrap_or_default(),
    };
    let same = match expected.schema["format"].as_str() {
        Some("date-time") => instant(&sent).is_some() && instant(&sent) == instant(shown),
        Some("uuid") => id(&sent).is_some() && id(&sent) == id(shown),
        _ if expected.schema["type"] == "string" => is_same_text(&sent, shown),
        _ if expected.schema["type"] == "array" => true,
        _ => is_same(&sent, shown),
    };
    (!same).then(|| format!("answered as {}", shown.to_string().chars().take(100).collect::<String>()))
}

/// Returns a time in whole microseconds; a leap second is the second after it.
fn instant(value: &Value) -> Option<i64> {
    DateTime::parse_from_rfc3339(value.as_str()?).ok().map(|at| at.with_timezone(&Utc).timestamp_micros())
}

fn id(value: &Value) -> Option<Uuid> {
    value.as_str()?.parse().ok()
}

/// Surrounding white space may be removed, and an empty text may count as none, as the document says.
fn is_same_text(sent: &Value, shown: &Value) -> bool {
    let sent = sent.as_str().unwrap_or_default();
    shown.as_str().map_or(sent.trim().is_empty(), |shown| shown == sent || shown == sent.trim())
}

fn is_same(sent: &Value, shown: &Value) -> bool {
    match (sent, shown) {
        (Value::Number(a), Value::Number(b)) if a.is_f64() || b.is_f64() => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| is_same(a, b)))
        }
        (a, b) => a == b,
    }
}
