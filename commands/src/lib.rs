//! From a command to stored events: the dispatcher (load, decide, append), claims of unique values, and resumable
//! processes over several aggregates. It never asks a read model for permission; what a decision needs is loaded from
//! the log. What does not live here: the decisions themselves (`domain`) and how events are stored (`eventlog`).
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod api_key;
pub mod bootstrap;
mod claim;
mod context;
mod crl;
pub mod device;
mod dispatch;
mod error;
mod executable;
mod handle;
mod keys;
mod open;
pub mod organization;
mod random;
mod reference;
mod request;
mod rotation;
pub mod session;
mod stores;
pub mod user;
mod vault;
mod webhook;

pub use api_key::{ApiKeyError, CreatedApiKey, NewApiKey, VerifiedApiKey};
pub use bootstrap::Bootstrapped;
pub use context::{CommandContext, Receipt};
pub use crl::{Revocation, RevocationList};
pub use device::{
    Bundle, DecommissionedDevice, Enrolled, IssuedCertificate, IssuedClaimCode, IssuedDeviceToken, NewDevice,
    NewDeviceToken, PendingDevice, Presented, RegisteredDevice, Renewal, RenewedCertificate, ReplacedDevice,
    Replacement, ReplacementCertificate, RevokedCertificates, TakenBundle,
};
pub use error::{Cause, Error};
pub use executable::Executable;
pub use handle::Handle;
pub use keys::Keys;
pub use open::{Clock, Commands, EventStore, OpenError};
pub use organization::{FoundOrganization, FoundedOrganization};
pub use reference::Reference;
pub use rotation::rotate_master_key;
pub use session::{Session, SessionError, Standing};
pub use user::{NewUser, RegisteredUser, SignInError, SignedIn, UserProfile};
