//! Builds the snapshot that a client gets when it joins a room, so that it need not query the API first.

use chrono::{DateTime, SecondsFormat, Utc};
use projections::alarm_board::read::AlarmFilter;
use projections::asset_directory::read::AssetFilter;
use projections::device_directory::read::DeviceFilter;
use projections::latest_telemetry::read::Latest;
use projections::live_feed::{Room, rfc3339_micros};
use projections::{Paging, alarm_board, asset_directory, asset_health, device_directory, latest_telemetry};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::problem::Problem;
use crate::state::State;

/// Most devices, assets and alarms in an organisation's snapshot, each.
const MOST: Paging = Paging { limit: 1000, offset: 0, after: None };

/// Returns the snapshot of a room.
pub async fn of(state: &State, organization: Uuid, room: Room) -> Result<Value, Problem> {
    match room {
        Room::Organization(id) => everything(state, id).await,
        Room::Device(id) => {
            let latest = latest_telemetry::read::get(&state.reader, id).await?;
            Ok(device(id, &latest))
        }
        Room::Asset(id) => asset(state, organization, id).await,
        // Earlier notifications are listed by `GET /api/v1/notifications`.
        Room::User(id) => Ok(json!({"userId": id})),
    }
}

async fn everything(state: &State, id: Uuid) -> Result<Value, Problem> {
    let reader = &state.reader;
    let in_use = DeviceFilter { status: Some("active".to_owned()), ..DeviceFilter::default() };
    let open = AlarmFilter { open: Some(true), ..AlarmFilter::default() };
    let all = AssetFilter { retired: Some(false), ..AssetFilter::default() };
    let (devices, alarms, assets) = tokio::try_join!(
        device_directory::read::list(reader, id, &in_use, MOST),
        alarm_board::read::list(reader, id, &open, MOST),
        asset_directory::read::list(reader, id, &all, MOST),
    )?;
    let ids: Vec<Uuid> = devices.items.iter().map(|device| device.row.id).collect();
    let latest = latest_telemetry::read::many(reader, &ids).await?;
    let health = |asset: &asset_directory::read::Asset| {
        asset.health_score.map(|score| json!({"assetId": asset.row.id, "name": asset.row.name, "healthScore": score}))
    };
    let alarm = |alarm: &alarm_board::read::Alarm| {
        json!({
            "alarmId": alarm.row.id,
            "ruleId": alarm.row.rule_id,
            "ruleName": alarm.row.rule_name,
            "entityType": alarm.row.entity_type,
            "entityId": alarm.row.entity_id,
            "entityName": alarm.entity_name,
            "metricKey": alarm.row.metric_key,
            "severity": alarm.row.severity,
            "value": alarm.row.value,
            "raisedAt": text(alarm.row.raised_at),
            "active": alarm.row.active,
            "acknowledged": alarm.row.acknowledged,
            "state": alarm.row.state().as_str(),
        })
    };
    Ok(json!({
        "devices": ids.iter().zip(&latest).map(|(id, latest)| device(*id, latest)).collect::<Vec<_>>(),
        "alarms": alarms.items.iter().map(alarm).collect::<Vec<_>>(),
        "assets": assets.items.iter().filter_map(health).collect::<Vec<_>>(),
    }))
}

async fn asset(state: &State, organization: Uuid, id: Uuid) -> Result<Value, Problem> {
    let latest = latest_telemetry::read::get(&state.reader, id).await?;
    let health = asset_health::read::get(&state.reader, organization, id).await?;
    Ok(json!({"assetId": id, "metrics": metrics(&latest), "healthScore": health.map(|health| health.score)}))
}

fn device(id: Uuid, latest: &Latest) -> Value {
    json!({
        "deviceId": id,
        "status": latest.connectivity,
        "lastSeen": latest.last_seen.map(text),
        "metrics": metrics(latest),
    })
}

fn metrics(latest: &Latest) -> Map<String, Value> {
    let shown = |(key, newest): (&String, &latest_telemetry::read::LatestValue)| {
        let value = json!({
            "value": newest.value, "timestamp": rfc3339_micros(newest.measured_at), "quality": newest.quality,
        });
        (key.clone(), value)
    };
    latest.metrics.iter().map(shown).collect()
}

fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
