//! Private keys in clear text, kept out of logs and wiped on drop.

use std::fmt;

use zeroize::Zeroizing;

/// A private key as PKCS #8 PEM. `Debug` is redacted, there is no `Display` or serde implementation, and the memory is
/// wiped on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct PrivateKeyPem(Zeroizing<String>);

impl PrivateKeyPem {
    /// Wraps a PEM text.
    pub fn new(pem: String) -> PrivateKeyPem {
        PrivateKeyPem(Zeroizing::new(pem))
    }

    /// Returns the key in clear text, for its owner or for rustls.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PrivateKeyPem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PrivateKeyPem(redacted)")
    }
}
