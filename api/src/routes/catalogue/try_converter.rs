//! Applies a protocol converter to a sample payload. Nothing is stored.

use data_encoding::BASE64;
use domain::catalogue::protocol_converter::{Converter, ConverterDefinition};

use super::entries::find;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// A payload in exactly one of three forms.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct SamplePayload {
    /// The JSON that the device sends.
    #[oai(nullable)]
    json: Option<Value>,
    /// The text that the device sends.
    #[oai(nullable)]
    text: Option<String>,
    /// Binary payload, Base64.
    #[oai(nullable)]
    base64: Option<String>,
}

/// Why one metric could not be converted.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct ConversionError {
    /// Index of the rule, from 0; absent if the result does not match the target schema.
    rule: Option<u32>,
    target: String,
    message: String,
}

/// The result of the conversion.
#[derive(Object)]
struct Converted {
    /// Whether this payload would be accepted from a device.
    accepted: bool,
    /// The reading: `metrics`, and `ts` if the payload has a time.
    reading: Value,
    /// Metrics that come from a whole number that a 64-bit float cannot hold; their quality is `uncertain`.
    uncertain: Vec<String>,
    errors: Vec<ConversionError>,
}

impl SamplePayload {
    fn bytes(self) -> Result<Vec<u8>, Problem> {
        match (self.json, self.text, self.base64) {
            (Some(json), None, None) => Ok(json.to_string().into_bytes()),
            (None, Some(text), None) => Ok(text.into_bytes()),
            (None, None, Some(text)) => {
                BASE64.decode(text.as_bytes()).map_err(|_| Problem::field("base64", "is not Base64"))
            }
            _ => Err(Problem::field("body", "must have one of json, text and base64")),
        }
    }
}

#[OpenApi]
impl Api {
    /// Try a protocol converter
    ///
    /// Returns the reading that the payload converts to, and the errors of each rule. Nothing is stored.
    #[oai(
        path = "/protocol-converters/:id/test",
        method = "post",
        tag = "Tag::ProtocolConverters",
        operation_id = "testProtocolConverter"
    )]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::Read>,
        id: Path<Uuid>,
        body: Body<SamplePayload>,
    ) -> Result<Json<Converted>, Problem> {
        let row = find::<ConverterDefinition>(&state, &caller, id.0).await?;
        let conversion = Converter::new(row.definition).convert(&body.0.bytes()?);
        let error = |error: domain::catalogue::protocol_converter::RuleError| ConversionError {
            rule: error.rule.and_then(|rule| u32::try_from(rule).ok()),
            target: error.target,
            message: error.message,
        };
        let errors = conversion.errors.into_iter().map(error).collect();
        let uncertain = conversion.rounded.into_iter().collect();
        Ok(Json(Converted { accepted: !conversion.refused, reading: conversion.reading, uncertain, errors }))
    }
}
