//! Why a message of a device is refused, with the stable codes of the dead letters.

use std::borrow::Cow;

use domain::telemetry::payload::{self, Reason};

/// Why a message is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The device does not exist.
    UnknownDevice,
    /// The topic or the device belongs to another organisation.
    WrongOrganization,
    /// The topic belongs to another device of the organisation.
    WrongDevice,
    /// The sender names another device and is not a gateway.
    NotAGateway,
    /// Devices do not publish to this topic.
    UnknownTopic,
    /// The device is out of service.
    Decommissioned,
    /// A retained message that the broker delivers again, so that its reading is not current.
    Retained,
    /// The packet is larger than allowed.
    Oversize {
        /// Its size in bytes.
        bytes: usize,
        /// The largest size allowed.
        allowed: usize,
    },
    /// The payload is not valid telemetry.
    Payload(payload::Refusal),
}

impl Refusal {
    /// Returns the reason in the dead letter.
    pub fn reason(&self) -> Reason {
        match self {
            Self::UnknownDevice => Reason::UnknownDevice,
            Self::WrongOrganization => Reason::WrongOrganization,
            Self::WrongDevice => Reason::WrongDevice,
            Self::NotAGateway => Reason::NotAGateway,
            Self::UnknownTopic => Reason::UnknownTopic,
            Self::Decommissioned => Reason::Decommissioned,
            Self::Retained => Reason::Retained,
            Self::Oversize { .. } => Reason::Oversize,
            Self::Payload(refusal) => refusal.reason,
        }
    }

    /// Returns the stable code of the dead letter.
    pub fn code(&self) -> &'static str {
        self.reason().code()
    }

    /// Returns the details, for people.
    pub fn detail(&self) -> Cow<'static, str> {
        match self {
            Self::UnknownDevice => "no such device".into(),
            Self::WrongOrganization => "the topic or device belongs to another organisation".into(),
            Self::WrongDevice => "the topic belongs to another device".into(),
            Self::NotAGateway => "only a gateway may name another device".into(),
            Self::UnknownTopic => "devices publish to v1/telemetry/{organisation}/{device} only".into(),
            Self::Decommissioned => "the device is out of service".into(),
            Self::Retained => "telemetry must be published without the retain flag".into(),
            Self::Oversize { bytes, allowed } => {
                format!("the packet has {bytes} bytes; at most {allowed} are allowed").into()
            }
            Self::Payload(refusal) => refusal.detail.clone().into(),
        }
    }

    /// Returns the reason code of the MQTT 5 PUBACK (3.4.2.1).
    pub fn puback_code(&self) -> u8 {
        match self {
            Self::Payload(_) => 0x99,      // payload format invalid
            Self::Oversize { .. } => 0x97, // quota exceeded
            _ => 0x87,                     // not authorized
        }
    }
}

impl From<payload::Refusal> for Refusal {
    fn from(refusal: payload::Refusal) -> Self {
        Self::Payload(refusal)
    }
}
