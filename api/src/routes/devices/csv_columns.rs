//! The CSV columns of devices, and how custom attributes are written to cells, for import and export.

use serde_json::{Map, Value};

/// The text columns.
pub const TEXTS: [&str; 5] = ["serialNumber", "name", "deviceTypeId", "description", "csr"];
/// The numeric column.
pub const VALIDITY: &str = "certificateValidityDays";
/// The columns that only an export fills; an import ignores them.
pub const EXPORTED: [&str; 2] = ["id", "status"];
/// The prefix of custom attribute columns.
pub const ATTRIBUTE: &str = "attribute.";

/// Returns whether a column is allowed.
pub fn is_column(name: &str) -> bool {
    let is_attribute = name.strip_prefix(ATTRIBUTE).is_some_and(|name| !name.is_empty());
    is_attribute || name == VALIDITY || TEXTS.contains(&name) || EXPORTED.contains(&name)
}

/// Returns a row as the JSON object of the equivalent JSON line. Empty cells are omitted.
pub fn object<'a>(cells: impl Iterator<Item = (&'a str, &'a str)>) -> Map<String, Value> {
    let (mut object, mut attributes) = (Map::new(), Map::new());
    for (column, cell) in cells.filter(|(_, cell)| !cell.is_empty()) {
        match column.strip_prefix(ATTRIBUTE) {
            Some(name) => attributes.insert(name.to_owned(), value(cell)),
            None if column == VALIDITY => object.insert(column.to_owned(), value(cell)),
            None => object.insert(column.to_owned(), Value::from(cell)),
        };
    }
    object.insert("customAttributes".to_owned(), Value::Object(attributes));
    object
}

/// Parses a cell as JSON if possible, otherwise as text.
fn value(cell: &str) -> Value {
    serde_json::from_str(cell).unwrap_or_else(|_| Value::from(cell))
}

/// Returns the cell that parses back to this value.
pub fn cell(value: &Value) -> String {
    match value {
        Value::String(text) if !text.is_empty() && serde_json::from_str::<Value>(text).is_err() => text.clone(),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_attribute_survives_a_round_trip_through_its_cell() {
        for attribute in [json!("roof"), json!("3"), json!(3), json!(""), json!("true"), json!(null), json!({"a": [1]})]
        {
            let read = object([("attribute.x", cell(&attribute).as_str())].into_iter());
            assert_eq!(read["customAttributes"]["x"], attribute);
        }
    }

    #[test]
    fn text_columns_stay_text_and_empty_cells_are_omitted() {
        let row = [("serialNumber", "7"), ("name", ""), ("certificateValidityDays", "30")];
        assert_eq!(
            Value::Object(object(row.into_iter())),
            json!({"serialNumber": "7", "certificateValidityDays": 30, "customAttributes": {}})
        );
    }

    #[test]
    fn columns_are_known_by_name() {
        assert!(["csr", "attribute.floor", "status", "certificateValidityDays"].into_iter().all(is_column));
        assert!(!["attribute.", "Name", "serial number", ""].into_iter().any(is_column));
    }
}
