//! Builds and sends the requests of the sweep.

use serde_json::{Map, Value, json};

use super::extremes::Extreme;
use super::operations::{Field, Operation, Parameter};
use super::samples::Sample;
use super::world::{World, number};
use crate::support::{Answer, unique};

/// Stands in a body for JSON text that has no value of its own.
const RAW: &str = "{raw}";

/// Sends a sample, with another value of one parameter if given.
pub fn send(world: &World, operation: &Operation, sample: &Sample, parameter: Option<(&Parameter, &str)>) -> Answer {
    let changed =
        |place: &str| parameter.filter(|(one, _)| one.place == place).map(|(one, text)| (one.name.as_str(), text));
    let mut path = format!("/api/v1{}", operation.path);
    for (name, value) in &sample.path {
        let value = changed("path").filter(|(changed, _)| changed == name).map_or(value.as_str(), |(_, value)| value);
        path = path.replace(&format!("{{{name}}}"), value);
    }
    let known = sample.query.iter().map(|(name, value)| (*name, value.as_str()));
    let query =
        known.filter(|(name, _)| changed("query").is_none_or(|(other, _)| other != *name)).chain(changed("query"));
    let query: Vec<String> = query.map(|(name, value)| format!("{name}={value}")).collect();
    if !query.is_empty() {
        path = format!("{path}?{}", query.join("&"));
    }
    let body = match &sample.body {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        body => Some(filled(&body.to_string())),
    };
    world.client.send(&operation.method, &path, body.as_deref(), &[("content-type", "application/json")])
}

/// Fills in what is different in each request.
pub fn filled(body: &str) -> String {
    body.replace("{unique}", &unique()).replace("\"{number}\"", &number().to_string())
}

/// Percent-encodes a text.
pub fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// Returns the steps of a path: `a.b[0].c` is `a`, `b`, `0`, `c`.
fn steps(path: &str) -> Vec<String> {
    path.replace("[0]", ".0").split('.').map(str::to_owned).collect()
}

/// Returns the value at a path.
pub fn find<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    steps(path).iter().try_fold(value, |inner, step| match inner {
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        Value::Object(fields) if step == "*" => fields.values().next(),
        Value::Object(fields) => fields.get(step),
        _ => None,
    })
}

/// Returns whether a body has the object that holds a field, in the right variant.
pub fn has_place(body: &Value, field: &Field) -> bool {
    let parent = field.path.rsplit_once('.').map_or("", |(parent, _)| parent);
    let holds = field.path.ends_with("[0]") || field.path.ends_with(".*");
    let has_parent = parent.is_empty() || find(body, parent).is_some_and(Value::is_object);
    let is_variant =
        field.variant.as_ref().is_none_or(|(path, kind)| find(body, path).is_some_and(|one| one["type"] == *kind));
    // Fields next to it that exclude it are in samples of their own.
    has_parent && is_variant && if holds { find(body, &field.path).is_some() } else { is_known(body, field) }
}

/// Returns whether the body has the field, or another field may be added to its object.
fn is_known(body: &Value, field: &Field) -> bool {
    find(body, &field.path).is_some() || super::samples::ABSENT.contains(&field.path.as_str())
}

/// Returns the text of a body with another value of one field.
pub fn with_field(body: &Value, path: &str, extreme: &Extreme) -> String {
    let mut changed = body.clone();
    let (value, raw) = match extreme {
        Extreme::Json(value) => (value.clone(), None),
        Extreme::Raw(text) => (json!(RAW), Some(*text)),
    };
    set(&mut changed, &steps(path), value);
    let text = changed.to_string();
    raw.map_or(text.clone(), |raw| text.replace(&json!(RAW).to_string(), raw))
}

fn set(target: &mut Value, steps: &[String], value: Value) {
    let [first, rest @ ..] = steps else { return *target = value };
    let inner = match target {
        Value::Array(items) => &mut items[first.parse::<usize>().unwrap()],
        Value::Object(fields) if first == "*" => fields.values_mut().next().unwrap(),
        Value::Object(fields) => fields.entry(first.clone()).or_insert_with(|| Value::Object(Map::new())),
        _ => panic!("no place for {first} in {target}"),
    };
    set(inner, rest, value);
}
