//! The definition of a protocol converter and its validation.

use serde::{Deserialize, Serialize};

use super::ProtocolConverterEvent;
use super::register::Register;
use crate::catalogue::Definition;
use crate::device_type::MetricDefinition;
use crate::formula::{Formula, FormulaError};
use crate::validation;
use crate::word_enum::word_enum;

/// Maximum number of rules, and of metrics in the target schema.
pub const MAX_RULES: usize = 256;
/// Maximum length of a path, characters.
const MAX_PATH_CHARS: usize = 500;

/// The field protocol of the device behind the payload.
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

/// The definition of a converter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConverterDefinition {
    /// Its name.
    pub name: String,
    /// Free-text description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The field protocol; informational.
    pub source_protocol: SourceProtocol,
    /// Where the payload holds binary data; required by rules that read registers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame: Option<Frame>,
    /// A JSON pointer (RFC 6901) to the time of measurement; `/ts` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_path: Option<String>,
    /// The rules, applied in order; later formulas can use earlier results.
    pub rules: Vec<ConverterRule>,
    /// The expected result: metrics that are not declared are rejected, and required ones must be present. An empty
    /// schema accepts any metrics.
    #[serde(default)]
    pub target_schema: Vec<MetricDefinition>,
    /// Whether it is active.
    pub is_active: bool,
}

/// Where a payload holds binary data, and how it is encoded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// A JSON pointer to the encoded text; the whole payload when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The encoding.
    pub encoding: FrameEncoding,
}

/// The encoding of binary data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FrameEncoding {
    /// Hexadecimal digits of either case.
    Hex,
    /// Base64 with padding (RFC 4648, section 4).
    Base64,
    /// No encoding: the payload itself is binary.
    Binary,
}

/// How one metric is computed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConverterRule {
    /// Key of the metric.
    pub target: String,
    /// The source of the value; a metric without a source is computed by its formula alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// A formula over `x`, the value of the source, and the targets of earlier rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formula: Option<String>,
    /// Whether a payload without this metric is rejected; otherwise the metric is omitted.
    #[serde(default)]
    pub required: bool,
}

/// The source of a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A JSON pointer (RFC 6901) into the payload, such as `/values/0/t`.
    Path(String),
    /// A register in the binary frame.
    Register(Register),
}

/// Why a definition is rejected.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The name is empty or longer than 200 characters.
    #[error("the name must have 1 to 200 characters")]
    InvalidName,
    /// There are no rules, or too many rules or metrics.
    #[error("a converter must have 1 to {MAX_RULES} rules and at most as many metrics in its target schema")]
    RuleCount,
    /// A rule is invalid.
    #[error("rule {index}: {problem}")]
    InvalidRule {
        /// The rule's index, from 0.
        index: usize,
        /// The cause.
        problem: String,
    },
    /// A path is not a JSON pointer.
    #[error("{path:?} is not a JSON pointer: it must begin with / and have at most 500 characters")]
    InvalidPath {
        /// Whether it is the path of the frame; otherwise that of the time.
        of_frame: bool,
        /// The path.
        path: String,
    },
    /// The target schema is invalid.
    #[error("target schema: {key:?} is declared twice, is not a metric key or has an empty range")]
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
        let duplicate = validation::first_duplicate(self.target_schema.iter().map(|metric| metric.key.as_str()));
        let is_valid = |metric: &MetricDefinition| {
            let is_range = metric.minimum.zip(metric.maximum).is_none_or(|(least, most)| least <= most);
            validation::is_metric_key(&metric.key) && is_range
        };
        let invalid = self.target_schema.iter().find(|metric| !is_valid(metric)).map(|metric| metric.key.as_str());
        match duplicate.or(invalid) {
            Some(key) => Err(Refusal::InvalidSchema { key: key.to_owned() }),
            None => Ok(()),
        }
    }
}

impl ConverterRule {
    fn check(&self, frame: Option<&Frame>, before: &[ConverterRule]) -> Result<(), String> {
        if !validation::is_metric_key(&self.target) {
            return Err(format!("target {:?} is not a metric key", self.target));
        }
        if before.iter().any(|rule| rule.target == self.target) {
            return Err(format!("target {:?} is already set by an earlier rule", self.target));
        }
        match (&self.source, &self.formula) {
            (None, None) => return Err("a source or a formula is required".to_owned()),
            (Some(Source::Path(path)), _) if !is_pointer(path) => {
                return Err(format!("{path:?} is not a JSON pointer: it must begin with /"));
            }
            (Some(Source::Path(_)), _) if frame.is_some_and(|frame| frame.encoding == FrameEncoding::Binary) => {
                return Err("a binary payload has no JSON paths".to_owned());
            }
            (Some(Source::Register(_)), _) if frame.is_none() => return Err("a register requires a frame".to_owned()),
            (Some(Source::Register(register)), _) => register.check()?,
            _ => {}
        }
        let Some(formula) = &self.formula else { return Ok(()) };
        let formula = Formula::parse(formula).map_err(|error: FormulaError| error.to_string())?;
        let is_known = |name: &str| (name == "x" && self.source.is_some()) || before.iter().any(|r| r.target == name);
        match formula.names().find(|name| !is_known(name)) {
            Some(name) => Err(format!("{name:?} is neither x nor the target of an earlier rule")),
            None => Ok(()),
        }
    }
}

fn is_pointer(path: &str) -> bool {
    path.starts_with('/') && path.chars().count() <= MAX_PATH_CHARS
}

word_enum!(SourceProtocol { Modbus "modbus", Opcua "opcua", Bacnet "bacnet", Raw "raw" });
word_enum!(FrameEncoding { Hex "hex", Base64 "base64", Binary "binary" });
