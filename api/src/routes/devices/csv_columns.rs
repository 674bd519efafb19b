//! The CSV columns of devices, and how custom attributes are written to cells, for import and export. A cell is read as
//! something other than its text only if an export writes that with the very same characters: identifiers keep leading
//! zeros and every digit.

use serde_json::{Map, Value};

use crate::exact_json;

/// The text columns.
pub const TEXTS: [&str; 5] = ["serialNumber", "name", "deviceTypeId", DESCRIPTION, "csr"];
/// The column of free text.
const DESCRIPTION: &str = "description";
/// The numeric column.
pub const VALIDITY: &str = "certificateValidityDays";
/// The columns that only an export fills; an import ignores them.
pub const EXPORTED: [&str; 2] = ["id", "status"];
/// The prefix of custom attribute columns.
const ATTRIBUTE: &str = "attribute.";

/// Returns whether a column is allowed.
pub fn is_column(name: &str) -> bool {
    let is_attribute = name.strip_prefix(ATTRIBUTE).is_some_and(|name| !name.is_empty());
    is_attribute || name == VALIDITY || TEXTS.contains(&name) || EXPORTED.contains(&name)
}

/// Numbers from 2^53 on are text in a cell: programs that read whole numbers as floats would round them.
const TOO_LARGE: f64 = 9_007_199_254_740_992.0;

/// Returns a row as the JSON object of the equivalent JSON line. Empty cells are omitted. White space around a cell does
/// not count, except in a description.
pub fn object<'a>(cells: impl Iterator<Item = (&'a str, &'a str)>) -> Map<String, Value> {
    let (mut object, mut attributes) = (Map::new(), Map::new());
    let cells = cells.map(|(column, cell)| (column, if column == DESCRIPTION { cell } else { cell.trim() }));
    for (column, cell) in cells.filter(|(_, cell)| !cell.is_empty()) {
        match column.strip_prefix(ATTRIBUTE) {
            Some(name) => attributes.insert(unquoted(name).unwrap_or_else(|| name.to_owned()), value(cell)),
            None if column == VALIDITY => object.insert(column.to_owned(), value(cell)),
            None => object.insert(column.to_owned(), Value::from(cell)),
        };
    }
    object.insert("customAttributes".to_owned(), Value::Object(attributes));
    object
}

/// Returns the column of an attribute. A name that would be read as another one is written as a JSON string.
pub fn column(name: &str) -> String {
    let is_plain = !name.is_empty() && name.trim() == name && unquoted(name).is_none();
    if is_plain { format!("{ATTRIBUTE}{name}") } else { format!("{ATTRIBUTE}{}", Value::from(name)) }
}

fn unquoted(name: &str) -> Option<String> {
    serde_json::from_str(name).ok()
}

/// Reads a cell: as JSON if nothing is lost, otherwise as text.
fn value(cell: &str) -> Value {
    let parsed = serde_json::from_str(cell).ok().filter(|parsed| is_written_as(parsed, cell));
    parsed.unwrap_or_else(|| Value::from(cell))
}

fn is_written_as(parsed: &Value, cell: &str) -> bool {
    match parsed {
        Value::Object(_) | Value::Array(_) => exact_json::is_exact(cell),
        // Negative zero is excluded because PostgreSQL stores no sign of it.
        Value::Number(number) => {
            let is_small = number.as_f64().is_some_and(|number| number.abs() < TOO_LARGE);
            is_small && cell != "-0.0" && number.to_string() == cell
        }
        Value::String(text) => {
            let written = parsed.to_string();
            !is_plain(text) && written == cell
        }
        Value::Bool(_) | Value::Null => true,
    }
}

/// Returns whether a text is read as itself.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.trim() == text && value(text).as_str() == Some(text)
}

/// Returns the cell of a value. A text that would be read as something else is written as a JSON string.
pub fn cell(value: &Value) -> String {
    match value {
        Value::String(text) if is_plain(text) => text.clone(),
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
    fn a_text_is_a_text_after_its_round_trip_whatever_it_looks_like() {
        for text in [
            "89490200001234567895",
            "007",
            "1e5",
            "1.50",
            "+49 30 1234",
            "-0.0",
            "9007199254740993",
            "NaN",
            "TRUE",
            "null",
            "2026-01-01",
            "=1+1",
            "'007",
            " x ",
            "\t",
            "\"",
            "\"3\"",
            "\"roof\"",
            "\"\\\"3\\\"\"",
            "[1,2]",
            "{\"a\": 1}",
            "[1e999]",
            "a,b;c",
            "a\r\nb",
            "x\n",
            "\u{feff}",
            "ü\u{1f600}",
        ] {
            let written = cell(&json!(text));
            let read = object([("attribute.x", written.as_str())].into_iter());
            assert_eq!(read["customAttributes"]["x"], json!(text), "{text:?} as {written}");
        }
    }

    #[test]
    fn a_cell_is_a_number_only_if_it_is_written_back_alike() {
        for (text, number) in [("3", json!(3)), ("-7", json!(-7)), ("3.5", json!(3.5)), ("1e-7", json!(1e-7))] {
            assert_eq!((value(text), cell(&number).as_str()), (number, text));
        }
        for text in ["007", "1e5", "1E5", "3.50", "+3", "-0", "1e999", "89490200001234567895", "9007199254740992"] {
            assert_eq!((value(text), cell(&json!(text)).as_str()), (json!(text), text));
        }
        assert_eq!(value("{\"a\": 1.50}"), json!({"a": 1.5}));
        assert_eq!(value("[89490200001234567895]"), json!("[89490200001234567895]"));
    }

    #[test]
    fn every_attribute_name_survives_a_round_trip_through_its_column() {
        for name in ["floor", "3", "true", "a.b", "a b", "", " ", " a", "a\n", "\"", "\"a\"", "\"\\\"a\\\"\"", "ü,;"] {
            let column = column(name);
            assert!(is_column(&column) && column.trim() == column, "{column:?}");
            let read = object([(column.as_str(), "x")].into_iter());
            assert_eq!(read["customAttributes"], json!({name: "x"}));
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
