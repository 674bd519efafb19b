//! Authentication: access tokens, API keys and the refresh cookie. Passwords and sessions live in `commands`,
//! permissions in `access`.

mod authenticate;
mod caller;
mod cookie;
mod standing;
pub mod token;

pub use authenticate::{ORGANIZATION, authenticate};
pub use caller::{Allowed, Caller, Principal, organization_of};
pub use cookie::{RefreshCookie, refresh_cookie, without_cookie};
pub use standing::Standing;
pub use token::{Grant, TOKEN_SECONDS, Tokens};
