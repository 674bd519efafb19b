//! Problem details (RFC 9457) of the HTTP door, in the same shape as the API's. Which situation is which problem is
//! decided where it arises.

use std::borrow::Cow;

use poem::http::{HeaderValue, StatusCode, header};
use poem::{IntoResponse, Response};
use serde::Serialize;

/// The media type of problems.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// What is wrong with a request, or with the platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: Cow<'static, str>,
    /// The stable code that dead letters, presence facts and metrics carry as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip)]
    retry_after: Option<u64>,
}

impl Problem {
    /// Returns a problem by its slug, HTTP status and title, explained.
    pub fn new(slug: &str, status: StatusCode, title: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        let kind = format!("urn:argusiq:problem:{slug}");
        Self { kind, title, status: status.as_u16(), detail: detail.into(), reason: None, retry_after: None }
    }

    /// The sender did not show who it is.
    pub fn unauthenticated(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new("unauthenticated", StatusCode::UNAUTHORIZED, "Show who you are first", detail)
    }

    /// The sender may not do this.
    pub fn forbidden(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new("forbidden", StatusCode::FORBIDDEN, "Not allowed", detail)
    }

    /// The body is not JSON of the right shape.
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
        let detail = "the device sends more messages a second than it may; nothing was stored";
        Self::new("too-many-requests", StatusCode::TOO_MANY_REQUESTS, title, detail).retry_after(seconds)
    }

    /// The door cannot decide now; nothing was stored.
    pub fn unavailable(detail: impl Into<Cow<'static, str>>) -> Self {
        let title = "A server behind the door does not answer";
        Self::new("unavailable", StatusCode::SERVICE_UNAVAILABLE, title, detail).retry_after(1)
    }

    /// It is not known whether the messages are stored.
    pub fn outcome_unknown() -> Self {
        let title = "It is not known whether the telemetry is stored";
        let detail = "the log did not confirm in time; send it again: a reading that comes twice counts once";
        Self::new("outcome-unknown", StatusCode::SERVICE_UNAVAILABLE, title, detail).retry_after(5)
    }

    /// Adds the stable code.
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
        // Text and numbers always become JSON.
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

/// Turns what the router itself refuses into a problem.
pub async fn from_router_error(error: poem::Error) -> Problem {
    match error.status() {
        StatusCode::NOT_FOUND => Problem::new("not-found", StatusCode::NOT_FOUND, "Not found", "there is no such path"),
        StatusCode::METHOD_NOT_ALLOWED => {
            let title = "Method not allowed";
            Problem::new("method-not-allowed", StatusCode::METHOD_NOT_ALLOWED, title, "send it with POST")
        }
        _ => Problem::new("internal", StatusCode::INTERNAL_SERVER_ERROR, "The platform failed", "see the log"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_has_the_shape_of_the_apis_problems_and_the_stable_code() {
        let json =
            serde_json::to_value(Problem::forbidden("the device is out of service").with_reason("decommissioned"));
        let expected = serde_json::json!({
            "type": "urn:argusiq:problem:forbidden", "title": "Not allowed", "status": 403,
            "detail": "the device is out of service", "reason": "decommissioned",
        });
        assert_eq!(json.unwrap(), expected);
    }

    #[test]
    fn who_has_to_wait_is_told_how_long_and_who_is_nobody_how_to_be_somebody() {
        assert_eq!(Problem::too_many_requests(3).into_response().header("retry-after"), Some("3"));
        assert_eq!(Problem::outcome_unknown().into_response().header("retry-after"), Some("5"));
        let response = Problem::unauthenticated("no token").into_response();
        assert_eq!(response.header("www-authenticate"), Some("Bearer realm=\"argusiq devices\""));
        assert_eq!(response.header("content-type"), Some(CONTENT_TYPE));
    }
}
