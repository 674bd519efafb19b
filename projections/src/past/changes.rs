//! The history of a thing: each of its events with the fields that it changed, before and after.

use std::collections::BTreeSet;

use domain::AnyEvent;
use domain::device_links::DeviceLinksEvent;
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::events::{Of, facts};
use crate::activity_board::Activities;
use crate::alarm_board::Alarms;
use crate::asset_directory::Assets;
use crate::audit_log::AuditRow;
use crate::catalogue::Catalogue;
use crate::certificate_register::Certificates;
use crate::device_directory::Devices;
use crate::fact::{Fact, json_of};
use crate::fold::Fold;
use crate::rule_book::Rules;
use crate::sheet::{Row, Sheet};
use crate::tenant_register::Tenants;
use crate::type_catalogue::Types;
use crate::{Error, Reader};

/// Columns that say when and by what a row changed, rather than what the thing is.
const BOOKKEEPING: [&str; 6] = ["id", "organization_id", "updated_at", "version", "position", "history"];

/// An event with what it changed.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// The event.
    pub row: AuditRow,
    /// What each field was before, and is after; fields that stayed as they were are left out.
    pub changes: Vec<FieldChange>,
}

/// One changed field.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldChange {
    /// Its name, as the API spells it.
    pub field: String,
    /// Its value before; absent where there was none.
    pub before: Option<Value>,
    /// Its value after; null where there is none any more.
    pub after: Value,
}

/// Returns the history of a thing, the newest event first; empty where there is no such thing in the organisation.
/// `kind` is the name of its aggregate.
pub async fn history(
    reader: &Reader,
    organization: Uuid,
    kind: &'static str,
    id: Uuid,
) -> Result<Vec<AuditEntry>, Error> {
    let facts = facts(reader, organization, Of::entity(kind, id), None).await?;
    let changes = changes(kind, &facts);
    let entry = |(fact, changes): (&Fact, _)| AuditEntry { row: crate::audit_log::row(fact), changes };
    Ok(facts.iter().zip(changes).map(entry).rev().collect())
}

/// Says what each event changed, given all events of a thing in their order.
pub fn changes(kind: &str, facts: &[Fact]) -> Vec<Vec<FieldChange>> {
    match kind {
        "device" => by_fold::<Devices>(facts, |sheet, fact| row(sheet, fact.id)),
        "certificate" => by_fold::<Certificates>(facts, |sheet, fact| row(sheet, fact.id)),
        "activity" => by_fold::<Activities>(facts, |sheet, fact| row(sheet, fact.id)),
        "alarm" => by_fold::<Alarms>(facts, |sheet, fact| row(sheet, fact.id)),
        "rule" => by_fold::<Rules>(facts, |sheets, fact| row(&sheets.rules, fact.id)),
        "activity_template" => by_fold::<Rules>(facts, |sheets, fact| row(&sheets.templates, fact.id)),
        "asset" => by_fold::<Assets>(facts, |sheets, fact| row(&sheets.assets, fact.id)),
        "device_links" => by_fold::<Assets>(facts, |sheets, fact| row(&sheets.links, link_of(fact)?)),
        "activity_type" => by_fold::<Catalogue>(facts, |sheets, fact| row(&sheets.activity_types, fact.id)),
        "asset_profile" => by_fold::<Catalogue>(facts, |sheets, fact| row(&sheets.asset_profiles, fact.id)),
        "notification_channel" => {
            by_fold::<Catalogue>(facts, |sheets, fact| row(&sheets.notification_channels, fact.id))
        }
        "protocol_converter" => by_fold::<Catalogue>(facts, |sheets, fact| row(&sheets.protocol_converters, fact.id)),
        "device_type" => by_fold::<Types>(facts, |sheets, fact| row(&sheets.device_types, fact.id)),
        "asset_type" => by_fold::<Types>(facts, |sheets, fact| row(&sheets.asset_types, fact.id)),
        "organization" => by_fold::<Tenants>(facts, |sheets, fact| row(&sheets.organizations, fact.id)),
        "api_key" => by_fold::<Tenants>(facts, |sheets, fact| row(&sheets.api_keys, fact.id)),
        "user" => by_fold::<Tenants>(facts, |sheets, fact| row(&sheets.users, fact.id).map(sealed)),
        _ => facts.iter().map(|_| Vec::new()).collect(),
    }
}

fn by_fold<F: Fold>(
    facts: &[Fact],
    pick: impl Fn(&F::Sheets, &Fact) -> Option<Map<String, Value>>,
) -> Vec<Vec<FieldChange>> {
    let mut sheets = F::Sheets::default();
    let mut step = |fact: &Fact| {
        let before = pick(&sheets, fact).unwrap_or_default();
        F::fold(&mut sheets, fact);
        difference(&before, &pick(&sheets, fact).unwrap_or_default())
    };
    facts.iter().map(&mut step).collect()
}

fn row<R: Row>(sheet: &Sheet<R>, key: Uuid) -> Option<Map<String, Value>> {
    match json_of(sheet.get(key)?) {
        Value::Object(fields) => Some(fields),
        _ => None,
    }
}

/// Personal data under the name that people know; its value stays sealed.
fn sealed(mut fields: Map<String, Value>) -> Map<String, Value> {
    for (column, name) in [("email_sealed", "email"), ("name_sealed", "name")] {
        let text = fields.remove(column).unwrap_or_default();
        fields.insert(name.to_owned(), text);
    }
    fields
}

/// One of a device's links, which an event is about.
fn link_of(fact: &Fact) -> Option<Uuid> {
    match &fact.event {
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
        (before != after).then(|| FieldChange { field: camel(field), before, after: after.unwrap_or_default() })
    };
    fields.filter_map(change).collect()
}

/// `custom_attributes` as `customAttributes`.
fn camel(field: &str) -> String {
    let mut words = field.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut name, word| {
        let mut letters = word.chars();
        name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        name.push_str(letters.as_str());
        name
    })
}
