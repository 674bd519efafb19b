//! Finds numbers in free JSON, such as custom attributes, that would lose digits. A parsed number no longer tells.

use std::collections::BTreeMap;

use domain::exact_number;
use serde_json::value::RawValue;

use crate::problem::FieldError;

/// The fields of bodies whose JSON no schema describes.
const FREE_FIELDS: [&str; 2] = ["customAttributes", "defaultAttributes"];

/// Nesting at which the search ends: the parser refuses deeper JSON.
const MOST_LEVELS: usize = 128;
/// Most errors that one response names.
const MOST: usize = 50;

/// Returns the numbers in a body's free fields that would lose digits.
pub fn errors(body: &[u8]) -> Vec<FieldError> {
    let mut found = vec![];
    let fields: BTreeMap<String, &RawValue> = serde_json::from_slice(body).unwrap_or_default();
    for (name, value) in fields.iter().filter(|(name, _)| FREE_FIELDS.contains(&name.as_str())) {
        search(value.get(), name, 0, &mut found);
    }
    let message = "is a number that would lose digits; send it as a text";
    found.into_iter().take(MOST).map(|field| FieldError { field, message: message.to_owned() }).collect()
}

/// Returns whether a JSON text can be stored without a number losing digits.
pub fn is_exact(json: &str) -> bool {
    let mut found = vec![];
    search(json, "", 0, &mut found);
    found.is_empty()
}

fn search(json: &str, path: &str, level: usize, found: &mut Vec<String>) {
    if level == MOST_LEVELS || found.len() >= MOST {
        return;
    }
    match json.as_bytes().first() {
        Some(b'{') => {
            let parts: BTreeMap<String, &RawValue> = serde_json::from_str(json).unwrap_or_default();
            parts.iter().for_each(|(name, part)| search(part.get(), &format!("{path}.{name}"), level + 1, found));
        }
        Some(b'[') => {
            let parts: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_default();
            let parts = parts.iter().enumerate();
            parts.for_each(|(index, part)| search(part.get(), &format!("{path}[{index}]"), level + 1, found));
        }
        Some(b'-' | b'0'..=b'9') if exact_number(json).is_none() => found.push(path.to_owned()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(body: &str) -> Vec<String> {
        errors(body.as_bytes()).into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn every_number_that_would_lose_digits_is_named_by_its_path() {
        let body = r#"{ "name": "a", "customAttributes" : {"iccid": 89490200001234567895, "kept": [1.5, -7, 1e300],
            "text": "89490200001234567895", "sim": {"ids": [ 1, 1e999 ]}, "long": 0.12345678901234567890 } }"#;
        let expected = ["customAttributes.iccid", "customAttributes.long", "customAttributes.sim.ids[1]"];
        assert_eq!(fields(body), expected);
        assert_eq!(fields(r#"{"defaultAttributes": {"a": 18446744073709551616}}"#), ["defaultAttributes.a"]);
    }

    #[test]
    fn documented_fields_and_what_is_no_object_are_left_to_the_schema() {
        for body in [r#"{"value": 89490200001234567895}"#, "[1e999]", "", "{", r#"{"customAttributes": }"#] {
            assert_eq!(fields(body), Vec::<String>::new(), "{body}");
        }
    }

    #[test]
    fn deeply_nested_json_is_not_searched_to_the_end() {
        let deep = format!("{}1e999{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(fields(&format!("{{\"customAttributes\": {deep}}}")), Vec::<String>::new());
    }
}
