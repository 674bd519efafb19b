//! Decides whether a message may enter the raw stream: a known device in good standing and well-formed JSON. Types,
//! ranges and clocks are checked by the normalizer, which knows the device's type as of a log position.

use domain::ids::OrganizationId;
use domain::telemetry::payload;

use super::refusal::Refusal;
use crate::decide::DeviceView;

/// Decides whether a message of a device may enter the raw stream. Returns the number of its readings.
pub fn admit(device: Option<DeviceView>, organization: OrganizationId, bytes: &[u8]) -> Result<usize, Refusal> {
    let device = device.ok_or(Refusal::UnknownDevice)?;
    if device.organization != organization {
        return Err(Refusal::WrongOrganization);
    }
    if device.decommissioned {
        return Err(Refusal::Decommissioned);
    }
    // Any bytes are allowed: the normalizer runs the converter, which it knows as of a log position. A converter makes
    // one reading.
    if device.is_converted {
        return Ok(1);
    }
    Ok(payload::check(bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const GOOD: &[u8] = br#"{"metrics":{"temperature":21.5}}"#;

    #[test]
    fn only_well_formed_telemetry_of_a_device_in_good_standing_is_admitted() {
        let (own, other) = (OrganizationId(Uuid::from_u128(1)), OrganizationId(Uuid::from_u128(2)));
        let device = |decommissioned| Some(DeviceView { organization: own, decommissioned, is_converted: false });
        let code = |device, organization, bytes| admit(device, organization, bytes).map_err(|refusal| refusal.code());
        for (device, organization, bytes, expected) in [
            (device(false), own, GOOD, Ok(1)),
            (device(false), own, br#"[{"metrics":{"t":1}},{"metrics":{"t":2}}]"#, Ok(2)),
            (None, own, GOOD, Err("unknown_device")),
            (device(false), other, GOOD, Err("wrong_organization")),
            (device(true), own, GOOD, Err("decommissioned")),
            (device(false), own, b"{\"metrics\":", Err("malformed_json")),
            (device(false), own, b"\xff\xfe", Err("malformed_json")),
            (device(false), own, br#"{"metrics":{"temperature":NaN}}"#, Err("not_finite")),
            (device(false), own, br#"{"metrics":{"temperature":1e999}}"#, Err("not_finite")),
        ] {
            assert_eq!(code(device, organization, bytes), expected, "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn a_string_value_is_admitted_because_its_type_is_checked_later() {
        let device =
            Some(DeviceView { organization: OrganizationId::default(), decommissioned: false, is_converted: false });
        assert_eq!(admit(device, OrganizationId::default(), br#"{"metrics":{"state":"open"}}"#), Ok(1));
    }

    #[test]
    fn a_payload_for_a_converter_may_be_anything() {
        let device =
            |is_converted| DeviceView { organization: OrganizationId::default(), decommissioned: false, is_converted };
        assert_eq!(admit(Some(device(true)), OrganizationId::default(), &[0xff, 0]), Ok(1));
        assert!(admit(Some(device(false)), OrganizationId::default(), &[0xff, 0]).is_err());
    }
}
