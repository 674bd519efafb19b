//! Certificate bundles for download: key and certificate are stored encrypted for 15 minutes and can be fetched once.

use std::fmt;

use certs::PrivateKeyPem;
use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::{DeviceId, OrganizationId};
use serde_json::{Value, json};

use super::issue::IssuedCertificate;
use crate::commands::Commands;
use crate::error::{Cause, Error};

/// Minutes until a bundle expires; the entries of its bucket expire after the same time.
const VALIDITY_MINUTES: i64 = 15;

/// Everything a device needs to connect, stored for one download. `Debug` does not show the key.
#[derive(Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The organisation.
    pub organization: OrganizationId,
    /// The device.
    pub device: DeviceId,
    /// The device's certificate followed by the organisation CA's, PEM.
    pub chain_pem: String,
    /// The private key.
    pub private_key_pem: PrivateKeyPem,
    expires_at: DateTime<Utc>,
}

impl fmt::Debug for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bundle").field("device", &self.device).finish_non_exhaustive()
    }
}

/// The result of fetching a bundle by its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakenBundle {
    /// The bundle; it can be fetched only this once.
    Bundle(Bundle),
    /// The bundle was already fetched or has expired.
    Gone,
    /// The token was not issued for this device.
    Unknown,
}

impl Commands {
    /// Stores a certificate with its private key for one download and returns the token for it. Returns `None` if the
    /// private key is not available: the device holds it, or it was returned before.
    pub async fn keep_bundle(
        &self,
        organization: OrganizationId,
        device: DeviceId,
        certificate: &IssuedCertificate,
    ) -> Result<Option<String>, Error> {
        let Some(private_key_pem) = certificate.private_key_pem.clone() else { return Ok(None) };
        let expires_at = self.now() + TimeDelta::minutes(VALIDITY_MINUTES);
        let chain_pem = certificate.chain_pem.clone();
        let bundle = Bundle { organization, device, chain_pem, private_key_pem, expires_at };
        self.inner.vault.keep_bundle(device.0, &bundle.to_json()).await.map(Some)
    }

    /// Takes a device's bundle. A second call, or one after 15 minutes, returns [`TakenBundle::Gone`].
    pub async fn take_bundle(&self, device: DeviceId, token: &str) -> Result<TakenBundle, Error> {
        // The token authenticates itself, so a foreign one is told apart from one whose bundle is gone.
        if !self.inner.vault.knows_bundle_token(device.0, token)? {
            return Ok(TakenBundle::Unknown);
        }
        let Some(kept) = self.inner.vault.take_bundle(token).await? else { return Ok(TakenBundle::Gone) };
        let bundle = Bundle::from_json(&kept)
            .ok_or_else(|| Error::Internal(Cause::from("a stored bundle cannot be decoded")))?;
        // The bucket expires entries by the NATS server's clock, so the time is checked by this process's clock too.
        let in_time = bundle.device == device && self.now() < bundle.expires_at;
        Ok(if in_time { TakenBundle::Bundle(bundle) } else { TakenBundle::Gone })
    }
}

impl Bundle {
    fn to_json(&self) -> Value {
        json!({
            "organization": self.organization,
            "device": self.device,
            "chain": self.chain_pem,
            "key": self.private_key_pem.expose(),
            "expires_at": self.expires_at,
        })
    }

    fn from_json(kept: &Value) -> Option<Self> {
        let text = |name: &str| kept[name].as_str().map(str::to_owned);
        Some(Self {
            organization: text("organization")?.parse().ok()?,
            device: text("device")?.parse().ok()?,
            chain_pem: text("chain")?,
            private_key_pem: PrivateKeyPem::new(text("key")?),
            expires_at: text("expires_at")?.parse().ok()?,
        })
    }
}
