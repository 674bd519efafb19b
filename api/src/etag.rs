//! Resource versions in headers: `ETag` in responses, `If-Match` of writes and `If-None-Match` of reads (RFC 9110,
//! 8.8.3 and 13.1). The command side compares them with the log.

use poem::http::{HeaderValue, Method, StatusCode, header};
use poem::{Endpoint, Middleware, Request, RequestBody, Response};
use poem_openapi::registry::{MetaParamIn, MetaSchemaRef, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::problem::{Kind, Problem};

/// A response that shows one resource.
pub trait Versioned {
    /// Returns the version of its aggregate.
    fn version(&self) -> i64;
}

/// Returns a version of the log as responses show it.
pub fn response_version(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}

/// Implements [`Versioned`] for a response whose version is in one of its fields.
macro_rules! versioned {
    ($response:ty, $field:ident) => {
        impl $crate::etag::Versioned for $response {
            fn version(&self) -> i64 {
                self.$field.version
            }
        }
    };
}
pub(crate) use versioned;

/// Returns the entity tag of a version.
pub fn etag(version: i64) -> HeaderValue {
    HeaderValue::try_from(format!("\"{version}\"")).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

/// The version that a write expects, if any: `If-Match: "7"`.
#[derive(Clone, Copy, Debug, Default)]
pub struct IfMatch(pub Option<u64>);

impl IfMatch {
    /// Refuses any version but the present one, for writes that store nothing and so are not compared by the log.
    pub fn holds(&self, present: i64) -> Result<(), Problem> {
        match self.0.is_some_and(|version| i64::try_from(version) != Ok(present)) {
            true => Err(Problem::of(Kind::PreconditionFailed, format_args!("the resource is at version {present}"))),
            false => Ok(()),
        }
    }

    /// Takes the version: later commands of the same request apply to later versions.
    pub fn take(&mut self) -> Option<u64> {
        self.0.take()
    }
}

impl<'a> ApiExtractor<'a> for IfMatch {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];

    type ParamType = String;
    type ParamRawType = String;

    fn register(registry: &mut Registry) {
        <String as Type>::register(registry);
    }

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Header)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        Some(String::schema_ref())
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<String>,
    ) -> poem::Result<Self> {
        let Some(value) = request.headers().get(header::IF_MATCH) else { return Ok(Self(None)) };
        let version = value.to_str().ok().and_then(version_of);
        Ok(version.ok_or_else(|| Problem::parameter("If-Match", "must be one entity tag from an ETag header, or *"))?)
    }
}

/// Parses an entity tag; `*` is any version.
fn version_of(text: &str) -> Option<IfMatch> {
    match text.trim() {
        "*" => Some(IfMatch(None)),
        tag => tag.strip_prefix('"')?.strip_suffix('"')?.parse().ok().map(|version| IfMatch(Some(version))),
    }
}

/// Answers 304 if the client already has the current version.
#[derive(Clone, Copy, Debug)]
pub struct NotModified;

impl<E: Endpoint> Middleware<E> for NotModified {
    type Output = NotModifiedEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        NotModifiedEndpoint(inner)
    }
}

/// An endpoint behind [`NotModified`].
pub struct NotModifiedEndpoint<E>(E);

impl<E: Endpoint> Endpoint for NotModifiedEndpoint<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        // A write that was executed must be answered as such, whatever version the client has.
        let reads = request.method() == Method::GET;
        let known = request.headers().get(header::IF_NONE_MATCH).filter(|_| reads).cloned();
        let response = poem::IntoResponse::into_response(self.0.call(request).await?);
        let tag = response.headers().get(header::ETAG).filter(|_| response.status() == StatusCode::OK);
        match (known, tag) {
            (Some(known), Some(tag)) if names(&known, tag) => {
                let mut same = Response::builder().status(StatusCode::NOT_MODIFIED).finish();
                same.headers_mut().insert(header::ETAG, tag.clone());
                Ok(same)
            }
            _ => Ok(response),
        }
    }
}

/// Compares entity tags weakly, as reads do (RFC 9110, 13.1.2).
fn names(known: &HeaderValue, tag: &HeaderValue) -> bool {
    let (known, tag) = (known.to_str().unwrap_or_default(), tag.to_str().unwrap_or_default());
    known.trim() == "*" || known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn if_match_takes_one_quoted_version_or_a_star() {
        let of = |text: &str| version_of(text).map(|version| version.0);
        assert_eq!((of("\"7\""), of(" * ")), (Some(Some(7)), Some(None)));
        for wrong in ["7", "W/\"7\"", "\"7\", \"8\"", "\"x\"", ""] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn if_none_match_takes_several_tags() {
        let named = |known: &'static str| names(&HeaderValue::from_static(known), &etag(7));
        assert!(named("\"7\"") && named("W/\"7\"") && named("\"6\", \"7\"") && named("*"));
        assert!(!named("\"6\"") && !named("7"));
    }
}
