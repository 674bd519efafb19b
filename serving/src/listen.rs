//! Binds the socket that a server listens on.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};

use crate::Error;

/// Where to listen.
#[derive(Debug)]
pub enum Listen {
    /// On an address, which is bound when the server starts.
    Address(SocketAddr),
    /// On a listener that is already bound.
    Listener(TcpListener),
}

/// Returns a bound, non-blocking listener; an address in use is an error of its own, which names the port.
pub fn bind(listen: Listen) -> Result<TcpListener, Error> {
    let listener = match listen {
        Listen::Listener(listener) => listener,
        Listen::Address(address) => TcpListener::bind(address).map_err(|source| match source.kind() {
            ErrorKind::AddrInUse => Error::AddressInUse(address),
            _ => Error::Listen { address, source },
        })?,
    };
    // Tokio takes over non-blocking sockets only.
    listener.set_nonblocking(true).map_err(Error::Listener)?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_reported_in_one_line() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let error = bind(Listen::Address(address)).unwrap_err().to_string();
        assert!(error.starts_with(&format!("port {} is in use", address.port())), "{error}");
        assert_eq!(error.lines().count(), 1);
    }
}
