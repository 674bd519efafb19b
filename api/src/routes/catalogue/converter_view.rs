//! Protocol converters in requests and responses.

use domain::catalogue::protocol_converter as domain;
use projections::catalogue::EntryRow;

use super::entries::CatalogueEntry;
use crate::enums::{Endianness, FrameEncoding, RegisterKind, SourceProtocol};
use crate::prelude::*;
use crate::routes::device_types::view::Metric;

/// Where the binary frame is in a payload, and how it is encoded.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none, deny_unknown_fields)]
pub struct Frame {
    encoding: FrameEncoding,
    /// A JSON pointer (RFC 6901) such as `/data`; if absent, the whole payload is the frame.
    #[oai(nullable, validator(min_length = 1, max_length = 500))]
    path: Option<String>,
}

/// A number at an offset of the frame.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none, deny_unknown_fields)]
pub struct Register {
    /// Offset in bytes: the nth 16-bit Modbus register is at 2 n.
    #[oai(validator(maximum(value = "65535")))]
    offset: u32,
    kind: RegisterKind,
    /// Defaults to `big`.
    #[oai(nullable)]
    endianness: Option<Endianness>,
    /// Factor that the value is multiplied by.
    #[oai(nullable)]
    scale: Option<f64>,
    /// Uses only this bit; 0 is the least significant.
    #[oai(nullable, validator(maximum(value = "63")))]
    bit: Option<u8>,
}

/// How one metric is computed: from the value at a path or in a register, by a formula, or both.
#[derive(Debug, Object)]
#[oai(rename = "ConverterRule", skip_serializing_if_is_none, deny_unknown_fields)]
pub struct Rule {
    /// Key of the metric.
    #[oai(validator(min_length = 1, max_length = 64))]
    target: String,
    /// A JSON pointer (RFC 6901) such as `/values/0/t`.
    #[oai(nullable, validator(min_length = 1, max_length = 500))]
    path: Option<String>,
    #[oai(nullable)]
    register: Option<Register>,
    /// `x` is the value read; other names are metrics of earlier rules: `(x - 32) / 1.8`, `voltage * current`.
    #[oai(nullable, validator(min_length = 1, max_length = 1000))]
    formula: Option<String>,
    /// Payloads without this value are refused.
    #[oai(default)]
    required: bool,
}

/// The definition of a protocol converter.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConverterRequest {
    #[oai(validator(min_length = 1, max_length = 200))]
    name: String,
    #[oai(nullable)]
    description: Option<String>,
    source_protocol: SourceProtocol,
    /// Required by rules that read registers.
    #[oai(nullable)]
    frame: Option<Frame>,
    /// JSON pointer to the measurement time; defaults to `/ts`.
    #[oai(nullable, validator(min_length = 1, max_length = 500))]
    time_path: Option<String>,
    /// 1 to 256 rules, applied in order.
    #[oai(validator(min_items = 1, max_items = 256))]
    rules: Vec<Rule>,
    /// The metrics that the result must have; any are accepted if empty.
    #[oai(default, validator(max_items = 256))]
    target_schema: Vec<Metric>,
    /// Defaults to true.
    #[oai(nullable)]
    is_active: Option<bool>,
}

/// A protocol converter.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct ProtocolConverter {
    #[oai(flatten)]
    pub entry: CatalogueEntry,
    name: String,
    description: Option<String>,
    source_protocol: SourceProtocol,
    frame: Option<Frame>,
    time_path: Option<String>,
    rules: Vec<Rule>,
    target_schema: Vec<Metric>,
    is_active: bool,
}

impl TryFrom<ConverterRequest> for domain::ConverterDefinition {
    type Error = Problem;

    /// Refuses a rule that has both a path and a register.
    fn try_from(request: ConverterRequest) -> Result<Self, Problem> {
        let both = |rule: &Rule| rule.path.is_some() && rule.register.is_some();
        if let Some(index) = request.rules.iter().position(both) {
            return Err(Problem::field(&format!("rules[{index}]"), "must have either a path or a register, not both"));
        }
        let frame = |Frame { encoding, path }: Frame| domain::Frame { path, encoding: encoding.into() };
        Ok(Self {
            name: request.name,
            description: request.description,
            source_protocol: request.source_protocol.into(),
            frame: request.frame.map(frame),
            time_path: request.time_path,
            rules: request.rules.into_iter().map(Into::into).collect(),
            target_schema: request.target_schema.into_iter().map(Into::into).collect(),
            is_active: request.is_active.unwrap_or(true),
        })
    }
}

impl From<Rule> for domain::ConverterRule {
    fn from(rule: Rule) -> Self {
        let Rule { target, path, register, formula, required } = rule;
        let source = match (path, register) {
            (Some(path), _) => Some(domain::Source::Path(path)),
            (None, register) => register.map(|register| domain::Source::Register(register.into())),
        };
        Self { target, source, formula, required }
    }
}

impl From<Register> for domain::Register {
    fn from(Register { offset, kind, endianness, scale, bit }: Register) -> Self {
        Self { offset, kind: kind.into(), endianness: endianness.map(Into::into).unwrap_or_default(), scale, bit }
    }
}

impl From<domain::Register> for Register {
    fn from(register: domain::Register) -> Self {
        let domain::Register { offset, kind, endianness, scale, bit } = register;
        Self { offset, kind: kind.into(), endianness: Some(endianness.into()), scale, bit }
    }
}

impl From<domain::ConverterRule> for Rule {
    fn from(rule: domain::ConverterRule) -> Self {
        let (path, register) = match rule.source {
            Some(domain::Source::Path(path)) => (Some(path), None),
            Some(domain::Source::Register(register)) => (None, Some(register.into())),
            None => (None, None),
        };
        Self { target: rule.target, path, register, formula: rule.formula, required: rule.required }
    }
}

impl From<EntryRow<domain::ConverterDefinition>> for ProtocolConverter {
    fn from(row: EntryRow<domain::ConverterDefinition>) -> Self {
        let (entry, converter) = (CatalogueEntry::from(&row), row.definition);
        let frame = |domain::Frame { path, encoding }| Frame { encoding: FrameEncoding::from(encoding), path };
        Self {
            entry,
            name: converter.name,
            description: converter.description,
            source_protocol: converter.source_protocol.into(),
            frame: converter.frame.map(frame),
            time_path: converter.time_path,
            rules: converter.rules.into_iter().map(Into::into).collect(),
            target_schema: converter.target_schema.into_iter().map(Into::into).collect(),
            is_active: converter.is_active,
        }
    }
}
