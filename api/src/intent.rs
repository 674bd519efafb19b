//! What a write says of itself in its headers: idempotency key, request id, trace context. What does not live here: what
//! it wants.

use commands::CommandContext;
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaParamIn, MetaSchemaRef, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use uuid::Uuid;

use crate::auth::Caller;
use crate::problem::Problem;

/// The header by which a repeated write is recognised.
pub const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// Longest idempotency key, in octets.
const MAX_KEY_BYTES: usize = 200;

/// The circumstances of a write. Documented as its idempotency key.
#[derive(Clone, Debug)]
pub struct Intent {
    key: Option<String>,
    scope: String,
    request_id: Uuid,
    traceparent: Option<String>,
}

/// The request id, put into the request by the guard.
#[derive(Clone, Copy, Debug)]
pub struct RequestId(pub Uuid);

impl Intent {
    /// Returns the id of the request, which correlates what it causes.
    pub fn correlation_id(&self) -> Uuid {
        self.request_id
    }

    /// Returns the context of the write's command. The same key on the same path by anybody in the organisation is the
    /// same command; without a key, each request is its own.
    pub fn context(&self, caller: &Caller) -> CommandContext {
        let organization = caller.organization;
        let command_id = match &self.key {
            Some(key) => domain::ids::derive(organization.0, &["command", &self.scope, key]),
            None => random_id(),
        };
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

/// Returns the id of a request, which correlates what it causes.
pub fn correlation_of(request: &Request) -> Uuid {
    request.extensions().get::<RequestId>().map_or_else(random_id, |id| id.0)
}

/// Makes a random id.
#[allow(clippy::disallowed_methods, reason = "the rim: a request that brings no id gets one here")]
pub fn random_id() -> Uuid {
    Uuid::now_v7()
}

impl<'a> ApiExtractor<'a> for Intent {
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
        let key = match request.headers().get(IDEMPOTENCY_KEY) {
            None => None,
            Some(value) => {
                let key = value.to_str().ok().filter(|key| !key.is_empty() && key.len() <= MAX_KEY_BYTES);
                let refused = || Problem::parameter(IDEMPOTENCY_KEY, "must have 1 to 200 printable ASCII characters");
                Some(key.ok_or_else(refused)?.to_owned())
            }
        };
        Ok(Self {
            key,
            scope: format!("{} {}", request.method(), request.original_uri().path()),
            request_id: correlation_of(request),
            traceparent: request.header("traceparent").filter(|text| text.len() <= 100).map(str::to_owned),
        })
    }
}
