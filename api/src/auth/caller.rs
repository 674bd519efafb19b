//! The caller of an endpoint and the authentication schemes. An endpoint that takes [`Allowed`] is unreachable without
//! the permission, whatever else is wrong with the request.

use std::marker::PhantomData;
use std::ops::Deref;

use domain::ids::{ApiKeyId, OrganizationId, UserId};
use domain::metadata::Actor;
use domain::user::AccessRole;
use poem::http::header;
use poem::{FromRequest, Request, RequestBody};
use poem_openapi::auth::{ApiKey as KeyHeader, Bearer as Token};
use poem_openapi::registry::Registry;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions, SecurityScheme};

use super::{ORGANIZATION, Standing, authenticate};
use crate::access::{Permission, allows};
use crate::problem::{Kind, Problem};
use crate::rate_limits::Meter;
use crate::state::State;

/// The alternative header for API keys.
const API_KEY: &str = "X-API-Key";

/// A user or a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Principal {
    /// A signed-in user.
    User(UserId),
    /// A machine with an API key.
    ApiKey(ApiKeyId),
}

/// The authenticated caller of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The user or machine.
    pub principal: Principal,
    /// The organisation they belong to.
    pub home: OrganizationId,
    /// The organisation they act in; resources of other organisations do not exist for them.
    pub organization: OrganizationId,
    /// Their role.
    pub role: AccessRole,
}

impl Principal {
    /// Returns the actor as events record it.
    pub fn actor(self) -> Actor {
        match self {
            Self::User(id) => Actor::User(id),
            Self::ApiKey(id) => Actor::ApiKey(id),
        }
    }
}

impl Caller {
    /// Returns the user; a machine is refused with 403.
    pub fn person(&self) -> Result<UserId, Problem> {
        match self.principal {
            Principal::User(user) => Ok(user),
            Principal::ApiKey(_) => {
                Err(Problem::of(Kind::Forbidden, "only a signed-in user may do this, not an API key"))
            }
        }
    }
}

/// An access token of `POST /auth/login`, or an API key.
#[derive(SecurityScheme)]
#[oai(rename = "bearer", ty = "bearer", bearer_format = "JWT or API key")]
#[allow(dead_code, reason = "documents the scheme for OpenAPI; `presented` reads the credential")]
struct Bearer(Token);

/// An API key.
#[derive(SecurityScheme)]
#[oai(rename = "apiKey", ty = "api_key", key_name = "X-API-Key", key_in = "header")]
#[allow(dead_code, reason = "documents the scheme for OpenAPI; `presented` reads the credential")]
struct KeyInHeader(KeyHeader);

/// A caller who has the permission `P`.
pub struct Allowed<P>(Caller, PhantomData<P>);

impl<P> Deref for Allowed<P> {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.0
    }
}

impl<'a, P: Permission> ApiExtractor<'a> for Allowed<P> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        Bearer::register(registry);
        KeyInHeader::register(registry);
    }

    fn security_schemes() -> Vec<&'static str> {
        [Bearer::security_schemes(), KeyInHeader::security_schemes()].concat()
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let caller = caller(request).await?;
        if allows(caller.role, P::LEAST) {
            return Ok(Self(caller, PhantomData));
        }
        let detail = format!("to {} you need the role {} or above; yours is {}", P::WHAT, P::LEAST, caller.role);
        Err(Problem::of(Kind::Forbidden, detail).into())
    }
}

impl<'a> FromRequest<'a> for Standing {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        let state = request.data::<State>().ok_or_else(|| Problem::new(Kind::Internal))?;
        let credential = presented(request).ok_or_else(missing)?;
        Ok(Standing::open(state, credential, request.header(ORGANIZATION)).await?)
    }
}

fn missing() -> Problem {
    Problem::of(Kind::Unauthenticated, "send an access token or an API key: Authorization: Bearer …")
}

async fn caller(request: &Request) -> Result<Caller, Problem> {
    let internal = || Problem::new(Kind::Internal);
    let (state, meter) = (request.data::<State>().ok_or_else(internal)?, request.data::<Meter>().ok_or_else(internal)?);
    let credential = presented(request).ok_or_else(missing)?;
    let caller = authenticate(state, credential, request.header(ORGANIZATION)).await?;
    state.limiter.principal(meter, caller.principal, state.now()).await?;
    Ok(caller)
}

/// Returns the organisation that a request acts in; `None` if it carries no credential.
pub async fn organization_of(request: &Request) -> Result<Option<OrganizationId>, Problem> {
    let (Some(state), Some(credential)) = (request.data::<State>(), presented(request)) else { return Ok(None) };
    Ok(Some(authenticate(state, credential, request.header(ORGANIZATION)).await?.organization))
}

fn presented(request: &Request) -> Option<&str> {
    let bearer = request.header(header::AUTHORIZATION).and_then(|text| {
        let (scheme, credential) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(credential.trim())
    });
    bearer.or_else(|| request.header(API_KEY))
}
