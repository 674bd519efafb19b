//! Shows the latest values of a device or an asset.

use std::collections::HashMap;

use projections::latest_telemetry::read::{self, Latest};
use projections::{asset_directory, device_directory};

use crate::prelude::*;
use crate::routes::{assets, devices};

/// The endpoints.
pub type Api = (DeviceApi, AssetApi);

/// The latest value of a metric.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct LatestValue {
    /// A number, boolean or text; null if it cannot be computed.
    value: Value,
    /// When the value was measured, by the device's clock.
    timestamp: Time,
    /// `good`, `uncertain` or `bad`.
    quality: String,
    /// Why the value cannot be computed.
    reason: Option<String>,
}

/// Declares the endpoint of one kind of entity and its response. `$extra` is a field of this kind only, computed from
/// the entity and its latest values. A macro, because poem-openapi reads paths and names from literals.
macro_rules! latest_of {
    (
        $(#[$doc:meta])*
        $api:ident, $path:literal, $operation:literal, find $find:path,
        $response:ident {
            $id_field:ident as $id_name:literal,
            $(#[$extra_attribute:meta])* $extra:ident: $kind:ty = $compute:ident
        }
    ) => {
        /// The endpoint.
        #[derive(Default)]
        pub struct $api;

        /// The latest value of each metric.
        #[derive(Object)]
        #[oai(rename_all = "camelCase")]
        struct $response {
            $id_field: Uuid,
            metrics: HashMap<String, LatestValue>,
            /// When its last reading arrived.
            #[oai(nullable)]
            last_seen: Option<Time>,
            $(#[$extra_attribute])*
            $extra: $kind,
        }

        #[OpenApi]
        impl $api {
            $(#[$doc])*
            #[oai(path = $path, method = "get", tag = "Tag::Telemetry", operation_id = $operation)]
            async fn call(
                &self,
                state: Data<&State>,
                caller: Allowed<access::Read>,
                #[oai(name = $id_name)] id: Path<Uuid>,
            ) -> Result<Json<$response>, Problem> {
                let entity = $find(&state, &caller, id.0).await?;
                let latest = read::get(&state.reader, id.0).await?;
                let $extra = $compute(&entity, &latest);
                let last_seen = latest.last_seen.map(Into::into);
                Ok(Json($response { $id_field: id.0, metrics: metrics(latest), last_seen, $extra }))
            }
        }
    };
}

latest_of! {
    /// Show the latest values of a device
    DeviceApi, "/telemetry/device/:deviceId/latest", "deviceLatest", find devices::view::find,
    DeviceLatest {
        device_id as "deviceId",
        /// `online`, `offline` or `unknown`.
        status: String = connectivity
    }
}

latest_of! {
    /// Show the latest values of an asset
    AssetApi, "/telemetry/asset/:assetId/latest", "assetLatest", find assets::view::find,
    AssetLatest {
        asset_id as "assetId",
        /// Health score, 0 to 100.
        #[oai(nullable)]
        health_score: Option<i16> = health_score
    }
}

fn connectivity(_device: &device_directory::read::Device, latest: &Latest) -> String {
    latest.connectivity.clone()
}

fn health_score(asset: &asset_directory::read::Asset, _latest: &Latest) -> Option<i16> {
    asset.health_score
}

/// Returns the latest values by metric.
fn metrics(latest: Latest) -> HashMap<String, LatestValue> {
    let shown = |(key, newest): (String, read::LatestValue)| {
        let read::LatestValue { value, measured_at, quality, reason } = newest;
        (key, LatestValue { value, timestamp: measured_at.into(), quality, reason })
    };
    latest.metrics.into_iter().map(shown).collect()
}
