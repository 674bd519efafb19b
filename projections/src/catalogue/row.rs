//! The rows of the catalogue; every kind of entry has the same columns.

use chrono::{DateTime, Utc};
use domain::catalogue::Definition;
use domain::catalogue::activity_type::ActivityTypeDefinition;
use domain::catalogue::asset_profile::ProfileDefinition;
use domain::catalogue::notification_channel::ChannelDefinition;
use domain::catalogue::protocol_converter::ConverterDefinition;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::row_batch::Row;

/// An entry of the catalogue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "D: DeserializeOwned"))]
pub struct EntryRow<D> {
    /// The entry.
    pub id: Uuid,
    /// Its organisation.
    pub organization_id: Uuid,
    /// Its name.
    pub name: String,
    /// Its definition.
    pub definition: D,
    /// Whether it is retired.
    pub retired: bool,
    /// When it was defined.
    pub created_at: DateTime<Utc>,
    /// The actor that created it, such as `user:<id>`.
    pub created_by: String,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// The version of its aggregate.
    pub version: i64,
    /// The position in `ES` of the last change.
    pub position: i64,
}

/// A definition that is stored in a table of its own.
pub trait StoredDefinition: Definition + 'static {
    /// The table.
    const TABLE: &'static str;

    /// Its name.
    fn name(&self) -> &str;
}

impl StoredDefinition for ActivityTypeDefinition {
    const TABLE: &'static str = "activity_types";

    fn name(&self) -> &str {
        &self.name
    }
}

impl StoredDefinition for ProfileDefinition {
    const TABLE: &'static str = "asset_profiles";

    fn name(&self) -> &str {
        &self.name
    }
}

impl StoredDefinition for ConverterDefinition {
    const TABLE: &'static str = "protocol_converters";

    fn name(&self) -> &str {
        &self.name
    }
}

impl StoredDefinition for ChannelDefinition {
    const TABLE: &'static str = "notification_channels";

    fn name(&self) -> &str {
        &self.name
    }
}

impl<D: StoredDefinition> Row for EntryRow<D> {
    const TABLE: &'static str = D::TABLE;

    fn key(&self) -> Uuid {
        self.id
    }
}
