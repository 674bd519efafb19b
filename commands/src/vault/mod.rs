//! The secrets that are no events: keys of people's data, password hashes, organisations' CA keys, the key of e-mail
//! hashes, bundles that wait for their download, keys of webhooks, all encrypted under the master key; and sessions and
//! requests, of which digests are kept. Beside them the published revocation lists, which are no secrets. What does not
//! live here: who may use them.

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
