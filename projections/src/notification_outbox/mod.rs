//! The outbox of alarm notifications: pending with their next attempt, delivered, or failed. The API sends them.

mod fold;
pub mod read;
mod row;
#[cfg(test)]
mod tests;

pub(crate) use fold::Notifications;
pub use row::NotificationRow;

/// The read model's name.
pub const NAME: &str = "notification_outbox";
