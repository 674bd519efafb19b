//! The names that a server certificate certifies: DNS names and IP addresses, checked before they are signed.

use std::collections::BTreeSet;

use rcgen::SanType;
use rustls_pki_types::{CertificateDer, ServerName};
use x509_parser::extensions::GeneralName;

use crate::identity;

/// A non-empty set of DNS names and IP addresses in canonical spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerNames(BTreeSet<String>);

/// Why a server certificate cannot carry the names.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No name was given.
    #[error("a server certificate needs at least one DNS name or IP address")]
    Empty,
    /// The text is neither a DNS name nor an IP address.
    #[error("{0:?} is neither a DNS name nor an IP address")]
    Invalid(String),
}

impl ServerNames {
    /// Parses DNS names (no wildcards) and IP addresses.
    pub fn parse<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> Result<ServerNames, Error> {
        let names = names.into_iter().map(|name| canonical(name.as_ref())).collect::<Result<BTreeSet<_>, _>>()?;
        if names.is_empty() {
            return Err(Error::Empty);
        }
        Ok(ServerNames(names))
    }

    /// Returns the names in canonical spelling, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    pub(crate) fn to_rcgen(&self) -> Result<Vec<SanType>, rcgen::Error> {
        self.iter()
            .map(|name| match name.parse() {
                Ok(address) => Ok(SanType::IpAddress(address)),
                Err(_) => Ok(SanType::DnsName(name.try_into()?)),
            })
            .collect()
    }

    /// Returns the names in a certificate; `None` if it has names other than DNS names and IP addresses.
    pub(crate) fn of_certificate(certificate: &CertificateDer<'_>) -> Option<ServerNames> {
        let parsed = identity::parse(certificate).ok()?;
        let names = parsed.subject_alternative_name().ok()??;
        let names = names.value.general_names.iter().map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            GeneralName::IPAddress(bytes) => match bytes.len() {
                4 => <[u8; 4]>::try_from(*bytes).ok().map(|bytes| std::net::IpAddr::from(bytes).to_string()),
                _ => <[u8; 16]>::try_from(*bytes).ok().map(|bytes| std::net::IpAddr::from(bytes).to_string()),
            },
            _ => None,
        });
        ServerNames::parse(names.collect::<Option<Vec<_>>>()?).ok()
    }
}

fn canonical(name: &str) -> Result<String, Error> {
    match ServerName::try_from(name) {
        Ok(ServerName::DnsName(name)) => Ok(name.as_ref().to_ascii_lowercase()),
        Ok(ServerName::IpAddress(address)) => Ok(std::net::IpAddr::from(address).to_string()),
        _ => Err(Error::Invalid(name.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_deduplicated_in_canonical_form() {
        let names = ServerNames::parse(["LocalHost", "::1", "localhost", "127.0.0.1"]).unwrap();
        assert_eq!(names.iter().collect::<Vec<_>>(), ["127.0.0.1", "::1", "localhost"]);
    }

    #[test]
    fn invalid_names_are_refused() {
        assert_eq!(ServerNames::parse(Vec::<String>::new()), Err(Error::Empty));
        for name in ["", "https://a.example", "a b", "*.example.org", "10.0.0.1:8883"] {
            assert_eq!(ServerNames::parse([name]), Err(Error::Invalid(name.to_owned())));
        }
    }
}
