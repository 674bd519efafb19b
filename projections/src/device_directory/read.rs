//! Queries of devices.

use chrono::{DateTime, Utc};
use domain::exact_number;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::DeviceRow;
use crate::latest_telemetry::read::last_seen;
use crate::paging::Order;
use crate::sql_values::strip_nul;
use crate::{Error, Page, Paging, Reader};

/// A device as lists and details show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Device {
    /// The row.
    #[serde(flatten)]
    pub row: DeviceRow,
    /// The name of its type.
    pub device_type_name: Option<String>,
    /// `online`, `offline` or `unknown`.
    pub connectivity: String,
    /// When it last changed between online and offline.
    pub last_connectivity_change: Option<DateTime<Utc>>,
    /// Why it is offline.
    pub connectivity_reason: Option<String>,
    /// When it was last seen: its last presence fact or reading.
    pub last_seen: Option<DateTime<Utc>>,
    /// The number of assets that it feeds now.
    pub linked_assets_count: i64,
}

impl Device {
    /// Returns a device as it was at an earlier time. What no domain event records (connectivity, the type's name) is
    /// unknown.
    pub fn historical(row: DeviceRow, linked_assets_count: i64) -> Self {
        Self {
            row,
            device_type_name: None,
            connectivity: "unknown".to_owned(),
            last_connectivity_change: None,
            connectivity_reason: None,
            last_seen: None,
            linked_assets_count,
        }
    }
}

/// Filters a list of devices; absent fields do not filter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeviceFilter {
    /// `active` or `decommissioned`.
    pub status: Option<String>,
    /// Of this type.
    pub device_type_id: Option<Uuid>,
    /// `online`, `offline` or `unknown`.
    pub connectivity: Option<String>,
    /// A substring of name, serial number or description; case-insensitive.
    pub text: Option<String>,
    /// A custom attribute and its value, as text.
    pub attribute: Option<(String, String)>,
}

/// The order of a list of devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// By name.
    #[default]
    Name,
    /// By serial number.
    SerialNumber,
    /// By creation, oldest first.
    CreatedAt,
    /// By last change, oldest first.
    UpdatedAt,
}

impl Sort {
    fn order(self, descending: bool) -> Order {
        let order = match self {
            Self::Name => Order::NAME,
            Self::SerialNumber => Order::text("serial_number"),
            Self::CreatedAt => Order::oldest("created_at"),
            Self::UpdatedAt => Order::oldest("updated_at"),
        };
        if descending { order.reversed() } else { order }
    }
}

const DEVICE: &str = "SELECT d.*, t.name AS device_type_name, coalesce(c.connectivity, 'unknown') AS connectivity,
        c.changed_at AS last_connectivity_change, c.reason AS connectivity_reason, c.last_seen_at AS last_seen,
        (SELECT count(DISTINCT l.asset_id) FROM asset_links l WHERE l.device_id = d.id AND l.valid_from <= now()
            AND (l.valid_until IS NULL OR l.valid_until > now())) AS linked_assets_count
    FROM devices d LEFT JOIN device_types t ON t.id = d.device_type_id
    LEFT JOIN device_connectivity c ON c.device_id = d.id";

/// Lists devices of an organisation by name.
pub async fn list(
    reader: &Reader,
    organization: Uuid,
    filter: &DeviceFilter,
    paging: Paging,
) -> Result<Page<Device>, Error> {
    sorted(reader, organization, filter, (Sort::Name, false), paging).await
}

/// Lists devices of an organisation in an order, or in its reverse.
pub async fn sorted(
    reader: &Reader,
    organization: Uuid,
    filter: &DeviceFilter,
    (sort, descending): (Sort, bool),
    paging: Paging,
) -> Result<Page<Device>, Error> {
    let list = format!(
        "{DEVICE} WHERE d.organization_id = $1 AND ($2::text IS NULL OR d.status = $2)
            AND ($3::uuid IS NULL OR d.device_type_id = $3)
            AND ($4::text IS NULL OR coalesce(c.connectivity, 'unknown') = $4)
            AND ($5::text IS NULL OR d.name ILIKE $5 OR d.serial_number ILIKE $5 OR d.description ILIKE $5)
            AND ($6::jsonb IS NULL OR d.custom_attributes @> $6 OR d.custom_attributes @> $7)"
    );
    let attribute = filter.attribute.as_ref().map(attribute);
    let text = filter.text.as_deref().map(containing);
    let page = reader.page("devices", &list, sort.order(descending), paging, |query| {
        query
            .bind(organization)
            .bind(filter.status.clone())
            .bind(filter.device_type_id)
            .bind(filter.connectivity.clone())
            .bind(text.clone())
            .bind(attribute.as_ref().map(|(text, _)| text.clone()))
            .bind(attribute.as_ref().map(|(_, other)| other.clone()))
    });
    let mut page = page.await?;
    refine(reader, &mut page.items).await?;
    Ok(page)
}

/// Lists the names of all custom attributes of an organisation's devices (of a status, if given), in alphabetical order.
pub async fn attribute_names(reader: &Reader, organization: Uuid, status: Option<&str>) -> Result<Vec<String>, Error> {
    let sql = "SELECT to_jsonb(name) FROM (SELECT DISTINCT jsonb_object_keys(custom_attributes) AS name FROM devices
        WHERE organization_id = $1 AND ($2::text IS NULL OR status = $2)) x ORDER BY name";
    reader.rows("devices", sqlx::query_scalar(sql).bind(organization).bind(status)).await
}

/// Returns the two JSON objects to match an attribute against: its value as a string, and as the number, `true`, `false`
/// or `null` that it writes. Of a number that would lose digits only the text is meant: the number is another.
fn attribute((key, value): &(String, String)) -> (Value, Value) {
    let (key, value) = (strip_nul(key), strip_nul(value));
    let other = match value.as_str() {
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        "null" => Some(Value::Null),
        number => exact_number(number).map(Value::Number),
    };
    let (text, other) = (json!({ key.as_str(): value }), other.map(|other| json!({ key.as_str(): other })));
    (text.clone(), other.unwrap_or(text))
}

/// Returns a device of an organisation.
pub async fn get(reader: &Reader, organization: Uuid, device: Uuid) -> Result<Option<Device>, Error> {
    let sql = format!("SELECT to_jsonb(x) FROM ({DEVICE} WHERE d.organization_id = $1 AND d.id = $2) x");
    let found: Option<Device> = reader.row("devices", sqlx::query_scalar(&sql).bind(organization).bind(device)).await?;
    let mut found: Vec<Device> = found.into_iter().collect();
    refine(reader, &mut found).await?;
    Ok(found.pop())
}

/// Adds the time of the last reading: readings arrive much more often than presence facts.
async fn refine(reader: &Reader, devices: &mut [Device]) -> Result<(), Error> {
    let ids: Vec<Uuid> = devices.iter().map(|device| device.row.id).collect();
    for (device, seen) in devices.iter_mut().zip(last_seen(reader, &ids).await?) {
        device.last_seen = device.last_seen.max(seen);
    }
    Ok(())
}

/// Returns a LIKE pattern that matches texts containing this one.
pub(crate) fn containing(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{}%", crate::sql_values::strip_nul(&escaped))
}
