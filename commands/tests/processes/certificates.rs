//! Renewing and revoking certificates, and decommissioning devices.

use chrono::{DateTime, TimeDelta, Utc};
use commands::device::Refusal;
use commands::{Error, RegisteredDevice};
use domain::certificate::{Certificate, RevocationCode};
use domain::device::{Device, Error as DeviceRefusal};
use domain::ids::{CertificateId, DeviceId, derive};
use domain::organization::Organization;
use eventlog::Message;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::crash_points::{crash_at_every_await, run_for_polls};
use crate::test_platform::{TestPlatform, context, found, id, now, open, open_at};

async fn platform_with_device() -> (TestPlatform, RegisteredDevice) {
    let platform = TestPlatform::new().await;
    let device = platform.commands.register_device(&platform.context(1), platform.device("SN-1")).await.unwrap();
    (platform, device)
}

async fn revocation(platform: &TestPlatform, id: CertificateId) -> Option<RevocationCode> {
    platform.commands.load::<Certificate>(platform.organization, id.0).await.unwrap().unwrap().0.revoked
}

#[tokio::test]
async fn a_renewal_issues_a_second_certificate_and_keeps_the_first_valid() {
    let (platform, device) = platform_with_device().await;
    let first = platform.commands.renew_certificate(&platform.context(2), device.device_id, 90).await.unwrap();
    assert!(first.certificate.private_key_pem.is_some());
    assert_ne!(first.certificate.id, device.certificate.id);
    assert_ne!(first.certificate.serial_number, device.certificate.serial_number);
    assert_eq!(revocation(&platform, device.certificate.id).await, None);
    let second = platform.commands.renew_certificate(&platform.context(3), device.device_id, 90).await.unwrap();
    let again = platform.commands.renew_certificate(&platform.context(2), device.device_id, 90).await.unwrap();
    assert_eq!((again.certificate.id, again.certificate.private_key_pem), (first.certificate.id, None));
    assert!(again.receipt.repeated);
    assert_ne!(second.certificate.id, first.certificate.id);
}

#[tokio::test]
async fn concurrent_renewals_issue_one_certificate_each() {
    let (platform, device) = platform_with_device().await;
    let other_process = open(&platform.log, &platform.keys).await;
    let (here, there) = (platform.context(2), platform.context(3));
    let (first, second) = tokio::join!(
        platform.commands.renew_certificate(&here, device.device_id, 90),
        other_process.renew_certificate(&there, device.device_id, 90),
    );
    let (first, second) = (first.unwrap().certificate, second.unwrap().certificate);
    assert_ne!(first.id, second.id);
    let context = platform.context(4);
    let all =
        platform.commands.revoke_certificates(&context, device.device_id, "test", RevocationCode::Superseded).await;
    assert_eq!(all.unwrap().certificates.len(), 3);
}

#[tokio::test]
async fn revoking_covers_every_certificate_of_the_device_and_a_repeat_returns_the_same_ones() {
    let (platform, device) = platform_with_device().await;
    let renewed = platform.commands.renew_certificate(&platform.context(2), device.device_id, 90).await.unwrap();
    let revoke = async |n| {
        let code = RevocationCode::KeyCompromise;
        platform.commands.revoke_certificates(&platform.context(n), device.device_id, "stolen", code).await.unwrap()
    };
    let revoked = revoke(3).await;
    let ids: Vec<_> = revoked.certificates.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, [device.certificate.id, renewed.certificate.id]);
    assert!(revoked.last_receipt().unwrap().position > renewed.receipt.position);
    for id in ids {
        assert_eq!(revocation(&platform, id).await, Some(RevocationCode::KeyCompromise));
    }
    let again = revoke(3).await;
    assert_eq!(again.last_receipt().unwrap().position, revoked.last_receipt().unwrap().position);
    assert_eq!(again.certificates.len(), 2);
    assert!(again.certificates.iter().all(|(_, receipt)| receipt.repeated));
    assert!(revoke(4).await.certificates.is_empty(), "another command finds no certificate left to revoke");
}

#[tokio::test]
async fn a_decommissioned_device_has_no_valid_certificate_and_gets_no_new_one() {
    let (platform, device) = platform_with_device().await;
    let ended = platform.commands.decommission_device(&platform.context(2), device.device_id, "broken").await.unwrap();
    assert_eq!(ended.revoked.certificates.len(), 1);
    assert_eq!(revocation(&platform, device.certificate.id).await, Some(RevocationCode::CessationOfOperation));
    let (state, _) =
        platform.commands.load::<Device>(platform.organization, device.device_id.0).await.unwrap().unwrap();
    assert!(state.decommissioned);
    let refused = platform.commands.renew_certificate(&platform.context(3), device.device_id, 90).await;
    let refusal = Refusal::Device(DeviceRefusal::Decommissioned);
    assert!(matches!(&refused, Err(Error::Refused(reason)) if *reason == refusal), "{refused:?}");
    let again = platform.commands.decommission_device(&platform.context(2), device.device_id, "broken").await.unwrap();
    assert_eq!(again.receipt.position, ended.receipt.position);
    platform.commands.decommission_device(&platform.context(4), device.device_id, "broken").await.unwrap();
}

#[tokio::test]
async fn a_renewal_overtaken_by_the_decommissioning_leaves_no_valid_certificate() {
    let platform = TestPlatform::new().await;
    let other_process = open(&platform.log, &platform.keys).await;
    let mut issued_too_late = 0;
    for polls in 1.. {
        let n = 100 * polls as u128;
        let device =
            platform.commands.register_device(&platform.context(n), platform.device(&format!("SN-{n}"))).await.unwrap();
        let (here, there) = (platform.context(n + 1), platform.context(n + 2));
        let mut renewal = Box::pin(platform.commands.renew_certificate(&here, device.device_id, 90));
        // The renewal pauses at its nth await point while another process decommissions the device.
        let early = run_for_polls(polls, &mut renewal).await;
        let ended = other_process.decommission_device(&there, device.device_id, "broken").await.unwrap();
        if early.is_some() {
            break;
        }
        let renewed = renewal.await;
        let refused = matches!(renewed, Err(Error::Refused(Refusal::Device(DeviceRefusal::Decommissioned))));
        // If the renewal had already stored its certificate, the decommissioning found and revoked both.
        assert!(refused || ended.revoked.certificates.len() == 2, "after {polls} polls");
        let code = RevocationCode::CessationOfOperation;
        let left =
            platform.commands.revoke_certificates(&platform.context(n + 3), device.device_id, "test", code).await;
        assert_eq!(left.unwrap().certificates, [], "after {polls} polls");
        let second = platform.commands.renew_certificate(&here, device.device_id, 90).await;
        assert!(second.is_err(), "{second:?}");
        let id = derive(device.device_id.0, &["certificate", "1"]);
        let issued = platform.messages(platform.organization, "certificate", id).await.len() == 2;
        issued_too_late += usize::from(issued && ended.revoked.certificates.len() == 1);
    }
    assert!(issued_too_late > 0, "no run issued a certificate after the decommissioning");
}

#[tokio::test]
async fn unknown_devices_and_devices_of_other_organizations_are_refused() {
    let (platform, device) = platform_with_device().await;
    let other = found(&platform.commands, "Other", 2).await;
    let targets = [(platform.context(5), DeviceId(id("no device", 0))), (context(other, 6), device.device_id)];
    let is_not_found =
        |error: Error<Refusal>| matches!(error, Error::Refused(Refusal::Device(DeviceRefusal::NotFound)));
    for (context, device_id) in targets {
        let commands = &platform.commands;
        assert!(is_not_found(commands.renew_certificate(&context, device_id, 90).await.unwrap_err()));
        let code = RevocationCode::Unspecified;
        assert!(is_not_found(commands.revoke_certificates(&context, device_id, "r", code).await.unwrap_err()));
        assert!(is_not_found(commands.decommission_device(&context, device_id, "r").await.unwrap_err()));
    }
    assert_eq!(revocation(&platform, device.certificate.id).await, None);
}

#[tokio::test]
async fn a_renewal_is_refused_for_an_invalid_validity_or_one_beyond_the_ca() {
    let (platform, device) = platform_with_device().await;
    for days in [0, 3651] {
        let refused = platform.commands.renew_certificate(&platform.context(2), device.device_id, days).await;
        assert!(matches!(refused, Err(Error::Refused(Refusal::InvalidValidity { .. }))), "{refused:?}");
    }
    // The root is valid for 7,300 days.
    let later = open_at(&platform.log, &platform.keys, now() + TimeDelta::days(4000)).await;
    let refused = later.renew_certificate(&platform.context(2), device.device_id, 3_301).await;
    assert!(matches!(refused, Err(Error::Refused(Refusal::OutlivesAuthority { most_days: 3_300, .. }))), "{refused:?}");
    later.renew_certificate(&platform.context(2), device.device_id, 3_300).await.unwrap();
}

/// Returns how many certificates of the organisation's CA the log has, and the end of the latest.
async fn authorities(platform: &TestPlatform) -> (usize, DateTime<Utc>) {
    let organization = platform.organization;
    let messages = platform.messages(organization, "organization", organization.0).await;
    let recorded =
        |message: &&Message| String::from_utf8_lossy(&message.payload).contains("CertificateAuthorityRecorded");
    let (state, _) = platform.commands.load::<Organization>(organization, organization.0).await.unwrap().unwrap();
    (messages.iter().filter(recorded).count(), state.certificate_authority.unwrap().not_after)
}

#[tokio::test]
async fn a_certificate_of_3650_days_is_issued_whatever_the_age_of_the_organisation() {
    let (platform, device) = platform_with_device().await;
    let (_, first_end) = authorities(&platform).await;
    for (n, age, recorded) in [(10, 0, 1), (11, 365, 1), (12, 366, 2), (13, 400, 2), (14, 3000, 3), (15, 3001, 3)] {
        let later = open_at(&platform.log, &platform.keys, now() + TimeDelta::days(age)).await;
        let renewed = later.renew_certificate(&platform.context(n), device.device_id, 3650).await.unwrap();
        assert_eq!((renewed.certificate.not_after - now()).num_days(), age + 3650);
        assert_eq!(authorities(&platform).await.0, recorded, "at an age of {age} days");
    }
    assert_eq!(authorities(&platform).await.1 - first_end, TimeDelta::days(3000));
    // What was issued before the renewals is valid under the present certificate, in every process.
    let chain = CertificateDer::pem_slice_iter(device.certificate.chain_pem.as_bytes()).map(Result::unwrap);
    let presented = platform.commands.authenticate_device(&chain.collect::<Vec<_>>()).await.unwrap();
    assert_eq!(presented.certificate, device.certificate.id);
}

#[tokio::test]
async fn an_interrupted_renewal_of_the_authority_is_completed_by_the_next_certificate() {
    let mut polls = 0;
    loop {
        polls += 1;
        let (platform, device) = platform_with_device().await;
        let later = open_at(&platform.log, &platform.keys, now() + TimeDelta::days(3000)).await;
        let context = platform.context(2);
        let renewal = later.renew_certificate(&context, device.device_id, 3650);
        let ended = run_for_polls(polls, renewal).await.is_some();
        later.renew_certificate(&platform.context(3), device.device_id, 3650).await.unwrap();
        // The log has the certificate with which the next one is signed.
        let (recorded, end) = authorities(&platform).await;
        assert_eq!((recorded, (end - now()).num_days()), (2, 3000 + 11 * 365), "interrupted after {polls} polls");
        if ended {
            break;
        }
    }
    assert!(polls > 5, "interrupted at only {polls} await points");
}

#[tokio::test]
async fn no_certificate_is_renewed_in_a_suspended_organization() {
    let (platform, device) = platform_with_device().await;
    platform.suspend().await;
    let refused = platform.commands.renew_certificate(&platform.context(3), device.device_id, 90).await;
    assert!(matches!(refused, Err(Error::Refused(Refusal::Organization(_)))), "{refused:?}");
}

#[tokio::test]
async fn an_interrupted_renewal_is_completed_by_a_repeat() {
    let platform = TestPlatform::new().await;
    let device = async |n: u128| {
        let registered =
            platform.commands.register_device(&platform.context(n), platform.device(&format!("SN-{n}"))).await;
        registered.unwrap().device_id
    };
    let run = |n: u128, device: DeviceId| {
        let platform = &platform;
        async move { platform.commands.renew_certificate(&platform.context(1000 + n), device, 90).await.unwrap() }
    };
    let places = crash_at_every_await(
        async |n, polls| {
            let device = device(n).await;
            run_for_polls(polls, run(n, device)).await.is_some()
        },
        async |n| {
            let device = device(n).await;
            let completed = run(n, device).await.certificate;
            assert_eq!(platform.messages(platform.organization, "certificate", completed.id.0).await.len(), 1);
            let (context, code) = (platform.context(2000 + n), RevocationCode::Superseded);
            let revoked = platform.commands.revoke_certificates(&context, device, "test", code).await.unwrap();
            assert_eq!(revoked.certificates.len(), 2, "the original certificate and one renewal");
        },
    )
    .await;
    assert!(places > 5, "interrupted at only {places} await points");
}

#[tokio::test]
async fn an_interrupted_decommissioning_is_completed_by_a_repeat() {
    let platform = TestPlatform::new().await;
    let run = |n: u128, device: DeviceId| {
        let platform = &platform;
        async move {
            let context = platform.context(1000 + n);
            platform.commands.decommission_device(&context, device, "broken").await.unwrap()
        }
    };
    let device = async |n: u128| {
        let registered =
            platform.commands.register_device(&platform.context(n), platform.device(&format!("SN-{n}"))).await;
        registered.unwrap()
    };
    let places = crash_at_every_await(
        async |n, polls| {
            let registered = device(n).await;
            run_for_polls(polls, run(n, registered.device_id)).await.is_some()
        },
        async |n| {
            let registered = device(n).await;
            run(n, registered.device_id).await;
            let code = revocation(&platform, registered.certificate.id).await;
            assert_eq!(code, Some(RevocationCode::CessationOfOperation));
            let (state, version) =
                platform.commands.load::<Device>(platform.organization, registered.device_id.0).await.unwrap().unwrap();
            assert_eq!((state.decommissioned, version), (true, 2));
            let named = platform.device(&format!("SN-{n}"));
            let successor = platform.commands.register_device(&platform.context(2000 + n), named).await.unwrap();
            assert_ne!(successor.device_id, registered.device_id);
            // A late repeat takes nothing from the successor.
            run(n, registered.device_id).await;
            let known = platform.commands.device_of_serial_number(platform.organization, &format!("SN-{n}")).await;
            assert_eq!(known.unwrap(), Some(successor.device_id));
        },
    )
    .await;
    assert!(places > 3, "interrupted at only {places} await points");
}
