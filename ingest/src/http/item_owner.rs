//! Determines which device an item of a request belongs to, and whether its sender may send for it.

use domain::ids::DeviceId;
use domain::telemetry::payload::{self, Reason};
use poem::http::StatusCode;
use serde::Deserialize;
use uuid::Uuid;

use super::authenticate::Sender;
use crate::pipeline::refusal::Refusal;
use crate::shared::Shared;

/// The field in which a gateway names a device.
#[derive(Deserialize)]
struct GatewayPayload {
    #[serde(rename = "deviceId", default)]
    device: Option<Uuid>,
}

/// Returns the device that an item names, or else its sender.
pub fn named_device(sender: Sender, payload: &[u8]) -> Result<DeviceId, Refusal> {
    if let Ok(parsed) = serde_json::from_slice::<GatewayPayload>(payload) {
        return Ok(parsed.device.map_or(sender.device, DeviceId));
    }
    // Either not an object or an invalid deviceId. An array of readings belongs to the sender; all other errors are left
    // to the pipeline's admission check.
    match payload.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') if serde_json::from_slice::<serde::de::IgnoredAny>(payload).is_ok() => {
            let detail = "deviceId is not a UUID or appears twice";
            Err(payload::Refusal::new(Reason::WrongShape, detail).into())
        }
        _ => Ok(sender.device),
    }
}

/// Decides whether the sender may send for a device: only a gateway may name another one, and only one of its
/// organisation.
pub fn may_send_for(shared: &Shared, sender: Sender, device: DeviceId) -> Result<(), Refusal> {
    if device == sender.device {
        return Ok(());
    }
    if !shared.directory.is_gateway(sender.device) {
        return Err(Refusal::NotAGateway);
    }
    // Answer as for an unknown device, so that a gateway learns nothing about other organisations.
    match shared.directory.device(device) {
        Some(known) if known.organization == sender.organization => Ok(()),
        _ => Err(Refusal::UnknownDevice),
    }
}

/// Returns the HTTP status of a refused item.
pub fn status(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::UnknownDevice => StatusCode::NOT_FOUND,
        Refusal::NotAGateway | Refusal::Decommissioned | Refusal::WrongOrganization => StatusCode::FORBIDDEN,
        Refusal::Oversize { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::Payload(refusal) if refusal.reason == Reason::MalformedJson => StatusCode::BAD_REQUEST,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}
