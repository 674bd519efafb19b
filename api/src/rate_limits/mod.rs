//! Rate limits: requests per user, API key and IP address, and failed sign-ins. The counters are in Redis, shared by
//! all API processes (`projections::rate_limits`); while Redis is unreachable, requests pass uncounted.

mod address;
pub mod limiter;
mod meter;
mod requests;
mod sign_in;

pub use address::ClientAddress;
pub use limiter::Limiter;
pub use meter::Meter;
pub use requests::Limited;
