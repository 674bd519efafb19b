//! The PKI as a library (RFC 5280): root and organisation CAs, device and server certificates, revocation lists, and
//! the questions a listener asks of a certificate. No clock (times are parameters; rustls brings its own to a handshake),
//! no network, no storage but the one folder that `init_folder` makes.
//!
//! The tree is two levels deep. The root signs one intermediate CA for each organisation, and the server's certificate
//! itself: the root's key has to be at hand anyway to admit a new organisation, so a server intermediate would protect
//! nothing and would cost every small device one more certificate in its handshake. Organisation CAs carry the extended
//! key usage `clientAuth` alone, so none of them can make a server that devices would believe.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod authority;
mod ca;
pub mod claim_code;
pub mod crl;
pub mod csr;
pub mod folder;
pub mod identity;
pub mod master_key;
pub mod possession;
mod root;
pub mod rotation;
mod secret;
mod serial;
mod server_name;
pub mod statement;
pub mod token;
pub mod verifier;

pub use authority::{Authority, IssuedDevice};
pub use ca::SealedAuthority;
pub use claim_code::ClaimCode;
pub use crl::{Crl, CrlEntry, RevocationReason};
pub use folder::{Folder, Initialized, ServerFiles, init_folder, open_folder, open_server_files};
pub use identity::{Identity, identity, verify_chain};
pub use master_key::MasterKey;
pub use root::{IssuedServer, RootAuthority};
pub use secret::PrivateKeyPem;
pub use serial::Serial;
pub use server_name::ServerNames;
pub use token::DeviceToken;
pub use verifier::{SwappableVerifier, server_config};
