//! Domain events into rows of the catalogue. Pure.

use domain::AnyEvent;
use domain::catalogue::EntryEvent;
use domain::catalogue::activity_type::ActivityTypeDefinition;
use domain::catalogue::asset_profile::ProfileDefinition;
use domain::catalogue::notification_channel::ChannelDefinition;
use domain::catalogue::protocol_converter::ConverterDefinition;
use eventlog::Stream;

use super::row::{EntryRow, Listed};
use crate::fact::Fact;
use crate::fold::Fold;
use crate::sheet::{AnySheet, Sheet};

/// The fold of the catalogue.
pub struct Catalogue;

/// The rows in hand.
#[derive(Default)]
pub struct Sheets {
    pub(crate) activity_types: Sheet<EntryRow<ActivityTypeDefinition>>,
    pub(crate) asset_profiles: Sheet<EntryRow<ProfileDefinition>>,
    pub(crate) notification_channels: Sheet<EntryRow<ChannelDefinition>>,
    pub(crate) protocol_converters: Sheet<EntryRow<ConverterDefinition>>,
}

impl Fold for Catalogue {
    const NAME: &'static str = super::NAME;
    const SOURCES: &'static [Stream] = &[Stream::Es];
    const TABLES: &'static [&'static str] =
        &["activity_types", "asset_profiles", "notification_channels", "protocol_converters"];
    type Sheets = Sheets;

    fn sheets(sheets: &mut Sheets) -> Vec<&mut dyn AnySheet> {
        vec![
            &mut sheets.activity_types,
            &mut sheets.asset_profiles,
            &mut sheets.notification_channels,
            &mut sheets.protocol_converters,
        ]
    }

    fn touch(sheets: &mut Sheets, fact: &Fact) {
        match &fact.event {
            AnyEvent::ActivityType(_) => sheets.activity_types.want(fact.id),
            AnyEvent::AssetProfile(_) => sheets.asset_profiles.want(fact.id),
            AnyEvent::NotificationChannel(_) => sheets.notification_channels.want(fact.id),
            AnyEvent::ProtocolConverter(_) => sheets.protocol_converters.want(fact.id),
            _ => {}
        }
    }

    fn fold(sheets: &mut Sheets, fact: &Fact) {
        match &fact.event {
            AnyEvent::ActivityType(event) => fold(&mut sheets.activity_types, fact, event),
            AnyEvent::AssetProfile(event) => fold(&mut sheets.asset_profiles, fact, event),
            AnyEvent::NotificationChannel(event) => fold(&mut sheets.notification_channels, fact, event),
            AnyEvent::ProtocolConverter(event) => fold(&mut sheets.protocol_converters, fact, event),
            _ => {}
        }
    }
}

fn fold<D: Listed>(sheet: &mut Sheet<EntryRow<D>>, fact: &Fact, event: &impl EntryEvent<D>) {
    let Some(definition) = event.definition() else {
        return sheet.change(fact.id, |row| {
            row.retired = true;
            (row.updated_at, row.version, row.position) = (fact.at(), fact.version, fact.position);
        });
    };
    let before = sheet.get(fact.id).map(|row| (row.created_at, row.created_by.clone()));
    let (created_at, created_by) = before.unwrap_or_else(|| (fact.at(), fact.actor()));
    sheet.put(EntryRow {
        id: fact.id,
        organization_id: fact.organization,
        name: definition.name().to_owned(),
        definition: definition.clone(),
        retired: false,
        created_at,
        created_by,
        updated_at: fact.at(),
        version: fact.version,
        position: fact.position,
    });
}
