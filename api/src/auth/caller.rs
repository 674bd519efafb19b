//! The caller of an endpoint, and the schemes by which it says who it is. An endpoint that takes [`Allowed`] cannot be
//! reached without the permission, whatever else is wrong with the request.

use std::marker::PhantomData;
use std::ops::Deref;

use domain::ids::{ApiKeyId, OrganizationId, UserId};
use domain::metadata::Actor;
use domain::user::AccessRole;
use poem::http::header;
use poem::{Request, RequestBody};
use poem_openapi::auth::{ApiKey as KeyHeader, Bearer as Token};
use poem_openapi::registry::Registry;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions, SecurityScheme};

use super::{ORGANIZATION, authenticate};
use crate::access::{Permission, allows};
use crate::problem::{Kind, Problem};
use crate::rate_limits::Meter;
use crate::state::State;

/// The header in which a machine may present its key.
const API_KEY: &str = "X-API-Key";

/// A person or a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Principal {
    /// A signed-in person.
    User(UserId),
    /// A machine with a key.
    ApiKey(ApiKeyId),
}

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The person or machine.
    pub principal: Principal,
    /// The organisation they belong to.
    pub home: OrganizationId,
    /// The organisation they act in: nothing outside it exists for them.
    pub organization: OrganizationId,
    /// Their role.
    pub role: AccessRole,
}

impl Principal {
    /// Returns who acts, as events say it.
    pub fn actor(self) -> Actor {
        match self {
            Self::User(id) => Actor::User(id),
            Self::ApiKey(id) => Actor::ApiKey(id),
        }
    }
}

impl Caller {
    /// Returns the person who calls; a machine is refused.
    pub fn person(&self) -> Result<UserId, Problem> {
        match self.principal {
            Principal::User(user) => Ok(user),
            Principal::ApiKey(_) => Err(Problem::of(Kind::Forbidden, "an API key is no person")),
        }
    }
}

/// An access token of `POST /auth/login`, or an API key.
#[derive(SecurityScheme)]
#[oai(rename = "bearer", ty = "bearer", bearer_format = "JWT or API key")]
#[allow(dead_code, reason = "documents how to authenticate; what is presented is read below")]
struct Bearer(Token);

/// An API key.
#[derive(SecurityScheme)]
#[oai(rename = "apiKey", ty = "api_key", key_name = "X-API-Key", key_in = "header")]
#[allow(dead_code, reason = "documents how to authenticate; what is presented is read below")]
struct KeyInHeader(KeyHeader);

/// A caller who may do what `P` says.
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
        let detail = format!("to {} takes the role {} or above; yours is {}", P::WHAT, P::LEAST, caller.role);
        Err(Problem::of(Kind::Forbidden, detail).into())
    }
}

async fn caller(request: &Request) -> Result<Caller, Problem> {
    let internal = || Problem::new(Kind::Internal);
    let (state, meter) = (request.data::<State>().ok_or_else(internal)?, request.data::<Meter>().ok_or_else(internal)?);
    let missing = || Problem::of(Kind::Unauthenticated, "send an access token or an API key: Authorization: Bearer …");
    let credential = presented(request).ok_or_else(missing)?;
    let caller = authenticate(state, credential, request.header(ORGANIZATION)).await?.caller;
    state.limiter.principal(meter, caller.principal, state.now()).await?;
    Ok(caller)
}

/// Returns the organisation that a request acts in; none where it does not say by whom it comes.
pub async fn organization_of(request: &Request) -> Result<Option<OrganizationId>, Problem> {
    let (Some(state), Some(credential)) = (request.data::<State>(), presented(request)) else { return Ok(None) };
    Ok(Some(authenticate(state, credential, request.header(ORGANIZATION)).await?.caller.organization))
}

fn presented(request: &Request) -> Option<&str> {
    let bearer = request.header(header::AUTHORIZATION).and_then(|text| {
        let (scheme, credential) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(credential.trim())
    });
    bearer.or_else(|| request.header(API_KEY))
}
