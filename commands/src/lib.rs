//! From a command to stored events: dispatcher, unique-key claims, resumable processes.
