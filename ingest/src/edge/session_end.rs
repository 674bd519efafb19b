//! Why a session ends, and what that is called on the wire, in the presence facts and in metrics.

use domain::telemetry::PresenceKind;

use crate::decide::Reason;

/// Why a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEnd {
    /// The device sent DISCONNECT.
    ClientDisconnect {
        /// It asked for its will to be published all the same (MQTT 5).
        with_will: bool,
    },
    /// The connection closed or broke.
    ConnectionLost,
    /// Nothing came for one and a half keep-alive periods.
    Silent,
    /// The device connected anew.
    TakenOver,
    /// The device may no longer be connected.
    Denied(Reason),
    /// The device sent what no device may send; the text is for the log.
    Protocol(ProtocolViolation, &'static str),
    /// The log did not take a message for good.
    LogUnavailable,
    /// The door closes.
    Shutdown,
}

/// What kind of violation a device committed (MQTT 5, 4.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolViolation {
    /// A packet that cannot be read.
    Malformed,
    /// A packet out of place.
    Protocol,
    /// A packet above the maximum packet size.
    PacketTooLarge,
    /// A QoS above the maximum announced.
    Qos,
    /// A message to be retained, which was said not to be available.
    Retain,
    /// A topic alias, though none may be used.
    TopicAlias,
}

impl SessionEnd {
    /// The stable code for presence facts and metrics.
    pub fn code(self) -> &'static str {
        match self {
            Self::ClientDisconnect { .. } => "client_disconnect",
            Self::ConnectionLost => "connection_lost",
            Self::Silent => "timeout",
            Self::TakenOver => "taken_over",
            Self::Denied(reason) => reason.code(),
            Self::Protocol(..) => "protocol_error",
            Self::LogUnavailable => "log_unavailable",
            Self::Shutdown => "shutdown",
        }
    }

    /// The kind of presence fact it is.
    pub fn kind(self) -> PresenceKind {
        match self {
            Self::Silent => PresenceKind::Silent,
            _ => PresenceKind::Disconnected,
        }
    }

    /// The reason code of the DISCONNECT that an MQTT 5 device is sent (3.14.2.1), where it is sent one.
    pub fn disconnect_code(self) -> Option<u8> {
        Some(match self {
            Self::ClientDisconnect { .. } | Self::ConnectionLost => return None,
            Self::Silent => 0x8d,
            Self::TakenOver => 0x8e,
            Self::Denied(Reason::Expired) => 0xa0,
            Self::Denied(Reason::Revoked | Reason::Decommissioned | Reason::OrganizationSuspended) => 0x98,
            Self::Denied(_) => 0x87,
            Self::Protocol(violation, _) => violation.code(),
            Self::LogUnavailable => 0x83,
            Self::Shutdown => 0x8b,
        })
    }

    /// Tells whether the device's will is published: always but after an orderly DISCONNECT (3.1.2.5).
    pub fn publishes_will(self) -> bool {
        match self {
            Self::ClientDisconnect { with_will } => with_will,
            // A device that may not publish any more does not get a last word.
            Self::Denied(reason) => reason == Reason::Expired,
            _ => true,
        }
    }
}

impl ProtocolViolation {
    fn code(self) -> u8 {
        match self {
            Self::Malformed => 0x81,
            Self::Protocol => 0x82,
            Self::PacketTooLarge => 0x95,
            Self::Qos => 0x9b,
            Self::Retain => 0x9a,
            Self::TopicAlias => 0x94,
        }
    }
}
