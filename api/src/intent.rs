//! Reads what the headers of a write say: idempotency key, request id and trace context.

use commands::CommandContext;
use domain::ids::OrganizationId;
use poem::{Request, RequestBody};
use poem_openapi::{ApiExtractor, ExtractParamOptions};
use serde_json::Value;
use uuid::Uuid;

use crate::auth::{Caller, organization_of};
use crate::body::{MAX_FILE_BYTES, unreadable};
use crate::error_mapping::never_refused;
use crate::etag::IfMatch;
use crate::header_parameter::header_parameter;
use crate::problem::{Kind, Problem};
use crate::state::State;

/// The header that identifies a repeated write.
pub const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// Maximum length of an idempotency key, in bytes.
const MAX_KEY_BYTES: usize = 200;

/// The context of a write, taken from its headers. The OpenAPI document shows it as the idempotency key.
#[derive(Clone, Debug)]
pub struct Intent {
    key: Option<String>,
    scope: String,
    request_id: Uuid,
    traceparent: Option<String>,
}

/// The request id, which the outer middleware adds to the request.
#[derive(Clone, Copy, Debug)]
pub struct RequestId(pub Uuid);

/// A write to an existing resource: what its headers say, and the versions that the client expects.
#[derive(Clone, Debug)]
pub struct Write<'a> {
    /// Idempotency key, request id and trace context.
    pub intent: &'a Intent,
    /// The versions from `If-Match`; any version if the header is absent.
    pub expected: IfMatch,
}

impl Intent {
    /// Returns the id of the request, which correlates the events that it causes.
    pub fn correlation_id(&self) -> Uuid {
        self.request_id
    }

    /// Returns the context of the write's command. The same key on the same path in the same organisation is the same
    /// command; without a key, each request is a command of its own.
    pub fn context(&self, caller: &Caller) -> CommandContext {
        let organization = caller.organization;
        let command_id = self.command_id(organization).unwrap_or_else(random_id);
        CommandContext {
            actor: caller.principal.actor(),
            organization,
            command_id,
            correlation_id: self.request_id,
            causation_id: None,
            traceparent: self.traceparent.clone(),
        }
    }
}

impl Intent {
    fn command_id(&self, organization: OrganizationId) -> Option<Uuid> {
        let key = self.key.as_ref()?;
        Some(domain::ids::derive(organization.0, &["command", &self.scope, key]))
    }

    /// Refuses a key that was already used with another body.
    async fn check(&self, request: &Request, body: &mut RequestBody) -> poem::Result<()> {
        let (Some(state), Some(organization)) = (request.data::<State>(), organization_of(request).await?) else {
            return Ok(());
        };
        let Some(command_id) = self.command_id(organization) else { return Ok(()) };
        let content = if body.is_some() {
            body.take()?.into_bytes_limit(MAX_FILE_BYTES).await.map_err(unreadable)?
        } else {
            Default::default()
        };
        let same = state.commands.is_same_request(command_id, &canonical(&content)).await;
        *body = RequestBody::new(content.into());
        if same.map_err(never_refused)? {
            return Ok(());
        }
        let detail = "this key was used with another body in the last 24 hours: choose another key";
        Err(Problem::of(Kind::IdempotencyKeyReused, detail).into())
    }
}

/// Returns the body in a canonical form: white space and the order of JSON fields do not matter.
fn canonical(content: &[u8]) -> Vec<u8> {
    let value: Result<Value, _> = serde_json::from_slice(content);
    value.map_or_else(|_| content.to_vec(), |value| value.to_string().into_bytes())
}

/// Returns the id of a request, which correlates the events that it causes.
pub fn correlation_of(request: &Request) -> Uuid {
    request.extensions().get::<RequestId>().map_or_else(random_id, |id| id.0)
}

/// Returns a random id (UUIDv7).
#[allow(clippy::disallowed_methods, reason = "the rim: a request that brings no id gets one here")]
pub fn random_id() -> Uuid {
    Uuid::now_v7()
}

impl<'a> ApiExtractor<'a> for Intent {
    header_parameter!();

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<String>,
    ) -> poem::Result<Self> {
        let key = match request.headers().get(IDEMPOTENCY_KEY) {
            None => None,
            Some(value) => {
                let key = value.to_str().ok().filter(|key| !key.is_empty() && key.len() <= MAX_KEY_BYTES);
                let refused = || Problem::parameter(IDEMPOTENCY_KEY, "must have 1 to 200 printable ASCII characters");
                Some(key.ok_or_else(refused)?.to_owned())
            }
        };
        let intent = Self {
            key,
            scope: format!("{} {}", request.method(), request.original_uri().path()),
            request_id: correlation_of(request),
            traceparent: request.header("traceparent").filter(|text| text.len() <= 100).map(str::to_owned),
        };
        if intent.key.is_some() {
            intent.check(request, body).await?;
        }
        Ok(intent)
    }
}
