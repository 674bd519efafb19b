//! Secrets that are disclosed once and stored only as a digest: API keys and refresh tokens. A secret contains the two
//! ids under which its digest is stored, so a lookup needs no index.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use uuid::Uuid;

use crate::error::Error;
use crate::random;

/// Bytes of each of the two ids that precede the random bytes.
const ID_BYTES: usize = 16;
/// Random bytes: a plain hash suffices because 256 bits cannot be guessed.
const RANDOM_BYTES: usize = 32;

/// A secret in clear text. `Debug` is redacted, and there is no `Display` or serde implementation.
#[derive(Clone, PartialEq, Eq)]
pub struct OneTimeSecret(String);

/// The ids under which a presented secret is looked up, and the digest it must have.
pub(crate) struct PresentedSecret {
    pub(crate) first: Uuid,
    pub(crate) second: Uuid,
    pub(crate) digest: String,
}

impl OneTimeSecret {
    /// Generates a secret: the prefix, then two ids and 256 random bits in base64url.
    pub(crate) fn draw(prefix: &str, first: Uuid, second: Uuid) -> Result<Self, Error> {
        let random = random::bytes::<RANDOM_BYTES>()?;
        let bytes = [first.as_bytes().as_slice(), second.as_bytes(), &random].concat();
        Ok(Self(format!("{prefix}{}", BASE64URL_NOPAD.encode(&bytes))))
    }

    /// Returns the secret in clear text, for the one response that discloses it to its owner.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns its digest: SHA-256 in lower-case hex.
    pub(crate) fn digest(&self) -> String {
        sha256(&self.0)
    }
}

impl PresentedSecret {
    /// Parses a presented text; returns `None` if it cannot be a secret with this prefix.
    pub(crate) fn read(prefix: &str, text: &str) -> Option<Self> {
        let bytes = BASE64URL_NOPAD.decode(text.strip_prefix(prefix)?.as_bytes()).ok()?;
        let whole = bytes.len() == 2 * ID_BYTES + RANDOM_BYTES;
        let (first, rest) = bytes.split_at_checked(ID_BYTES).filter(|_| whole)?;
        let (second, _) = rest.split_at_checked(ID_BYTES)?;
        let (first, second) = (Uuid::from_slice(first).ok()?, Uuid::from_slice(second).ok()?);
        Some(Self { first, second, digest: sha256(text) })
    }
}

impl fmt::Debug for OneTimeSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTimeSecret(not shown)")
    }
}

fn sha256(text: &str) -> String {
    HEXLOWER.encode(digest(&SHA256, text.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: [Uuid; 2] = [Uuid::from_u128(1), Uuid::from_u128(2)];

    #[test]
    fn a_secret_contains_its_ids_and_is_recognised_by_its_digest() {
        let handle = OneTimeSecret::draw("argk_", IDS[0], IDS[1]).unwrap();
        let read = PresentedSecret::read("argk_", handle.expose()).unwrap();
        assert_eq!([read.first, read.second], IDS);
        assert_eq!(read.digest, handle.digest());
        assert_eq!(format!("{handle:?}"), "OneTimeSecret(not shown)");
        assert_ne!(OneTimeSecret::draw("argk_", IDS[0], IDS[1]).unwrap(), handle);
    }

    #[test]
    fn malformed_secrets_are_not_parsed() {
        let handle = OneTimeSecret::draw("argk_", IDS[0], IDS[1]).unwrap();
        let text = handle.expose();
        for wrong in ["", "argk_", &text[5..], &text[..text.len() - 2], &format!("{text}A"), &format!("{text}=")] {
            assert!(PresentedSecret::read("argk_", wrong).is_none(), "{wrong}");
        }
        assert!(PresentedSecret::read("argr_", text).is_none());
    }
}
