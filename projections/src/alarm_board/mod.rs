//! The alarm board, in the terms of ISA-18.2: active or returned to normal, acknowledged or not. Alarms are
//! raised by `domain::alarming`.

mod fold;
pub mod read;
mod row;
#[cfg(test)]
mod tests;

pub use fold::Alarms;
pub use row::AlarmRow;

/// The projection's name.
pub const NAME: &str = "alarm_board";
