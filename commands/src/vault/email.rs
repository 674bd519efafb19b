//! Normalises e-mail addresses and hashes them under a key, so that they can be looked up without being readable.

use aws_lc_rs::hmac;
use data_encoding::HEXLOWER;
use eventlog::{Secrets, secrets};

use super::write_once::write_once;

/// Name of the hash key among the secrets.
const KEY_NAME: &str = "platform.email-key";
/// The longest address of RFC 5321, section 4.5.3.1.3, without its angle brackets.
const LONGEST_ADDRESS: usize = 254;

/// An address in lower case without surrounding white space, of the shape `local@domain`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct EmailAddress(String);

impl EmailAddress {
    /// Parses an address; `None` if the text cannot be one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let address = text.trim().to_lowercase();
        let (local, domain) = address.rsplit_once('@')?;
        let whole = !local.is_empty() && !domain.is_empty() && address.len() <= LONGEST_ADDRESS;
        let clean = !local.contains('@') && !address.contains(|c: char| c.is_whitespace() || c.is_control());
        (whole && clean).then_some(Self(address))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The key that hashes addresses for look-ups: HMAC-SHA256 (RFC 2104), one key for the platform. Without it, nobody can
/// find out by trial which addresses the log contains.
pub(crate) struct EmailKey(hmac::Key);

impl EmailKey {
    /// Opens the key; creates it on first use.
    pub(super) async fn open(secrets: &Secrets) -> Result<Self, secrets::Error> {
        let key = match secrets.get(KEY_NAME).await? {
            Some(key) => key,
            None => Self::create(secrets).await?,
        };
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &key)))
    }

    /// Returns the keyed hash of an address, lower-case hex.
    pub(crate) fn hash(&self, address: &EmailAddress) -> String {
        HEXLOWER.encode(hmac::sign(&self.0, address.0.as_bytes()).as_ref())
    }

    async fn create(secrets: &Secrets) -> Result<Vec<u8>, secrets::Error> {
        let lost = || secrets::Error::Encrypt(KEY_NAME.to_owned());
        let key: [u8; 32] = crate::random::bytes().map_err(|_| lost())?;
        write_once(secrets, KEY_NAME, &key).await?;
        // Another process may have stored its key first: load the stored one.
        secrets.get(KEY_NAME).await?.ok_or_else(lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_normalised_to_one_spelling() {
        for text in ["ada@example.org", " Ada@Example.ORG\n"] {
            assert_eq!(EmailAddress::parse(text).unwrap().as_str(), "ada@example.org");
        }
    }

    #[test]
    fn text_that_cannot_be_an_address_is_not_parsed() {
        let long = format!("{}@example.org", "a".repeat(250));
        for text in ["", "ada", "@example.org", "ada@", "a da@example.org", "a@b@c", "a@b\u{7}c", &long] {
            assert!(EmailAddress::parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn the_hash_depends_on_key_and_address() {
        let key = |byte: u8| EmailKey(hmac::Key::new(hmac::HMAC_SHA256, &[byte; 32]));
        let address = |text: &str| EmailAddress::parse(text).unwrap();
        assert_eq!(key(1).hash(&address("a@b.c")), key(1).hash(&address("A@B.C ")));
        assert_ne!(key(1).hash(&address("a@b.c")), key(2).hash(&address("a@b.c")));
        assert_ne!(key(1).hash(&address("a@b.c")), key(1).hash(&address("b@b.c")));
    }
}
