//! The platform's PKI (RFC 5280): root and organisation CAs, device and server certificates, revocation lists, and
//! client certificate verification for TLS listeners. It reads no clock (times are parameters; only rustls reads the
//! time in a handshake), uses no network, and stores nothing outside the folder that `init_key_folder` creates.
//!
//! The hierarchy has two levels. The root signs one intermediate CA for each organisation, and signs server
//! certificates directly: the root key must be online anyway to found an organisation, so a server intermediate would
//! protect nothing and would add a certificate to the handshake of every small device. Organisation CAs carry only the
//! extended key usage `clientAuth`, so none of them can issue a server certificate that devices would trust.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod atomic_file;
mod ca;
pub mod claim_code;
pub mod crl;
pub mod csr;
pub mod error;
pub mod identity;
pub mod key_folder;
pub mod master_key;
pub mod master_key_rotation;
mod organization_ca;
mod private_key_pem;
pub mod proof_of_possession;
mod root_ca;
mod serial;
pub mod server_names;
pub mod signed_statement;
pub mod tls_server;
pub mod token;
pub mod verifier;

pub use ca::SealedAuthority;
pub use claim_code::ClaimCode;
pub use crl::{Crl, CrlEntry, RevocationReason};
pub use error::Error;
pub use identity::{Identity, identity, verify_chain};
pub use key_folder::{
    InitializedKeyFolder, KeyFolder, ServerFiles, init_key_folder, open_key_folder, read_server_files,
};
pub use master_key::MasterKey;
pub use organization_ca::{Authority, IssuedDevice};
pub use private_key_pem::PrivateKeyPem;
pub use root_ca::{IssuedServer, RootAuthority};
pub use serial::Serial;
pub use server_names::ServerNames;
pub use token::DeviceToken;
pub use verifier::{SwappableVerifier, server_config};
