//! Domain events into rows of certificates. Pure.

use domain::AnyEvent;
use domain::certificate::CertificateEvent;
use eventlog::Stream;

use super::CertificateRow;
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
        let mut change = |change: &dyn Fn(&mut CertificateRow)| {
            certificates.change(fact.id, |row| {
                change(row);
                (row.version, row.position) = (fact.version, fact.position);
            });
        };
        match event {
            CertificateEvent::CertificateIssued { .. } => {
                if let Some(row) = issued(event, fact) {
                    certificates.put(row);
                }
            }
            CertificateEvent::CertificateRevoked { reason, code } => change(&|row| {
                row.revoked_at = Some(fact.at());
                row.revoked_reason = Some(reason.clone());
                row.revoked_code = Some(text_of(code));
            }),
            CertificateEvent::CertificateExpiring {} => change(&|row| row.expiring = true),
            CertificateEvent::CertificateExpired {} => change(&|row| row.expired = true),
        }
    }
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
        expired: false,
        revoked_at: None,
        revoked_reason: None,
        revoked_code: None,
        created_at: fact.at(),
        created_by: fact.actor(),
        version: fact.version,
        position: fact.position,
    })
}
