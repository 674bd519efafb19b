//! HMAC keys derived from the master key, one for each purpose.

use aws_lc_rs::hmac;
use certs::MasterKey;

/// Purpose of the key that authenticates the tokens of bundles.
pub(super) const BUNDLE_TOKENS: &[u8] = b"argusiq bundle tokens 1";
/// Purpose of the key that fingerprints requests.
pub(super) const REQUEST_FINGERPRINTS: &[u8] = b"argusiq request marks 1";

/// Derives the key of a purpose: HMAC-SHA256 of the purpose under the master key.
pub(super) fn derive(master: &MasterKey, purpose: &[u8]) -> hmac::Key {
    let key = hmac::Key::new(hmac::HMAC_SHA256, master.expose());
    hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, purpose).as_ref())
}
