//! Validates a JSON value against the documented schema and names every invalid field. The framework's own parser stops
//! at the first one and does not say where it is.

use poem_openapi::registry::{MetaSchema, MetaSchemaRef, Registry};
use serde_json::{Map, Value};

use crate::problem::FieldError;
use crate::time;

/// Floating-point numbers from this one on are whole numbers that no integer field can have: 2^64.
const WHOLE_NUMBERS: f64 = 18_446_744_073_709_551_616.0;

/// Most errors that one response names.
const MOST: usize = 50;

/// Returns the invalid fields of a value.
pub fn errors(registry: &Registry, schema: &MetaSchemaRef, value: &Value) -> Vec<FieldError> {
    let mut check = Check { registry, open: false, found: vec![] };
    check.value(schema, value, "");
    check.characters(value, "");
    check.found
}

struct Check<'r> {
    registry: &'r Registry,
    /// Whether the next object is one part of an `allOf`, so that fields it does not know may belong to another part.
    open: bool,
    found: Vec<FieldError>,
}

impl Check<'_> {
    fn note(&mut self, path: &str, message: impl Into<String>) {
        if self.found.len() < MOST {
            let field = if path.is_empty() { "body" } else { path };
            self.found.push(FieldError { field: field.to_owned(), message: message.into() });
        }
    }

    fn value(&mut self, schema: &MetaSchemaRef, value: &Value, path: &str) {
        let registry = self.registry;
        let schema = match schema {
            MetaSchemaRef::Inline(schema) => schema,
            MetaSchemaRef::Reference(name) => match registry.schemas.get(name) {
                Some(schema) => schema,
                None => return,
            },
        };
        if let Some(named) = &schema.discriminator {
            return self.variant(schema, named.property_name, &named.mapping, value, path);
        }
        // `allOf` with a single shape is only a reference with a description, not a composition.
        let shapes = schema.all_of.iter().filter(|part| has_shape(part)).count();
        for part in &schema.all_of {
            self.open = shapes > 1 || !schema.properties.is_empty();
            self.value(part, value, path);
            self.open = false;
        }
        match (schema.ty, value) {
            ("object", Value::Object(object)) => self.object(schema, object, path),
            ("array", Value::Array(items)) => self.items(schema, items, path),
            ("string", Value::String(text)) => self.text(schema, text, path),
            ("integer" | "number", Value::Number(number)) => self.number(schema, number, path),
            ("boolean", Value::Bool(_)) | ("", _) => {}
            (wanted, _) => self.note(path, format!("must be {}", article(wanted))),
        }
        if !schema.enum_items.is_empty() && !schema.enum_items.contains(value) {
            let words: Vec<_> = schema.enum_items.iter().map(Value::to_string).collect();
            self.note(path, format!("must be one of {}", words.join(", ")));
        }
    }

    /// Refuses U+0000 in every text and every key, also of free-form objects: databases cannot store it.
    fn characters(&mut self, value: &Value, path: &str) {
        match value {
            Value::String(text) if text.contains('\0') => self.note(path, "must not contain the character U+0000"),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.characters(item, &format!("{path}[{index}]"));
                }
            }
            Value::Object(object) => {
                for (name, value) in object {
                    if name.contains('\0') {
                        self.note(path, "must not have a key that contains the character U+0000");
                    }
                    self.characters(value, &join(path, name));
                }
            }
            _ => {}
        }
    }

    fn object(&mut self, schema: &MetaSchema, object: &Map<String, Value>, path: &str) {
        let open = std::mem::take(&mut self.open) || schema.properties.is_empty();
        for required in schema.required.iter().filter(|name| object.get(**name).is_none_or(Value::is_null)) {
            self.note(&join(path, required), "is required");
        }
        for (name, part) in &schema.properties {
            if let Some(value) = object.get(*name).filter(|value| !value.is_null()) {
                self.value(part, value, &join(path, name));
            }
        }
        let known = |name: &String| schema.properties.iter().any(|(known, _)| known == name);
        for (name, value) in object.iter().filter(|(name, _)| !known(name)) {
            match &schema.additional_properties {
                Some(part) => self.value(part, value, &join(path, name)),
                None if open => {}
                None => self.note(&join(path, name), "is not a known field"),
            }
        }
    }

    fn items(&mut self, schema: &MetaSchema, items: &[Value], path: &str) {
        if let Some(part) = &schema.items {
            for (index, item) in items.iter().enumerate() {
                self.value(part, item, &format!("{path}[{index}]"));
            }
        }
        if schema.min_items.is_some_and(|least| items.len() < least) {
            self.note(path, format!("must have at least {} items", schema.min_items.unwrap_or_default()));
        }
        if schema.max_items.is_some_and(|most| items.len() > most) {
            self.note(path, format!("must have at most {} items", schema.max_items.unwrap_or_default()));
        }
    }

    fn text(&mut self, schema: &MetaSchema, text: &str, path: &str) {
        let length = text.chars().count();
        if schema.min_length.is_some_and(|least| length < least) || schema.max_length.is_some_and(|most| length > most)
        {
            let (least, most) = (schema.min_length.unwrap_or(0), schema.max_length);
            let most = most.map_or(String::new(), |most| format!(" to {most}"));
            self.note(path, format!("must have {least}{most} characters"));
        }
        match schema.format {
            Some("uuid") if text.parse::<uuid::Uuid>().is_err() => self.note(path, "must be a UUID"),
            Some("date-time") => {
                if let Err(message) = time::parse(text) {
                    self.note(path, message);
                }
            }
            _ => {}
        }
    }

    fn number(&mut self, schema: &MetaSchema, number: &serde_json::Number, path: &str) {
        let value = number.as_f64().unwrap_or_default();
        let (low, high) = bounds(schema);
        if schema.ty == "integer" && number.is_f64() && value.abs() < WHOLE_NUMBERS {
            self.note(path, "must be a whole number");
        } else if value < low || value > high {
            self.note(path, format!("must be in the range {low} to {high}"));
        }
    }

    fn variant(&mut self, schema: &MetaSchema, name: &str, mapping: &[(String, String)], value: &Value, path: &str) {
        let Value::Object(object) = value else { return self.note(path, "must be an object") };
        let wanted = object.get(name).and_then(Value::as_str);
        let at = mapping.iter().position(|(word, _)| Some(word.as_str()) == wanted);
        let variants = if schema.one_of.is_empty() { &schema.any_of } else { &schema.one_of };
        match at.and_then(|at| variants.get(at)) {
            Some(variant) => self.value(variant, value, path),
            None => {
                let words: Vec<_> = mapping.iter().map(|(word, _)| format!("{word:?}")).collect();
                self.note(&join(path, name), format!("must be one of {}", words.join(", ")));
            }
        }
    }
}

/// Returns whether a part of a schema declares fields.
fn has_shape(part: &MetaSchemaRef) -> bool {
    match part {
        MetaSchemaRef::Reference(_) => true,
        MetaSchemaRef::Inline(schema) => !schema.properties.is_empty() || !schema.all_of.is_empty(),
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn article(kind: &str) -> &'static str {
    match kind {
        "object" => "an object",
        "array" => "a list",
        "string" => "a string",
        "integer" => "a whole number",
        "boolean" => "true or false",
        _ => "a number",
    }
}

fn bounds(schema: &MetaSchema) -> (f64, f64) {
    let (low, high) = match schema.format {
        Some("uint8") => (0.0, f64::from(u8::MAX)),
        Some("uint16") => (0.0, f64::from(u16::MAX)),
        Some("uint32") => (0.0, f64::from(u32::MAX)),
        Some("int32") => (f64::from(i32::MIN), f64::from(i32::MAX)),
        // The framework reads no greater ones, and the greatest `i64` has no exact `f64`.
        Some("int64") => (i64::MIN as f64, 9_223_372_036_854_774_784.0),
        Some("uint64") => (0.0, 9_223_372_036_854_774_784.0),
        _ => (f64::MIN, f64::MAX),
    };
    (schema.minimum.unwrap_or(low).max(low), schema.maximum.unwrap_or(high).min(high))
}

#[cfg(test)]
mod tests {
    use poem_openapi::types::Type;
    use poem_openapi::{Enum, Object, Union};
    use serde_json::json;

    use super::*;

    #[derive(Object)]
    #[oai(rename_all = "camelCase")]
    #[allow(dead_code)]
    struct Thing {
        name: String,
        #[oai(validator(max_length = 3))]
        code: Option<String>,
        id: Option<uuid::Uuid>,
        port: Option<u16>,
        kind: Option<Shape>,
        act: Option<Act>,
        #[oai(default, validator(min_items = 1))]
        parts: Vec<Part>,
        /// A part with a description of its own.
        part: Option<Part>,
        at: Option<crate::time::Time>,
        free: Option<std::collections::HashMap<String, Value>>,
    }

    #[derive(Enum)]
    #[oai(rename_all = "snake_case")]
    enum Shape {
        Round,
        Square,
    }

    #[derive(Object)]
    #[oai(deny_unknown_fields)]
    struct Part {
        item: String,
    }

    #[derive(Object)]
    struct Call {
        url: String,
    }

    #[derive(Object)]
    struct Rest {}

    #[derive(Union)]
    #[oai(discriminator_name = "type", one_of = true)]
    enum Act {
        #[oai(mapping = "call")]
        Call(Call),
        #[oai(mapping = "rest")]
        Rest(Rest),
    }

    fn wrong(value: Value) -> Vec<String> {
        let mut registry = Registry::new();
        Thing::register(&mut registry);
        errors(&registry, &Thing::schema_ref(), &value)
            .into_iter()
            .map(|e| format!("{} {}", e.field, e.message))
            .collect()
    }

    #[test]
    fn a_valid_value_has_no_errors() {
        let id = "00000000-0000-0000-0000-000000000001";
        let full = json!({"name": "a", "code": "abc", "id": id, "port": 1, "kind": "round",
            "act": {"type": "call", "url": "x"}, "parts": [{"item": "y"}]});
        for value in [json!({"name": "a"}), full, json!({"name": "a", "code": null})] {
            assert_eq!(wrong(value), Vec::<String>::new());
        }
    }

    #[test]
    fn every_invalid_field_is_named() {
        let value = json!({"code": "abcd", "id": "no", "port": 70000, "kind": "oval", "act": {"type": "jump"},
            "parts": [{"item": "a"}, {"item": 1}, {}]});
        let expected = [
            "name is required",
            "code must have 0 to 3 characters",
            "id must be a UUID",
            "port must be in the range 0 to 65535",
            "kind must be one of \"round\", \"square\"",
            "act.type must be one of \"call\", \"rest\"",
            "parts[1].item must be a string",
            "parts[2].item is required",
        ];
        assert_eq!(wrong(value), expected);
        assert_eq!(wrong(json!({"name": "a", "act": {"type": "call"}})), ["act.url is required"]);
        let unknown = json!({"name": "a", "unknown": 1, "parts": [{"item": "y", "more": null}]});
        assert_eq!(wrong(unknown), ["parts[0].more is not a known field", "unknown is not a known field"]);
        let described = json!({"name": "a", "part": {"item": "y", "more": 1}, "parts": []});
        assert_eq!(wrong(described), ["parts must have at least 1 items", "part.more is not a known field"]);
        assert_eq!(wrong(json!({"name": "a", "port": 1.5})), ["port must be a whole number"]);
        assert_eq!(wrong(json!({"name": "a", "port": 1.0})), ["port must be a whole number"]);
        assert_eq!(wrong(json!({"name": "a", "port": 1e300})), ["port must be in the range 0 to 65535"]);
        assert_eq!(wrong(json!([])), ["body must be an object"]);
    }

    #[test]
    fn a_text_or_a_key_with_u_0000_is_named() {
        let refused = "must not contain the character U+0000";
        assert_eq!(wrong(json!({"name": "a\u{0}"})), [format!("name {refused}")]);
        let free = json!({"name": "a", "free": {"deep": [1, {"k\u{0}": 1, "text": "\u{0}"}]}});
        let key = "free.deep[1] must not have a key that contains the character U+0000";
        assert_eq!(wrong(free), [key.to_owned(), format!("free.deep[1].text {refused}")]);
    }

    #[test]
    fn a_time_outside_of_the_years_1_to_9999_is_named() {
        let wrong = |at: &str| wrong(json!({"name": "a", "at": at}));
        assert_eq!(wrong("9999-12-31T23:59:59-08:00"), ["at must be in the years 0001 to 9999 in UTC"]);
        assert_eq!(wrong("2026-01-28"), ["at must be an RFC 3339 time"]);
        assert_eq!(wrong("9999-12-31T23:59:59Z"), Vec::<String>::new());
    }
}
