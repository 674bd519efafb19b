//! The one list of read models. The live feed is not in it: each API process keeps its own in memory.

use eventlog::Source;
use futures_util::future::BoxFuture;
use sqlx::PgConnection;

use crate::Error;
use crate::asset_health::{self, AssetHealth};
use crate::audit_log::{self, AuditLog};
use crate::dead_letters::{self, DeadLetters};
use crate::device_directory::{self, DeviceDirectory};
use crate::fold::{Fold, FoldProjection};
use crate::latest_telemetry;
use crate::projection::Projection;
use crate::system_events::{self, SystemEvents};
use crate::telemetry_history::{self, TelemetryHistory};

/// A read model's name, and how to create its projection.
#[derive(Clone, Copy)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// Where it is stored.
    pub storage: Storage,
    /// Background maintenance on a connection of its own, if it needs any.
    pub upkeep: Option<Upkeep>,
}

/// Runs one step of the maintenance that is due; returns whether there may be more.
pub type Upkeep = for<'a> fn(&'a mut PgConnection) -> BoxFuture<'a, Result<bool, Error>>;

/// Where a read model is stored.
#[derive(Clone, Copy)]
pub enum Storage {
    /// In tables of PostgreSQL, written by the projection that this function creates.
    Postgres(fn() -> Box<dyn Projection>),
    /// In Redis: the latest values.
    Redis,
}

/// Every read model, in the order in which they are rebuilt.
pub const ALL: &[Entry] = &[
    Entry::fold::<crate::tenant_register::Tenants>(),
    Entry::fold::<crate::type_catalogue::Types>(),
    Entry::fold::<crate::catalogue::Catalogue>(),
    Entry::postgres::<DeviceDirectory>(device_directory::NAME),
    Entry::fold::<crate::certificate_register::Certificates>(),
    Entry::fold::<crate::asset_directory::Assets>(),
    Entry::fold::<crate::rule_book::Rules>(),
    Entry::fold::<crate::alarm_board::Alarms>(),
    Entry::fold::<crate::activity_board::Activities>(),
    Entry::fold::<crate::notification_outbox::Notifications>(),
    Entry::postgres::<DeadLetters>(dead_letters::NAME),
    Entry::postgres::<SystemEvents>(system_events::NAME),
    Entry::postgres::<AuditLog>(audit_log::NAME),
    Entry::postgres::<AssetHealth>(asset_health::NAME),
    Entry::postgres::<TelemetryHistory>(telemetry_history::NAME).with_upkeep(telemetry_history::upkeep),
    Entry { name: latest_telemetry::NAME, storage: Storage::Redis, upkeep: None },
];

impl Entry {
    /// Creates the entry of a fold.
    const fn fold<F: Fold>() -> Self {
        Self::postgres::<FoldProjection<F>>(F::NAME)
    }

    /// Creates the entry of a projection in PostgreSQL.
    const fn postgres<P: Projection + Default + 'static>(name: &'static str) -> Self {
        Self { name, storage: Storage::Postgres(create::<P>), upkeep: None }
    }

    /// Returns the entry with its maintenance.
    const fn with_upkeep(self, upkeep: Upkeep) -> Self {
        Self { upkeep: Some(upkeep), ..self }
    }

    /// Returns the streams that it reads.
    pub fn sources(&self) -> Vec<Source> {
        match self.storage {
            Storage::Postgres(create) => create().sources(),
            Storage::Redis => latest_telemetry::sources(),
        }
    }
}

/// Returns the read models with these names in the order of the list, or all of them without names. Errors if a name is
/// unknown.
pub fn select(names: Option<&[String]>) -> Result<Vec<Entry>, Error> {
    let Some(names) = names else { return Ok(ALL.to_vec()) };
    if let Some(unknown) = names.iter().find(|name| ALL.iter().all(|entry| entry.name != **name)) {
        return Err(Error::UnknownProjection(unknown.clone()));
    }
    Ok(ALL.iter().filter(|entry| names.iter().any(|name| name == entry.name)).copied().collect())
}

fn create<P: Projection + Default + 'static>() -> Box<dyn Projection> {
    Box::new(P::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_and_each_table_belongs_to_one_read_model() {
        let mut names: Vec<&str> = ALL.iter().map(|entry| entry.name).collect();
        let mut tables = Vec::new();
        for entry in ALL {
            if let Storage::Postgres(create) = entry.storage {
                assert_eq!(create().name(), entry.name);
                tables.extend(create().tables());
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
        assert!(matches!(select(Some(&["nothing".into()])), Err(Error::UnknownProjection(name)) if name == "nothing"));
        assert_eq!(select(Some(&["alarm_board".into()])).unwrap().len(), 1);
        assert_eq!(select(None).unwrap().len(), ALL.len());
    }
}
