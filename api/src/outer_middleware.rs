//! The outermost middleware of every request: assigns a request id, reads the body, turns errors and panics into
//! problem details, adds security headers and records metrics. Authorisation lives in `auth` and `access`.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use futures_util::FutureExt;
use poem::error::{MethodNotAllowedError, NotFoundError};
use poem::http::{HeaderValue, StatusCode, header};
use poem::{Endpoint, Error, IntoResponse, Middleware, Request, Response};
use poem_openapi::error::{AuthorizationError, ContentTypeError, ParseParamError, ParsePathError};
use uuid::Uuid;

use crate::body;
use crate::intent::{RequestId, random_id};
use crate::problem::{Kind, Problem};
use crate::rate_limits::Meter;
use crate::uri_check;

/// The header with the id of the request, in requests and responses.
const REQUEST_ID: &str = "X-Request-Id";

/// Content security policy: pages load nothing from other origins. The interactive document sets one of its own,
/// because its script is inline.
const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// Namespace from which UUIDs are derived for request ids that are not UUIDs: RFC 9562's namespace of URLs.
const NAMESPACE: Uuid = Uuid::NAMESPACE_URL;

/// Returns the value of `Allow` for a path.
type AllowedMethods = fn(&str) -> HeaderValue;

/// The middleware around all endpoints.
pub struct OuterMiddleware {
    allowed_methods: AllowedMethods,
}

impl OuterMiddleware {
    /// Returns the middleware; `allowed_methods` returns the value of `Allow` for a path (RFC 9110, 15.5.6).
    pub fn new(allowed_methods: AllowedMethods) -> Self {
        Self { allowed_methods }
    }
}

/// An endpoint with the middleware around it.
pub struct Wrapped<E> {
    inner: E,
    allowed_methods: AllowedMethods,
}

impl<E: Endpoint> Middleware<E> for OuterMiddleware {
    type Output = Wrapped<E>;

    fn transform(&self, inner: E) -> Wrapped<E> {
        Wrapped { inner, allowed_methods: self.allowed_methods }
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
            response.headers_mut().insert(header::ALLOW, (self.allowed_methods)(&path));
        }
        meter.add_headers(&mut response);
        let status = response.status().as_u16().to_string();
        let labels = [("method", method.to_string()), ("status", status)];
        metrics::histogram!("argusiq_http_request_seconds", &labels).record(began.elapsed().as_secs_f64());
        Ok(response)
    }
}

impl<E: Endpoint> Wrapped<E> {
    async fn answer(&self, mut request: Request) -> poem::Result<Response> {
        uri_check::check(request.original_uri())?;
        body::buffer(&mut request).await?;
        self.inner.call(request).await.map(IntoResponse::into_response)
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
        // The framework reports an unmodified embedded file as an error.
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
            tracing::error!(%error, "request failed");
            Problem::new(Kind::Internal)
        }
    }
}

/// Strips the names of Rust types from a parse error of the framework, which mean nothing to clients.
fn plain(reason: &str) -> &str {
    let reason = reason.split(" (occurred while parsing").next().unwrap_or(reason);
    match reason.strip_prefix("failed to parse \"").and_then(|rest| rest.split_once("\": ")) {
        Some((_, rest)) => rest,
        None => reason,
    }
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> Error {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = text.unwrap_or("?"), "request handler panicked");
    Problem::new(Kind::Internal).into()
}

#[cfg(test)]
mod tests {
    use poem::{EndpointExt, Route, handler};

    use super::*;

    #[handler]
    fn panicking_handler() -> String {
        panic!("on purpose")
    }

    async fn get(path: &str) -> Response {
        let route = Route::new()
            .at("/panics", poem::get(panicking_handler))
            .with(OuterMiddleware::new(|_| HeaderValue::from_static("GET")));
        route.get_response(Request::builder().uri(path.parse().unwrap()).finish()).await
    }

    #[tokio::test]
    async fn a_panic_becomes_an_internal_problem_without_its_message() {
        let mut response = get("/panics").await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.header("content-type"), Some("application/problem+json"));
        let body = response.take_body().into_string().await.unwrap();
        assert!(body.contains("urn:argusiq:problem:internal") && !body.contains("purpose"), "{body}");
    }

    #[tokio::test]
    async fn an_unknown_path_becomes_a_problem_with_its_path_and_a_request_id() {
        let mut response = get("/nowhere").await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert!(response.header("x-request-id").unwrap().parse::<Uuid>().is_ok());
        let body = response.take_body().into_string().await.unwrap();
        assert!(body.contains("\"instance\":\"/nowhere\""), "{body}");
    }
}
