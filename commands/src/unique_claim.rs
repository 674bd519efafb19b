//! Claims values that must be unique: a serial number in its organisation; an e-mail address, a claim code and a
//! compromised key across the platform.

use domain::ids::{DeviceId, OrganizationId, UserId, derive};
use domain::unique_key::{Error as KeyError, Holder, KeyKind, UniqueKey, UniqueKeyCommand};
use uuid::{Uuid, uuid};

use crate::commands::Commands;
use crate::context::CommandContext;
use crate::error::Error;

/// Namespace of the ids of unique keys; must never change.
const NAMESPACE: Uuid = uuid!("7b0f3a52-9f3e-4c58-8d0b-6a2f4f1c9e17");
/// The organisation id under which platform-wide keys are stored.
const PLATFORM: OrganizationId = OrganizationId(Uuid::nil());

/// A value that must be unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) id: Uuid,
    kind: KeyKind,
    scope: OrganizationId,
}

/// How a claim ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// The claimant holds the value.
    Held,
    /// Another holder has it.
    Taken(Uuid),
}

impl Key {
    /// The serial number of a device, already trimmed.
    pub(crate) fn serial_number(organization: OrganizationId, serial_number: &str) -> Self {
        let kind = KeyKind::SerialNumber;
        let id = derive(NAMESPACE, &[kind.as_str(), &organization.to_string(), serial_number]);
        Self { id, kind, scope: organization }
    }

    /// A claim code by its digest.
    pub(crate) fn claim_code(digest: &str) -> Self {
        let kind = KeyKind::ClaimCode;
        Self { id: derive(NAMESPACE, &[kind.as_str(), "platform", digest]), kind, scope: PLATFORM }
    }

    /// A public key by the digest of its SubjectPublicKeyInfo: held once its private key was compromised.
    pub(crate) fn compromised(digest: &str) -> Self {
        let kind = KeyKind::CompromisedKey;
        Self { id: derive(NAMESPACE, &[kind.as_str(), "platform", digest]), kind, scope: PLATFORM }
    }

    /// An e-mail address by its keyed hash.
    pub(crate) fn email(keyed_hash: &str) -> Self {
        let kind = KeyKind::Email;
        Self { id: derive(NAMESPACE, &[kind.as_str(), "platform", keyed_hash]), kind, scope: PLATFORM }
    }
}

/// The holder of a serial number, a claim code or a compromised key.
pub(crate) fn device_holder(organization: OrganizationId, device: DeviceId) -> Holder {
    Holder { id: device.0, organization }
}

/// The holder of an e-mail address.
pub(crate) fn user_holder(organization: OrganizationId, user: UserId) -> Holder {
    Holder { id: user.0, organization }
}

impl Commands {
    /// Claims a value; repeating a claim changes nothing. The step's command id contains the key's version, so that a
    /// claim after a release is not mistaken for a repeat of the earlier claim.
    pub(crate) async fn claim(&self, context: &CommandContext, key: Key, holder: Holder) -> Result<Claim, Error> {
        loop {
            let loaded = self.load_fresh::<UniqueKey>(key.scope, key.id).await?;
            match loaded.state.holder {
                Some(present) if present.id == holder.id => return Ok(Claim::Held),
                Some(present) => return Ok(Claim::Taken(present.id)),
                None => {}
            }
            let step = context.within(key.scope).step(&format!("claim {} {}", key.id, loaded.version));
            let command =
                UniqueKeyCommand::ClaimKey { kind: key.kind, holder: holder.id, organization: holder.organization };
            match self.execute::<UniqueKey>(&step, key.id, command).await {
                Ok(receipt) if !receipt.repeated => return Ok(Claim::Held),
                // An earlier attempt of this step stored the claim: reload to see who holds the value now.
                Ok(_) => {}
                Err(Error::Refused(KeyError::HeldByAnother { holder })) => return Ok(Claim::Taken(holder)),
                Err(error) => return Err(error.without_refusal()),
            }
        }
    }

    /// Releases a value if `holder` holds it.
    pub(crate) async fn release(&self, context: &CommandContext, key: Key, holder: Uuid) -> Result<(), Error> {
        let loaded = self.load_fresh::<UniqueKey>(key.scope, key.id).await?;
        if loaded.state.holder.is_none_or(|present| present.id != holder) {
            return Ok(());
        }
        let step = context.within(key.scope).step(&format!("release {} {}", key.id, loaded.version));
        match self.execute::<UniqueKey>(&step, key.id, UniqueKeyCommand::ReleaseKey { holder }).await {
            Ok(_) | Err(Error::Refused(KeyError::HeldByAnother { .. })) => Ok(()),
            Err(error) => Err(error.without_refusal()),
        }
    }

    /// Returns the holder of a value.
    pub(crate) async fn holder_of(&self, key: Key) -> Result<Option<Holder>, Error> {
        // A cached holder may be outdated, but only until this process reads the release from the log.
        let known = self.load_cached::<UniqueKey>(key.scope, key.id, |known| known.holder.is_some()).await?;
        Ok(known.holder)
    }
}
