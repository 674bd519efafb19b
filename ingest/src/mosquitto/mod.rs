//! Keeps a mosquitto broker to the platform's decision on who may connect: its dynamic security plugin knows the devices
//! that may, each with its own topics, and its revocation file the certificates that no longer count. The bridge that
//! reads from a broker is elsewhere.

mod access_changes;
mod access_sync;
mod admission_list;
mod control_connection;

mod revocation_lists;

pub use access_sync::AccessSync;
pub use admission_list::{AdmissionList, admission_list};
