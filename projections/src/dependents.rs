//! Finds what still refers to an entity that is to be retired. Whether it may be retired is decided by the API.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Error, Reader};

/// At most this many dependents are listed.
pub const MAX_LISTED: i64 = 10;

/// The kind of entity to be retired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Referenced {
    /// A device type.
    DeviceType,
    /// An asset type.
    AssetType,
    /// An activity type.
    ActivityType,
    /// An activity template.
    ActivityTemplate,
    /// A protocol converter.
    ProtocolConverter,
    /// An asset.
    Asset,
}

/// An entity that refers to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependent {
    /// `device`, `asset`, `asset_profile`, `activity_template`, `rule`, `device_type`.
    pub kind: String,
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
}

impl Referenced {
    /// Returns the query for kind, id and name of what refers to `$2` in the organisation `$1`.
    fn sql(self) -> &'static str {
        match self {
            Self::DeviceType => {
                "SELECT 'device' AS kind, id, name FROM devices
                    WHERE organization_id = $1 AND device_type_id = $2 AND status = 'active'
                UNION ALL SELECT 'rule', id, name FROM threshold_rules
                    WHERE organization_id = $1 AND type_id = $2 AND NOT retired"
            }
            Self::AssetType => {
                "SELECT 'asset' AS kind, id, name FROM assets
                    WHERE organization_id = $1 AND asset_type_id = $2 AND NOT retired
                UNION ALL SELECT 'asset_profile', id, name FROM asset_profiles
                    WHERE organization_id = $1 AND definition->>'asset_type_id' = $2::text AND NOT retired
                UNION ALL SELECT 'rule', id, name FROM threshold_rules
                    WHERE organization_id = $1 AND type_id = $2 AND NOT retired"
            }
            Self::ActivityType => {
                "SELECT 'activity_template' AS kind, id, name FROM activity_templates
                    WHERE organization_id = $1 AND activity_type_id = $2 AND NOT retired"
            }
            Self::ActivityTemplate => {
                "SELECT 'rule' AS kind, id, name FROM threshold_rules
                    WHERE organization_id = $1 AND action->>'template_id' = $2::text AND NOT retired"
            }
            Self::ProtocolConverter => {
                "SELECT 'device_type' AS kind, id, name FROM device_types
                    WHERE organization_id = $1 AND converter_id = $2 AND NOT retired"
            }
            Self::Asset => {
                "SELECT 'asset' AS kind, a.id, a.name FROM asset_places p JOIN assets a ON a.id = p.asset_id
                    WHERE p.organization_id = $1 AND p.parent_id = $2 AND NOT a.retired
                UNION ALL SELECT DISTINCT 'device', d.id, d.name FROM asset_links l JOIN devices d ON d.id = l.device_id
                    WHERE l.organization_id = $1 AND l.asset_id = $2 AND (l.valid_until IS NULL OR l.valid_until > now())
                UNION ALL SELECT 'rule', id, name FROM threshold_rules
                    WHERE organization_id = $1 AND entity_id = $2 AND NOT retired"
            }
        }
    }
}

/// Returns the number of dependents of an entity, and the first `MAX_LISTED` of them by kind and name.
pub async fn find(
    reader: &Reader,
    organization: Uuid,
    referenced: Referenced,
    id: Uuid,
) -> Result<(i64, Vec<Dependent>), Error> {
    let sql = referenced.sql();
    let count = format!("SELECT to_jsonb(count(*)) FROM ({sql}) x");
    let count: Option<i64> = reader.row("dependents", sqlx::query_scalar(&count).bind(organization).bind(id)).await?;
    let first = format!("SELECT to_jsonb(x) FROM ({sql}) x ORDER BY kind, name, id LIMIT {MAX_LISTED}");
    let first = reader.rows("dependents", sqlx::query_scalar(&first).bind(organization).bind(id)).await?;
    Ok((count.unwrap_or_default(), first))
}
