//! The fold.

/// Everything the hot path looks up.
#[derive(Debug, Default)]
pub struct Directory {}
