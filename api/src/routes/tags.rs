//! The tags that group operations in the OpenAPI document.

use poem_openapi::Tags;

/// A group of operations.
#[derive(Tags)]
#[allow(missing_docs)]
pub enum Tag {
    /// Signing in and out, and the caller's own account.
    Auth,
    /// Organisations: the tenants of the platform.
    Organizations,
    /// Users.
    Users,
    /// API keys, with which machines call the API.
    ApiKeys,
    /// Device types and the metrics they send.
    DeviceTypes,
    /// Asset types and how their health is scored.
    AssetTypes,
    /// Profiles from which assets are created.
    AssetProfiles,
    /// Activity types.
    ActivityTypes,
    /// Notification channels: who is notified, and how.
    NotificationChannels,
    /// Protocol converters: how payloads become metrics.
    ProtocolConverters,
    /// Devices and their certificates.
    Devices,
    /// Certificates of all devices, and the renewal policy.
    Certificates,
    /// How devices obtain their first certificate and renew it.
    Enrollment,
    /// Assets and their tree.
    Assets,
    /// Links: which device measures which asset, and when.
    Links,
    /// Telemetry: historical and latest values.
    Telemetry,
    /// Threshold rules.
    Rules,
    /// Activity templates, from which work orders are created.
    ActivityTemplates,
    /// Activities: work orders.
    Activities,
    /// Alarms, in the terms of ISA-18.2.
    Alarms,
    /// System events: what the platform detected.
    Events,
    /// Dead letters: messages that were rejected.
    DeadLetters,
    /// The audit log: who changed what, and when.
    Audit,
}
