//! Authenticates a credential: verifies the token or API key, checks with the log that its claims are still current,
//! and chooses the organisation that the caller acts in.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use commands::{AccessStatus, ApiKeyError, api_key};
use domain::ids::OrganizationId;
use domain::user::AccessRole;
use eventlog::error_chain;

use super::{Caller, Grant, Principal, TOKEN_SECONDS};
use crate::error_mapping::never_refused;
use crate::problem::{Kind, Problem};
use crate::state::State;

/// The header by which a platform administrator chooses an organisation to act in.
pub const ORGANIZATION: &str = "X-Organization";

/// An authenticated caller, and when the credential expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The caller.
    pub caller: Caller,
    ends_at: DateTime<Utc>,
}

impl Verified {
    /// Returns how long a connection opened with this credential may last: until the credential expires, and at most
    /// the lifetime of an access token.
    pub fn expires_in(&self, now: DateTime<Utc>) -> Duration {
        (self.ends_at - now).min(TimeDelta::seconds(TOKEN_SECONDS)).to_std().unwrap_or_default()
    }
}

/// Authenticates an access token or an API key; `chosen` is the organisation that its holder asks to act in, if any.
pub async fn authenticate(state: &State, credential: &str, chosen: Option<&str>) -> Result<Verified, Problem> {
    let (principal, home, role, ends_at) = match credential.starts_with(api_key::PREFIX) {
        true => machine(state, credential).await?,
        false => person(state, credential).await?,
    };
    let organization = choose(state, home, role, chosen).await?;
    Ok(Verified { caller: Caller { principal, home, organization, role }, ends_at })
}

type Known = (Principal, OrganizationId, AccessRole, DateTime<Utc>);

async fn person(state: &State, token: &str) -> Result<Known, Problem> {
    let refused = || unauthenticated("the access token is not valid or has expired");
    let (grant, ends_at) = state.tokens.verify(token, state.now()).ok_or_else(refused)?;
    stands(state, &grant).await?;
    Ok((Principal::User(grant.user), grant.organization, grant.role, ends_at))
}

/// Refuses a token whose holder must sign in again. While the log is unavailable, the token's claims are trusted until
/// it expires.
async fn stands(state: &State, grant: &Grant) -> Result<(), Problem> {
    let asking = state.commands.access_status(grant.organization, grant.user, grant.access_version);
    match state.breaker.log.answer(asking).await {
        None | Some(Ok(AccessStatus::Unchanged)) => Ok(()),
        Some(Ok(AccessStatus::Changed)) => Err(unauthenticated("password, role or access changed since you signed in")),
        Some(Ok(AccessStatus::Deactivated)) => Err(unauthenticated("the user is deactivated")),
        Some(Ok(AccessStatus::OrganizationSuspended)) => Err(unauthenticated("the organisation is suspended")),
        Some(Err(error)) => {
            tracing::warn!(
                error = error_chain(&error),
                "cannot check an access token with the log; trusting its claims"
            );
            Ok(())
        }
    }
}

async fn machine(state: &State, key: &str) -> Result<Known, Problem> {
    let silent = || Problem::of(Kind::Unavailable, "API keys cannot be verified at the moment; try again");
    let verified = state.breaker.log.answer(state.commands.verify_api_key(key)).await.ok_or_else(silent)?;
    let key = verified.map_err(|error| match error {
        ApiKeyError::Unavailable(cause) => {
            tracing::error!(error = error_chain(cause.as_ref()), "verifying an API key failed");
            silent()
        }
        refused => unauthenticated(refused),
    })?;
    Ok((Principal::ApiKey(key.id), key.organization, key.access_role, key.expires_at))
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

fn unauthenticated(why: impl std::fmt::Display) -> Problem {
    Problem::of(Kind::Unauthenticated, why)
}
