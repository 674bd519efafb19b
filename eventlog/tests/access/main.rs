//! Who may do what on a real nats-server with TLS and a user for each role, and what keeps a connection from starting.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod allowed;
mod connection_errors;
mod forbidden;
mod old_server;
mod secured_server;
