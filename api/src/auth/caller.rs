//! The caller of an endpoint, and the scheme by which it says who it is. An endpoint that takes [`Allowed`] cannot be
//! reached without the permission, whatever else is wrong with the request.

use std::marker::PhantomData;
use std::ops::Deref;

use domain::ids::{OrganizationId, UserId};
use domain::user::AccessRole;
use poem::{Request, RequestBody};
use poem_openapi::auth::Bearer as Token;
use poem_openapi::registry::Registry;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions, SecurityScheme};

use crate::access::{Permission, allows};
use crate::problem::{Kind, Problem};
use crate::state::State;

/// Who calls, as the token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The person.
    pub user: UserId,
    /// Their organisation: nothing outside it exists for them.
    pub organization: OrganizationId,
    /// Their role.
    pub role: AccessRole,
}

/// An access token of `POST /auth/login`.
#[derive(SecurityScheme)]
#[oai(rename = "bearer", ty = "bearer", bearer_format = "JWT", checker = "verify")]
struct Bearer(Caller);

async fn verify(request: &Request, token: Token) -> poem::Result<Caller> {
    let state = request.data::<State>().ok_or_else(|| Problem::new(Kind::Internal))?;
    let caller = state.tokens.verify(&token.token, state.now());
    Ok(caller.ok_or_else(|| Problem::of(Kind::Unauthenticated, "the access token is not valid or has expired"))?)
}

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
    }

    fn security_schemes() -> Vec<&'static str> {
        Bearer::security_schemes()
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let Bearer(caller) = Bearer::from_request(request, body, options).await?;
        if allows(caller.role, P::LEAST) {
            return Ok(Self(caller, PhantomData));
        }
        let detail = format!("to {} takes the role {} or above; yours is {}", P::WHAT, P::LEAST, caller.role);
        Err(Problem::of(Kind::Forbidden, detail).into())
    }
}
