//! Device tokens: the secret that a device may present over HTTP where it has no certificate, and its digest, which is
//! all that is ever stored. Whose a token is and whether it still holds is elsewhere.

use std::fmt;

use aws_lc_rs::{digest, rand};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use zeroize::Zeroizing;

/// What every token begins with, so that a leaked one is found by search.
const PREFIX: &str = "argusiq-device-";
/// Random octets of a token.
const OCTETS: usize = 32;

/// The operating system has no random octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no random octets to be had")]
pub struct Error;

/// A device token in clear: `argusiq-device-` and 256 random bits in base64url. `Debug` shows nothing of it, it has no
/// `Display` and no serde, and its memory is wiped on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceToken(Zeroizing<String>);

impl DeviceToken {
    /// Draws a token from the operating system's randomness.
    pub fn random() -> Result<Self, Error> {
        let mut octets = Zeroizing::new([0; OCTETS]);
        rand::fill(&mut octets[..]).map_err(|_| Error)?;
        Ok(Self(Zeroizing::new(format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&octets[..])))))
    }

    /// The token itself: for the one answer that hands it to its owner.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns its digest.
    pub fn digest(&self) -> String {
        sha256(&self.0)
    }
}

impl fmt::Debug for DeviceToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DeviceToken(redacted)")
    }
}

/// Returns the digest by which a presented token is known: SHA-256 in lower-case hex; none where the text is no token.
/// A plain hash is enough: 256 random bits cannot be guessed.
pub fn digest_of(presented: &str) -> Option<String> {
    let octets = BASE64URL_NOPAD.decode(presented.strip_prefix(PREFIX)?.as_bytes()).ok()?;
    (octets.len() == OCTETS).then(|| sha256(presented))
}

pub(crate) fn sha256(text: &str) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_digest_and_shows_nothing_of_itself() {
        let token = DeviceToken::random().unwrap();
        assert_eq!(digest_of(token.expose()), Some(token.digest()));
        assert_eq!(token.digest().len(), 64);
        assert!(!format!("{token:?}").contains(&token.expose()[PREFIX.len()..]));
        assert_ne!(token, DeviceToken::random().unwrap());
    }

    #[test]
    fn what_is_no_token_has_no_digest() {
        let token = DeviceToken::random().unwrap();
        let bare = &token.expose()[PREFIX.len()..];
        for text in ["", PREFIX, bare, &format!("{PREFIX}{}", &bare[1..]), &format!("{}=", token.expose())] {
            assert_eq!(digest_of(text), None, "{text}");
        }
    }
}
