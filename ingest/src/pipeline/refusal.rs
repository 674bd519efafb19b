//! Why a message of a device is refused, with the stable codes of the dead letters.

use std::borrow::Cow;

/// Why a message is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No such device.
    UnknownDevice,
    /// The topic, or the device, belongs to another organisation.
    WrongOrganization,
    /// The topic belongs to another device of the organisation.
    WrongDevice,
    /// The sender names another device and is no gateway.
    NotAGateway,
    /// The topic is none that devices publish to.
    UnknownTopic,
    /// The device is out of service.
    Decommissioned,
    /// A broker kept it and gives it out again: it is nobody's reading of now.
    Retained,
    /// The packet is larger than allowed.
    Oversize {
        /// Its size in octets.
        bytes: usize,
        /// The largest size allowed.
        allowed: usize,
    },
    /// The payload is no telemetry.
    Payload {
        /// The stable code, such as `malformed_json`.
        code: &'static str,
        /// What exactly, for people.
        detail: String,
    },
}

impl Refusal {
    /// The stable code that the dead letter carries.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownDevice => "unknown_device",
            Self::WrongOrganization => "wrong_organization",
            Self::WrongDevice => "wrong_device",
            Self::NotAGateway => "not_a_gateway",
            Self::UnknownTopic => "unknown_topic",
            Self::Decommissioned => "decommissioned",
            Self::Retained => "retained",
            Self::Oversize { .. } => "oversize",
            Self::Payload { code, .. } => code,
        }
    }

    /// What exactly is wrong, for people.
    pub fn detail(&self) -> Cow<'static, str> {
        match self {
            Self::UnknownDevice => "no such device".into(),
            Self::WrongOrganization => "topic or device of another organisation".into(),
            Self::WrongDevice => "topic of another device".into(),
            Self::NotAGateway => "names another device; only a gateway may".into(),
            Self::UnknownTopic => "devices publish to v1/telemetry/{organisation}/{device} only".into(),
            Self::Decommissioned => "the device is out of service".into(),
            Self::Retained => "a retained message; telemetry is published without the flag".into(),
            Self::Oversize { bytes, allowed } => format!("a packet of {bytes} octets; {allowed} are allowed").into(),
            Self::Payload { detail, .. } => detail.clone().into(),
        }
    }

    /// The reason code of MQTT 5's PUBACK (3.4.2.1) that tells the device.
    pub fn puback_code(&self) -> u8 {
        match self {
            Self::Payload { .. } => 0x99,
            Self::Oversize { .. } => 0x97,
            _ => 0x87,
        }
    }
}
