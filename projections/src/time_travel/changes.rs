//! The history of an entity: each of its events with the fields that it changed, before and after.

use std::collections::BTreeSet;

use domain::AnyEvent;
use domain::device_links::DeviceLinksEvent;
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::events::{EventFilter, load_events};
use crate::activity_board::Activities;
use crate::alarm_board::Alarms;
use crate::asset_directory::Assets;
use crate::audit_log::AuditRow;
use crate::catalogue::Catalogue;
use crate::certificate_register::Certificates;
use crate::decoded_event::DecodedEvent;
use crate::device_directory::Devices;
use crate::fold::Fold;
use crate::row_batch::{Row, RowBatch};
use crate::rule_book::Rules;
use crate::sql_values::to_json;
use crate::tenant_register::Tenants;
use crate::type_catalogue::Types;
use crate::{Error, Reader};

/// Columns that record when and by which event a row changed; they are no part of the entity's history.
const BOOKKEEPING: [&str; 6] = ["id", "organization_id", "updated_at", "version", "position", "history"];

/// An event and the fields that it changed.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// The event.
    pub row: AuditRow,
    /// The changed fields; unchanged ones are left out.
    pub changes: Vec<FieldChange>,
}

/// One changed field.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldChange {
    /// The field's name as the API spells it, in camel case.
    pub field: String,
    /// The value before; absent if there was none.
    pub before: Option<Value>,
    /// The value after; null if there is none.
    pub after: Value,
}

/// Returns the history of an entity, newest event first; empty if the organisation has no such entity. `kind` is the
/// name of its aggregate.
pub async fn history(
    reader: &Reader,
    organization: Uuid,
    kind: &'static str,
    id: Uuid,
) -> Result<Vec<AuditEntry>, Error> {
    let events = load_events(reader, organization, EventFilter::entity(kind, id), None).await?;
    let changes = changes(kind, &events);
    let entry = |(decoded, changes): (&DecodedEvent, _)| AuditEntry { row: crate::audit_log::row(decoded), changes };
    Ok(events.iter().zip(changes).map(entry).rev().collect())
}

/// Returns what each event changed, given all events of an entity in version order.
pub fn changes(kind: &str, events: &[DecodedEvent]) -> Vec<Vec<FieldChange>> {
    match kind {
        "device" => by_fold::<Devices>(events, |rows, decoded| row(rows, decoded.id)),
        "certificate" => by_fold::<Certificates>(events, |rows, decoded| row(rows, decoded.id)),
        "activity" => by_fold::<Activities>(events, |rows, decoded| row(rows, decoded.id)),
        "alarm" => by_fold::<Alarms>(events, |rows, decoded| row(rows, decoded.id)),
        "rule" => by_fold::<Rules>(events, |rows, decoded| row(&rows.rules, decoded.id)),
        "activity_template" => by_fold::<Rules>(events, |rows, decoded| row(&rows.templates, decoded.id)),
        "asset" => by_fold::<Assets>(events, |rows, decoded| row(&rows.assets, decoded.id)),
        "device_links" => by_fold::<Assets>(events, |rows, decoded| row(&rows.links, link_of(decoded)?)),
        "activity_type" => by_fold::<Catalogue>(events, |rows, decoded| row(&rows.activity_types, decoded.id)),
        "asset_profile" => by_fold::<Catalogue>(events, |rows, decoded| row(&rows.asset_profiles, decoded.id)),
        "notification_channel" => {
            by_fold::<Catalogue>(events, |rows, decoded| row(&rows.notification_channels, decoded.id))
        }
        "protocol_converter" => {
            by_fold::<Catalogue>(events, |rows, decoded| row(&rows.protocol_converters, decoded.id))
        }
        "device_type" => by_fold::<Types>(events, |rows, decoded| row(&rows.device_types, decoded.id)),
        "asset_type" => by_fold::<Types>(events, |rows, decoded| row(&rows.asset_types, decoded.id)),
        "organization" => by_fold::<Tenants>(events, |rows, decoded| row(&rows.organizations, decoded.id)),
        "api_key" => by_fold::<Tenants>(events, |rows, decoded| row(&rows.api_keys, decoded.id)),
        "user" => by_fold::<Tenants>(events, |rows, decoded| row(&rows.users, decoded.id).map(rename_sealed)),
        _ => events.iter().map(|_| Vec::new()).collect(),
    }
}

fn by_fold<F: Fold>(
    events: &[DecodedEvent],
    pick: impl Fn(&F::Rows, &DecodedEvent) -> Option<Map<String, Value>>,
) -> Vec<Vec<FieldChange>> {
    let mut rows = F::Rows::default();
    let mut step = |decoded: &DecodedEvent| {
        let before = pick(&rows, decoded).unwrap_or_default();
        F::fold(&mut rows, decoded);
        difference(&before, &pick(&rows, decoded).unwrap_or_default())
    };
    events.iter().map(&mut step).collect()
}

fn row<R: Row>(rows: &RowBatch<R>, key: Uuid) -> Option<Map<String, Value>> {
    match to_json(rows.get(key)?) {
        Value::Object(fields) => Some(fields),
        _ => None,
    }
}

/// Renames the sealed columns to the fields' public names; their values stay sealed.
fn rename_sealed(mut fields: Map<String, Value>) -> Map<String, Value> {
    for (column, name) in [("email_sealed", "email"), ("name_sealed", "name")] {
        let text = fields.remove(column).unwrap_or_default();
        fields.insert(name.to_owned(), text);
    }
    fields
}

/// Returns the link that an event of a device's links is about.
fn link_of(decoded: &DecodedEvent) -> Option<Uuid> {
    match &decoded.event {
        AnyEvent::DeviceLinks(
            DeviceLinksEvent::AssetLinked { link_id, .. }
            | DeviceLinksEvent::AssetUnlinked { link_id, .. }
            | DeviceLinksEvent::LinkCorrected { link_id, .. },
        ) => Some(link_id.0),
        _ => None,
    }
}

fn difference(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<FieldChange> {
    let fields: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let fields = fields.into_iter().filter(|field| !BOOKKEEPING.contains(&field.as_str()));
    let value = |of: &Map<String, Value>, field: &String| of.get(field).filter(|value| !value.is_null()).cloned();
    let change = |field: &String| {
        let (before, after) = (value(before, field), value(after, field));
        (before != after).then(|| FieldChange { field: to_camel_case(field), before, after: after.unwrap_or_default() })
    };
    fields.filter_map(change).collect()
}

/// Converts `custom_attributes` to `customAttributes`.
fn to_camel_case(field: &str) -> String {
    let mut words = field.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut name, word| {
        let mut letters = word.chars();
        name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        name.push_str(letters.as_str());
        name
    })
}
