//! Folds domain events into rows of the catalogue. Pure.

use domain::AnyEvent;
use domain::catalogue::EntryEvent;
use domain::catalogue::activity_type::ActivityTypeDefinition;
use domain::catalogue::asset_profile::ProfileDefinition;
use domain::catalogue::notification_channel::ChannelDefinition;
use domain::catalogue::protocol_converter::ConverterDefinition;
use eventlog::Stream;

use super::row::{EntryRow, StoredDefinition};
use crate::decoded_event::DecodedEvent;
use crate::fold::Fold;
use crate::row_batch::{AnyRowBatch, RowBatch};

/// The fold of the catalogue.
pub struct Catalogue;

/// The rows that a batch has loaded, by table.
#[derive(Default)]
pub struct Rows {
    pub(crate) activity_types: RowBatch<EntryRow<ActivityTypeDefinition>>,
    pub(crate) asset_profiles: RowBatch<EntryRow<ProfileDefinition>>,
    pub(crate) notification_channels: RowBatch<EntryRow<ChannelDefinition>>,
    pub(crate) protocol_converters: RowBatch<EntryRow<ConverterDefinition>>,
}

impl Fold for Catalogue {
    const NAME: &'static str = super::NAME;
    const SOURCES: &'static [Stream] = &[Stream::Es];
    const TABLES: &'static [&'static str] =
        &["activity_types", "asset_profiles", "notification_channels", "protocol_converters"];
    type Rows = Rows;

    fn row_batches(rows: &mut Rows) -> Vec<&mut dyn AnyRowBatch> {
        vec![
            &mut rows.activity_types,
            &mut rows.asset_profiles,
            &mut rows.notification_channels,
            &mut rows.protocol_converters,
        ]
    }

    fn request_rows(rows: &mut Rows, decoded: &DecodedEvent) {
        match &decoded.event {
            AnyEvent::ActivityType(_) => rows.activity_types.request(decoded.id),
            AnyEvent::AssetProfile(_) => rows.asset_profiles.request(decoded.id),
            AnyEvent::NotificationChannel(_) => rows.notification_channels.request(decoded.id),
            AnyEvent::ProtocolConverter(_) => rows.protocol_converters.request(decoded.id),
            _ => {}
        }
    }

    fn fold(rows: &mut Rows, decoded: &DecodedEvent) {
        match &decoded.event {
            AnyEvent::ActivityType(event) => fold(&mut rows.activity_types, decoded, event),
            AnyEvent::AssetProfile(event) => fold(&mut rows.asset_profiles, decoded, event),
            AnyEvent::NotificationChannel(event) => fold(&mut rows.notification_channels, decoded, event),
            AnyEvent::ProtocolConverter(event) => fold(&mut rows.protocol_converters, decoded, event),
            _ => {}
        }
    }
}

fn fold<D: StoredDefinition>(rows: &mut RowBatch<EntryRow<D>>, decoded: &DecodedEvent, event: &impl EntryEvent<D>) {
    let Some(definition) = event.definition() else {
        return rows.update(decoded.id, |row| {
            row.retired = true;
            (row.updated_at, row.version, row.position) = (decoded.recorded_at(), decoded.version, decoded.position);
        });
    };
    let before = rows.get(decoded.id).map(|row| (row.created_at, row.created_by.clone()));
    let (created_at, created_by) = before.unwrap_or_else(|| (decoded.recorded_at(), decoded.actor()));
    rows.upsert(EntryRow {
        id: decoded.id,
        organization_id: decoded.organization,
        name: definition.name().to_owned(),
        definition: definition.clone(),
        retired: false,
        created_at,
        created_by,
        updated_at: decoded.recorded_at(),
        version: decoded.version,
        position: decoded.position,
    });
}
