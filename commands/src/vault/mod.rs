//! The vault: secrets that are not events, encrypted under the master key (keys of personal data, password hashes,
//! organisations' CA keys, the key of e-mail hashes, webhook keys, bundles waiting for download); digests of sessions
//! and requests; and the published revocation lists, which are not secret.

mod authority_key;
mod bundle;
mod crl;
mod derived_key;
mod email;
mod password_hash;
mod password_hasher;
mod person_key;
mod request_fingerprint;
mod session;
mod store;
mod webhook_key;
mod write_once;

pub(crate) use authority_key::is_authority;
pub(crate) use crl::PublishedCrl;
pub(crate) use email::EmailAddress;
pub(crate) use person_key::Field;
pub(crate) use session::{SessionUpdate, StoredSession};
pub(crate) use store::Vault;
