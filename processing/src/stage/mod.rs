//! The framework that runs every stage of the telemetry path. A stage declares what it reads, how its work is divided
//! into units, and what one input message does to a unit's state and output ([`Stage`]). Fetching, waiting for the
//! directory, skipping repeated input, snapshots, ownership, publishing, commands and shutdown are written here, once.

mod deliver;
mod effects;
mod high_water_marks;
mod snapshots;
mod stage_consumer;
mod stage_trait;
mod supervise;
mod unit_state;

pub use deliver::Delivery;
pub use effects::{Command, Effects};
pub use high_water_marks::HighWaterMarks;
pub use snapshots::{Error as SnapshotError, Snapshots};
pub use stage_consumer::{StageConsumer, compute};
pub use stage_trait::{Stage, StepContext, filters, subject_partition};
pub use supervise::{StageDeps, Timing, supervise};
pub use unit_state::UnitState;
