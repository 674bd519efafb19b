//! Executes commands: the dispatcher (load, decide, append), claims of unique values, and resumable processes across
//! several aggregates. Decisions never depend on a read model; the state they need is loaded from the log. The
//! decisions themselves live in `domain`, event storage in `eventlog`.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod access_changes;
pub mod api_key;
pub mod bootstrap;
mod commands;
mod context;
mod crl;
pub mod device;
mod dispatch;
mod error;
mod executable;
mod idempotent_request;
mod keys;
mod master_key_rotation;
mod one_time_secret;
pub mod organization;
mod random;
mod reference;
mod reference_check;
pub mod session;
mod stores;
mod unique_claim;
pub mod user;
mod vault;
mod webhook_secret;

pub use api_key::{ApiKeyError, CreatedApiKey, NewApiKey, VerifiedApiKey};
pub use bootstrap::Bootstrapped;
pub use commands::{Clock, Commands, EventStore, OpenError};
pub use context::{CommandContext, Receipt};
pub use crl::{Revocation, RevocationList};
pub use device::{
    AuthenticatedDevice, Bundle, DecommissionedDevice, Enrolled, IssuedCertificate, IssuedClaimCode, IssuedDeviceToken,
    NewDevice, NewDeviceToken, PendingDevice, RegisteredDevice, Renewal, RenewedCertificate, ReplacedDevice,
    Replacement, ReplacementCertificate, RevokedCertificates, TakenBundle,
};
pub use error::{Cause, Error};
pub use executable::Executable;
pub use keys::Keys;
pub use master_key_rotation::rotate_master_key;
pub use one_time_secret::OneTimeSecret;
pub use organization::{FoundOrganization, FoundedOrganization};
pub use reference::Reference;
pub use session::{AccessStatus, Session, SessionError};
pub use user::{NewUser, RegisteredUser, SignInError, SignedIn, UserProfile};
