//! Why a session ends, with the codes for the wire, presence facts and metrics.

use domain::telemetry::PresenceKind;

use crate::decide::Reason;

/// Why a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEnd {
    /// The device sent DISCONNECT.
    ClientDisconnect {
        /// It asked for its will to be published nevertheless (MQTT 5).
        with_will: bool,
    },
    /// The connection closed or broke.
    ConnectionLost,
    /// The device did not read what was sent to it in time.
    NotReading,
    /// Nothing was received for one and a half keep-alive intervals.
    Silent,
    /// The device opened another connection.
    TakenOver,
    /// The device is no longer authorised.
    Denied(Reason),
    /// The device violated the protocol; the text is for the log.
    Protocol(ProtocolViolation, &'static str),
    /// A message could not be stored.
    LogUnavailable,
    /// The edge is shutting down.
    Shutdown,
}

/// The kind of protocol violation (MQTT 5, 4.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolViolation {
    /// A malformed packet.
    Malformed,
    /// An unexpected packet.
    Protocol,
    /// A packet above the maximum packet size.
    PacketTooLarge,
    /// More unfinished messages than the announced receive maximum.
    ReceiveMaximum,
    /// A retained message, which the CONNACK announced as unavailable.
    Retain,
    /// A topic alias, which the CONNACK did not allow.
    TopicAlias,
}

impl SessionEnd {
    /// Returns the stable code for presence facts and metrics.
    pub fn code(self) -> &'static str {
        match self {
            Self::ClientDisconnect { .. } => "client_disconnect",
            Self::ConnectionLost => "connection_lost",
            Self::Silent => "timeout",
            Self::TakenOver => "taken_over",
            Self::Denied(reason) => reason.code(),
            Self::NotReading => "write_timeout",
            Self::Protocol(violation, _) => violation.code(),
            Self::LogUnavailable => "log_unavailable",
            Self::Shutdown => "shutdown",
        }
    }

    /// Returns the kind of presence fact.
    pub fn kind(self) -> PresenceKind {
        match self {
            Self::Silent => PresenceKind::Silent,
            _ => PresenceKind::Disconnected,
        }
    }

    /// Returns the reason code of the MQTT 5 DISCONNECT (3.14.2.1), if one is sent.
    pub fn disconnect_code(self) -> Option<u8> {
        Some(match self {
            Self::ClientDisconnect { .. } | Self::ConnectionLost | Self::NotReading => return None,
            Self::Silent => 0x8d,                  // keep-alive timeout
            Self::TakenOver => 0x8e,               // session taken over
            Self::Denied(Reason::Expired) => 0xa0, // maximum connect time
            // Administrative action.
            Self::Denied(Reason::Revoked | Reason::Decommissioned | Reason::OrganizationSuspended) => 0x98,
            Self::Denied(_) => 0x87, // not authorized
            Self::Protocol(violation, _) => violation.reason_code(),
            Self::LogUnavailable => 0x83, // implementation specific error
            Self::Shutdown => 0x8b,       // server shutting down
        })
    }

    /// Tells whether the will is published: always except after a normal DISCONNECT (3.1.2.5).
    pub fn publishes_will(self) -> bool {
        match self {
            Self::ClientDisconnect { with_will } => with_will,
            // A device that may no longer publish must not publish a will either.
            Self::Denied(reason) => reason == Reason::Expired,
            _ => true,
        }
    }
}

impl ProtocolViolation {
    /// Returns the stable code for presence facts and metrics: what the maker of the device has to change.
    fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed_packet",
            Self::Protocol => "protocol_error",
            Self::PacketTooLarge => "packet_too_large",
            Self::ReceiveMaximum => "receive_maximum_exceeded",
            Self::Retain => "retain_not_supported",
            Self::TopicAlias => "topic_alias_invalid",
        }
    }

    fn reason_code(self) -> u8 {
        match self {
            Self::Malformed => 0x81,
            Self::Protocol => 0x82,
            Self::PacketTooLarge => 0x95,
            Self::ReceiveMaximum => 0x93,
            Self::Retain => 0x9a,
            Self::TopicAlias => 0x94,
        }
    }
}
