//! How devices get their first and their next certificate: claim codes, enrolling, renewing with the present one.

mod enroll;
mod fetch_certificate;
mod issue_codes;
pub mod peer;
mod renew;
mod view;

/// The endpoints.
pub type Api = (issue_codes::Api, enroll::Api, renew::Api, fetch_certificate::Api);
