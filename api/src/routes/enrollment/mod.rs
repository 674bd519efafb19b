//! How devices get their first and their next certificate: claim codes, enrolling, renewing with the present one.

mod codes;
mod current;
mod enroll;
pub mod peer;
mod renew;
mod view;

/// The endpoints.
pub type Api = (codes::Api, enroll::Api, renew::Api, current::Api);
