//! Executes a converter: turns a device's payload into the JSON form in which devices without a converter send their
//! readings. The validation of that reading lives in `telemetry::payload`.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::definition::{ConverterDefinition, ConverterRule, Frame, FrameEncoding, Source};
use crate::device_type::{MetricDefinition, ValueKind};
use crate::formula::Formula;
use crate::telemetry::exact;

/// A converter with its formulas parsed.
#[derive(Debug)]
pub struct Converter {
    definition: ConverterDefinition,
    formulas: Vec<Option<Formula>>,
}

/// The result of converting a payload.
#[derive(Clone, Debug, PartialEq)]
pub struct Conversion {
    /// The reading: `metrics`, and `ts` if the payload has a time.
    pub reading: Value,
    /// The errors, in the order of the rules.
    pub errors: Vec<RuleError>,
    /// The metrics that are, or were computed from, whole numbers that a 64-bit float had to round; sorted.
    pub rounded: BTreeSet<String>,
    /// Whether the payload is rejected: a required metric is missing, or the metrics violate the target schema.
    pub refused: bool,
}

/// An error of one metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    /// The rule's index, from 0; `None` if the target schema is violated.
    pub rule: Option<usize>,
    /// The metric.
    pub target: String,
    /// The error message.
    pub message: String,
}

/// A value, and whether it is a whole number that a 64-bit float had to round, or was computed from one.
type Rounded = (Value, bool);

/// A payload as input of the rules.
struct Input<'a> {
    payload: &'a [u8],
    json: Option<Value>,
    bytes: Result<Cow<'a, [u8]>, String>,
}

impl Converter {
    /// Parses the formulas of a validated definition. Should one not parse, its rule yields an error for every payload.
    pub fn new(definition: ConverterDefinition) -> Self {
        let formula = |rule: &ConverterRule| rule.formula.as_deref().map(Formula::parse).transpose().ok().flatten();
        let formulas = definition.rules.iter().map(formula).collect();
        Self { definition, formulas }
    }

    /// Converts a payload.
    pub fn convert(&self, payload: &[u8]) -> Conversion {
        let input = self.input(payload);
        let (mut found, mut errors, mut refused) = (BTreeMap::new(), vec![], false);
        for (index, rule) in self.definition.rules.iter().enumerate() {
            match self.value(index, rule, &input, &found) {
                Ok(value) => drop(found.insert(rule.target.clone(), value)),
                Err(message) => {
                    refused |= rule.required;
                    errors.push(RuleError { rule: Some(index), target: rule.target.clone(), message });
                }
            }
        }
        let rounded = found.iter().filter(|(_, (_, rounded))| *rounded).map(|(key, _)| key.clone()).collect();
        let metrics = found.into_iter().map(|(key, (value, _))| (key, value)).collect();
        let violations = violations(&self.definition.target_schema, &metrics);
        refused |= !violations.is_empty();
        errors.extend(violations);
        Conversion { reading: self.reading(&input, metrics), errors, rounded, refused }
    }

    fn input<'a>(&self, payload: &'a [u8]) -> Input<'a> {
        // A binary payload is not JSON; only rules with a path need it.
        let json: Option<Value> = serde_json::from_slice(payload).ok();
        let bytes = match &self.definition.frame {
            Some(frame) => frame_bytes(frame, payload, json.as_ref()),
            None => Err("the converter has no frame".to_owned()),
        };
        Input { payload, json, bytes }
    }

    fn value(
        &self,
        index: usize,
        rule: &ConverterRule,
        input: &Input<'_>,
        before: &BTreeMap<String, Rounded>,
    ) -> Result<Rounded, String> {
        let source = rule.source.as_ref().map(|source| input.value(source)).transpose()?;
        if rule.formula.is_none() {
            return source.ok_or_else(|| "the rule has no source".to_owned());
        }
        let formula = self.formulas[index].as_ref().ok_or("the formula does not parse")?;
        let found = |name: &str| match (name, &source) {
            ("x", Some(source)) => Some(source),
            _ => before.get(name),
        };
        let result = formula.evaluate(|name| number(&found(name)?.0)).map_err(|error| error.to_string())?;
        let of_text = |value: &Value| match value {
            Value::String(text) => number(value).is_some_and(|number| !exact::is_as_written(text.trim(), number)),
            _ => false,
        };
        let is_rounded = formula.names().filter_map(found).any(|(value, rounded)| *rounded || of_text(value));
        Ok((Value::from(result), is_rounded))
    }

    fn reading(&self, input: &Input<'_>, metrics: BTreeMap<String, Value>) -> Value {
        let path = self.definition.time_path.as_deref().unwrap_or("/ts");
        let time = input.json.as_ref().and_then(|json| json.pointer(path)).filter(|time| !time.is_null());
        let mut reading = json!({"metrics": Map::from_iter(metrics)});
        if let Some(time) = time {
            reading["ts"] = time.clone();
        }
        reading
    }
}

impl Input<'_> {
    fn value(&self, source: &Source) -> Result<Rounded, String> {
        match source {
            Source::Register(register) => {
                let bytes = self.bytes.as_ref().map_err(Clone::clone)?;
                let (number, is_exact) =
                    register.read(bytes).ok_or_else(|| format!("the frame ends after {} bytes", bytes.len()))?;
                if number.is_finite() {
                    Ok((Value::from(number), !is_exact))
                } else {
                    Err("the register does not hold a finite number".into())
                }
            }
            Source::Path(path) => {
                let json = self.json.as_ref().ok_or("the payload is not JSON")?;
                match json.pointer(path) {
                    Some(value @ Value::Number(_)) => Ok((value.clone(), !self.is_exact(value, path))),
                    Some(value @ (Value::Bool(_) | Value::String(_))) => Ok((value.clone(), false)),
                    Some(_) => Err(format!("the value at {path} is null, an object or an array")),
                    None => Err(format!("there is no value at {path}")),
                }
            }
        }
    }

    /// Returns whether a 64-bit float holds the number at a path exactly.
    fn is_exact(&self, value: &Value, path: &str) -> bool {
        match (value.as_i64(), value.as_u64(), value.as_f64()) {
            (Some(whole), ..) => exact::is_exact(whole.into()),
            (_, Some(whole), _) => exact::is_exact(whole.into()),
            // Beyond 64 bits serde_json reads a whole number as a float, so its digits are looked at.
            (.., Some(float)) if float.abs() >= exact::BEYOND_INTEGERS => {
                literal(self.payload, path).is_none_or(|text| exact::is_as_written(text, float))
            }
            _ => true,
        }
    }
}

/// Returns the text of the value at a JSON pointer.
fn literal<'a>(payload: &'a [u8], path: &str) -> Option<&'a str> {
    let mut value: &RawValue = serde_json::from_slice(payload).ok()?;
    for token in path.split('/').skip(1) {
        let name = token.replace("~1", "/").replace("~0", "~");
        let text = value.get();
        value = if text.starts_with('{') {
            serde_json::from_str::<HashMap<String, &RawValue>>(text).ok()?.remove(&name)?
        } else {
            serde_json::from_str::<Vec<&RawValue>>(text).ok()?.get(name.parse::<usize>().ok()?)?
        };
    }
    Some(value.get())
}

fn frame_bytes<'a>(frame: &Frame, payload: &'a [u8], json: Option<&Value>) -> Result<Cow<'a, [u8]>, String> {
    if frame.encoding == FrameEncoding::Binary {
        return Ok(Cow::Borrowed(payload));
    }
    let at = frame.path.as_deref().unwrap_or_default();
    let text = match json.and_then(|json| json.pointer(at)) {
        Some(Value::String(text)) => text.as_bytes(),
        // Without a path the payload itself is the text, even if it happens to be JSON, like a number of only digits.
        _ if frame.path.is_none() => payload,
        _ => return Err(format!("the value at {at} is not text")),
    };
    let text = text.trim_ascii();
    let (encoding, name) = match frame.encoding {
        FrameEncoding::Base64 => (BASE64, "Base64"),
        _ => (HEXLOWER_PERMISSIVE, "hexadecimal"),
    };
    encoding.decode(text).map(Cow::Owned).map_err(|error| format!("the frame is not {name}: {error}"))
}

/// Returns a finite number, one parsed from text, or 1 and 0 for true and false.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(yes) => Some(f64::from(u8::from(*yes))),
        Value::String(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        value => value.as_f64(),
    }
}

/// Lists the violations of the target schema.
fn violations(schema: &[MetricDefinition], metrics: &BTreeMap<String, Value>) -> Vec<RuleError> {
    let error = |target: &str, message: String| RuleError { rule: None, target: target.to_owned(), message };
    let of_declared = schema.iter().filter_map(|declared| match (metrics.get(&declared.key), declared.required) {
        (None, true) => Some(error(&declared.key, "required by the target schema".to_owned())),
        (Some(value), _) if !is_of(declared.kind, value) => {
            Some(error(&declared.key, format!("must be a {}, not {value}", declared.kind)))
        }
        _ => None,
    });
    let is_declared = |key: &String| schema.is_empty() || schema.iter().any(|declared| declared.key == *key);
    let undeclared = metrics.keys().filter(|key| !is_declared(key));
    of_declared.chain(undeclared.map(|key| error(key, "not declared in the target schema".to_owned()))).collect()
}

fn is_of(kind: ValueKind, value: &Value) -> bool {
    match kind {
        ValueKind::Number => value.is_number(),
        ValueKind::Boolean => value.is_boolean(),
        ValueKind::Text => value.is_string(),
    }
}
