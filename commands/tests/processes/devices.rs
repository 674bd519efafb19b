//! Registering a device with its certificate.

use certs::Serial;
use commands::device::Refusal;
use commands::{Error, NewDevice};
use domain::certificate::Certificate;
use domain::device::{Device, Error as DeviceRefusal};
use domain::device_type::{DeviceType, DeviceTypeCommand};
use domain::ids::{DeviceId, DeviceTypeId, OrganizationId};
use domain::organization::{Error as OrganizationRefusal, Organization, OrganizationCommand};
use serde_json::json;

use crate::crash_points::{crash_at_every_await, run_for_polls};
use crate::test_platform::{TestPlatform, context, define_type, found, id, now, open};

#[tokio::test]
async fn a_registered_device_gets_a_certificate_of_its_organization() {
    let platform = TestPlatform::new().await;
    let registered = platform.commands.register_device(&platform.context(1), platform.device(" SN-1 ")).await.unwrap();
    assert!(!registered.repeated);
    let (device, _) =
        platform.commands.load::<Device>(platform.organization, registered.device_id.0).await.unwrap().unwrap();
    assert_eq!(device.profile.unwrap().serial_number, "SN-1");
    let certificate = registered.certificate;
    assert!(certificate.private_key_pem.unwrap().expose().starts_with("-----BEGIN PRIVATE KEY-----"));
    assert_eq!(certificate.chain_pem.matches("BEGIN CERTIFICATE").count(), 2);
    assert!(certificate.chain_pem.starts_with(&certificate.certificate_pem));
    assert!(certificate.serial_number.parse::<Serial>().is_ok());
    assert_eq!((certificate.not_after - now()).num_days(), 30);
    let (stored, _) =
        platform.commands.load::<Certificate>(platform.organization, certificate.id.0).await.unwrap().unwrap();
    let issued = stored.issued.unwrap();
    assert_eq!((issued.device_id, issued.certificate_pem), (registered.device_id, certificate.certificate_pem));
}

#[tokio::test]
async fn the_certificate_names_device_and_organization_and_chains_to_the_root() {
    let platform = TestPlatform::new().await;
    let registered = platform.commands.register_device(&platform.context(1), platform.device("SN-1")).await.unwrap();
    let chain = pem_certificates(&registered.certificate.chain_pem);
    let identity = certs::identity(&chain).unwrap();
    assert_eq!((identity.device, identity.organization), (registered.device_id.0, platform.organization.0));
}

#[tokio::test]
async fn a_repeat_returns_the_same_answer_without_the_private_key() {
    let platform = TestPlatform::new().await;
    let first = platform.commands.register_device(&platform.context(1), platform.device("SN-1")).await.unwrap();
    for commands in [platform.commands.clone(), open(&platform.log, &platform.keys).await] {
        let again = commands.register_device(&platform.context(1), platform.device("SN-1")).await.unwrap();
        assert!(again.repeated);
        assert_eq!(again.device_id, first.device_id);
        assert_eq!(again.certificate.private_key_pem, None);
        assert_eq!(again.receipt.position, first.receipt.position);
        let with_key = commands::IssuedCertificate {
            private_key_pem: first.certificate.private_key_pem.clone(),
            ..again.certificate
        };
        assert_eq!(with_key, first.certificate);
    }
}

#[tokio::test]
async fn no_private_key_is_ever_stored() {
    let platform = TestPlatform::new().await;
    platform.commands.register_device(&platform.context(1), platform.device("SN-1")).await.unwrap();
    for message in platform.all_messages().await {
        assert!(!String::from_utf8_lossy(&message.payload).contains("PRIVATE KEY"), "{}", message.subject);
    }
}

#[tokio::test]
async fn a_serial_number_is_unique_in_its_organization() {
    let platform = TestPlatform::new().await;
    let first = platform.commands.register_device(&platform.context(1), platform.device("SN-1")).await.unwrap();
    let second = platform.commands.register_device(&platform.context(2), platform.device("SN-1")).await;
    let Err(Error::Refused(Refusal::SerialNumberTaken { holder })) = second else { panic!("{second:?}") };
    assert_eq!(holder, first.device_id);
    let other = found(&platform.commands, "Other", 2).await;
    define_type(&platform.commands, other).await;
    platform.commands.register_device(&context(other, 3), platform.device("SN-1")).await.unwrap();
}

#[tokio::test]
async fn one_of_two_concurrent_registrations_of_a_serial_number_wins() {
    let platform = TestPlatform::new().await;
    let other_process = open(&platform.log, &platform.keys).await;
    for round in 0..10 {
        let serial = format!("SN-{round}");
        let (here, there) = (platform.context(100 + 2 * round), platform.context(101 + 2 * round));
        let (first, second) = tokio::join!(
            platform.commands.register_device(&here, platform.device(&serial)),
            other_process.register_device(&there, platform.device(&serial)),
        );
        let (winner, loser) = match (first, second) {
            (Ok(winner), Err(loser)) | (Err(loser), Ok(winner)) => (winner, loser),
            both => panic!("{both:?}"),
        };
        let Error::Refused(Refusal::SerialNumberTaken { holder }) = loser else { panic!("{loser:?}") };
        assert_eq!(holder, winner.device_id);
    }
}

#[tokio::test]
async fn the_same_registration_sent_twice_concurrently_registers_one_device() {
    let platform = TestPlatform::new().await;
    let other_process = open(&platform.log, &platform.keys).await;
    let context = platform.context(1);
    let (first, second) = tokio::join!(
        platform.commands.register_device(&context, platform.device("SN-1")),
        other_process.register_device(&context, platform.device("SN-1")),
    );
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(first.device_id, second.device_id);
    assert_eq!(first.certificate.certificate_pem, second.certificate.certificate_pem);
    let keys = [first.certificate.private_key_pem, second.certificate.private_key_pem];
    assert_eq!(keys.iter().flatten().count(), 1, "exactly one of the two answers contains the private key");
}

#[tokio::test]
async fn an_invalid_registration_claims_no_serial_number() {
    let platform = TestPlatform::new().await;
    let device = |change: fn(&mut NewDevice)| {
        let mut device = platform.device("SN-1");
        change(&mut device);
        device
    };
    let table: [(NewDevice, Refusal); 5] = [
        (device(|d| d.name = " ".into()), Refusal::Device(DeviceRefusal::InvalidName)),
        (device(|d| d.serial_number = "".into()), Refusal::Device(DeviceRefusal::InvalidSerialNumber)),
        (device(|d| d.custom_attributes = json!(1)), Refusal::Device(DeviceRefusal::InvalidAttributes)),
        (device(|d| d.certificate_validity_days = 0), Refusal::InvalidValidity { days: 0 }),
        (device(|d| d.certificate_validity_days = 3651), Refusal::InvalidValidity { days: 3651 }),
    ];
    let before = platform.all_messages().await.len();
    for (n, (device, refusal)) in table.into_iter().enumerate() {
        let refused = platform.commands.register_device(&platform.context(n as u128), device).await;
        assert!(matches!(&refused, Err(Error::Refused(reason)) if *reason == refusal), "{refused:?}");
    }
    assert_eq!(platform.all_messages().await.len(), before);
}

#[tokio::test]
async fn a_device_needs_an_existing_organization_that_is_not_suspended() {
    let platform = TestPlatform::new().await;
    let unknown_organization = context(OrganizationId(id("organization", 99)), 1);
    let unknown = platform.commands.register_device(&unknown_organization, platform.device("SN-1")).await;
    let refusal = Refusal::Organization(OrganizationRefusal::NotFound);
    assert!(matches!(&unknown, Err(Error::Refused(reason)) if *reason == refusal), "{unknown:?}");
    let known = platform.commands.register_device(&platform.context(2), platform.device("SN-1")).await.unwrap();
    platform.suspend().await;
    let suspended = platform.commands.register_device(&platform.context(3), platform.device("SN-2")).await;
    let refusal = Refusal::Organization(OrganizationRefusal::Suspended);
    assert!(matches!(&suspended, Err(Error::Refused(reason)) if *reason == refusal), "{suspended:?}");
    let again = platform.commands.register_device(&platform.context(2), platform.device("SN-1")).await.unwrap();
    assert_eq!(
        (again.device_id, again.repeated),
        (known.device_id, true),
        "a repeat does not check the organisation again"
    );
}

#[tokio::test]
async fn an_organization_whose_founding_was_interrupted_cannot_register_devices() {
    let platform = TestPlatform::new().await;
    let organization = OrganizationId(id("organization", 5));
    let found = OrganizationCommand::FoundOrganization { name: "Half".into() };
    platform.commands.execute::<Organization>(&context(organization, 5), organization.0, found).await.unwrap();
    let refused = platform.commands.register_device(&context(organization, 6), platform.device("SN-1")).await;
    assert!(matches!(refused, Err(Error::Refused(Refusal::NoAuthority))), "{refused:?}");
}

#[tokio::test]
async fn a_definite_refusal_releases_the_serial_number() {
    let platform = TestPlatform::new().await;
    let unknown = NewDevice { device_type_id: DeviceTypeId(id("no type", 0)), ..platform.device("SN-1") };
    let missing = platform.commands.register_device(&platform.context(1), unknown).await;
    assert!(matches!(missing, Err(Error::Missing(_))), "{missing:?}");
    let retire = DeviceTypeCommand::RetireDeviceType {};
    let second = platform.commands.register_device(&platform.context(2), platform.device("SN-1")).await.unwrap();
    platform.commands.execute::<DeviceType>(&platform.context(3), platform.device_type.0, retire).await.unwrap();
    let retired = platform.commands.register_device(&platform.context(4), platform.device("SN-2")).await;
    assert!(matches!(retired, Err(Error::Missing(_))), "{retired:?}");
    assert_ne!(second.device_id, DeviceId(platform.context(1).created_id("device")));
}

#[tokio::test]
async fn an_interrupted_registration_is_completed_by_a_repeat() {
    let platform = TestPlatform::new().await;
    let run = |n: u128| {
        let platform = &platform;
        async move {
            platform.commands.register_device(&platform.context(n), platform.device(&format!("SN-{n}"))).await.unwrap()
        }
    };
    let places = crash_at_every_await(
        async |n, polls| run_for_polls(polls, run(n)).await.is_some(),
        async |n| {
            let completed = run(n).await;
            assert_eq!(run(n).await.certificate.certificate_pem, completed.certificate.certificate_pem);
            let device = completed.device_id;
            assert_eq!(platform.messages(platform.organization, "device", device.0).await.len(), 1);
            let issued = platform.messages(platform.organization, "certificate", completed.certificate.id.0).await;
            assert_eq!(issued.len(), 1);
            let rival = platform
                .commands
                .register_device(&platform.context(10_000 + n), platform.device(&format!("SN-{n}")))
                .await;
            let Err(Error::Refused(Refusal::SerialNumberTaken { holder })) = rival else { panic!("{rival:?}") };
            assert_eq!(holder, device);
        },
    )
    .await;
    assert!(places > 5, "interrupted at only {places} await points");
}

fn pem_certificates(chain: &str) -> Vec<rustls_pki_types::CertificateDer<'static>> {
    use rustls_pki_types::pem::PemObject;
    rustls_pki_types::CertificateDer::pem_slice_iter(chain.as_bytes()).map(Result::unwrap).collect()
}
