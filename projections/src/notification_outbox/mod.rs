//! Messages about alarms: what is to be sent and when, what went out, what was given up. What does not live here: sending.

mod fold;
pub mod read;
mod row;
#[cfg(test)]
mod tests;

pub(crate) use fold::Notifications;
pub use row::NotificationRow;

/// The read model's name.
pub const NAME: &str = "notification_outbox";
