//! The PKI as a library (RFC 5280): root and organisation CAs, device and server certificates, revocation lists, and
//! the questions a listener asks of a certificate. No clock (times are parameters; rustls brings its own to a handshake),
//! no network, no storage but the one folder that `init_key_folder` makes.
//!
//! The tree is two levels deep. The root signs one intermediate CA for each organisation, and the server's certificate
//! itself: the root's key has to be at hand anyway to admit a new organisation, so a server intermediate would protect
//! nothing and would cost every small device one more certificate in its handshake. Organisation CAs carry the extended
//! key usage `clientAuth` alone, so none of them can make a server that devices would believe.
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
