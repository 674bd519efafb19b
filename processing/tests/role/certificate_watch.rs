//! The certificate watch: each expiry is reported once, and an overlap ends on time.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::certificate::{Certificate, CertificateCommand, RevocationCode};
use domain::ids::CertificateId;
use eventlog::Stream;
use processing::StageName;

use crate::test_platform::{TestPlatform, at, device, id, until};

const WATCH: [StageName; 1] = [StageName::CertificateWatch];

async fn issue(platform: &TestPlatform, n: u128, not_after: DateTime<Utc>) -> CertificateId {
    let certificate = CertificateId(id("certificate", n));
    let command = CertificateCommand::IssueCertificate {
        device_id: device(0),
        serial_number: format!("{n:02x}"),
        certificate_pem: "pem".into(),
        fingerprint_sha256: "ff".into(),
        not_before: at(0) - TimeDelta::days(1),
        not_after,
    };
    execute(platform, certificate, command).await;
    certificate
}

async fn execute(platform: &TestPlatform, certificate: CertificateId, command: CertificateCommand) {
    let what = format!("{command:?}");
    let context = platform.context(&what, certificate.0.as_u128());
    platform.commands.execute::<Certificate>(&context, certificate.0, command).await.unwrap();
}

async fn state(platform: &TestPlatform, certificate: CertificateId) -> (Certificate, u64) {
    platform.commands.load::<Certificate>(platform.organization, certificate.0).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_expiry_is_reported_once_however_many_processes_watch() {
    let platform = TestPlatform::new().await;
    let days = |days| at(0) + TimeDelta::days(days);
    let [fresh, expiring, renewed] = [(1, 31), (2, 29), (3, 100)].map(|(n, end)| (n, days(end)));
    let fresh = issue(&platform, fresh.0, fresh.1).await;
    let expiring = issue(&platform, expiring.0, expiring.1).await;
    let renewed = issue(&platform, renewed.0, renewed.1).await;
    let over = issue(&platform, 4, at(-1_000)).await;
    let note = CertificateCommand::NoteRenewed { successor: fresh, overlap_ends_at: Some(at(0)) };
    execute(&platform, renewed, note).await;
    let roles = [platform.start("a", &WATCH), platform.as_another_process().await.start("b", &WATCH)];
    until(30, "every expiry is reported", || async {
        let (expiring, over, renewed) =
            (state(&platform, expiring).await.0, state(&platform, over).await.0, state(&platform, renewed).await.0);
        expiring.expiring && over.expired && renewed.revoked == Some(RevocationCode::Superseded)
    })
    .await;
    let reported = platform.last(Stream::Es).await;
    // A new owner of the watch checks again.
    for role in roles {
        role.stop().await;
    }
    let later = platform.start_at("c", &WATCH, Arc::new(move || days(2)));
    until(30, "the fresh one is expiring", || async { state(&platform, fresh).await.0.expiring }).await;
    later.stop().await;
    assert_eq!(platform.last(Stream::Es).await, reported + 1, "something was reported twice");
    assert_eq!((state(&platform, expiring).await.1, state(&platform, renewed).await.1), (2, 3));
}
