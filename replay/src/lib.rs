//! Rebuilding read models from the log, and proving the result equal.
