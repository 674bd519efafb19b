//! The position of a value in its input stream, used to make processing idempotent.

use serde::{Deserialize, Serialize};

/// Position of a value in the input of the stage that produced it. Within one source (a raw shard, or a partition of
/// the previous stage) positions only increase, and a reader skips values at or before the last position that it has
/// processed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// Stream sequence of the input message.
    pub sequence: u64,
    /// Index inside the input message, from 0.
    pub ordinal: u32,
}
