//! Stores bundles for one download each; creates and checks the tokens that open them.

use aws_lc_rs::{constant_time, digest, hmac};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde_json::Value;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::store::Vault;
use crate::error::{Cause, Error};
use crate::random;

/// Random bytes of a token, and bytes of the truncated HMAC that follows them.
const RANDOM_BYTES: usize = 16;
const MAC_BYTES: usize = 16;

impl Vault {
    /// Stores a bundle for a device and returns its token: 128 random bits and an HMAC under a key of this
    /// installation, by which a token is recognised as genuine even when its bundle is gone.
    pub(crate) async fn keep_bundle(&self, device: Uuid, bundle: &Value) -> Result<String, Error> {
        let random = random::bytes::<RANDOM_BYTES>()?;
        let token = BASE64URL_NOPAD.encode(&[random.as_slice(), &self.mac(device, &random)?[..MAC_BYTES]].concat());
        let plaintext = Zeroizing::new(bundle.to_string());
        self.opened()?.bundles.put(&name(&token), plaintext.as_bytes()).await?;
        Ok(token)
    }

    /// Returns whether this installation issued the token for this device.
    pub(crate) fn knows_bundle_token(&self, device: Uuid, token: &str) -> Result<bool, Error> {
        let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).unwrap_or_default();
        let Some((random, mac)) = bytes.split_at_checked(RANDOM_BYTES) else { return Ok(false) };
        Ok(constant_time::verify_slices_are_equal(mac, &self.mac(device, random)?[..MAC_BYTES]).is_ok())
    }

    /// Takes a bundle; of several concurrent calls, exactly one gets it.
    pub(crate) async fn take_bundle(&self, token: &str) -> Result<Option<Value>, Error> {
        let Some(plaintext) = self.opened()?.bundles.take(&name(token)).await? else { return Ok(None) };
        let plaintext = Zeroizing::new(plaintext);
        serde_json::from_slice(&plaintext)
            .map(Some)
            .map_err(|_| Error::Internal(Cause::from("a stored bundle cannot be decoded")))
    }

    fn mac(&self, device: Uuid, random: &[u8]) -> Result<Vec<u8>, Error> {
        // The device is part of the message, so a token is valid for its device only.
        let message = [device.as_bytes().as_slice(), random].concat();
        Ok(hmac::sign(&self.opened()?.bundle_tokens, &message).as_ref().to_vec())
    }
}

/// Returns the name under which a token's bundle is stored: a digest, so that listing the bucket discloses no token.
fn name(token: &str) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, token.as_bytes()).as_ref())
}
