//! Who is at the other end of a connection, where the listener asks for client certificates.

use std::sync::Arc;

use poem::Request;
use rustls_pki_types::CertificateDer;

use crate::problem::{Kind, Problem};

/// The other end of a connection: put into each of its requests by the listener, and nobody else.
#[derive(Debug)]
pub struct Peer {
    /// The certificates that it presented, its own first; it has proven to hold the key of that one. Whether they are
    /// worth anything is not decided yet.
    pub chain: Vec<CertificateDer<'static>>,
}

impl Peer {
    /// Returns what the sender of a request presented.
    pub fn chain(request: &Request) -> Result<&[CertificateDer<'static>], Problem> {
        let refused = |detail| Problem::of(Kind::Unauthenticated, detail);
        match request.extensions().get::<Arc<Self>>() {
            None => Err(refused("this port sees no client certificates: use the one for enrolment")),
            Some(peer) if peer.chain.is_empty() => Err(refused("present the device's current certificate")),
            Some(peer) => Ok(&peer.chain),
        }
    }
}
