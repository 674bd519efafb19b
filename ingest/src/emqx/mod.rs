//! The integration of an EMQX broker: the authentication hook, which decides like the edge, and ending sessions of
//! devices that lost access. Reading telemetry from a broker is in `bridge`.

pub mod auth_hook;
pub mod hook_messages;
pub mod kick;
