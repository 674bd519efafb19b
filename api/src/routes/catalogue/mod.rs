//! The catalogue: activity types, asset profiles, protocol converters and notification channels. All kinds share one
//! lifecycle and the same five endpoints (`endpoints`); each file supplies only its definition.

mod activity_types;
mod asset_profiles;
mod converter_view;
mod endpoints;
mod entries;
mod notification_channels;
mod protocol_converters;
mod try_converter;

/// The endpoints.
pub type Api = (
    activity_types::Api,
    asset_profiles::Api,
    protocol_converters::Api,
    try_converter::Api,
    notification_channels::Api,
);
