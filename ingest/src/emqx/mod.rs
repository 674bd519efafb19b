//! What an EMQX broker asks of the platform and is told by it: its authentication hook, answered with the same decision
//! as the edge's, and the end of sessions whose device lost its right. The bridge that reads from a broker is elsewhere.

pub mod auth_hook;
pub mod hook_messages;
pub mod kick;
