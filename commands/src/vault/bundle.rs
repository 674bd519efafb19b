//! Bundles waiting for their one download, and the tokens that open them.

use aws_lc_rs::{constant_time, digest, hmac};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde_json::Value;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::store::Vault;
use crate::error::{Cause, Error};
use crate::random;

/// Random octets of a token, and octets of the mark behind them.
const RANDOM: usize = 16;
const MARK: usize = 16;

impl Vault {
    /// Keeps a bundle for a device; returns its token: 128 random bits and a mark that only this installation can make,
    /// so that a token is known as one of ours when its bundle is gone.
    pub(crate) async fn keep_bundle(&self, device: Uuid, bundle: &Value) -> Result<String, Error> {
        let random = random::bytes::<RANDOM>()?;
        let token = BASE64URL_NOPAD.encode(&[random.as_slice(), &self.mark(device, &random)?[..MARK]].concat());
        let plaintext = Zeroizing::new(bundle.to_string());
        self.opened()?.bundles.put(&name(&token), plaintext.as_bytes()).await?;
        Ok(token)
    }

    /// Tells whether a token was made here for this device.
    pub(crate) fn knows_bundle_token(&self, device: Uuid, token: &str) -> Result<bool, Error> {
        let octets = BASE64URL_NOPAD.decode(token.as_bytes()).unwrap_or_default();
        let Some((random, mark)) = octets.split_at_checked(RANDOM) else { return Ok(false) };
        Ok(constant_time::verify_slices_are_equal(mark, &self.mark(device, random)?[..MARK]).is_ok())
    }

    /// Takes a bundle: of several who ask at once, one gets it.
    pub(crate) async fn take_bundle(&self, token: &str) -> Result<Option<Value>, Error> {
        let Some(plaintext) = self.opened()?.bundles.take(&name(token)).await? else { return Ok(None) };
        let plaintext = Zeroizing::new(plaintext);
        serde_json::from_slice(&plaintext)
            .map(Some)
            .map_err(|_| Error::Internal(Cause::from("a kept bundle is damaged")))
    }

    fn mark(&self, device: Uuid, random: &[u8]) -> Result<Vec<u8>, Error> {
        let message = [device.as_bytes().as_slice(), random].concat();
        Ok(hmac::sign(&self.opened()?.bundle_tokens, &message).as_ref().to_vec())
    }
}

/// The name under which a token's bundle waits: a digest, so that who may list the bucket learns no token.
fn name(token: &str) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, token.as_bytes()).as_ref())
}
