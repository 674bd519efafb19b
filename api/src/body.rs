//! Request bodies: reads them within size and time limits, and extracts JSON that matches the documented schema.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use poem::error::ReadBodyError;
use poem::http::header;
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaMediaType, MetaRequest, MetaSchemaRef, Registry};
use poem_openapi::types::ParseFromJSON;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use serde_json::Value;
use tokio::io::AsyncReadExt;

use crate::problem::{FieldError, Kind, Problem};
use crate::{exact_json, schema_check};

/// Largest body, in bytes: 1 MiB.
const MAX_BODY_BYTES: u64 = 1 << 20;

/// How much of a larger body is read and discarded, in bytes.
const MAX_DISCARDED_BYTES: u64 = 64 << 20;

/// Largest file of an import, in bytes: about 600 for each of its rows.
pub const MAX_FILE_BYTES: usize = 64 << 20;

/// Paths whose endpoint reads the body itself, after it has authenticated the caller, because files are too large to be
/// buffered for anybody.
const FILES: &[&str] = &["/api/v1/devices/import"];

/// How long reading a body may take.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Reads the whole body of a request into memory.
///
/// This happens before anything is answered: closing a connection over an unread body resets it, and the client would
/// lose the answer that says why it was refused.
pub async fn buffer(request: &mut Request) -> Result<(), Problem> {
    if FILES.contains(&request.uri().path()) {
        return Ok(());
    }
    let body = tokio::time::timeout(READ_TIMEOUT, read(request.take_body())).await;
    let body = body.map_err(|_| Problem::of(Kind::BadRequest, "timed out reading the request body"))?;
    request.set_body(body.map_err(unreadable)?);
    Ok(())
}

/// Reads a body. Of one that is too large, it reads and discards more, so that the client finishes sending and reads
/// the answer.
async fn read(body: poem::Body) -> Result<Vec<u8>, ReadBodyError> {
    let mut reader = body.into_async_read();
    let mut bytes = Vec::new();
    (&mut reader).take(MAX_BODY_BYTES + 1).read_to_end(&mut bytes).await.map_err(ReadBodyError::Io)?;
    if bytes.len() as u64 <= MAX_BODY_BYTES {
        return Ok(bytes);
    }
    drop(bytes);
    tokio::io::copy(&mut reader.take(MAX_DISCARDED_BYTES), &mut tokio::io::sink()).await.map_err(ReadBodyError::Io)?;
    Err(ReadBodyError::PayloadTooLarge)
}

/// Returns the problem of a body that could not be read.
pub fn unreadable(error: ReadBodyError) -> Problem {
    match error {
        ReadBodyError::PayloadTooLarge => {
            Problem::of(Kind::TooLarge, "request body exceeds 1 MiB, or 64 MiB for an import file")
        }
        error => Problem::of(Kind::BadRequest, error),
    }
}

/// A JSON body that matches the documented schema of `T`. An empty body counts as `{}`.
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
        let bytes = body.take()?.into_bytes().await?;
        if bytes.is_empty() {
            return Ok(Self(parse_text(b"{}")?));
        }
        if !is_json(request) {
            return Err(Problem::new(Kind::UnsupportedMediaType).into());
        }
        Ok(Self(parse_text(&bytes)?))
    }
}

fn is_json(request: &Request) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

/// Parses a JSON text like [`parse`]; refuses numbers in free JSON that would lose digits.
pub fn parse_text<T: ParseFromJSON + 'static>(text: &[u8]) -> Result<T, Problem> {
    let inexact = exact_json::errors(text);
    match serde_json::from_slice(text) {
        Ok(value) => checked(value, inexact),
        // A number beyond the range of floats is not malformed.
        Err(_) if !inexact.is_empty() => Err(Problem::fields(inexact)),
        Err(error) => Err(Problem::of(Kind::MalformedJson, error)),
    }
}

/// Parses a value that matches the documented schema of `T`; the problem names every field that is wrong. The
/// framework's parser alone would accept a number for a text.
pub fn parse<T: ParseFromJSON + 'static>(value: Value) -> Result<T, Problem> {
    checked(value, vec![])
}

fn checked<T: ParseFromJSON + 'static>(value: Value, inexact: Vec<FieldError>) -> Result<T, Problem> {
    let known = schema_of::<T>();
    let mut errors = schema_check::errors(&known.registry, &known.schema, &value);
    errors.extend(inexact);
    if !errors.is_empty() {
        return Err(Problem::fields(errors));
    }
    T::parse_from_json(Some(value)).map_err(|error| Problem::of(Kind::InvalidFields, error.into_message()))
}

/// The documented schema of a type, with the schemas that it refers to.
struct Schema {
    registry: Registry,
    schema: MetaSchemaRef,
}

/// Returns the schema of a type, which is built once and cached.
fn schema_of<T: ParseFromJSON + 'static>() -> Arc<Schema> {
    static SCHEMAS: OnceLock<RwLock<HashMap<TypeId, Arc<Schema>>>> = OnceLock::new();
    let schemas = SCHEMAS.get_or_init(RwLock::default);
    if let Some(known) = schemas.read().unwrap_or_else(PoisonError::into_inner).get(&TypeId::of::<T>()) {
        return known.clone();
    }
    let mut registry = Registry::new();
    T::register(&mut registry);
    let built = Arc::new(Schema { registry, schema: T::schema_ref() });
    schemas.write().unwrap_or_else(PoisonError::into_inner).insert(TypeId::of::<T>(), built.clone());
    built
}
