//! The operations of the OpenAPI document, their parameters, and the leaf fields of their bodies.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::Text;

/// An operation of the document.
pub struct Operation {
    pub id: String,
    pub method: String,
    /// Its path below `/api/v1`, with `{names}`.
    pub path: String,
    pub parameters: Vec<Parameter>,
    /// The leaf fields of its JSON body.
    pub fields: Vec<Field>,
}

/// A parameter in path or query.
pub struct Parameter {
    pub name: String,
    pub place: String,
    pub schema: Value,
}

/// A leaf field of a body: a number, text, choice, time, free JSON value, or a list as a whole.
#[derive(Clone)]
pub struct Field {
    /// Its path: `condition.value`, `metrics[0].key`; `*` is any key of a map.
    pub path: String,
    pub schema: Value,
    /// The value of `type` that its object must have, if the object is one of several variants.
    pub variant: Option<(String, String)>,
}

/// Returns the operations.
pub fn all() -> Vec<Operation> {
    let document: Value = serde_json::from_str(include_str!("../../../openapi.json")).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, methods)| {
        methods.as_object().unwrap().iter().map(move |(method, operation)| (path, method, operation))
    });
    operations.map(|(path, method, operation)| operation_of(&document, path, method, operation)).collect()
}

fn operation_of(document: &Value, path: &str, method: &str, operation: &Value) -> Operation {
    let mut fields = Walk { document, open: BTreeSet::new(), found: vec![] };
    let body = &operation["requestBody"]["content"]["application/json"]["schema"];
    fields.walk(body, "", None);
    let parameters = operation["parameters"].as_array().into_iter().flatten().filter(|one| one["in"] != "header");
    let parameters = parameters.map(|one| Parameter {
        name: one["name"].text(),
        place: one["in"].text(),
        schema: resolved(document, &one["schema"]).clone(),
    });
    Operation {
        id: operation["operationId"].text(),
        method: method.to_uppercase(),
        path: path.to_owned(),
        parameters: parameters.collect(),
        fields: fields.found,
    }
}

fn resolved<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    match schema["$ref"].as_str() {
        Some(reference) => document.pointer(reference.strip_prefix('#').unwrap()).unwrap(),
        None => schema,
    }
}

struct Walk<'d> {
    document: &'d Value,
    /// The named schemas around the present one: each is entered once, so that recursive ones end.
    open: BTreeSet<String>,
    found: Vec<Field>,
}

impl Walk<'_> {
    fn walk(&mut self, schema: &Value, path: &str, variant: Option<&(String, String)>) {
        if let Some(name) = schema["$ref"].as_str() {
            if self.open.insert(name.to_owned()) {
                self.walk(resolved(self.document, schema), path, variant);
                self.open.remove(name);
            }
            return;
        }
        // Parts without a shape only add a default or a description.
        let has_shape = |part: &&Value| ["$ref", "type", "allOf"].iter().any(|key| part.get(key).is_some());
        for part in schema["allOf"].as_array().into_iter().flatten().filter(has_shape) {
            self.walk(part, path, variant);
        }
        for part in schema["oneOf"].as_array().into_iter().flatten() {
            // Each variant is its `type` and the fields of one schema.
            let parts = resolved(self.document, part)["allOf"].clone();
            let named =
                parts[0]["properties"]["type"]["enum"][0].as_str().map(|name| (path.to_owned(), name.to_owned()));
            self.walk(&parts[1], path, named.as_ref());
        }
        match schema["type"].as_str() {
            Some("object") => self.object(schema, path, variant),
            Some("array") => {
                let whole = json!({"type": "array", "minItems": schema["minItems"], "maxItems": schema["maxItems"]});
                self.add(path, &whole, variant);
                self.walk(&schema["items"], &format!("{path}[0]"), None);
            }
            Some(_) => self.add(path, schema, variant),
            None if schema.is_object() && schema.get("allOf").is_none() => self.add(path, &json!({}), variant),
            None => {}
        }
    }

    fn object(&mut self, schema: &Value, path: &str, variant: Option<&(String, String)>) {
        for (name, part) in schema["properties"].as_object().into_iter().flatten() {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            self.walk(part, &path, variant);
        }
        if schema["additionalProperties"].is_object() {
            self.add(&format!("{path}.*"), &schema["additionalProperties"], variant);
        }
    }

    fn add(&mut self, path: &str, schema: &Value, variant: Option<&(String, String)>) {
        self.found.push(Field { path: path.to_owned(), schema: schema.clone(), variant: variant.cloned() });
    }
}
