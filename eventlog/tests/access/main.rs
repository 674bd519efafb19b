//! Permissions of each role's user on a real nats-server with TLS, and errors that prevent a connection.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod allowed;
mod connection_errors;
mod forbidden;
mod old_server;
mod secured_server;
