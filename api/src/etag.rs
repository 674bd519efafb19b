//! Resource versions in headers: `ETag` in responses, `If-Match` of writes and `If-None-Match` of reads (RFC 9110,
//! 8.8.3 and 13.1). The command side compares them with the log. A tag names a version of the resource, not the bytes of
//! a response, so a tag that a compressing proxy has weakened (`W/"7"`) is as good as the original.

use poem::http::{HeaderValue, Method, StatusCode, header};
use poem::{Endpoint, Middleware, Request, RequestBody, Response};
use poem_openapi::{ApiExtractor, ExtractParamOptions};

use crate::header_parameter::header_parameter;
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

/// The versions that a write expects, any of them: `If-Match: "7"`. `None` is any version at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IfMatch(pub Option<Vec<u64>>);

impl IfMatch {
    /// Refuses any version but the expected ones, for writes that store nothing and so are not compared by the log.
    pub fn holds(&self, present: i64) -> Result<(), Problem> {
        let is_present = |version: &u64| i64::try_from(*version) == Ok(present);
        match self.0.as_ref().is_none_or(|versions| versions.iter().any(is_present)) {
            true => Ok(()),
            false => Err(Problem::of(Kind::PreconditionFailed, format_args!("the resource is at version {present}"))),
        }
    }

    /// Takes the versions: later commands of the same request apply to later versions.
    pub fn take(&mut self) -> Option<Vec<u64>> {
        self.0.take()
    }
}

impl<'a> ApiExtractor<'a> for IfMatch {
    header_parameter!();

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<String>,
    ) -> poem::Result<Self> {
        let mut fields = request.headers().get_all(header::IF_MATCH).iter().peekable();
        if fields.peek().is_none() {
            return Ok(Self(None));
        }
        // Several fields of the same name are one list (RFC 9110, 5.3).
        let fields: Option<Vec<_>> = fields.map(|field| field.to_str().ok()).collect();
        let versions = fields.and_then(|fields| versions_of(&fields.join(",")));
        let refused = || Problem::parameter("If-Match", "must be entity tags from ETag headers, or *");
        Ok(versions.ok_or_else(refused)?)
    }
}

/// Parses a list of entity tags; `*` is any version.
fn versions_of(text: &str) -> Option<IfMatch> {
    if text.trim() == "*" {
        return Some(IfMatch(None));
    }
    tags(text).map(|tag| tag?.parse().ok()).collect::<Option<Vec<_>>>().map(|versions| IfMatch(Some(versions)))
}

/// Returns what stands between the quotes of each tag of a list, weak or strong; `None` for what is no tag.
fn tags(list: &str) -> impl Iterator<Item = Option<&str>> {
    list.split(',').map(|one| {
        let one = one.trim();
        one.strip_prefix("W/").unwrap_or(one).strip_prefix('"')?.strip_suffix('"')
    })
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
        let fields = request.headers().get_all(header::IF_NONE_MATCH).iter().filter(|_| reads);
        let known: Vec<HeaderValue> = fields.cloned().collect();
        let response = poem::IntoResponse::into_response(self.0.call(request).await?);
        let tag = response.headers().get(header::ETAG).filter(|_| response.status() == StatusCode::OK);
        match tag.filter(|tag| known.iter().any(|known| names(known, tag))) {
            Some(tag) => {
                let mut same = Response::builder().status(StatusCode::NOT_MODIFIED).finish();
                same.headers_mut().insert(header::ETAG, tag.clone());
                Ok(same)
            }
            None => Ok(response),
        }
    }
}

/// Compares entity tags weakly, as reads do (RFC 9110, 13.1.2).
fn names(known: &HeaderValue, tag: &HeaderValue) -> bool {
    let (known, tag) = (known.to_str().unwrap_or_default(), tag.to_str().unwrap_or_default());
    known.trim() == "*" || tags(known).flatten().any(|one| tags(tag).flatten().any(|present| present == one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn if_match_takes_tags_of_versions_also_weakened_ones_or_a_star() {
        let of = |text: &str| versions_of(text).map(|versions| versions.0);
        assert_eq!((of("\"7\""), of(" * ")), (Some(Some(vec![7])), Some(None)));
        assert_eq!(of("W/\"7\""), Some(Some(vec![7])));
        assert_eq!(of("\"7\",W/\"8\" , \"9\""), Some(Some(vec![7, 8, 9])));
        for wrong in ["7", "w/\"7\"", "\"x\"", "", ",", "\"7\" \"8\"", "\"7\", *", "\"", "W/", "\"-1\""] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_write_holds_at_any_of_its_versions() {
        let at = |versions: &[u64], present| IfMatch(Some(versions.to_vec())).holds(present).is_ok();
        assert!(at(&[7], 7) && at(&[6, 7], 7) && IfMatch(None).holds(7).is_ok());
        assert!(!at(&[6], 7) && !at(&[6, 8], 7) && !at(&[u64::MAX], -1));
    }

    #[test]
    fn if_none_match_takes_several_tags() {
        let named = |known: &'static str| names(&HeaderValue::from_static(known), &etag(7));
        assert!(named("\"7\"") && named("W/\"7\"") && named("\"6\", \"7\"") && named("*"));
        assert!(!named("\"6\"") && !named("7"));
    }
}
