//! Carrying a converter out: a payload in, the JSON of a reading out, in which whatever a device may send stands as any
//! other device sends it. What does not live here: judging that reading.

use std::borrow::Cow;
use std::collections::BTreeMap;

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use serde_json::{Map, Value, json};

use super::definition::{ConverterDefinition, ConverterRule, Frame, FrameEncoding, Source};
use crate::device_type::{MetricDefinition, ValueKind};
use crate::formula::Formula;

/// A converter whose formulas are read.
#[derive(Debug)]
pub struct Converter {
    definition: ConverterDefinition,
    formulas: Vec<Option<Formula>>,
}

/// What came out of a payload.
#[derive(Clone, Debug, PartialEq)]
pub struct Conversion {
    /// The reading: `ts` where the payload says so, and `metrics`.
    pub reading: Value,
    /// What went wrong, rule by rule.
    pub errors: Vec<RuleError>,
    /// Whether the payload is to be refused: a required metric is missing, or one is not as the target schema says.
    pub refused: bool,
}

/// What went wrong with one metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    /// Which rule, from 0; absent where the target schema is not met.
    pub rule: Option<usize>,
    /// The metric.
    pub target: String,
    /// What went wrong.
    pub message: String,
}

/// A payload as the rules see it.
struct Seen<'a> {
    json: Option<Value>,
    octets: Result<Cow<'a, [u8]>, String>,
}

impl Converter {
    /// Reads the formulas of a definition that was checked before; one that cannot be read has no result.
    pub fn new(definition: ConverterDefinition) -> Self {
        let formula = |rule: &ConverterRule| rule.formula.as_deref().map(Formula::parse).transpose().ok().flatten();
        let formulas = definition.rules.iter().map(formula).collect();
        Self { definition, formulas }
    }

    /// Converts a payload.
    pub fn convert(&self, payload: &[u8]) -> Conversion {
        let seen = self.see(payload);
        let (mut metrics, mut errors, mut refused) = (BTreeMap::new(), vec![], false);
        for (index, rule) in self.definition.rules.iter().enumerate() {
            match self.value(index, rule, &seen, &metrics) {
                Ok(value) => drop(metrics.insert(rule.target.clone(), value)),
                Err(message) => {
                    refused |= rule.required;
                    errors.push(RuleError { rule: Some(index), target: rule.target.clone(), message });
                }
            }
        }
        let unmet = unmet(&self.definition.target_schema, &metrics);
        refused |= !unmet.is_empty();
        errors.extend(unmet);
        Conversion { reading: self.reading(&seen, metrics), errors, refused }
    }

    fn see<'a>(&self, payload: &'a [u8]) -> Seen<'a> {
        let json: Option<Value> = serde_json::from_slice(payload).ok();
        let octets = match &self.definition.frame {
            Some(frame) => octets(frame, payload, json.as_ref()),
            None => Err("the converter has no frame".to_owned()),
        };
        Seen { json, octets }
    }

    fn value(
        &self,
        index: usize,
        rule: &ConverterRule,
        seen: &Seen<'_>,
        before: &BTreeMap<String, Value>,
    ) -> Result<Value, String> {
        let source = rule.source.as_ref().map(|source| seen.value(source)).transpose()?;
        if rule.formula.is_none() {
            return source.ok_or_else(|| "the rule has no source".to_owned());
        }
        let formula = self.formulas[index].as_ref().ok_or("the formula cannot be read")?;
        let value_of = |name: &str| match (name, &source) {
            ("x", Some(value)) => number(value),
            _ => before.get(name).and_then(number),
        };
        formula.evaluate(value_of).map(Value::from).map_err(|error| error.to_string())
    }

    fn reading(&self, seen: &Seen<'_>, metrics: BTreeMap<String, Value>) -> Value {
        let path = self.definition.time_path.as_deref().unwrap_or("/ts");
        let time = seen.json.as_ref().and_then(|json| json.pointer(path)).filter(|time| !time.is_null());
        let mut reading = json!({"metrics": Map::from_iter(metrics)});
        if let Some(time) = time {
            reading["ts"] = time.clone();
        }
        reading
    }
}

impl Seen<'_> {
    fn value(&self, source: &Source) -> Result<Value, String> {
        match source {
            Source::Register(register) => {
                let octets = self.octets.as_ref().map_err(Clone::clone)?;
                let number =
                    register.read(octets).ok_or_else(|| format!("the frame ends after {} octets", octets.len()))?;
                if number.is_finite() {
                    Ok(Value::from(number))
                } else {
                    Err("the register holds no finite number".into())
                }
            }
            Source::Path(path) => {
                let json = self.json.as_ref().ok_or("the payload is no JSON")?;
                match json.pointer(path) {
                    Some(value @ (Value::Number(_) | Value::Bool(_) | Value::String(_))) => Ok(value.clone()),
                    Some(_) => Err(format!("there is no single value at {path}")),
                    None => Err(format!("there is nothing at {path}")),
                }
            }
        }
    }
}

fn octets<'a>(frame: &Frame, payload: &'a [u8], json: Option<&Value>) -> Result<Cow<'a, [u8]>, String> {
    if frame.encoding == FrameEncoding::Binary {
        return Ok(Cow::Borrowed(payload));
    }
    let at = frame.path.as_deref().unwrap_or_default();
    let text = match json.and_then(|json| json.pointer(at)) {
        Some(Value::String(text)) => text.as_bytes(),
        // A payload that is nothing but hexadecimal digits may be a JSON number.
        _ if frame.path.is_none() => payload,
        _ => return Err(format!("there is no text at {at}")),
    };
    let text = text.trim_ascii();
    let (encoding, name) = match frame.encoding {
        FrameEncoding::Base64 => (BASE64, "Base64"),
        _ => (HEXLOWER_PERMISSIVE, "hexadecimal"),
    };
    encoding.decode(text).map(Cow::Owned).map_err(|error| format!("the frame is not {name}: {error}"))
}

/// Numbers as they are, also where they stand in a text; true is 1.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(yes) => Some(f64::from(u8::from(*yes))),
        Value::String(text) => text.trim().parse().ok(),
        value => value.as_f64(),
    }
}

/// Returns where the metrics are not what the target schema says.
fn unmet(schema: &[MetricDefinition], metrics: &BTreeMap<String, Value>) -> Vec<RuleError> {
    let error = |target: &str, message: String| RuleError { rule: None, target: target.to_owned(), message };
    let of_declared = schema.iter().filter_map(|declared| match (metrics.get(&declared.key), declared.required) {
        (None, true) => Some(error(&declared.key, "the target schema requires it".to_owned())),
        (Some(value), _) if !is_of(declared.kind, value) => {
            Some(error(&declared.key, format!("must be a {}, not {value}", declared.kind)))
        }
        _ => None,
    });
    let is_declared = |key: &String| schema.is_empty() || schema.iter().any(|declared| declared.key == *key);
    let undeclared = metrics.keys().filter(|key| !is_declared(key));
    of_declared.chain(undeclared.map(|key| error(key, "the target schema does not declare it".to_owned()))).collect()
}

fn is_of(kind: ValueKind, value: &Value) -> bool {
    match kind {
        ValueKind::Number => value.is_number(),
        ValueKind::Boolean => value.is_boolean(),
        ValueKind::Text => value.is_string(),
    }
}
