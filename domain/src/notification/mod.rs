//! Notifications: one message about one transition over one channel, with retries, until it is delivered or fails.

mod aggregate;
mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;

mod notice;
pub use aggregate::{MAX_ATTEMPTS, Notification, Stage};
pub use command::NotificationCommand;
pub use error::Error;
pub use event::NotificationEvent;
pub use notice::Notice;
