//! Success responses: the body, its entity tag, and the log position of a change. Error responses live in `problem`.

use commands::Receipt;
use poem::http::header::ETAG;
use poem::http::{HeaderValue, StatusCode};
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::Object;
use poem_openapi::registry::{MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchemaRef, Registry};
use poem_openapi::types::{ToJSON, Type};
use uuid::Uuid;

use crate::etag::{Versioned, etag};

/// The header with the position of the change in its stream of the log.
pub const LOG_POSITION: &str = "X-Log-Position";

/// The header with the stream's name.
pub const LOG_STREAM: &str = "X-Log-Stream";

/// 201 with an `ETag`: a resource was created.
pub struct Created<T>(pub T, pub Receipt);

/// 201 without an `ETag`: something was issued that is shown only this once, such as a secret.
pub struct IssuedOnce<T>(pub T, pub Receipt);

/// 200 without an `ETag`: something changed.
pub struct Changed<T>(pub T, pub Option<Receipt>);

/// 200 with an `ETag`: a resource that was read.
pub struct Fetched<T>(pub T);

/// 200 with an `ETag`: a resource after a change.
pub struct Revised<T>(pub T, pub Option<Receipt>);

/// The request has succeeded.
#[derive(Clone, Copy, Debug, Object)]
pub struct Success {
    /// Always true.
    pub success: bool,
}

/// A change that is stored but not visible in the read models yet.
#[derive(Clone, Copy, Debug, Object)]
struct Stored {
    /// Always true.
    stored: bool,
    /// The resource that was created or changed.
    id: Uuid,
}

impl Success {
    /// Returns the response of a write that has nothing to show.
    pub fn at(receipt: Receipt) -> Changed<Self> {
        Changed(Self { success: true }, Some(receipt))
    }
}

impl<T: ToJSON + Versioned> IntoResponse for Fetched<T> {
    fn into_response(self) -> Response {
        Revised(self.0, None).into_response()
    }
}

impl<T: ToJSON + Versioned> IntoResponse for Revised<T> {
    fn into_response(self) -> Response {
        let tag = etag(self.0.version());
        let mut response = respond(StatusCode::OK, &self.0, self.1);
        response.headers_mut().insert(ETAG, tag);
        response
    }
}

impl<T: ToJSON> ApiResponse for Fetched<T> {
    fn meta() -> MetaResponses {
        let mut seen = response::<T>(StatusCode::OK);
        seen.headers = vec![tag()];
        let same =
            MetaResponse { status: Some(304), description: "The resource is unchanged.", content: vec![], ..tagged() };
        MetaResponses { responses: vec![seen, same] }
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<T: ToJSON> ApiResponse for Revised<T> {
    fn meta() -> MetaResponses {
        written::<T>(StatusCode::OK, true)
    }

    fn register(registry: &mut Registry) {
        register_written::<T>(registry);
    }
}

impl<T: ToJSON + Versioned> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        let tag = etag(self.0.version());
        let mut response = respond(StatusCode::CREATED, &self.0, Some(self.1));
        response.headers_mut().insert(ETAG, tag);
        response
    }
}

impl<T: ToJSON> IntoResponse for IssuedOnce<T> {
    fn into_response(self) -> Response {
        respond(StatusCode::CREATED, &self.0, Some(self.1))
    }
}

impl<T: ToJSON> IntoResponse for Changed<T> {
    fn into_response(self) -> Response {
        respond(StatusCode::OK, &self.0, self.1)
    }
}

impl<T: ToJSON> ApiResponse for Created<T> {
    fn meta() -> MetaResponses {
        written::<T>(StatusCode::CREATED, true)
    }

    fn register(registry: &mut Registry) {
        register_written::<T>(registry);
    }
}

impl<T: ToJSON> ApiResponse for IssuedOnce<T> {
    fn meta() -> MetaResponses {
        written::<T>(StatusCode::CREATED, false)
    }

    fn register(registry: &mut Registry) {
        register_written::<T>(registry);
    }
}

impl<T: ToJSON> ApiResponse for Changed<T> {
    fn meta() -> MetaResponses {
        written::<T>(StatusCode::OK, false)
    }

    fn register(registry: &mut Registry) {
        register_written::<T>(registry);
    }
}

fn respond<T: ToJSON>(status: StatusCode, body: &T, receipt: Option<Receipt>) -> Response {
    let mut response = Response::builder().status(status).content_type("application/json").body(body.to_json_string());
    if let Some(receipt) = receipt {
        response.headers_mut().insert(LOG_POSITION, HeaderValue::from(receipt.position));
        response.headers_mut().insert(LOG_STREAM, HeaderValue::from_static(receipt.stream.name()));
    }
    response
}

/// Returns 202 for a write that is stored but did not become visible in the read models in time.
pub fn stored(id: Uuid, receipt: Receipt) -> Response {
    respond(StatusCode::ACCEPTED, &Stored { stored: true, id }, Some(receipt))
}

fn written<T: Type>(status: StatusCode, is_versioned: bool) -> MetaResponses {
    let mut written = response::<T>(status);
    written.headers.extend(is_versioned.then(tag));
    let description = "The change is stored but not visible in the read models yet; read the resource again shortly.";
    let stored = MetaResponse { description, ..response::<Stored>(StatusCode::ACCEPTED) };
    MetaResponses { responses: vec![written, stored] }
}

fn register_written<T: Type>(registry: &mut Registry) {
    T::register(registry);
    Stored::register(registry);
}

fn response<T: Type>(status: StatusCode) -> MetaResponse {
    let position = header(LOG_POSITION, "The position of the change in its log stream.", u64::schema_ref());
    let stream = header(LOG_STREAM, "The name of that log stream.", String::schema_ref());
    MetaResponse {
        description: "",
        status: Some(status.as_u16()),
        status_range: None,
        content: vec![MetaMediaType { content_type: "application/json", schema: T::schema_ref() }],
        headers: vec![position, stream],
    }
}

fn tagged() -> MetaResponse {
    MetaResponse { description: "", status: None, status_range: None, content: vec![], headers: vec![tag()] }
}

fn tag() -> MetaHeader {
    header("ETag", "The version, for `If-Match` and `If-None-Match`.", String::schema_ref())
}

fn header(name: &str, description: &str, schema: MetaSchemaRef) -> MetaHeader {
    MetaHeader {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        required: false,
        deprecated: false,
        schema,
    }
}
