//! The client certificate chain of a connection to the enrolment listener.

use std::sync::Arc;

use poem::Request;
use rustls_pki_types::CertificateDer;

use crate::problem::{Kind, Problem};

/// The client of a connection. Only the listener adds it to a request.
#[derive(Debug)]
pub struct Peer {
    /// The presented certificates, leaf first. The client has proven possession of the leaf's private key; the chain is
    /// not verified yet.
    pub chain: Vec<CertificateDer<'static>>,
}

impl Peer {
    /// Returns the certificates that the client presented.
    pub fn chain(request: &Request) -> Result<&[CertificateDer<'static>], Problem> {
        let refused = |detail| Problem::of(Kind::Unauthenticated, detail);
        match request.extensions().get::<Arc<Self>>() {
            None => Err(refused("this port does not accept client certificates: use the enrolment port")),
            Some(peer) if peer.chain.is_empty() => Err(refused("present the device's current certificate")),
            Some(peer) => Ok(&peer.chain),
        }
    }
}
