//! Certificate bundles behind a link: key and certificate wait encrypted for a quarter of an hour, and are given out
//! once.

use std::fmt;

use certs::PrivateKeyPem;
use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::{DeviceId, OrganizationId};
use serde_json::{Value, json};

use super::issue::IssuedCertificate;
use crate::commands::Commands;
use crate::error::{Cause, Error};

/// How long a bundle waits, minutes; the bucket forgets it then too.
const WAITS_MINUTES: i64 = 15;

/// What a device needs to connect, kept for one download. `Debug` does not show the key.
#[derive(Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The organisation.
    pub organization: OrganizationId,
    /// The device.
    pub device: DeviceId,
    /// The certificate and its authority's, PEM.
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

/// What a token of a bundle opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakenBundle {
    /// The bundle, for the first and only time.
    Bundle(Bundle),
    /// Nothing any more: it was fetched, or its time is over.
    Gone,
    /// Nothing: nobody issued this token for this device.
    Unknown,
}

impl Commands {
    /// Keeps a certificate with its private key for one download; returns the token that opens it. `None` where the key
    /// is not at hand: the device has it, or it was given out before.
    pub async fn keep_bundle(
        &self,
        organization: OrganizationId,
        device: DeviceId,
        certificate: &IssuedCertificate,
    ) -> Result<Option<String>, Error> {
        let Some(private_key_pem) = certificate.private_key_pem.clone() else { return Ok(None) };
        let expires_at = self.now() + TimeDelta::minutes(WAITS_MINUTES);
        let chain_pem = certificate.chain_pem.clone();
        let bundle = Bundle { organization, device, chain_pem, private_key_pem, expires_at };
        self.inner.vault.keep_bundle(device.0, &bundle.to_json()).await.map(Some)
    }

    /// Takes a kept bundle of a device; a second time, or after a quarter of an hour, there is none.
    pub async fn take_bundle(&self, device: DeviceId, token: &str) -> Result<TakenBundle, Error> {
        if !self.inner.vault.knows_bundle_token(device.0, token)? {
            return Ok(TakenBundle::Unknown);
        }
        let Some(kept) = self.inner.vault.take_bundle(token).await? else { return Ok(TakenBundle::Gone) };
        let bundle =
            Bundle::from_json(&kept).ok_or_else(|| Error::Internal(Cause::from("a kept bundle is damaged")))?;
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
