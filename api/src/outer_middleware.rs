//! Around every request: its id, problems for whatever goes wrong, panics included, headers for browsers, and metrics.
//! What does not live here: who may do what.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use poem::error::{MethodNotAllowedError, NotFoundError, ReadBodyError};
use poem::http::{HeaderValue, StatusCode, header};
use poem::{Body, Endpoint, Error, IntoResponse, Middleware, Request, Response};
use poem_openapi::error::{AuthorizationError, ContentTypeError, ParseParamError, ParsePathError};
use tokio::io::AsyncReadExt;
use uuid::Uuid;

use crate::intent::{RequestId, random_id};
use crate::problem::{Kind, Problem};
use crate::rate_limits::Meter;
use crate::routes::allowed_methods;

/// The header with the id of the request.
const REQUEST_ID: &str = "X-Request-Id";

/// Largest body, in octets.
const MAX_BODY_BYTES: u64 = 1 << 20;

/// How much of a larger one is read without being kept, in octets.
const MAX_IGNORED_BYTES: u64 = 64 << 20;

/// Largest file of an import, in octets: some 600 for each of its rows.
pub const MAX_FILE_BYTES: usize = 64 << 20;

/// Where files are read by the endpoint itself, once it knows by whom they come.
const FILES: &[&str] = &["/api/v1/devices/import"];

/// How long a body may take to come.
const BODY_DEADLINE: Duration = Duration::from_secs(30);

/// Pages may load nothing from elsewhere; the interactive document carries its script inside.
const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// Namespace of request ids that are no UUIDs: the RFC 9562 namespace of URLs.
const NAMESPACE: Uuid = Uuid::NAMESPACE_URL;

/// The guard of all endpoints.
pub struct OuterMiddleware;

/// An endpoint behind the guard.
pub struct Wrapped<E>(E);

impl<E: Endpoint> Middleware<E> for OuterMiddleware {
    type Output = Wrapped<E>;

    fn transform(&self, inner: E) -> Wrapped<E> {
        Wrapped(inner)
    }
}

impl<E: Endpoint> Endpoint for Wrapped<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let began = Instant::now();
        let id = request_id(&request);
        let meter = Meter::default();
        request.extensions_mut().insert(RequestId(id));
        request.extensions_mut().insert(meter.clone());
        let path = request.uri().path().to_owned();
        let method = request.method().clone();
        let answered = AssertUnwindSafe(self.answer(request)).catch_unwind().await;
        let mut response = match answered {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => refuse(error, &path),
            Err(panic) => refuse(panicked(panic.as_ref()), &path),
        };
        add_headers(&mut response, id);
        if response.status() == StatusCode::METHOD_NOT_ALLOWED {
            response.headers_mut().insert(header::ALLOW, allowed_methods(&path));
        }
        meter.tell(&mut response);
        let status = response.status().as_u16().to_string();
        let labels = [("method", method.to_string()), ("status", status)];
        metrics::histogram!("argusiq_http_request_seconds", &labels).record(began.elapsed().as_secs_f64());
        Ok(response)
    }
}

impl<E: Endpoint> Wrapped<E> {
    /// The whole body is read before anything is answered: a connection that is closed over an unread body takes the
    /// answer with it, and who is refused must learn why. Files are too large for that.
    async fn answer(&self, mut request: Request) -> poem::Result<Response> {
        if FILES.contains(&request.uri().path()) {
            return self.0.call(request).await.map(IntoResponse::into_response);
        }
        let body = tokio::time::timeout(BODY_DEADLINE, read(request.take_body())).await;
        let body = body.map_err(|_| Problem::of(Kind::BadRequest, "the body did not come in time"))?;
        request.set_body(body.map_err(unreadable)?);
        self.0.call(request).await.map(IntoResponse::into_response)
    }
}

/// Reads a body; of one that is too large also what is not kept, so that its sender comes to reading the answer.
async fn read(body: Body) -> Result<Vec<u8>, ReadBodyError> {
    let mut reader = body.into_async_read();
    let mut octets = Vec::new();
    (&mut reader).take(MAX_BODY_BYTES + 1).read_to_end(&mut octets).await.map_err(ReadBodyError::Io)?;
    if octets.len() as u64 <= MAX_BODY_BYTES {
        return Ok(octets);
    }
    drop(octets);
    tokio::io::copy(&mut reader.take(MAX_IGNORED_BYTES), &mut tokio::io::sink()).await.map_err(ReadBodyError::Io)?;
    Err(ReadBodyError::PayloadTooLarge)
}

/// Returns why a body was not read.
pub fn unreadable(error: ReadBodyError) -> Problem {
    match error {
        ReadBodyError::PayloadTooLarge => Problem::of(Kind::TooLarge, "the body has more octets than are read here"),
        error => Problem::of(Kind::BadRequest, error),
    }
}

fn request_id(request: &Request) -> Uuid {
    match request.header(REQUEST_ID) {
        Some(text) => text.parse().unwrap_or_else(|_| Uuid::new_v5(&NAMESPACE, text.as_bytes())),
        None => random_id(),
    }
}

fn add_headers(response: &mut Response, id: Uuid) {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    let policy = header::CONTENT_SECURITY_POLICY;
    headers.entry(policy).or_insert_with(|| HeaderValue::from_static(POLICY));
}

fn refuse(error: Error, path: &str) -> Response {
    let retained = error.status();
    match problem(&error) {
        Some(problem) => Problem { instance: Some(path.to_owned()), ..problem }.into_response(),
        // What the browser has already: the framework says so by an error.
        None if retained == StatusCode::NOT_MODIFIED => Response::builder().status(retained).finish(),
        None if error.is_from_response() => error.into_response(),
        None => Problem { instance: Some(path.to_owned()), ..by_status(retained, &error) }.into_response(),
    }
}

fn problem(error: &Error) -> Option<Problem> {
    if let Some(problem) = error.downcast_ref::<Problem>() {
        return Some(problem.clone());
    }
    if let Some(error) = error.downcast_ref::<ParseParamError>() {
        return Some(Problem::parameter(error.name, plain(&error.reason)));
    }
    if let Some(error) = error.downcast_ref::<ParsePathError>() {
        return Some(Problem::parameter("path", plain(&error.reason)));
    }
    if error.is::<AuthorizationError>() {
        return Some(Problem::of(Kind::Unauthenticated, "send an access token: Authorization: Bearer …"));
    }
    if error.is::<ContentTypeError>() {
        return Some(Problem::of(Kind::UnsupportedMediaType, error));
    }
    if error.is::<NotFoundError>() {
        return Some(Problem::of(Kind::NotFound, "there is no such path"));
    }
    error.is::<MethodNotAllowedError>().then(|| Problem::new(Kind::MethodNotAllowed))
}

fn by_status(status: StatusCode, error: &Error) -> Problem {
    match status {
        StatusCode::NOT_FOUND => Problem::new(Kind::NotFound),
        StatusCode::UNAUTHORIZED => Problem::new(Kind::Unauthenticated),
        StatusCode::METHOD_NOT_ALLOWED => Problem::new(Kind::MethodNotAllowed),
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Kind::TooLarge),
        status if status.is_client_error() => Problem::of(Kind::BadRequest, error),
        _ => {
            tracing::error!(%error, "a request failed");
            Problem::new(Kind::Internal)
        }
    }
}

/// The framework's reasons carry names of Rust types; what a caller can use stands behind them.
fn plain(reason: &str) -> &str {
    let reason = reason.split(" (occurred while parsing").next().unwrap_or(reason);
    match reason.strip_prefix("failed to parse \"").and_then(|rest| rest.split_once("\": ")) {
        Some((_, rest)) => rest,
        None => reason,
    }
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> Error {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = text.unwrap_or("?"), "a request panicked");
    Problem::new(Kind::Internal).into()
}

#[cfg(test)]
mod tests {
    use poem::{EndpointExt, Route, handler};

    use super::*;

    #[handler]
    fn panicking() -> String {
        panic!("on purpose")
    }

    async fn ask(path: &str) -> Response {
        let route = Route::new().at("/panics", poem::get(panicking)).with(OuterMiddleware);
        route.get_response(Request::builder().uri(path.parse().unwrap()).finish()).await
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_and_tells_nothing() {
        let mut response = ask("/panics").await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.header("content-type"), Some("application/problem+json"));
        let body = response.take_body().into_string().await.unwrap();
        assert!(body.contains("urn:argusiq:problem:internal") && !body.contains("purpose"), "{body}");
    }

    #[tokio::test]
    async fn an_unknown_path_is_a_problem_with_its_path_and_a_request_id() {
        let mut response = ask("/nowhere").await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert!(response.header("x-request-id").unwrap().parse::<Uuid>().is_ok());
        let body = response.take_body().into_string().await.unwrap();
        assert!(body.contains("\"instance\":\"/nowhere\""), "{body}");
    }
}
