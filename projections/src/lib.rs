//! Read models: one folder each, one registry, one runner.
