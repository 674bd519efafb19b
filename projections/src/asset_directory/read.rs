//! Queries of assets, their tree, and the links between devices and assets in both directions.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{AssetRow, LinkRow};
use crate::device_directory::read::containing;
use crate::latest_telemetry::read::last_seen;
use crate::paging::Order;
use crate::{Error, Page, Paging, Reader};

/// An asset as lists and details show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asset {
    /// The row.
    #[serde(flatten)]
    pub row: AssetRow,
    /// The name of its type.
    pub asset_type_name: Option<String>,
    /// Its parent in the asset tree.
    pub parent_id: Option<Uuid>,
    /// Its health score, 0 to 100, if it was scored.
    pub health_score: Option<i16>,
    /// When the reading behind the score was measured.
    pub health_score_updated_at: Option<DateTime<Utc>>,
    /// The version of the model that computed the score: the position in `ES` of its definition.
    pub health_score_computed_by: Option<i64>,
    /// The version of the formula that computed it.
    pub health_score_formula_version: Option<i32>,
    /// The number of devices that feed it now. This and the next field are absent for a past state.
    pub linked_devices_count: Option<i64>,
    /// The number of its active alarms.
    pub active_alarms_count: Option<i64>,
}

impl Asset {
    /// Returns an asset as it was at an earlier time. What does not follow from its own events is absent.
    pub fn historical(row: AssetRow, parent_id: Option<Uuid>) -> Self {
        Self {
            row,
            asset_type_name: None,
            parent_id,
            health_score: None,
            health_score_updated_at: None,
            health_score_computed_by: None,
            health_score_formula_version: None,
            linked_devices_count: None,
            active_alarms_count: None,
        }
    }
}

/// Filters a list of assets; absent fields do not filter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AssetFilter {
    /// Of this type.
    pub asset_type_id: Option<Uuid>,
    /// `asset` or `space`.
    pub kind: Option<String>,
    /// Children of this asset.
    pub parent_id: Option<Uuid>,
    /// Retired, or not.
    pub retired: Option<bool>,
    /// A substring of name or description; case-insensitive.
    pub text: Option<String>,
}

/// A link seen from the device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinkedAsset {
    /// The link.
    #[serde(flatten)]
    pub link: LinkRow,
    /// The asset's name.
    pub asset_name: Option<String>,
    /// The asset's health.
    pub health_score: Option<i16>,
}

/// A link seen from the asset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinkedDevice {
    /// The link.
    #[serde(flatten)]
    pub link: LinkRow,
    /// The device's name.
    pub device_name: Option<String>,
    /// `online`, `offline` or `unknown`.
    pub connectivity: String,
    /// When it last sent anything.
    pub last_seen: Option<DateTime<Utc>>,
}

const ASSET: &str = "SELECT a.*, t.name AS asset_type_name, p.parent_id, h.score AS health_score,
        h.measured_at AS health_score_updated_at, h.computed_by AS health_score_computed_by,
        h.formula_version AS health_score_formula_version,
        (SELECT count(DISTINCT l.device_id) FROM asset_links l WHERE l.asset_id = a.id AND l.valid_from <= now()
            AND (l.valid_until IS NULL OR l.valid_until > now())) AS linked_devices_count,
        (SELECT count(*) FROM alarms m WHERE m.entity_id = a.id AND m.active) AS active_alarms_count
    FROM assets a LEFT JOIN asset_types t ON t.id = a.asset_type_id
    LEFT JOIN asset_places p ON p.asset_id = a.id LEFT JOIN asset_health h ON h.asset_id = a.id";

/// Lists assets of an organisation by name.
pub async fn list(
    reader: &Reader,
    organization: Uuid,
    filter: &AssetFilter,
    paging: Paging,
) -> Result<Page<Asset>, Error> {
    let list = format!(
        "{ASSET} WHERE a.organization_id = $1 AND ($2::uuid IS NULL OR a.asset_type_id = $2)
            AND ($3::text IS NULL OR a.kind = $3) AND ($4::uuid IS NULL OR p.parent_id = $4)
            AND ($5::boolean IS NULL OR a.retired = $5)
            AND ($6::text IS NULL OR a.name ILIKE $6 OR a.description ILIKE $6)"
    );
    let text = filter.text.as_deref().map(containing);
    let page = reader.page("assets", &list, Order::NAME, paging, |query| {
        query
            .bind(organization)
            .bind(filter.asset_type_id)
            .bind(filter.kind.clone())
            .bind(filter.parent_id)
            .bind(filter.retired)
            .bind(text.clone())
    });
    page.await
}

/// Returns an asset of an organisation.
pub async fn get(reader: &Reader, organization: Uuid, asset: Uuid) -> Result<Option<Asset>, Error> {
    let sql = format!("SELECT to_jsonb(x) FROM ({ASSET} WHERE a.organization_id = $1 AND a.id = $2) x");
    reader.row("assets", sqlx::query_scalar(&sql).bind(organization).bind(asset)).await
}

/// Returns a link of an organisation.
pub async fn link(reader: &Reader, organization: Uuid, link: Uuid) -> Result<Option<LinkRow>, Error> {
    let sql = "SELECT to_jsonb(l) FROM asset_links l WHERE l.organization_id = $1 AND l.id = $2";
    reader.row("asset_links", sqlx::query_scalar(sql).bind(organization).bind(link)).await
}

/// Lists the links of a device that have not ended, the present ones first; with `ended`, also those that have.
pub async fn assets_of_device(
    reader: &Reader,
    organization: Uuid,
    device: Uuid,
    ended: bool,
) -> Result<Vec<LinkedAsset>, Error> {
    let sql = "SELECT to_jsonb(x) FROM (
            SELECT l.*, a.name AS asset_name, h.score AS health_score FROM asset_links l
            LEFT JOIN assets a ON a.id = l.asset_id LEFT JOIN asset_health h ON h.asset_id = l.asset_id
            WHERE l.organization_id = $1 AND l.device_id = $2
              AND ($3 OR l.valid_until IS NULL OR l.valid_until > now())
            ORDER BY l.valid_until IS NOT NULL, l.valid_from, l.id) x";
    reader.rows("asset_links", sqlx::query_scalar(sql).bind(organization).bind(device).bind(ended)).await
}

/// Lists the links of an asset that have not ended, with the devices' state; with `ended`, also those that have.
pub async fn devices_of_asset(
    reader: &Reader,
    organization: Uuid,
    asset: Uuid,
    ended: bool,
) -> Result<Vec<LinkedDevice>, Error> {
    let sql = "SELECT to_jsonb(x) FROM (
            SELECT l.*, d.name AS device_name, coalesce(c.connectivity, 'unknown') AS connectivity,
                c.last_seen_at AS last_seen
            FROM asset_links l LEFT JOIN devices d ON d.id = l.device_id
            LEFT JOIN device_connectivity c ON c.device_id = l.device_id
            WHERE l.organization_id = $1 AND l.asset_id = $2
              AND ($3 OR l.valid_until IS NULL OR l.valid_until > now())
            ORDER BY l.valid_until IS NOT NULL, l.valid_from, l.id) x";
    let query = sqlx::query_scalar(sql).bind(organization).bind(asset).bind(ended);
    let mut links: Vec<LinkedDevice> = reader.rows("asset_links", query).await?;
    let ids: Vec<Uuid> = links.iter().map(|link| link.link.device_id).collect();
    for (link, seen) in links.iter_mut().zip(last_seen(reader, &ids).await?) {
        link.last_seen = link.last_seen.max(seen);
    }
    Ok(links)
}
