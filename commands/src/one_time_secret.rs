//! What is handed out once and known by its digest afterwards: keys of machines and refresh tokens. Each names in itself
//! where it is looked up, so that nothing is searched. What does not live here: whether one holds.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use uuid::Uuid;

use crate::error::Error;
use crate::random;

/// Octets of the two ids in front of the random ones.
const ID_BYTES: usize = 16;
/// Random octets: 256 bits, which nobody guesses, so that a plain hash is enough.
const RANDOM_BYTES: usize = 32;

/// A handle in clear. `Debug` shows nothing of it, and it has no `Display` and no serde.
#[derive(Clone, PartialEq, Eq)]
pub struct OneTimeSecret(String);

/// Where a presented handle is looked up, and the digest it must have there.
pub(crate) struct PresentedSecret {
    pub(crate) first: Uuid,
    pub(crate) second: Uuid,
    pub(crate) digest: String,
}

impl OneTimeSecret {
    /// Draws a handle: the prefix, then two ids and 256 random bits in base64url.
    pub(crate) fn draw(prefix: &str, first: Uuid, second: Uuid) -> Result<Self, Error> {
        let random = random::bytes::<RANDOM_BYTES>()?;
        let octets = [first.as_bytes().as_slice(), second.as_bytes(), &random].concat();
        Ok(Self(format!("{prefix}{}", BASE64URL_NOPAD.encode(&octets))))
    }

    /// The handle itself: for the one answer that hands it to its owner.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns its digest: SHA-256 in lower-case hex.
    pub(crate) fn digest(&self) -> String {
        sha256(&self.0)
    }
}

impl PresentedSecret {
    /// Reads a presented text; `None` where it cannot be a handle of this prefix.
    pub(crate) fn read(prefix: &str, text: &str) -> Option<Self> {
        let octets = BASE64URL_NOPAD.decode(text.strip_prefix(prefix)?.as_bytes()).ok()?;
        let whole = octets.len() == 2 * ID_BYTES + RANDOM_BYTES;
        let (first, rest) = octets.split_at_checked(ID_BYTES).filter(|_| whole)?;
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
    fn a_handle_names_its_ids_and_is_known_by_its_digest() {
        let handle = OneTimeSecret::draw("argk_", IDS[0], IDS[1]).unwrap();
        let read = PresentedSecret::read("argk_", handle.expose()).unwrap();
        assert_eq!([read.first, read.second], IDS);
        assert_eq!(read.digest, handle.digest());
        assert_eq!(format!("{handle:?}"), "OneTimeSecret(not shown)");
        assert_ne!(OneTimeSecret::draw("argk_", IDS[0], IDS[1]).unwrap(), handle);
    }

    #[test]
    fn what_is_no_handle_is_not_read() {
        let handle = OneTimeSecret::draw("argk_", IDS[0], IDS[1]).unwrap();
        let text = handle.expose();
        for wrong in ["", "argk_", &text[5..], &text[..text.len() - 2], &format!("{text}A"), &format!("{text}=")] {
            assert!(PresentedSecret::read("argk_", wrong).is_none(), "{wrong}");
        }
        assert!(PresentedSecret::read("argr_", text).is_none());
    }
}
