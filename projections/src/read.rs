//! Everything that the API asks read models, by noun. What does not live here: the questions themselves; each stands
//! beside its read model.

pub use crate::activity_board::read as activities;
pub use crate::alarm_board::read as alarms;
pub use crate::asset_directory::read as assets;
pub use crate::asset_health::read as health;
pub use crate::audit_log::read as audit;
pub use crate::certificate_register::read as certificates;
pub use crate::device_directory::read as devices;
pub use crate::latest_telemetry::read as latest;
pub use crate::rule_book::read as rules;
pub use crate::system_events::read as events;
pub use crate::telemetry_history::read as telemetry;
pub use crate::tenant_register::read as tenants;
pub use crate::type_catalogue::read as types;

pub use crate::{Error, Page, Paging, Reader, WaitError};
