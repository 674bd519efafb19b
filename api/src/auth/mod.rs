//! Who calls: access tokens, API keys, the refresh cookie. What does not live here: passwords and sessions (`commands`),
//! and which role may do what (`access`).

mod authenticate;
mod caller;
mod cookie;
pub mod token;

pub use authenticate::{ORGANIZATION, Verified, authenticate};
pub use caller::{Allowed, Caller, Principal, organization_of};
pub use cookie::{RefreshCookie, refresh_cookie, without_cookie};
pub use token::{Grant, TOKEN_SECONDS, Tokens};
