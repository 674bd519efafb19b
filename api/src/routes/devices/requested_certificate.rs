//! Which certificate a request for a new or replaced device asks for.

use crate::prelude::*;

/// The certificate that a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum RequestedCertificate {
    /// None: the device enrols with a claim code.
    None,
    /// One for a key that the platform generates.
    GeneratedKey,
    /// One for the key of this signing request, PEM.
    SigningRequest(String),
}

impl RequestedCertificate {
    /// Combines the fields `csr` and `issueCertificate`. Errors when a signing request is given but no certificate wanted.
    pub fn from_fields(csr: Option<String>, issue_certificate: Option<bool>) -> Result<Self, Problem> {
        match (csr, issue_certificate.unwrap_or(true)) {
            (Some(_), false) => Err(Problem::field("csr", "must be left out where issueCertificate is false")),
            (Some(csr), true) => Ok(Self::SigningRequest(csr)),
            (None, true) => Ok(Self::GeneratedKey),
            (None, false) => Ok(Self::None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_with_a_generated_key_is_the_default() {
        let requested = |csr: Option<&str>, issue| {
            RequestedCertificate::from_fields(csr.map(str::to_owned), issue).map_err(|_| "refused")
        };
        assert_eq!(requested(None, None), Ok(RequestedCertificate::GeneratedKey));
        assert_eq!(requested(None, Some(false)), Ok(RequestedCertificate::None));
        assert_eq!(requested(Some("csr"), None), Ok(RequestedCertificate::SigningRequest("csr".to_owned())));
        assert_eq!(requested(Some("csr"), Some(false)), Err("refused"));
    }
}
