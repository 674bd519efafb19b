//! Replacing the hardware of a device: the device keeps its id and gets a new serial number and certificate.

use commands::device::Refusal;
use commands::{Error, Replacement, ReplacementCertificate};
use domain::certificate::{Certificate, RevocationCode};
use domain::device::{Device, DeviceCommand, Error as DeviceRefusal};
use domain::ids::{CertificateId, DeviceId};

use crate::crash_points::{crash_at_every_await, run_for_polls};
use crate::test_platform::{TestPlatform, open};

fn replacement(serial_number: &str, certificate: ReplacementCertificate) -> Replacement {
    Replacement { serial_number: serial_number.to_owned(), reason: "worn".to_owned(), certificate }
}

#[tokio::test]
async fn a_replacement_revokes_the_old_certificate_and_releases_the_old_serial_number() {
    let platform = TestPlatform::new().await;
    let first = platform.commands.register_device(&platform.context(1), platform.device("SN-1")).await.unwrap();
    let new = || replacement(" SN-2 ", ReplacementCertificate::Here { days: 30 });
    let replaced = platform.commands.replace_device(&platform.context(2), first.device_id, new()).await.unwrap();
    let certificate = replaced.certificate.unwrap();
    assert!(certificate.private_key_pem.is_some());
    let (device, _) =
        platform.commands.load::<Device>(platform.organization, first.device_id.0).await.unwrap().unwrap();
    assert_eq!(device.profile.unwrap().serial_number, "SN-2");
    let load = async |id: CertificateId| {
        platform.commands.load::<Certificate>(platform.organization, id.0).await.unwrap().unwrap().0
    };
    let old = load(first.certificate.id).await;
    assert_eq!(old.revoked, Some(RevocationCode::Superseded));
    assert!(load(certificate.id).await.revoked.is_none());
    // A repeat returns the same certificate without its private key, and does not revoke it.
    let again = platform.commands.replace_device(&platform.context(2), first.device_id, new()).await.unwrap();
    let again_certificate = again.certificate.unwrap();
    assert_eq!((again_certificate.id, again_certificate.private_key_pem), (certificate.id, None));
    assert!(load(certificate.id).await.revoked.is_none());
    // The old hardware returns from repair and is registered as another device.
    platform.commands.register_device(&platform.context(3), platform.device("SN-1")).await.unwrap();
    let taken = platform.commands.register_device(&platform.context(4), platform.device("SN-2")).await;
    assert!(matches!(taken, Err(Error::Refused(Refusal::SerialNumberTaken { .. }))), "{taken:?}");
}

#[tokio::test]
async fn a_refused_replacement_changes_nothing() {
    let platform = TestPlatform::new().await;
    let first = platform.commands.register_device(&platform.context(1), platform.device("SN-1")).await.unwrap();
    let second = platform.commands.register_device(&platform.context(2), platform.device("SN-2")).await.unwrap();
    let here = |days| ReplacementCertificate::Here { days };
    let csr = |pem: &str| ReplacementCertificate::Request { csr_pem: pem.to_owned(), days: 30 };
    for (n, serial_number, certificate) in [
        (3, "SN-1", here(30)),
        (4, "SN-2", here(30)),
        (5, "", here(30)),
        (6, "SN-3", here(0)),
        (7, "SN-3", csr("nonsense")),
    ] {
        let new = replacement(serial_number, certificate);
        let refused = platform.commands.replace_device(&platform.context(n), first.device_id, new).await.unwrap_err();
        assert!(matches!(refused, Error::Refused(_)), "{refused:?}");
    }
    let (device, version) =
        platform.commands.load::<Device>(platform.organization, first.device_id.0).await.unwrap().unwrap();
    assert_eq!((device.profile.unwrap().serial_number.as_str(), version), ("SN-1", 1));
    let id = first.certificate.id.0;
    assert!(
        platform.commands.load::<Certificate>(platform.organization, id).await.unwrap().unwrap().0.revoked.is_none()
    );
    platform.commands.decommission_device(&platform.context(8), second.device_id, "sold").await.unwrap();
    let new = replacement("SN-4", here(30));
    let refused = platform.commands.replace_device(&platform.context(9), second.device_id, new).await.unwrap_err();
    assert!(matches!(refused, Error::Refused(Refusal::Device(DeviceRefusal::Decommissioned))), "{refused:?}");
    platform.commands.register_device(&platform.context(10), platform.device("SN-3")).await.unwrap();
    platform.commands.register_device(&platform.context(11), platform.device("SN-4")).await.unwrap();
}

#[tokio::test]
async fn an_interrupted_replacement_is_completed_by_a_repeat() {
    let platform = &TestPlatform::new().await;
    let device = |n: u128| async move {
        let named = platform.device(&format!("SN-{n}"));
        platform.commands.register_device(&platform.context(n), named).await.unwrap()
    };
    let run = |id, n: u128| async move {
        let new = replacement(&format!("NEW-{n}"), ReplacementCertificate::Here { days: 30 });
        platform.commands.replace_device(&platform.context(10_000 + n), id, new).await.unwrap()
    };
    let places = crash_at_every_await(
        async |n, polls| {
            let id = device(n).await.device_id;
            run_for_polls(polls, run(id, n)).await.is_some()
        },
        async |n| {
            let first = device(n).await;
            let certificate = run(first.device_id, n).await.certificate.unwrap();
            assert_eq!(run(first.device_id, n).await.certificate.unwrap().id, certificate.id);
            assert_eq!(platform.messages(platform.organization, "device", first.device_id.0).await.len(), 2);
            let old = platform.messages(platform.organization, "certificate", first.certificate.id.0).await;
            assert!(old.iter().any(|message| String::from_utf8_lossy(&message.payload).contains("CertificateRevoked")));
            platform
                .commands
                .register_device(&platform.context(20_000 + n), platform.device(&format!("SN-{n}")))
                .await
                .unwrap();
        },
    )
    .await;
    assert!(places > 5, "interrupted at only {places} await points");
}

#[tokio::test]
async fn repeating_a_replacement_keeps_the_certificates_issued_after_it() {
    let platform = TestPlatform::new().await;
    let first = platform.commands.register_device(&platform.context(1), platform.device("SN-1")).await.unwrap();
    let new = || replacement("SN-2", ReplacementCertificate::None);
    let replaced = platform.commands.replace_device(&platform.context(2), first.device_id, new()).await.unwrap();
    assert_eq!(replaced.certificate, None);
    let load = async |id: CertificateId| {
        platform.commands.load::<Certificate>(platform.organization, id.0).await.unwrap().unwrap().0
    };
    assert_eq!(load(first.certificate.id).await.revoked, Some(RevocationCode::Superseded));
    let renewed = platform.commands.renew_certificate(&platform.context(3), first.device_id, 30).await.unwrap();
    platform.commands.replace_device(&platform.context(2), first.device_id, new()).await.unwrap();
    assert_eq!(load(renewed.certificate.id).await.revoked, None);
}

#[tokio::test]
async fn an_import_has_the_same_command_id_until_the_serial_number_is_released() {
    let platform = TestPlatform::new().await;
    let import = async |n: u128| platform.commands.import_context(&platform.context(n), " SN-1").await.unwrap();
    let first = import(1).await;
    assert_eq!(import(2).await.command_id, first.command_id);
    let device = platform.commands.register_pending_device(&first, platform.device("SN-1")).await.unwrap();
    assert_eq!(import(3).await.command_id, first.command_id);
    let again = platform.commands.register_pending_device(&import(4).await, platform.device("SN-1")).await.unwrap();
    assert!(again.repeated && again.device_id == device.device_id);
    let new = replacement("SN-2", ReplacementCertificate::None);
    platform.commands.replace_device(&platform.context(5), device.device_id, new).await.unwrap();
    let later = import(6).await;
    assert_ne!(later.command_id, first.command_id);
    let other = platform.commands.register_pending_device(&later, platform.device("SN-1")).await.unwrap();
    assert!(!other.repeated && other.device_id != device.device_id);
    let refused = platform.commands.import_context(&platform.context(7), " ").await;
    assert!(matches!(refused, Err(Error::Refused(Refusal::Device(DeviceRefusal::InvalidSerialNumber)))), "{refused:?}");
}

/// Decommissions a device as an interrupted command leaves it, and as early versions did: it still holds its serial
/// number.
async fn decommission_halfway(platform: &TestPlatform, n: u128, device: DeviceId) {
    let command = DeviceCommand::DecommissionDevice { reason: "scrapped".into() };
    platform.commands.execute::<Device>(&platform.context(n), device.0, command).await.unwrap();
}

#[tokio::test]
async fn a_serial_number_held_by_a_decommissioned_device_is_taken_over() {
    let platform = TestPlatform::new().await;
    let commands = &platform.commands;
    let register = async |n: u128, serial_number: &str| {
        commands.register_device(&platform.context(n), platform.device(serial_number)).await.unwrap().device_id
    };
    let known = async |serial_number: &str| {
        commands.device_of_serial_number(platform.organization, serial_number).await.unwrap()
    };
    // Registering.
    let first = register(1, "SN-1").await;
    decommission_halfway(&platform, 2, first).await;
    assert_eq!(known("SN-1").await, None);
    let second = register(3, "SN-1").await;
    assert_eq!(known("SN-1").await, Some(second));
    // Completing the old device's decommissioning takes nothing from the new one.
    commands.decommission_device(&platform.context(2), first, "scrapped").await.unwrap();
    let taken = commands.register_device(&platform.context(4), platform.device("SN-1")).await;
    assert!(
        matches!(taken, Err(Error::Refused(Refusal::SerialNumberTaken { holder })) if holder == second),
        "{taken:?}"
    );
    // Replacing.
    let other = register(5, "SN-2").await;
    decommission_halfway(&platform, 6, second).await;
    let new = replacement("SN-1", ReplacementCertificate::None);
    commands.replace_device(&platform.context(7), other, new).await.unwrap();
    assert_eq!((known("SN-1").await, known("SN-2").await), (Some(other), None));
    // Importing.
    let import = async |n: u128| commands.import_context(&platform.context(n), "SN-1").await.unwrap();
    let held = import(8).await.command_id;
    assert_eq!(import(9).await.command_id, held);
    decommission_halfway(&platform, 10, other).await;
    let context = import(11).await;
    assert_ne!(context.command_id, held);
    let imported = commands.register_pending_device(&context, platform.device("SN-1")).await.unwrap();
    assert!(!imported.repeated);
    let again = commands.register_pending_device(&import(12).await, platform.device("SN-1")).await.unwrap();
    assert!(again.repeated && again.device_id == imported.device_id);
}

#[tokio::test]
async fn of_two_devices_that_take_over_a_serial_number_at_once_one_wins() {
    let platform = TestPlatform::new().await;
    let other_process = open(&platform.log, &platform.keys).await;
    for round in 0..10 {
        let serial_number = format!("SN-{round}");
        let context = |n: u128| platform.context(10 * round + n);
        let old = platform.commands.register_device(&context(1), platform.device(&serial_number)).await.unwrap();
        decommission_halfway(&platform, 10 * round + 2, old.device_id).await;
        let (here, there) = (context(3), context(4));
        let (first, second) = tokio::join!(
            platform.commands.register_device(&here, platform.device(&serial_number)),
            other_process.register_device(&there, platform.device(&serial_number)),
        );
        let (winner, loser) = match (first, second) {
            (Ok(winner), Err(loser)) | (Err(loser), Ok(winner)) => (winner, loser),
            both => panic!("{both:?}"),
        };
        let Error::Refused(Refusal::SerialNumberTaken { holder }) = loser else { panic!("{loser:?}") };
        assert_eq!(holder, winner.device_id);
    }
}
