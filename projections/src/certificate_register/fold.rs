//! Folds domain events into rows of certificates. Pure.

use domain::AnyEvent;
use domain::certificate::CertificateEvent;
use eventlog::Stream;

use super::{CertificateRow, Transition};
use crate::decoded_event::DecodedEvent;
use crate::fold::Fold;
use crate::row_batch::{AnyRowBatch, RowBatch};
use crate::sql_values::enum_text;

/// The fold of certificates.
pub struct Certificates;

impl Fold for Certificates {
    const NAME: &'static str = super::NAME;
    const SOURCES: &'static [Stream] = &[Stream::Es];
    const TABLES: &'static [&'static str] = &["device_certificates"];
    type Rows = RowBatch<CertificateRow>;

    fn row_batches(rows: &mut Self::Rows) -> Vec<&mut dyn AnyRowBatch> {
        vec![rows]
    }

    fn request_rows(rows: &mut Self::Rows, decoded: &DecodedEvent) {
        if matches!(decoded.event, AnyEvent::Certificate(_)) {
            rows.request(decoded.id);
        }
    }

    fn fold(certificates: &mut Self::Rows, decoded: &DecodedEvent) {
        let AnyEvent::Certificate(event) = &decoded.event else { return };
        let mut update = |state: &str, change: &dyn Fn(&mut CertificateRow)| {
            certificates.update(decoded.id, |row| {
                change(row);
                if row.history.last().is_none_or(|last| last.state != state) {
                    row.history.push(transition(state, decoded));
                }
                (row.version, row.position) = (decoded.version, decoded.position);
            });
        };
        match event {
            CertificateEvent::CertificateIssued { .. } => {
                if let Some(row) = issued(event, decoded) {
                    certificates.upsert(row);
                }
            }
            CertificateEvent::CertificateRenewed { successor, overlap_ends_at } => update("renewed", &|row| {
                row.renewed_at = row.renewed_at.or(Some(decoded.recorded_at()));
                row.successor_id = Some(successor.0);
                row.overlap_ends_at = *overlap_ends_at;
            }),
            CertificateEvent::CertificateRevoked { reason, code } => update("revoked", &|row| {
                row.revoked_at = Some(decoded.recorded_at());
                row.revoked_reason = Some(reason.clone());
                row.revoked_code = Some(enum_text(code));
            }),
            CertificateEvent::CertificateExpiring {} => update("expiring", &|row| row.expiring = true),
            // The announcement is no state of its own: the certificate stays expiring.
            CertificateEvent::CertificateExpiryAnnounced { .. } => {
                update("expiring", &|row| row.announced_at = Some(decoded.recorded_at()));
            }
            CertificateEvent::CertificateExpired {} => update("expired", &|row| row.expired = true),
        }
    }
}

fn transition(state: &str, decoded: &DecodedEvent) -> Transition {
    Transition { state: state.to_owned(), at: decoded.recorded_at(), by: decoded.actor() }
}

fn issued(event: &CertificateEvent, decoded: &DecodedEvent) -> Option<CertificateRow> {
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
        id: decoded.id,
        organization_id: decoded.organization,
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
        history: vec![transition("active", decoded)],
        created_at: decoded.recorded_at(),
        created_by: decoded.actor(),
        version: decoded.version,
        position: decoded.position,
    })
}
