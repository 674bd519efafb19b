//! Who may do what on a real nats-server with TLS and a user for each role, and what keeps a connection from starting.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod forbidden;
mod guarded;
mod old;
mod refusals;
mod work;
