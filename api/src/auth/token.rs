//! Access tokens: JSON Web Tokens (RFC 7519), HMAC-SHA-256, valid for an hour. What does not live here: refreshing.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::ids::{OrganizationId, UserId};
use domain::user::AccessRole;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use super::Caller;

/// How long a token is valid, in seconds.
pub const TOKEN_SECONDS: i64 = 3600;

/// Who issues the tokens.
const ISSUER: &str = "argusiq";

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: UserId,
    org: OrganizationId,
    role: AccessRole,
    iat: i64,
    exp: i64,
}

/// A caller, and until when the token says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Who.
    pub caller: Caller,
    expires_at: i64,
}

impl Verified {
    /// Returns how long the token is still valid.
    pub fn expires_in(&self, now: DateTime<Utc>) -> Duration {
        Duration::from_secs(u64::try_from(self.expires_at - now.timestamp()).unwrap_or(0))
    }
}

/// Issues and verifies access tokens.
pub struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

impl Tokens {
    /// Returns tokens under a secret.
    pub fn new(secret: &[u8]) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["iss", "sub", "exp"]);
        // Expiry is checked against the injected clock, below.
        validation.validate_exp = false;
        Self { encoding: EncodingKey::from_secret(secret), decoding: DecodingKey::from_secret(secret), validation }
    }

    /// Issues a token; `None` if signing fails.
    pub fn issue(&self, caller: &Caller, now: DateTime<Utc>) -> Option<String> {
        let claims = Claims {
            iss: ISSUER.to_owned(),
            sub: caller.user,
            org: caller.organization,
            role: caller.role,
            iat: now.timestamp(),
            exp: now.timestamp() + TOKEN_SECONDS,
        };
        jsonwebtoken::encode(&Header::default(), &claims, &self.encoding).ok()
    }

    /// Verifies a token: ours, whole and not expired.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Option<Caller> {
        self.verify_until(token, now).map(|verified| verified.caller)
    }

    /// Verifies a token, for something that lasts: it must end when the token does.
    pub fn verify_until(&self, token: &str, now: DateTime<Utc>) -> Option<Verified> {
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation).ok()?.claims;
        let caller = Caller { user: claims.sub, organization: claims.org, role: claims.role };
        (now.timestamp() < claims.exp).then_some(Verified { caller, expires_at: claims.exp })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    fn caller() -> Caller {
        let (user, organization) = (UserId(Uuid::from_u128(1)), OrganizationId(Uuid::from_u128(2)));
        Caller { user, organization, role: AccessRole::Engineer }
    }

    #[test]
    fn a_token_tells_who_it_was_issued_to_until_it_expires() {
        let tokens = Tokens::new(&[7; 32]);
        let token = tokens.issue(&caller(), at(0)).unwrap();
        assert_eq!(tokens.verify(&token, at(0)), Some(caller()));
        assert_eq!(tokens.verify(&token, at(TOKEN_SECONDS - 1)), Some(caller()));
        assert_eq!(tokens.verify(&token, at(TOKEN_SECONDS)), None);
    }

    #[test]
    fn a_token_of_another_secret_or_a_changed_one_is_refused() {
        let token = Tokens::new(&[7; 32]).issue(&caller(), at(0)).unwrap();
        assert_eq!(Tokens::new(&[8; 32]).verify(&token, at(0)), None);
        let (head, _) = token.rsplit_once('.').unwrap();
        for wrong in ["", "a.b.c", head, &format!("{head}."), &token.replacen('.', "A.", 1)] {
            assert_eq!(Tokens::new(&[7; 32]).verify(wrong, at(0)), None, "{wrong}");
        }
    }

    #[test]
    fn an_unsigned_token_is_refused() {
        // {"alg":"none","typ":"JWT"}
        let token = Tokens::new(&[7; 32]).issue(&caller(), at(0)).unwrap();
        let claims = token.split('.').nth(1).unwrap();
        let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.");
        assert_eq!(Tokens::new(&[7; 32]).verify(&unsigned, at(0)), None);
    }
}
