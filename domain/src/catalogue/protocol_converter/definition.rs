//! What a converter says. What does not live here: carrying it out.

use serde::{Deserialize, Serialize};

use super::ProtocolConverterEvent;
use super::register::Register;
use crate::catalogue::Definition;
use crate::device_type::MetricDefinition;
use crate::formula::{Formula, FormulaError};
use crate::validation;
use crate::word_enum::word_enum;

/// Most rules of a converter, and most metrics of its target schema.
pub const MAX_RULES: usize = 256;
/// Most characters of a path.
const MAX_PATH_CHARS: usize = 500;

/// What the device speaks on its other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceProtocol {
    /// Modbus: registers of 16 bits.
    Modbus,
    /// OPC UA.
    Opcua,
    /// BACnet.
    Bacnet,
    /// Anything else.
    Raw,
}

/// What a converter says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConverterDefinition {
    /// Its name.
    pub name: String,
    /// Free-text description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What the device speaks on its other side.
    pub source_protocol: SourceProtocol,
    /// Where the octets of registers stand; needed by rules that read registers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame: Option<Frame>,
    /// Where the time of measuring stands, a JSON pointer (RFC 6901); `/ts` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_path: Option<String>,
    /// How metrics are made, one after the other.
    pub rules: Vec<ConverterRule>,
    /// What must come out: metrics that are not declared are refused, those that are required must be there.
    #[serde(default)]
    pub target_schema: Vec<MetricDefinition>,
    /// Whether it is active.
    pub is_active: bool,
}

/// Where octets stand in a payload, and how they are written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// A JSON pointer to the text; the payload itself where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How they are written.
    pub encoding: FrameEncoding,
}

/// How octets are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FrameEncoding {
    /// Hexadecimal digits of either case.
    Hex,
    /// Base64 with padding (RFC 4648, 4).
    Base64,
    /// As they are: the payload is the octets.
    Binary,
}

/// How one metric is made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConverterRule {
    /// Key of the metric.
    pub target: String,
    /// Where its value stands; a metric without a source is made by its formula alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// What is made of it: `x` is the value of the source, other names are metrics of rules before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formula: Option<String>,
    /// Whether a payload without it is refused; otherwise the metric is left out.
    #[serde(default)]
    pub required: bool,
}

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// In the JSON of the payload, at a pointer (RFC 6901) such as `/values/0/t`.
    Path(String),
    /// In the octets of the frame.
    Register(Register),
}

/// Why a converter is refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The name is empty or longer than 200 characters.
    #[error("the name must have 1 to 200 characters")]
    InvalidName,
    /// There are none or too many.
    #[error("a converter has 1 to {MAX_RULES} rules, and as many metrics in its target schema at most")]
    RuleCount,
    /// A rule makes no sense.
    #[error("rule {index}: {problem}")]
    InvalidRule {
        /// Which rule, from 0.
        index: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// A path is no JSON pointer.
    #[error("{path:?} is no JSON pointer: it must begin with / and have at most 500 characters")]
    InvalidPath {
        /// Whether it is the frame's; else the time's.
        of_frame: bool,
        /// The path.
        path: String,
    },
    /// The target schema makes no sense.
    #[error("the target schema declares {key:?} twice, or it is no metric key, or its range is empty")]
    InvalidSchema {
        /// The metric.
        key: String,
    },
}

impl Definition for ConverterDefinition {
    const NOUN: &'static str = "protocol converter";
    type Event = ProtocolConverterEvent;
    type Refusal = Refusal;

    fn checked(mut self) -> Result<Self, Refusal> {
        self.name = validation::name(&self.name).ok_or(Refusal::InvalidName)?;
        if self.rules.is_empty() || self.rules.len().max(self.target_schema.len()) > MAX_RULES {
            return Err(Refusal::RuleCount);
        }
        let frame_path = self.frame.as_ref().and_then(|frame| frame.path.as_ref());
        let mut paths = self.time_path.iter().map(|path| (false, path)).chain(frame_path.map(|path| (true, path)));
        if let Some((of_frame, path)) = paths.find(|(_, path)| !is_pointer(path)) {
            return Err(Refusal::InvalidPath { of_frame, path: path.clone() });
        }
        for (index, rule) in self.rules.iter().enumerate() {
            let before = &self.rules[..index];
            rule.check(self.frame.as_ref(), before).map_err(|problem| Refusal::InvalidRule { index, problem })?;
        }
        self.check_schema()?;
        Ok(self)
    }
}

impl ConverterDefinition {
    fn check_schema(&self) -> Result<(), Refusal> {
        let doubled = validation::first_duplicate(self.target_schema.iter().map(|metric| metric.key.as_str()));
        let is_sound = |metric: &MetricDefinition| {
            let ascends = metric.minimum.zip(metric.maximum).is_none_or(|(least, most)| least <= most);
            validation::is_metric_key(&metric.key) && ascends
        };
        let unsound = self.target_schema.iter().find(|metric| !is_sound(metric)).map(|metric| metric.key.as_str());
        match doubled.or(unsound) {
            Some(key) => Err(Refusal::InvalidSchema { key: key.to_owned() }),
            None => Ok(()),
        }
    }
}

impl ConverterRule {
    fn check(&self, frame: Option<&Frame>, before: &[ConverterRule]) -> Result<(), String> {
        if !validation::is_metric_key(&self.target) {
            return Err(format!("target {:?} is no metric key", self.target));
        }
        if before.iter().any(|rule| rule.target == self.target) {
            return Err(format!("a rule before makes {:?} already", self.target));
        }
        match (&self.source, &self.formula) {
            (None, None) => return Err("it needs a source or a formula".to_owned()),
            (Some(Source::Path(path)), _) if !is_pointer(path) => {
                return Err(format!("{path:?} is no JSON pointer: it must begin with /"));
            }
            (Some(Source::Path(_)), _) if frame.is_some_and(|frame| frame.encoding == FrameEncoding::Binary) => {
                return Err("a binary payload has no paths".to_owned());
            }
            (Some(Source::Register(_)), _) if frame.is_none() => return Err("registers need a frame".to_owned()),
            (Some(Source::Register(register)), _) => register.check()?,
            _ => {}
        }
        let Some(formula) = &self.formula else { return Ok(()) };
        let formula = Formula::parse(formula).map_err(|error: FormulaError| error.to_string())?;
        let is_known = |name: &str| (name == "x" && self.source.is_some()) || before.iter().any(|r| r.target == name);
        match formula.names().find(|name| !is_known(name)) {
            Some(name) => Err(format!("{name:?} is neither x nor the metric of a rule before")),
            None => Ok(()),
        }
    }
}

fn is_pointer(path: &str) -> bool {
    path.starts_with('/') && path.chars().count() <= MAX_PATH_CHARS
}

word_enum!(SourceProtocol { Modbus "modbus", Opcua "opcua", Bacnet "bacnet", Raw "raw" });
word_enum!(FrameEncoding { Hex "hex", Base64 "base64", Binary "binary" });
