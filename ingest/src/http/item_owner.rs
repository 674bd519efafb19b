//! What one item of a request is: whose telemetry, and whether it may enter the log. What becomes of it is elsewhere.

use domain::ids::DeviceId;
use poem::http::StatusCode;
use serde::Deserialize;
use uuid::Uuid;

use super::authenticate::Sender;
use crate::pipeline::refusal::Refusal;
use crate::shared::Shared;

/// The member by which a gateway names a device.
#[derive(Deserialize)]
struct GatewayPayload {
    #[serde(rename = "deviceId", default)]
    device: Option<Uuid>,
}

/// Answers whose telemetry an item is. Only a gateway may name another device, and only one of its own organisation.
pub fn device_of(shared: &Shared, sender: Sender, payload: &[u8]) -> Result<DeviceId, Refusal> {
    let Ok(parsed) = serde_json::from_slice::<GatewayPayload>(payload) else {
        // No object, or a device id that is none: an array of readings is the sender's own, all else the pipeline names.
        return match payload.iter().find(|octet| !octet.is_ascii_whitespace()) {
            Some(b'{') if serde_json::from_slice::<serde::de::IgnoredAny>(payload).is_ok() => {
                let detail = "deviceId is not a UUID, or stands twice".to_owned();
                Err(Refusal::Payload { code: "wrong_shape", detail })
            }
            _ => Ok(sender.device),
        };
    };
    let device = parsed.device.map_or(sender.device, DeviceId);
    if device == sender.device {
        return Ok(device);
    }
    if !shared.directory.is_gateway(sender.device) {
        return Err(Refusal::NotAGateway);
    }
    // A device of another organisation is none here: a gateway learns nothing of it.
    match shared.directory.device(device) {
        Some(known) if known.organization == sender.organization => Ok(device),
        _ => Err(Refusal::UnknownDevice),
    }
}

/// Returns the HTTP status of a refused item.
pub fn status(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::UnknownDevice => StatusCode::NOT_FOUND,
        Refusal::NotAGateway | Refusal::Decommissioned | Refusal::WrongOrganization => StatusCode::FORBIDDEN,
        Refusal::Oversize { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::Payload { code: "malformed_json", .. } => StatusCode::BAD_REQUEST,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}
