//! Activities: work orders from creation to completion or cancellation.

mod aggregate;
mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;

mod work_order;
pub use aggregate::Activity;
pub use command::ActivityCommand;
pub use error::Error;
pub use event::ActivityEvent;
pub use work_order::{ActivityStatus, WorkOrder};
