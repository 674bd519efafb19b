//! Protocol converters: rules that extract metrics from the payloads of devices that do not send the platform's JSON.

mod convert;
mod definition;
mod register;
#[cfg(test)]
mod tests;

pub use convert::{Conversion, Converter, RuleError};
pub use definition::{
    ConverterDefinition, ConverterRule, Frame, FrameEncoding, MAX_RULES, Refusal, Source, SourceProtocol,
};
pub use register::{Endianness, Register, RegisterKind};

use super::entry;

entry!(
    ProtocolConverter,
    "protocol_converter",
    ConverterDefinition,
    ProtocolConverterEvent { ProtocolConverterDefined, ProtocolConverterRevised, ProtocolConverterRetired }
);
