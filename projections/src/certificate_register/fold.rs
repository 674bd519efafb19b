//! Domain events into rows of certificates. Pure.

use domain::AnyEvent;
use domain::certificate::CertificateEvent;
use eventlog::Stream;

use super::{CertificateRow, Transition};
use crate::fact::{Fact, text_of};
use crate::fold::Fold;
use crate::sheet::{AnySheet, Sheet};

/// The fold of certificates.
pub struct Certificates;

impl Fold for Certificates {
    const NAME: &'static str = super::NAME;
    const SOURCES: &'static [Stream] = &[Stream::Es];
    const TABLES: &'static [&'static str] = &["device_certificates"];
    type Sheets = Sheet<CertificateRow>;

    fn sheets(sheets: &mut Self::Sheets) -> Vec<&mut dyn AnySheet> {
        vec![sheets]
    }

    fn touch(sheets: &mut Self::Sheets, fact: &Fact) {
        if matches!(fact.event, AnyEvent::Certificate(_)) {
            sheets.want(fact.id);
        }
    }

    fn fold(certificates: &mut Self::Sheets, fact: &Fact) {
        let AnyEvent::Certificate(event) = &fact.event else { return };
        let mut change = |state: &str, change: &dyn Fn(&mut CertificateRow)| {
            certificates.change(fact.id, |row| {
                change(row);
                if row.history.last().is_none_or(|last| last.state != state) {
                    row.history.push(transition(state, fact));
                }
                (row.version, row.position) = (fact.version, fact.position);
            });
        };
        match event {
            CertificateEvent::CertificateIssued { .. } => {
                if let Some(row) = issued(event, fact) {
                    certificates.put(row);
                }
            }
            CertificateEvent::CertificateRenewed { successor, overlap_ends_at } => change("renewed", &|row| {
                row.renewed_at = row.renewed_at.or(Some(fact.at()));
                row.successor_id = Some(successor.0);
                row.overlap_ends_at = *overlap_ends_at;
            }),
            CertificateEvent::CertificateRevoked { reason, code } => change("revoked", &|row| {
                row.revoked_at = Some(fact.at());
                row.revoked_reason = Some(reason.clone());
                row.revoked_code = Some(text_of(code));
            }),
            CertificateEvent::CertificateExpiring {} => change("expiring", &|row| row.expiring = true),
            // No state of its own: it is expiring as before.
            CertificateEvent::CertificateExpiryAnnounced { .. } => {
                change("expiring", &|row| row.announced_at = Some(fact.at()));
            }
            CertificateEvent::CertificateExpired {} => change("expired", &|row| row.expired = true),
        }
    }
}

fn transition(state: &str, fact: &Fact) -> Transition {
    Transition { state: state.to_owned(), at: fact.at(), by: fact.actor() }
}

fn issued(event: &CertificateEvent, fact: &Fact) -> Option<CertificateRow> {
    let CertificateEvent::CertificateIssued {
        device_id,
        serial_number,
        certificate_pem,
        fingerprint_sha256,
        not_before,
        not_after,
    } = event
    else {
        return None;
    };
    Some(CertificateRow {
        id: fact.id,
        organization_id: fact.organization,
        device_id: device_id.0,
        serial_number: serial_number.clone(),
        certificate: certificate_pem.clone(),
        fingerprint_sha256: fingerprint_sha256.clone(),
        valid_from: *not_before,
        valid_until: *not_after,
        expiring: false,
        announced_at: None,
        expired: false,
        renewed_at: None,
        successor_id: None,
        overlap_ends_at: None,
        revoked_at: None,
        revoked_reason: None,
        revoked_code: None,
        history: vec![transition("active", fact)],
        created_at: fact.at(),
        created_by: fact.actor(),
        version: fact.version,
        position: fact.position,
    })
}
