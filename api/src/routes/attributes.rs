//! Custom attributes: a JSON object of whatever the user likes.

use std::collections::HashMap;

use serde_json::Value;

/// Returns the object; nothing is an empty one.
pub fn object(attributes: Option<HashMap<String, Value>>) -> Value {
    Value::Object(attributes.unwrap_or_default().into_iter().collect())
}
