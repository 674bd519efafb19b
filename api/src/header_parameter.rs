//! What the extractors of request headers have in common: the OpenAPI document shows each as a text.

/// The documented part of an `ApiExtractor` that reads a header.
macro_rules! header_parameter {
    () => {
        const TYPES: &'static [::poem_openapi::ApiExtractorType] = &[::poem_openapi::ApiExtractorType::Parameter];

        type ParamType = String;
        type ParamRawType = String;

        fn register(registry: &mut ::poem_openapi::registry::Registry) {
            <String as ::poem_openapi::types::Type>::register(registry);
        }

        fn param_in() -> Option<::poem_openapi::registry::MetaParamIn> {
            Some(::poem_openapi::registry::MetaParamIn::Header)
        }

        fn param_schema_ref() -> Option<::poem_openapi::registry::MetaSchemaRef> {
            Some(<String as ::poem_openapi::types::Type>::schema_ref())
        }
    };
}
pub(crate) use header_parameter;
