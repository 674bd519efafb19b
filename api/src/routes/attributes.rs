//! Custom attributes: a free-form JSON object.

use std::collections::HashMap;

use serde_json::Value;

/// Returns the attributes as a JSON object, empty if absent.
pub fn object(attributes: Option<HashMap<String, Value>>) -> Value {
    Value::Object(attributes.unwrap_or_default().into_iter().collect())
}
