//! Builds dead letters from refused messages.

use chrono::{DateTime, Utc};
use domain::ids::{DeviceId, OrganizationId};
use domain::telemetry::DeadLetter;

use super::refusal::Refusal;

/// The stage in dead letters of this crate.
pub const STAGE: &str = "ingest";

/// A refused message, with what is known about its sender.
#[derive(Clone, Copy, Debug)]
pub struct RefusedMessage<'a> {
    /// Its sender's organisation, if known.
    pub organization: Option<OrganizationId>,
    /// Its sender, if known.
    pub device: Option<DeviceId>,
    /// The topic it was sent to.
    pub topic: &'a [u8],
    /// Its payload, as far as it was read.
    pub payload: &'a [u8],
    /// When it was received.
    pub received_at: DateTime<Utc>,
}

/// Builds the dead letter of a refused message.
pub fn dead_letter(refused: &RefusedMessage<'_>, why: &Refusal) -> DeadLetter {
    DeadLetter {
        stage: STAGE.to_owned(),
        reason: why.code().to_owned(),
        detail: why.detail().into_owned(),
        subject: DeadLetter::text(refused.topic),
        organization: refused.organization,
        device: refused.device,
        received_at: refused.received_at,
        payload: DeadLetter::text(refused.payload),
    }
}
