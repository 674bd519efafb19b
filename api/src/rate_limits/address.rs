//! Finds the IP address of a request's client. Behind reverse proxies, the connection comes from the last proxy; the
//! client is the address that the outermost trusted proxy appended to `X-Forwarded-For`.

use std::net::IpAddr;

use poem::{Addr, Request};

/// The header to which each proxy appends the address of its client.
const FORWARDED_FOR: &str = "X-Forwarded-For";

/// The address of a request's client; `None` if unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub Option<IpAddr>);

impl ClientAddress {
    /// Returns the address of the client behind this many trusted proxies.
    pub fn of(request: &Request, trusted_proxies: u8) -> Self {
        let direct = match &request.remote_addr().0 {
            Addr::SocketAddr(address) => Some(address.ip()),
            _ => None,
        };
        if trusted_proxies == 0 {
            return Self(direct);
        }
        let headers = request.headers().get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
        let hops: Vec<&str> = headers.flat_map(|text| text.split(',')).map(str::trim).collect();
        let client = hops.len().checked_sub(usize::from(trusted_proxies)).and_then(|at| hops.get(at));
        Self(client.and_then(|text| text.parse().ok()).or(direct))
    }
}

impl std::fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            // One household usually has a whole /64 network, so it counts as one client.
            Some(IpAddr::V6(address)) => write!(f, "{:x}", u128::from(address) >> 64),
            Some(IpAddr::V4(address)) => write!(f, "{address}"),
            None => f.write_str("unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(forwarded: &[&str], trusted_proxies: u8) -> String {
        let request =
            forwarded.iter().fold(Request::builder(), |request, text| request.header(FORWARDED_FOR, *text)).finish();
        ClientAddress::of(&request, trusted_proxies).to_string()
    }

    #[test]
    fn the_client_is_the_address_that_the_outermost_trusted_proxy_saw() {
        assert_eq!(of(&["6.6.6.6"], 0), "unknown", "nobody is trusted");
        assert_eq!(of(&["6.6.6.6, 10.0.0.1"], 1), "10.0.0.1", "a client may write what it likes in front");
        assert_eq!(of(&["6.6.6.6, 10.0.0.1", "10.0.0.2"], 2), "10.0.0.1");
        assert_eq!(of(&["10.0.0.1"], 2), "unknown");
        assert_eq!(of(&["not an address"], 1), "unknown");
    }

    #[test]
    fn ipv6_addresses_of_one_64_bit_network_count_as_one() {
        let count = |last: &str| of(&[&format!("2001:db8:1:2::{last}")], 1);
        assert_eq!(count("1"), count("ffff"));
        assert_ne!(count("1"), of(&["2001:db8:1:3::1"], 1));
    }
}
