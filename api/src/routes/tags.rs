//! The chapters of the OpenAPI document.

use poem_openapi::Tags;

/// A chapter.
#[derive(Tags)]
#[allow(missing_docs)]
pub enum Tag {
    /// Signing in.
    Auth,
    /// Tenants of the platform.
    Organizations,
    /// People.
    Users,
    /// Keys by which machines call the API.
    ApiKeys,
    /// Kinds of devices and the metrics they send.
    DeviceTypes,
    /// Kinds of assets and how their health is scored.
    AssetTypes,
    /// Profiles that assets are made from.
    AssetProfiles,
    /// Kinds of activities.
    ActivityTypes,
    /// Who is told, and how.
    NotificationChannels,
    /// How payloads become metrics.
    ProtocolConverters,
    /// Devices and their certificates.
    Devices,
    /// Certificates of all devices, and how they are renewed.
    Certificates,
    /// How devices get their first and their next certificate.
    Enrollment,
    /// Assets and their tree.
    Assets,
    /// Which device measures which asset, and when.
    Links,
    /// Measured values.
    Telemetry,
    /// Threshold rules.
    Rules,
    /// Templates of work orders.
    ActivityTemplates,
    /// Work orders.
    Activities,
    /// Alarms, in the terms of ISA-18.2.
    Alarms,
    /// What the platform noticed by itself.
    Events,
    /// What was refused on its way.
    DeadLetters,
    /// Who changed what, and when.
    Audit,
}
