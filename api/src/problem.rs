//! Problem details (RFC 9457): the one JSON shape of every error response. `error_mapping` decides which error becomes
//! which problem.

use std::fmt;

use commands::Receipt;
use poem::error::ResponseError;
use poem::http::{StatusCode, header};
use poem::{IntoResponse, Response};
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::{ToJSON, Type};
use poem_openapi::{ApiResponse, Object};
use uuid::Uuid;

use crate::responses;

/// The media type of problems.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// An invalid field of the request.
#[derive(Clone, Debug, PartialEq, Eq, Object)]
pub struct FieldError {
    /// The field's path in the request: `condition.value`, `checklist[2].item`, `limit`.
    pub field: String,
    /// Why the field is invalid.
    pub message: String,
}

/// A resource that uses the one to be retired.
#[derive(Clone, Debug, PartialEq, Eq, Object)]
pub struct UsedBy {
    /// `device`, `device_type`, `asset`, `asset_profile`, `activity_template` or `rule`.
    pub kind: String,
    pub id: Uuid,
    pub name: String,
}

/// An error response: the request is refused, or the platform failed.
#[derive(Clone, Debug, PartialEq, Eq, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none, skip_serializing_if_is_empty)]
pub struct Problem {
    /// The stable identifier of the kind of problem: `urn:argusiq:problem:<slug>`.
    #[oai(rename = "type")]
    pub kind: String,
    /// A short summary of the kind of problem.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// An explanation of this occurrence.
    pub detail: Option<String>,
    /// The path of the request.
    pub instance: Option<String>,
    /// The invalid fields; absent if the problem concerns no fields.
    #[oai(default)]
    pub errors: Vec<FieldError>,
    /// The first ten resources that use the one to be retired; absent for other problems.
    #[oai(default)]
    pub used_by: Vec<UsedBy>,
    /// Not an error: the change of this resource is stored but not visible yet. The response is 202.
    #[oai(skip)]
    pub stored: Option<(Uuid, Receipt)>,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $slug:literal $status:ident $title:literal;)*) => {
        /// The kinds of problems.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind { $($(#[$doc])* $name),* }

        impl Kind {
            /// All kinds.
            pub const ALL: &'static [Kind] = &[$(Kind::$name),*];

            /// Returns the last part of its URN, which never changes.
            pub fn slug(self) -> &'static str {
                match self { $(Kind::$name => $slug),* }
            }

            /// Returns its HTTP status.
            pub fn status(self) -> StatusCode {
                match self { $(Kind::$name => StatusCode::$status),* }
            }

            /// Returns its title.
            pub fn title(self) -> &'static str {
                match self { $(Kind::$name => $title),* }
            }
        }
    };
}

kinds! {
    /// The body is not JSON.
    MalformedJson "malformed-json" BAD_REQUEST "The body is not valid JSON";
    /// A parameter of path, query or header is wrong.
    InvalidParameters "invalid-parameters" BAD_REQUEST "A parameter is not valid";
    /// The request is wrong in another way.
    BadRequest "bad-request" BAD_REQUEST "The request is not valid";
    /// No credential, or an invalid one.
    Unauthenticated "unauthenticated" UNAUTHORIZED "Sign in first";
    /// E-mail address or password is wrong.
    WrongCredentials "wrong-credentials" UNAUTHORIZED "E-mail address or password is wrong";
    /// The caller's role does not permit this.
    Forbidden "forbidden" FORBIDDEN "Not allowed";
    /// The resource does not exist, or belongs to another organisation.
    NotFound "not-found" NOT_FOUND "Not found";
    /// The path does not support the method.
    MethodNotAllowed "method-not-allowed" METHOD_NOT_ALLOWED "Method not allowed";
    /// A value that must be unique is taken.
    AlreadyExists "already-exists" CONFLICT "Already exists";
    /// Another resource refers to this one.
    InUse "in-use" CONFLICT "In use by other resources";
    /// The resource's state does not permit this.
    WrongState "wrong-state" CONFLICT "Not possible in the resource's present state";
    /// Too many changes at the same time.
    Contention "contention" CONFLICT "Too many changes at the same time";
    /// The resource has expired or was used up.
    Gone "gone" GONE "No longer available";
    /// No device has this claim code and serial number.
    WrongClaimCode "wrong-claim-code" FORBIDDEN "The claim code is invalid";
    /// More requests or failed sign-ins than the limit.
    TooManyRequests "too-many-requests" TOO_MANY_REQUESTS "Too many requests";
    /// The resource is not at the version in `If-Match`.
    PreconditionFailed "precondition-failed" PRECONDITION_FAILED "The resource was changed in the meantime";
    /// The body is too large.
    TooLarge "too-large" PAYLOAD_TOO_LARGE "The body is too large";
    /// The content type is not JSON.
    UnsupportedMediaType "unsupported-media-type" UNSUPPORTED_MEDIA_TYPE "The body must be application/json";
    /// Fields of the body are invalid.
    InvalidFields "invalid-fields" UNPROCESSABLE_ENTITY "Some fields are not valid";
    /// The idempotency key was used with another request.
    IdempotencyKeyReused "idempotency-key-reused" UNPROCESSABLE_ENTITY "The idempotency key was used for another request";
    /// The body refers to a resource that does not exist.
    UnknownReference "unknown-reference" UNPROCESSABLE_ENTITY "A referenced resource does not exist";
    /// An internal error.
    Internal "internal" INTERNAL_SERVER_ERROR "Internal error";
    /// A server behind the API does not answer.
    Unavailable "unavailable" SERVICE_UNAVAILABLE "A server behind the API does not answer";
    /// The command may or may not be stored.
    OutcomeUnknown "outcome-unknown" SERVICE_UNAVAILABLE "The change may or may not be stored";
    /// The read model has not reached `minPosition`.
    NotYetVisible "not-yet-visible" SERVICE_UNAVAILABLE "The read model has not caught up yet";
    /// The log is full.
    LogFull "log-full" INSUFFICIENT_STORAGE "The log is full";
}

impl Problem {
    /// Returns a problem of a kind.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind: format!("urn:argusiq:problem:{}", kind.slug()),
            title: kind.title().to_owned(),
            status: kind.status().as_u16(),
            detail: None,
            instance: None,
            errors: vec![],
            used_by: vec![],
            stored: None,
        }
    }

    /// Returns a problem of a kind with a detail.
    pub fn of(kind: Kind, detail: impl fmt::Display) -> Self {
        Self { detail: Some(detail.to_string()), ..Self::new(kind) }
    }

    /// Returns the problem of one invalid field.
    pub fn field(field: &str, message: impl fmt::Display) -> Self {
        Self::fields(vec![FieldError { field: field.to_owned(), message: message.to_string() }])
    }

    /// Returns the problem of invalid fields.
    pub fn fields(errors: Vec<FieldError>) -> Self {
        Self { errors, ..Self::new(Kind::InvalidFields) }
    }

    /// Returns the problem of one invalid parameter.
    pub fn parameter(name: &str, message: impl fmt::Display) -> Self {
        let errors = vec![FieldError { field: name.to_owned(), message: message.to_string() }];
        Self { errors, ..Self::new(Kind::InvalidParameters) }
    }

    /// Returns the problem with the name that a field has in this request.
    pub fn renamed(mut self, from: &str, to: &str) -> Self {
        self.errors.iter_mut().filter(|error| error.field == from).for_each(|error| error.field = to.to_owned());
        self
    }

    /// Returns a 404 that names the kind of resource.
    pub fn not_found(what: &str) -> Self {
        Self::of(Kind::NotFound, format_args!("there is no such {what}"))
    }

    /// Returns the 202 for a change that is stored but not visible yet.
    pub fn stored(id: Uuid, receipt: Receipt) -> Self {
        Self { status: StatusCode::ACCEPTED.as_u16(), stored: Some((id, receipt)), ..Self::new(Kind::NotYetVisible) }
    }

    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail.as_deref().unwrap_or(&self.title))
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status(&self) -> StatusCode {
        self.status_code()
    }

    fn as_response(&self) -> Response {
        self.clone().into_response()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        if let Some((id, receipt)) = self.stored {
            return responses::stored(id, receipt);
        }
        let status = self.status_code();
        let mut response = Response::builder().status(status).content_type(CONTENT_TYPE).body(self.to_json_string());
        if status == StatusCode::UNAUTHORIZED {
            let challenge = header::HeaderValue::from_static("Bearer realm=\"argusiq\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
        }
        response
    }
}

impl ApiResponse for Problem {
    fn meta() -> MetaResponses {
        let content = vec![MetaMediaType { content_type: CONTENT_TYPE, schema: Self::schema_ref() }];
        let any = MetaResponse {
            description: "The problem (RFC 9457).",
            status: None,
            status_range: None,
            content,
            headers: vec![],
        };
        MetaResponses { responses: vec![any] }
    }

    fn register(registry: &mut Registry) {
        <Self as Type>::register(registry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_has_kind_status_and_fields_and_omits_what_is_empty() {
        let json = Problem::field("name", "must not be empty").to_json().unwrap();
        let expected = serde_json::json!({
            "type": "urn:argusiq:problem:invalid-fields",
            "title": "Some fields are not valid",
            "status": 422,
            "errors": [{"field": "name", "message": "must not be empty"}],
        });
        assert_eq!(json, expected);
    }

    #[test]
    fn slugs_are_unique_and_all_statuses_are_errors() {
        let slugs: std::collections::BTreeSet<_> = Kind::ALL.iter().map(|kind| kind.slug()).collect();
        assert_eq!(slugs.len(), Kind::ALL.len());
        assert!(Kind::ALL.iter().all(|kind| kind.status().is_client_error() || kind.status().is_server_error()));
    }

    #[test]
    fn a_401_names_the_authentication_scheme() {
        let response = Problem::new(Kind::Unauthenticated).into_response();
        assert_eq!(response.header("www-authenticate"), Some("Bearer realm=\"argusiq\""));
        assert_eq!(response.header("content-type"), Some(CONTENT_TYPE));
    }
}
