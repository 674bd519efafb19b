//! Signs and publishes certificate revocation lists (RFC 5280, section 5), once for each state and hour.
//!
//! A list's number combines the log position of the last revocation and the hour, neither of which decreases, so it
//! grows with every list as section 5.2.3 requires. Published lists are stored: a number denotes the same bytes in
//! every process, and a read model that is being rebuilt cannot undo a revocation.

use certs::{Crl, CrlEntry, RevocationReason, Serial};
use chrono::{DateTime, TimeDelta, Utc};
use domain::certificate::RevocationCode;
use domain::ids::OrganizationId;

use crate::commands::Commands;
use crate::error::{Cause, Error};
use crate::vault::PublishedCrl;

/// Validity of a list, and the interval at which a new one is issued even if nothing was revoked.
const VALID: TimeDelta = TimeDelta::hours(24);
const PERIOD_SECONDS: i64 = 3_600;
/// Bits of a list's number that count periods: some 1,900 years of hours.
const PERIOD_BITS: u32 = 24;
/// Name under which the root CA's own list is stored.
const ROOT: &str = "root";

/// A revoked certificate from the certificate register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Serial number, lower-case hex.
    pub serial_number: String,
    /// When it was revoked.
    pub revoked_at: DateTime<Utc>,
    /// Why.
    pub code: RevocationCode,
}

/// A published revocation list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationList {
    /// Its number.
    pub number: u64,
    /// DER (`application/pkix-crl`).
    pub der: Vec<u8>,
    /// PEM.
    pub pem: String,
}

/// The content of a list before it is signed.
struct Draft {
    ca: String,
    number: u64,
    this_update: DateTime<Utc>,
    entries: Vec<CrlEntry>,
}

impl Commands {
    /// Returns the revocation list of an organisation's CA as of a log position, or a later list if one was published.
    /// `None` if the organisation has no CA.
    pub async fn revocation_list(
        &self,
        organization: OrganizationId,
        revocations: &[Revocation],
        position: u64,
    ) -> Result<Option<RevocationList>, Error> {
        let draft = self.draft(organization.to_string(), revocations, position)?;
        if let Some((published, _)) = self.published(&draft).await? {
            return Ok(Some(published.into()));
        }
        // Only a list that is not published yet needs the CA's key.
        let authority = self.inner.vault.authority(&self.inner.keys, organization).await?;
        let Some(authority) = authority else { return Ok(None) };
        let sign =
            |draft: &Draft| authority.crl(&draft.entries, draft.number, draft.this_update, draft.this_update + VALID);
        self.publish(draft, sign).await.map(Some)
    }

    /// Returns the revocation list of the root CA, which is empty: organisation CAs are never revoked.
    pub async fn root_revocation_list(&self) -> Result<RevocationList, Error> {
        let root = self.inner.keys.root.clone();
        let draft = self.draft(ROOT.to_owned(), &[], 0)?;
        let sign = |draft: &Draft| root.crl(&draft.entries, draft.number, draft.this_update, draft.this_update + VALID);
        self.publish(draft, sign).await
    }

    fn draft(&self, ca: String, revocations: &[Revocation], position: u64) -> Result<Draft, Error> {
        let period = self.now().timestamp().div_euclid(PERIOD_SECONDS);
        let hour = DateTime::from_timestamp(period * PERIOD_SECONDS, 0).unwrap_or_default();
        // thisUpdate must be neither earlier than the newest revocation on the list nor in the future.
        let newest = revocations.iter().map(|revocation| revocation.revoked_at).max();
        let this_update = newest.map_or(hour, |newest| newest.max(hour)).min(self.now());
        let number = (position << PERIOD_BITS) | u64::try_from(period).unwrap_or_default();
        let entries = revocations.iter().map(entry).collect::<Result<_, _>>()?;
        Ok(Draft { ca, number, this_update, entries })
    }

    /// Returns the published list if it is this one or a later one.
    async fn published(&self, draft: &Draft) -> Result<Option<(PublishedCrl, u64)>, Error> {
        let known = self.inner.vault.published_crl(&draft.ca).await?;
        Ok(known.filter(|(known, _)| known.number >= draft.number))
    }

    async fn publish(
        &self,
        draft: Draft,
        sign: impl Fn(&Draft) -> Result<Crl, certs::Error>,
    ) -> Result<RevocationList, Error> {
        loop {
            let before = self.inner.vault.published_crl(&draft.ca).await?;
            let revision = match before {
                Some((known, _)) if known.number >= draft.number => return Ok(known.into()),
                Some((_, revision)) => Some(revision),
                None => None,
            };
            let signed = sign(&draft)?;
            let list = PublishedCrl { number: draft.number, pem: signed.pem, der: signed.der.as_ref().to_vec() };
            // Another process published first: use its list, or replace it if this one is newer.
            if self.inner.vault.publish_crl(&draft.ca, &list, revision).await? {
                return Ok(list.into());
            }
        }
    }
}

impl From<PublishedCrl> for RevocationList {
    fn from(published: PublishedCrl) -> Self {
        Self { number: published.number, der: published.der, pem: published.pem }
    }
}

fn entry(revocation: &Revocation) -> Result<CrlEntry, Error> {
    let serial: Serial = revocation
        .serial_number
        .parse()
        .map_err(|_| Error::Internal(Cause::from("a revoked certificate has no valid serial number")))?;
    Ok(CrlEntry { serial, revoked_at: revocation.revoked_at, reason: reason(revocation.code) })
}

fn reason(code: RevocationCode) -> RevocationReason {
    match code {
        RevocationCode::Unspecified => RevocationReason::Unspecified,
        RevocationCode::KeyCompromise => RevocationReason::KeyCompromise,
        RevocationCode::AffiliationChanged => RevocationReason::AffiliationChanged,
        RevocationCode::Superseded => RevocationReason::Superseded,
        RevocationCode::CessationOfOperation => RevocationReason::CessationOfOperation,
        RevocationCode::PrivilegeWithdrawn => RevocationReason::PrivilegeWithdrawn,
    }
}
