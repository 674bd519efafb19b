//! Where in its input a value comes from, so that no effect happens twice.

use serde::{Deserialize, Serialize};

/// Position of a value in the input of the stage that made it. Within one source (a raw shard, or a partition of the
/// stage before) positions only grow, and a reader drops what is at or below the last one it has seen of that source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// Stream sequence of the input message.
    pub sequence: u64,
    /// Place inside the input message, from 0.
    pub ordinal: u32,
}
