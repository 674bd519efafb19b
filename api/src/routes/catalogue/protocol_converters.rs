//! Protocol converters: how payloads become metrics.

use domain::catalogue::protocol_converter::ConverterDefinition;
use projections::dependents::Referenced;

use super::converter_view::{ConverterRequest, ProtocolConverter};
use super::endpoints::catalogue_endpoints;
use crate::prelude::*;

catalogue_endpoints! {
    ConverterDefinition from ConverterRequest, shown as ProtocolConverter,
    ProtocolConverterResponse { protocol_converter }, ProtocolConverters { protocol_converters },
    writers access::WriteTypes, used as Some(Referenced::ProtocolConverter), tag "Tag::ProtocolConverters",
    "/protocol-converters" {
        /// Define a protocol converter
        post "createProtocolConverter",
        /// List protocol converters
        get "listProtocolConverters",
    }
    "/protocol-converters/:id" {
        /// Show a protocol converter
        get "getProtocolConverter",
        /// Revise a protocol converter
        ///
        /// Replaces the whole definition; omitted fields are removed.
        put "updateProtocolConverter",
        /// Retire a protocol converter
        ///
        /// A converter that a device type uses cannot be retired; the problem names the type.
        delete "retireProtocolConverter",
    }
}
