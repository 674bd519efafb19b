//! The JSON body of a request. What does not live here: its meaning.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use poem::http::header;
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaMediaType, MetaRequest, MetaSchemaRef, Registry};
use poem_openapi::types::ParseFromJSON;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use serde_json::Value;

use crate::problem::{Kind, Problem};
use crate::schema_check;

/// A JSON body of the documented shape. No body at all counts as `{}`.
pub struct Body<T>(pub T);

impl<'a, T: ParseFromJSON + 'static> ApiExtractor<'a> for Body<T> {
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

/// Reads a value of the documented shape; what is wrong is named field by field. The framework alone would take a number for
/// a text.
pub fn parse<T: ParseFromJSON + 'static>(value: Value) -> Result<T, Problem> {
    let known = shape::<T>();
    let errors = schema_check::errors(&known.registry, &known.schema, &value);
    if !errors.is_empty() {
        return Err(Problem::fields(errors));
    }
    T::parse_from_json(Some(value)).map_err(|error| Problem::of(Kind::InvalidFields, error.into_message()))
}

/// The documented shape of a type.
struct Shape {
    registry: Registry,
    schema: MetaSchemaRef,
}

/// Returns the shape of a type, which is made out once.
fn shape<T: ParseFromJSON + 'static>() -> Arc<Shape> {
    static SHAPES: OnceLock<RwLock<HashMap<TypeId, Arc<Shape>>>> = OnceLock::new();
    let shapes = SHAPES.get_or_init(RwLock::default);
    if let Some(known) = shapes.read().unwrap_or_else(PoisonError::into_inner).get(&TypeId::of::<T>()) {
        return known.clone();
    }
    let mut registry = Registry::new();
    T::register(&mut registry);
    let made = Arc::new(Shape { registry, schema: T::schema_ref() });
    shapes.write().unwrap_or_else(PoisonError::into_inner).insert(TypeId::of::<T>(), made.clone());
    made
}
