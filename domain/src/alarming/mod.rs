//! When a condition is a breach, and when it is over: a pure state machine. What does not live here: reading, storing.

mod condition;
mod operator;
mod severity;

pub use condition::Condition;
pub use operator::Operator;
pub use severity::Severity;
