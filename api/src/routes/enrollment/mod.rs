//! Enrolment: claim codes, the first certificate, and renewal with the current certificate.

mod enroll;
mod fetch_certificate;
mod issue_codes;
pub mod peer;
mod renew;
mod view;

/// The endpoints.
pub type Api = (issue_codes::Api, enroll::Api, renew::Api, fetch_certificate::Api);
