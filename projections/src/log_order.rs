//! The order of arrival: of several values of one metric and time, the one with the greatest order counts, in every read
//! model.

use eventlog::Message;

use crate::sql_values::to_bigint;

/// Returns the order of arrival of a reading: the stream sequence times 65,536, plus the index in the message.
pub fn log_order(message: &Message, index: usize) -> i64 {
    (to_bigint(message.sequence) << 16) | i64::from(u16::try_from(index).unwrap_or(u16::MAX))
}
