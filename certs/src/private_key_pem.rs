//! Private keys in clear, kept out of logs and wiped when dropped.

use std::fmt;

use zeroize::Zeroizing;

/// A private key as PKCS #8 PEM. `Debug` shows nothing of it, it has no `Display` and no serde, and its memory is wiped
/// on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct PrivateKeyPem(Zeroizing<String>);

impl PrivateKeyPem {
    /// Takes over a PEM text.
    pub fn new(pem: String) -> PrivateKeyPem {
        PrivateKeyPem(Zeroizing::new(pem))
    }

    /// The key itself: for the one place that hands it to its owner or to rustls.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PrivateKeyPem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PrivateKeyPem(redacted)")
    }
}
