//! Keeps a mosquitto broker to the platform's decision on who may connect: its dynamic security plugin knows the devices
//! that may, each with its own topics, and its revocation file the certificates that no longer count. The bridge that
//! reads from a broker is elsewhere.

mod admitted;
mod control;
mod keeper;
mod plan;
mod revocations;

pub use admitted::{Standing, standing};
pub use keeper::Keeper;
pub use revocations::{NotAnAddress as NoApi, RevocationFile};

use crate::config::Secret;

/// How the broker is told who may connect.
#[derive(Clone, Debug)]
pub struct DynamicSecurity {
    /// Name of the account that administers the plugin.
    pub user: String,
    /// Its password.
    pub password: Secret,
    /// The broker's revocation file; none where it has none, and a device that holds another certificate that counts may
    /// then use a revoked one until its end.
    pub revocations: Option<RevocationFile>,
}
