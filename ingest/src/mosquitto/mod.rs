//! The integration of a mosquitto broker: its dynamic security plugin holds the devices that may connect, each with its
//! own topics, and its revocation file holds the revoked certificates. Reading telemetry from a broker is in `bridge`.

mod access_changes;
mod access_sync;
mod admission_list;
mod control_connection;

mod revocation_lists;

pub use access_sync::AccessSync;
pub use admission_list::{AdmissionList, admission_list};
