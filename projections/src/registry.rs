//! The one list of read models. What does not live here: the live feed, which each api process keeps in memory for
//! itself.

use eventlog::Source;
use futures_util::future::BoxFuture;
use sqlx::PgConnection;

use crate::Error;
use crate::asset_health::{self, AssetHealth};
use crate::audit_log::{self, AuditLog};
use crate::dead_letters::{self, DeadLetters};
use crate::device_directory::{self, DeviceDirectory};
use crate::fold::{Fold, Folded};
use crate::latest_telemetry;
use crate::projection::Projection;
use crate::system_events::{self, SystemEvents};
use crate::telemetry_history::{self, TelemetryHistory};

/// A read model by name, and how to make it.
#[derive(Clone, Copy)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// Where it is kept.
    pub kept: Kept,
    /// What is to be done for it beside writing it, on a connection of its own, if anything.
    pub upkeep: Option<Upkeep>,
}

/// Does a part of what is due; tells whether there may be more.
pub type Upkeep = for<'a> fn(&'a mut PgConnection) -> BoxFuture<'a, Result<bool, Error>>;

/// Where a read model is kept.
#[derive(Clone, Copy)]
pub enum Kept {
    /// In Postgres.
    Tables(fn() -> Box<dyn Projection>),
    /// In Redis: the latest values.
    Latest,
}

/// Every read model, in the order in which they are rebuilt.
pub const ALL: &[Entry] = &[
    Entry::folded::<crate::tenant_register::Tenants>(),
    Entry::folded::<crate::type_catalogue::Types>(),
    Entry::folded::<crate::catalogue::Catalogue>(),
    Entry::tables::<DeviceDirectory>(device_directory::NAME),
    Entry::folded::<crate::certificate_register::Certificates>(),
    Entry::folded::<crate::asset_directory::Assets>(),
    Entry::folded::<crate::rule_book::Rules>(),
    Entry::folded::<crate::alarm_board::Alarms>(),
    Entry::folded::<crate::activity_board::Activities>(),
    Entry::folded::<crate::notification_outbox::Notifications>(),
    Entry::tables::<DeadLetters>(dead_letters::NAME),
    Entry::tables::<SystemEvents>(system_events::NAME),
    Entry::tables::<AuditLog>(audit_log::NAME),
    Entry::tables::<AssetHealth>(asset_health::NAME),
    Entry::tables::<TelemetryHistory>(telemetry_history::NAME).with(telemetry_history::upkeep),
    Entry { name: latest_telemetry::NAME, kept: Kept::Latest, upkeep: None },
];

impl Entry {
    /// Makes the entry of a fold.
    const fn folded<F: Fold>() -> Self {
        Self::tables::<Folded<F>>(F::NAME)
    }

    /// Makes the entry of a projection in Postgres.
    const fn tables<P: Projection + Default + 'static>(name: &'static str) -> Self {
        Self { name, kept: Kept::Tables(make::<P>), upkeep: None }
    }

    /// Returns the entry with its upkeep.
    const fn with(self, upkeep: Upkeep) -> Self {
        Self { upkeep: Some(upkeep), ..self }
    }

    /// Returns what it reads.
    pub fn sources(&self) -> Vec<Source> {
        match self.kept {
            Kept::Tables(make) => make().sources(),
            Kept::Latest => latest_telemetry::sources(),
        }
    }
}

/// Returns the read models of these names, in the order of the list; all of them when no names are given.
pub fn chosen(names: Option<&[String]>) -> Result<Vec<Entry>, Error> {
    let Some(names) = names else { return Ok(ALL.to_vec()) };
    if let Some(unknown) = names.iter().find(|name| ALL.iter().all(|entry| entry.name != **name)) {
        return Err(Error::Unknown(unknown.clone()));
    }
    Ok(ALL.iter().filter(|entry| names.iter().any(|name| name == entry.name)).copied().collect())
}

fn make<P: Projection + Default + 'static>() -> Box<dyn Projection> {
    Box::new(P::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_tables_belong_to_one_read_model_each() {
        let mut names: Vec<&str> = ALL.iter().map(|entry| entry.name).collect();
        let mut tables = Vec::new();
        for entry in ALL {
            if let Kept::Tables(make) = entry.kept {
                assert_eq!(make().name(), entry.name);
                tables.extend(make().tables());
            }
        }
        for list in [&mut names, &mut tables] {
            let before = list.len();
            list.sort_unstable();
            list.dedup();
            assert_eq!(list.len(), before);
        }
    }

    #[test]
    fn an_unknown_name_is_refused() {
        assert!(matches!(chosen(Some(&["nothing".into()])), Err(Error::Unknown(name)) if name == "nothing"));
        assert_eq!(chosen(Some(&["alarm_board".into()])).unwrap().len(), 1);
        assert_eq!(chosen(None).unwrap().len(), ALL.len());
    }
}
