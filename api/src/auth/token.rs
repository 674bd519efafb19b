//! Access tokens: JSON Web Tokens (RFC 7519), signed with HMAC-SHA-256, valid for 15 minutes. `authenticate` checks
//! whether a token's claims are still current.

use chrono::{DateTime, Utc};
use domain::ids::{OrganizationId, UserId};
use domain::user::AccessRole;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

/// How long a token is valid, in seconds.
pub const TOKEN_SECONDS: i64 = 900;

/// The `iss` claim of all tokens.
const ISSUER: &str = "argusiq";

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: UserId,
    org: OrganizationId,
    role: AccessRole,
    /// The user's access version at sign-in.
    ver: u64,
    iat: i64,
    exp: i64,
}

/// What a token grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The user.
    pub user: UserId,
    /// Their organisation.
    pub organization: OrganizationId,
    /// Their role.
    pub role: AccessRole,
    /// How often password, role or status of the user had changed at sign-in.
    pub access_version: u64,
}

/// Issues and verifies access tokens.
pub struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

impl Tokens {
    /// Returns an issuer and verifier for a secret.
    pub fn new(secret: &[u8]) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["iss", "sub", "exp"]);
        // Expiry is checked against the injected clock, below.
        validation.validate_exp = false;
        Self { encoding: EncodingKey::from_secret(secret), decoding: DecodingKey::from_secret(secret), validation }
    }

    /// Issues a token; `None` if signing fails.
    pub fn issue(&self, grant: &Grant, now: DateTime<Utc>) -> Option<String> {
        let claims = Claims {
            iss: ISSUER.to_owned(),
            sub: grant.user,
            org: grant.organization,
            role: grant.role,
            ver: grant.access_version,
            iat: now.timestamp(),
            exp: now.timestamp() + TOKEN_SECONDS,
        };
        jsonwebtoken::encode(&Header::default(), &claims, &self.encoding).ok()
    }

    /// Verifies signature, issuer and expiry of a token. Returns what it grants, and until when.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Option<(Grant, DateTime<Utc>)> {
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation).ok()?.claims;
        let ends_at = DateTime::from_timestamp(claims.exp, 0)?;
        let Claims { sub: user, org: organization, role, ver: access_version, .. } = claims;
        (now.timestamp() < claims.exp).then_some((Grant { user, organization, role, access_version }, ends_at))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    fn grant() -> Grant {
        let (user, organization) = (UserId(Uuid::from_u128(1)), OrganizationId(Uuid::from_u128(2)));
        Grant { user, organization, role: AccessRole::Engineer, access_version: 3 }
    }

    #[test]
    fn a_token_grants_what_it_was_issued_for_until_it_expires() {
        let tokens = Tokens::new(&[7; 32]);
        let token = tokens.issue(&grant(), at(0)).unwrap();
        let granted = Some((grant(), at(TOKEN_SECONDS)));
        assert_eq!(tokens.verify(&token, at(0)), granted);
        assert_eq!(tokens.verify(&token, at(TOKEN_SECONDS - 1)), granted);
        assert_eq!(tokens.verify(&token, at(TOKEN_SECONDS)), None);
    }

    #[test]
    fn a_forged_or_altered_token_is_refused() {
        let token = Tokens::new(&[7; 32]).issue(&grant(), at(0)).unwrap();
        assert_eq!(Tokens::new(&[8; 32]).verify(&token, at(0)), None);
        let (head, _) = token.rsplit_once('.').unwrap();
        for wrong in ["", "a.b.c", head, &format!("{head}."), &token.replacen('.', "A.", 1)] {
            assert_eq!(Tokens::new(&[7; 32]).verify(wrong, at(0)), None, "{wrong}");
        }
    }

    #[test]
    fn an_unsigned_token_is_refused() {
        // {"alg":"none","typ":"JWT"}
        let token = Tokens::new(&[7; 32]).issue(&grant(), at(0)).unwrap();
        let claims = token.split('.').nth(1).unwrap();
        let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.");
        assert_eq!(Tokens::new(&[7; 32]).verify(&unsigned, at(0)), None);
    }
}
