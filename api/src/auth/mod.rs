//! Who calls: access tokens and the bearer scheme. What does not live here: passwords (`commands`), and which role may
//! do what (`access`).

mod caller;
mod token;

pub use caller::{Allowed, Caller};
pub use token::{TOKEN_SECONDS, Tokens, Verified};
