//! What unit tests share.
