//! Commands on devices, their certificates and tokens: register, enrol, renew, revoke, replace, decommission.
//!
//! The certificates of a device are numbered: the id of the nth derives from the device and n. So all of them are found
//! by loading one after the other until there is none, and two certificates issued concurrently cannot both be the nth.

mod announce_expiry;
mod auto_renew;
mod bundle;
mod claim_code;
mod compromised_keys;
mod decommission;
mod enroll;
mod import;
mod issue;
mod numbered_certificates;
mod refusal;
mod register;
mod renew;
mod renew_by_certificate;
mod replace;
mod revoke;
mod serial_number;
mod supersede;
mod tokens;

pub use bundle::{Bundle, TakenBundle};
pub use claim_code::IssuedClaimCode;
pub use decommission::DecommissionedDevice;
pub use enroll::Enrolled;
pub use issue::IssuedCertificate;
pub use refusal::Refusal;
pub use register::{NewDevice, PendingDevice, RegisteredDevice};
pub use renew::{Renewal, RenewedCertificate};
pub use renew_by_certificate::AuthenticatedDevice;
pub use replace::{ReplacedDevice, Replacement, ReplacementCertificate};
pub use revoke::RevokedCertificates;
pub use tokens::{IssuedDeviceToken, NewDeviceToken};
