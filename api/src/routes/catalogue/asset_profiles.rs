//! Profiles that assets are made from.

use std::collections::HashMap;

use domain::catalogue::asset_profile::{HealthThresholds as Thresholds, ProfileDefinition};
use domain::ids::AssetTypeId;
use projections::catalogue::EntryRow;

use super::endpoints::catalogue_endpoints;
use super::entries::CatalogueEntry;
use crate::prelude::*;
use crate::routes::assets::view::HealthThresholds;
use crate::routes::attributes::object;

/// The definition of an asset profile.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct AssetProfileRequest {
    #[oai(validator(min_length = 1, max_length = 200))]
    name: String,
    #[oai(nullable)]
    description: Option<String>,
    /// The type of the assets created from the profile.
    asset_type_id: Uuid,
    /// Default custom attributes of these assets; numbers as there.
    #[oai(nullable)]
    default_attributes: Option<HashMap<String, Value>>,
    /// Defaults to 30, 60 and 80.
    #[oai(nullable)]
    default_health_thresholds: Option<HealthThresholds>,
    /// Maps `device.<key>` to `asset.<key>`: the default mapping of links to these assets.
    #[oai(nullable)]
    telemetry_mappings: Option<HashMap<String, String>>,
    #[oai(nullable)]
    icon: Option<String>,
}

/// An asset profile.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct AssetProfile {
    #[oai(flatten)]
    entry: CatalogueEntry,
    name: String,
    description: Option<String>,
    asset_type_id: Uuid,
    default_attributes: Value,
    default_health_thresholds: HealthThresholds,
    telemetry_mappings: HashMap<String, String>,
    icon: Option<String>,
}

impl From<AssetProfileRequest> for ProfileDefinition {
    fn from(request: AssetProfileRequest) -> Self {
        Self {
            name: request.name,
            description: request.description,
            asset_type_id: AssetTypeId(request.asset_type_id),
            default_attributes: object(request.default_attributes),
            health_thresholds: request.default_health_thresholds.map_or_else(Thresholds::default, Into::into),
            telemetry_mappings: request.telemetry_mappings.unwrap_or_default().into_iter().collect(),
            icon: request.icon,
        }
    }
}

impl From<EntryRow<ProfileDefinition>> for AssetProfile {
    fn from(row: EntryRow<ProfileDefinition>) -> Self {
        let (entry, profile) = (CatalogueEntry::from(&row), row.definition);
        Self {
            entry,
            name: profile.name,
            description: profile.description,
            asset_type_id: profile.asset_type_id.0,
            default_attributes: profile.default_attributes,
            default_health_thresholds: profile.health_thresholds.into(),
            telemetry_mappings: profile.telemetry_mappings.into_iter().collect(),
            icon: profile.icon,
        }
    }
}

catalogue_endpoints! {
    ProfileDefinition from AssetProfileRequest, shown as AssetProfile,
    AssetProfileResponse { asset_profile }, AssetProfiles { asset_profiles },
    writers access::WriteTypes, used as None, tag "Tag::AssetProfiles",
    "/asset-profiles" {
        /// Define an asset profile
        post "createAssetProfile",
        /// List asset profiles
        get "listAssetProfiles",
    }
    "/asset-profiles/:id" {
        /// Show an asset profile
        get "getAssetProfile",
        /// Revise an asset profile
        ///
        /// Replaces the whole definition; omitted fields are removed.
        put "updateAssetProfile",
        /// Retire an asset profile
        ///
        /// Assets created from the profile keep what they took from it.
        delete "retireAssetProfile",
    }
}
