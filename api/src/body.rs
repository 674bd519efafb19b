//! The JSON body of a request. What does not live here: its meaning.

use poem::http::header;
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaMediaType, MetaRequest, Registry};
use poem_openapi::types::ParseFromJSON;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use serde_json::Value;

use crate::problem::{Kind, Problem};
use crate::schema;

/// A JSON body of the documented shape. No body at all counts as `{}`.
pub struct Body<T>(pub T);

impl<'a, T: ParseFromJSON> ApiExtractor<'a> for Body<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let content = vec![MetaMediaType { content_type: "application/json", schema: T::schema_ref() }];
        Some(MetaRequest { description: None, content, required: T::IS_REQUIRED })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let octets = body.take()?.into_bytes().await?;
        if octets.is_empty() {
            return Ok(Self(parse(Value::Object(serde_json::Map::new()))?));
        }
        if !is_json(request) {
            return Err(Problem::new(Kind::UnsupportedMediaType).into());
        }
        let value = serde_json::from_slice(&octets).map_err(|error| Problem::of(Kind::MalformedJson, error))?;
        Ok(Self(parse(value)?))
    }
}

fn is_json(request: &Request) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

/// Reads a value of the documented shape; what is wrong is named field by field.
pub fn parse<T: ParseFromJSON>(value: Value) -> Result<T, Problem> {
    T::parse_from_json(Some(value.clone())).map_err(|error| {
        let mut registry = Registry::new();
        T::register(&mut registry);
        let errors = schema::errors(&registry, &T::schema_ref(), &value);
        if errors.is_empty() { Problem::of(Kind::InvalidFields, error.into_message()) } else { Problem::fields(errors) }
    })
}
