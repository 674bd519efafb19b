//! Problem details (RFC 9457) of the HTTP door, in the same form as the API's.

use std::borrow::Cow;

use poem::http::{HeaderValue, StatusCode, header};
use poem::{IntoResponse, Response};
use serde::Serialize;

/// The media type of problems.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// A problem with a request or with the platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: Cow<'static, str>,
    /// The stable code that dead letters, presence facts and metrics use as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip)]
    retry_after: Option<u64>,
}

impl Problem {
    /// Creates a problem from its slug, HTTP status, title and detail.
    pub fn new(slug: &str, status: StatusCode, title: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        let kind = format!("urn:argusiq:problem:{slug}");
        Self { kind, title, status: status.as_u16(), detail: detail.into(), reason: None, retry_after: None }
    }

    /// The sender is not authenticated.
    pub fn unauthenticated(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new("unauthenticated", StatusCode::UNAUTHORIZED, "Authentication required", detail)
    }

    /// The sender is not allowed to do this.
    pub fn forbidden(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new("forbidden", StatusCode::FORBIDDEN, "Not allowed", detail)
    }

    /// The body is not valid JSON.
    pub fn malformed(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new("malformed-json", StatusCode::BAD_REQUEST, "The body is not valid JSON", detail)
    }

    /// The body is too large.
    pub fn too_large(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new("too-large", StatusCode::PAYLOAD_TOO_LARGE, "The body is too large", detail)
    }

    /// The sender is over its rate.
    pub fn too_many_requests(seconds: u64) -> Self {
        let title = "Too many messages";
        let detail = "the device exceeds its message rate; nothing was stored";
        Self::new("too-many-requests", StatusCode::TOO_MANY_REQUESTS, title, detail).retry_after(seconds)
    }

    /// The door cannot decide now; nothing was stored.
    pub fn unavailable(detail: impl Into<Cow<'static, str>>) -> Self {
        let title = "The service is unavailable";
        Self::new("unavailable", StatusCode::SERVICE_UNAVAILABLE, title, detail).retry_after(1)
    }

    /// It is unknown whether the messages are stored.
    pub fn outcome_unknown() -> Self {
        let title = "It is unknown whether the telemetry is stored";
        let detail = "the log did not confirm in time; send the telemetry again: duplicate readings are stored once";
        Self::new("outcome-unknown", StatusCode::SERVICE_UNAVAILABLE, title, detail).retry_after(5)
    }

    /// Adds the stable reason code.
    pub fn with_reason(self, reason: &'static str) -> Self {
        Self { reason: Some(reason), ..self }
    }

    fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        // Strings and numbers always serialise.
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = Response::builder().status(status).content_type(CONTENT_TYPE).body(body);
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"argusiq devices\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Converts a routing error into a problem.
pub async fn from_router_error(error: poem::Error) -> Problem {
    match error.status() {
        StatusCode::NOT_FOUND => Problem::new("not-found", StatusCode::NOT_FOUND, "Not found", "unknown path"),
        StatusCode::METHOD_NOT_ALLOWED => {
            let title = "Method not allowed";
            Problem::new("method-not-allowed", StatusCode::METHOD_NOT_ALLOWED, title, "use POST")
        }
        _ => Problem::new("internal", StatusCode::INTERNAL_SERVER_ERROR, "Internal error", "see the server log"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_has_the_form_of_the_apis_problems_and_a_stable_reason() {
        let json =
            serde_json::to_value(Problem::forbidden("the device is out of service").with_reason("decommissioned"));
        let expected = serde_json::json!({
            "type": "urn:argusiq:problem:forbidden", "title": "Not allowed", "status": 403,
            "detail": "the device is out of service", "reason": "decommissioned",
        });
        assert_eq!(json.unwrap(), expected);
    }

    #[test]
    fn retry_and_authentication_headers_are_set() {
        assert_eq!(Problem::too_many_requests(3).into_response().header("retry-after"), Some("3"));
        assert_eq!(Problem::outcome_unknown().into_response().header("retry-after"), Some("5"));
        let response = Problem::unauthenticated("no token").into_response();
        assert_eq!(response.header("www-authenticate"), Some("Bearer realm=\"argusiq devices\""));
        assert_eq!(response.header("content-type"), Some(CONTENT_TYPE));
    }
}
