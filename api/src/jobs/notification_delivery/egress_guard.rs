//! Decides which addresses webhooks may reach: public ones, and internal ones only if configured. Otherwise a webhook
//! could address the platform's own network (server-side request forgery).

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Networks that are not on the public internet (IANA's special-purpose address registries).
const INTERNAL: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/127",
    "64:ff9b::/96",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "fc00::/7",
    "fe80::/10",
    "ff00::/8",
];

/// The text is not a network.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a network such as 10.1.0.0/16")]
pub struct NotANetwork(String);

/// An address that may not be reached.
#[derive(Debug, thiserror::Error)]
#[error("address {0} is internal; allow it in webhooks.allowed_networks")]
pub struct InternalAddress(IpAddr);

/// Decides which addresses may be reached.
#[derive(Clone, Debug, Default)]
pub struct EgressGuard {
    internal: Vec<IpNet>,
    allowed: Vec<IpNet>,
}

impl EgressGuard {
    /// Returns a guard that allows the public internet and these internal networks.
    pub fn allowing(networks: &[String]) -> Result<Self, NotANetwork> {
        let read = |text: &str| text.parse().map_err(|_| NotANetwork(text.to_owned()));
        let internal = INTERNAL.iter().map(|text| read(text)).collect::<Result<_, _>>()?;
        let allowed = networks.iter().map(|text| read(text)).collect::<Result<_, _>>()?;
        Ok(Self { internal, allowed })
    }

    fn allows(&self, address: IpAddr) -> bool {
        // An IPv4-mapped IPv6 address must not slip past the IPv4 networks.
        let address = address.to_canonical();
        let within = |networks: &[IpNet]| networks.iter().any(|network| network.contains(&address));
        within(&self.allowed) || !within(&self.internal)
    }
}

/// A resolver that returns only addresses the guard allows. The connection uses exactly the addresses checked here, so
/// a name that resolves differently a moment later (DNS rebinding) gains nothing.
#[derive(Debug)]
pub struct AllowedResolver {
    names: DefaultResolver,
    guard: EgressGuard,
}

impl AllowedResolver {
    /// Returns the system's resolver behind a guard.
    pub fn new(guard: EgressGuard) -> Self {
        Self { names: DefaultResolver::default(), guard }
    }
}

impl Resolver for AllowedResolver {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.names.resolve(uri, config, timeout)?;
        let mut allowed = self.empty();
        let is_allowed = |address: &&SocketAddr| self.guard.allows(address.ip());
        found.iter().filter(is_allowed).for_each(|address| allowed.push(*address));
        match found.first() {
            Some(first) if allowed.is_empty() => Err(ureq::Error::Other(Box::new(InternalAddress(first.ip())))),
            _ => Ok(allowed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn internal_addresses_are_refused_unless_allowed() {
        let strict = EgressGuard::allowing(&[]).unwrap();
        let internal = [
            "127.0.0.1",
            "10.1.2.3",
            "172.20.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "::1",
            "::",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "64:ff9b::a00:1",
        ];
        for address in internal {
            assert!(!strict.allows(address.parse().unwrap()), "{address}");
        }
        for address in ["8.8.8.8", "2606:4700::1111", "172.32.0.1"] {
            assert!(strict.allows(address.parse().unwrap()), "{address}");
        }
        let loose = EgressGuard::allowing(&["127.0.0.0/8".to_owned(), "fd00::/8".to_owned()]).unwrap();
        assert!(loose.allows("127.0.0.1".parse().unwrap()) && loose.allows("fd00::1".parse().unwrap()));
        assert!(!loose.allows("10.0.0.1".parse().unwrap()));
        assert!(EgressGuard::allowing(&["localhost".to_owned()]).unwrap_err().to_string().contains("localhost"));
    }
}
