//! Device tokens: the secret with which a device without a certificate authenticates over HTTP. Only its digest is
//! stored. Issuing lives in `commands::device`; `ingest` checks presented tokens.

use std::fmt;

use aws_lc_rs::{digest, rand};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use zeroize::Zeroizing;

/// Prefix of every token, so that secret scanners find leaked ones.
const PREFIX: &str = "argusiq-device-";
/// Random bytes of a token.
const RANDOM_BYTES: usize = 32;

/// The operating system's random source failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the random source failed")]
pub struct Error;

/// A device token in clear text: `argusiq-device-` and 256 random bits in base64url. `Debug` is redacted, there is no
/// `Display` or serde implementation, and the memory is wiped on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceToken(Zeroizing<String>);

impl DeviceToken {
    /// Generates a token from the operating system's random source.
    pub fn random() -> Result<Self, Error> {
        let mut bytes = Zeroizing::new([0; RANDOM_BYTES]);
        rand::fill(&mut bytes[..]).map_err(|_| Error)?;
        Ok(Self(Zeroizing::new(format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&bytes[..])))))
    }

    /// Returns the token in clear text, for the one response that discloses it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns the token's SHA-256 digest in lower-case hex.
    pub fn digest(&self) -> String {
        sha256(&self.0)
    }
}

impl fmt::Debug for DeviceToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DeviceToken(redacted)")
    }
}

/// Returns the SHA-256 digest of a presented token in lower-case hex, or `None` if the text is not a device token. A
/// plain hash suffices because 256 random bits cannot be guessed.
pub fn digest_of(presented: &str) -> Option<String> {
    let bytes = BASE64URL_NOPAD.decode(presented.strip_prefix(PREFIX)?.as_bytes()).ok()?;
    (bytes.len() == RANDOM_BYTES).then(|| sha256(presented))
}

pub(crate) fn sha256(text: &str) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_recognised_by_its_digest_and_debug_is_redacted() {
        let token = DeviceToken::random().unwrap();
        assert_eq!(digest_of(token.expose()), Some(token.digest()));
        assert_eq!(token.digest().len(), 64);
        assert!(!format!("{token:?}").contains(&token.expose()[PREFIX.len()..]));
        assert_ne!(token, DeviceToken::random().unwrap());
    }

    #[test]
    fn text_that_is_not_a_token_has_no_digest() {
        let token = DeviceToken::random().unwrap();
        let bare = &token.expose()[PREFIX.len()..];
        for text in ["", PREFIX, bare, &format!("{PREFIX}{}", &bare[1..]), &format!("{}=", token.expose())] {
            assert_eq!(digest_of(text), None, "{text}");
        }
    }
}
