//! The PKI as a library: root and organisation CAs, device and server certificates, revocation lists.
