//! Authenticates a credential: verifies the token or API key, checks with the log that its claims are still current,
//! and chooses the organisation that the caller acts in.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use commands::{AccessStatus, ApiKeyError, api_key};
use domain::ids::OrganizationId;
use domain::user::AccessRole;
use eventlog::error_chain;

use super::{Caller, Grant, Principal};
use crate::error_mapping::never_refused;
use crate::problem::{Kind, Problem};
use crate::state::State;

/// The header by which a platform administrator chooses an organisation to act in.
pub const ORGANIZATION: &str = "X-Organization";

/// Why a credential is refused: a stable code, and the text for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Refused {
    /// The code.
    pub code: &'static str,
    /// The text.
    pub detail: &'static str,
}

/// Why a credential is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// It is not valid, or no longer.
    Refused(Refused),
    /// The log does not answer.
    Unknown,
}

/// A credential whose text has been verified.
#[derive(Clone)]
pub enum Credential {
    /// An access token.
    Token(Grant),
    /// An API key.
    ApiKey(Arc<str>),
}

/// Authenticates an access token or an API key; `chosen` is the organisation that its holder asks to act in, if any.
pub async fn authenticate(state: &State, credential: &str, chosen: Option<&str>) -> Result<Caller, Problem> {
    authenticate_fully(state, credential, chosen).await.map(|(caller, ..)| caller)
}

/// Authenticates like [`authenticate`]; also returns the credential and when it expires.
pub async fn authenticate_fully(
    state: &State,
    credential: &str,
    chosen: Option<&str>,
) -> Result<(Caller, Credential, DateTime<Utc>), Problem> {
    let (credential, (principal, home, role, expires_at)) = match credential.starts_with(api_key::PREFIX) {
        true => (Credential::ApiKey(credential.into()), machine(state, credential).await?),
        false => person(state, credential).await?,
    };
    let organization = choose(state, home, role, chosen).await?;
    Ok((Caller { principal, home, organization, role }, credential, expires_at))
}

impl Credential {
    /// Checks with the log whether the credential is still valid; an access token that has expired since counts.
    pub async fn check(&self, state: &State) -> Result<(), Denied> {
        match self {
            Self::Token(grant) => stands(state, grant).await,
            Self::ApiKey(key) => machine(state, key).await.map(drop),
        }
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Refused(refused) => Problem::of(Kind::Unauthenticated, refused),
            Denied::Unknown => Problem::of(Kind::Unavailable, "API keys cannot be verified at the moment; try again"),
        }
    }
}

type Known = (Principal, OrganizationId, AccessRole, DateTime<Utc>);

async fn person(state: &State, token: &str) -> Result<(Credential, Known), Denied> {
    let invalid = || refused("invalid_token", "the access token is not valid or has expired");
    let (grant, expires_at) = state.tokens.verify(token, state.now()).ok_or_else(invalid)?;
    // While the log is unavailable, the token's claims are trusted until it expires.
    if let Err(refused @ Denied::Refused(_)) = stands(state, &grant).await {
        return Err(refused);
    }
    let known = (Principal::User(grant.user), grant.organization, grant.role, expires_at);
    Ok((Credential::Token(grant), known))
}

/// Refuses a token whose holder must sign in again.
async fn stands(state: &State, grant: &Grant) -> Result<(), Denied> {
    let asking = state.commands.access_status(grant.organization, grant.user, grant.access_version);
    match state.breaker.log.answer(asking).await.ok_or(Denied::Unknown)? {
        Ok(AccessStatus::Unchanged) => Ok(()),
        Ok(AccessStatus::Changed) => {
            Err(refused("access_changed", "password, role or access changed since you signed in"))
        }
        Ok(AccessStatus::Deactivated) => Err(refused("user_deactivated", "the user is deactivated")),
        Ok(AccessStatus::OrganizationSuspended) => Err(suspended()),
        Err(error) => {
            tracing::warn!(
                error = error_chain(&error),
                "cannot check an access token with the log; trusting its claims"
            );
            Err(Denied::Unknown)
        }
    }
}

async fn machine(state: &State, key: &str) -> Result<Known, Denied> {
    let verified = state.breaker.log.answer(state.commands.verify_api_key(key)).await.ok_or(Denied::Unknown)?;
    let key = verified.map_err(|error| match error {
        ApiKeyError::Unknown => refused("unknown_api_key", "the API key is unknown"),
        ApiKeyError::Revoked => refused("revoked", "the API key was revoked"),
        ApiKeyError::Expired => refused("expired", "the API key has expired"),
        ApiKeyError::OrganizationSuspended => suspended(),
        ApiKeyError::Unavailable(cause) => {
            tracing::error!(error = error_chain(cause.as_ref()), "verifying an API key failed");
            Denied::Unknown
        }
    })?;
    Ok((Principal::ApiKey(key.id), key.organization, key.access_role, key.expires_at))
}

fn refused(code: &'static str, detail: &'static str) -> Denied {
    Denied::Refused(Refused { code, detail })
}

fn suspended() -> Denied {
    refused("organization_suspended", "the organisation is suspended")
}

/// Returns the organisation to act in: the caller's own, or any existing one for a platform administrator.
async fn choose(
    state: &State,
    home: OrganizationId,
    role: AccessRole,
    chosen: Option<&str>,
) -> Result<OrganizationId, Problem> {
    let Some(chosen) = chosen else { return Ok(home) };
    let chosen = chosen.trim().parse().map_err(|_| Problem::parameter(ORGANIZATION, "must be an organisation's id"))?;
    if chosen == home {
        return Ok(home);
    }
    if role != AccessRole::PlatformAdmin {
        return Err(Problem::not_found("organisation"));
    }
    let silent = || Problem::of(Kind::Unavailable, "the log does not answer; try again");
    let known = state.breaker.log.answer(state.commands.is_organization(chosen)).await.ok_or_else(silent)?;
    if known.map_err(never_refused)? { Ok(chosen) } else { Err(Problem::not_found("organisation")) }
}
